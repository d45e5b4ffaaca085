"""Tables for people: what Markdown and LaTeX would take for something else stays what it is."""

import re

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
