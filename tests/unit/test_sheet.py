"""Tables for people: what Markdown and LaTeX would take for something else stays what it is."""

import re

from tests.latex import faults
from workflow_scripts.report.sheet import LATEX, Panel, Sheet, escaped, to_latex, to_markdown

SHEET = Sheet(
    "50 % of a_b|c. *: p < .05.",
    [
        Panel(["Model", "Q_en,C_ar"], ["above & below", ["x_1", "81.2 ✓"], ["y", "7.0  "]], 1, "Passage"),
        Panel(["Model", "Q_bn,C_en"], [["a|b", "n/a"]], 1),
    ],
)


def test_markdown() -> None:
    assert to_markdown(SHEET).splitlines() == [
        r"50 % of a_b\|c. \*: p < .05.",
        "",
        "**Passage**",
        "",
        "| Model           | Q_en,C_ar |",
        "| :-------------- | --------: |",
        "| *above & below* |           |",
        "| x_1             |    81.2 ✓ |",
        "| y               |     7.0   |",
        "",
        "| Model | Q_bn,C_en |",
        "| :---- | --------: |",
        r"| a\|b  |       n/a |",
    ]


def test_latex() -> None:
    text = to_latex(SHEET, "table5")
    assert text.count("\\begin{tabular}{lr}") == text.count("\\end{tabular}") == 2
    assert r"\caption{50 \% of a\_b\textbar{}c. *: p \textless{} .05.}" in text
    assert r"\label{tab:table5}" in text
    assert r"Model & Q$_{\mathrm{en}}$,C$_{\mathrm{ar}}$ \\" in text
    assert r"\multicolumn{2}{l}{\emph{above \& below}} \\" in text
    assert r"x\_1 & 81.2 $\checkmark$ \\" in text
    assert r"y & 7.0~\phantom{$\checkmark$} \\" in text
    assert r"a\textbar{}b & n/a \\" in text


def test_every_sign_of_latex_is_escaped() -> None:
    """What is left without the escapes has no sign that LaTeX reads, and no brace without its other."""
    raw = "".join(LATEX) * 2
    left = re.sub(r"\\[a-zA-Z]+\{\}|\\[&%$#_{}]|\$\\[a-z]+\$|\$-\$", "", escaped(raw))
    assert left == ""
    assert escaped("{Q_en}") == r"\{Q$_{\mathrm{en}}$\}"


def test_whatever_cells_hold_latex_can_read_it() -> None:
    """Signs of LaTeX anywhere, cells that look like arguments, and scripts that need another program, which is said."""
    signs = "".join(LATEX)
    odd = ["[x]", "*", "a & b", "50 %", "\\\\ {", "_Q_en_", "#1 $ ~^", signs, "n/a", "", "7.0  "]
    lines: list[list[str] | str] = [[text, text, "-1.0"] for text in odd]
    text = to_latex(Sheet(signs, [Panel([signs, "[b]", "*c"], [*lines, *odd], 2, signs)] * 2), "x")
    assert faults(text) == []
    assert "XeLaTeX" not in text
    assert "\n{}[x] & [x] & -1.0 \\\\\n" in text
    assert "\n{}* & * & -1.0 \\\\\n" in text
    for name, hint in (
        ("Norsk bokmål – “å”…", False),
        ("العربية", True),
        ("한국어", True),
        ("ẹ̀dè Yorùbá", True),
    ):
        text = to_latex(Sheet("T", [Panel(["Language"], [[name]], 1)]), "x")
        assert name in text
        assert ("compile with XeLaTeX or LuaLaTeX" in text.splitlines()[0]) == hint


def test_faults_are_found() -> None:
    """Of the test's own reader: each of these stops LaTeX."""
    good = to_latex(SHEET, "mucot_table1")
    assert faults(good) == []
    for old, new in (
        (r"\% of", "% of"),
        ("x\\_1", "x_1"),
        ("{lr}", "{lrr}"),
        ("{lr}", "{l}"),
        ("x\\_1 & 81.2", "x\\_1  81.2"),
        ("\\end{table}", ""),
        ("\\emph{", "\\emph"),
        ("x\\_1 &", "[x\\_1] &"),
        ("n/a", "n/a ✓"),
        ("\\multicolumn{2}", "\\multicolumn{3}"),
    ):
        assert old in good
        assert faults(good.replace(old, new, 1)), new
