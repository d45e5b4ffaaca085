"""A table for people, in Markdown and in LaTeX, whatever it shows.

Captions and cells are plain text; what has a meaning in either form is escaped here.  LaTeX is a `table` with booktabs'
rules, set with any engine; it needs the packages booktabs and amssymb (for the check marks).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.files import write_text
from workflow_scripts.report.markdown import literal, table

# What LaTeX would take for something else, and signs that its text fonts lack.
LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "✓": r"$\checkmark$",
    "✗": r"$\times$",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
    "−": r"$-$",
}
LATIN = 0x17F  # the last letter that pdfLaTeX knows without packages
PUNCTUATION = "–—‘’“”…"  # that it knows as well
ROOM = "  "  # at the end of a number: others in its column have a mark there
LANGUAGE = re.compile(r"\b([QC])_([a-z]{2,3})\b")  # of questions or contexts, as in Q_en


@dataclass(frozen=True)
class Panel:
    """A grid of cells below a head; a line that is a text is a heading between rows."""

    head: Sequence[str]
    lines: Sequence[Sequence[str] | str]
    left: int  # columns of text, on the left; the others hold numbers, on the right
    title: str = ""  # above the head, where there are several panels


@dataclass(frozen=True)
class Sheet:
    """A caption and one panel or several below each other."""

    caption: str
    panels: Sequence[Panel]


def write_sheet(sheet: Sheet, markdown: Path, latex: Path) -> None:
    """Write a table in both forms; LaTeX refers to it by the file's name, `tab:<name>`."""
    write_text(markdown, to_markdown(sheet))
    write_text(latex, to_latex(sheet, latex.name.removesuffix(".tex")))


def to_markdown(sheet: Sheet) -> str:
    """The table in Markdown, aligned so that it reads well as plain text too."""
    parts = [literal(sheet.caption)]
    for panel in sheet.panels:
        if panel.title:
            parts += ["", f"**{literal(panel.title)}**"]
        lines = [
            [f"*{literal(line)}*", *[""] * (len(panel.head) - 1)]
            if isinstance(line, str)
            else list(map(literal, line))
            for line in panel.lines
        ]
        parts += ["", *table([list(map(literal, panel.head)), *lines], panel.left)]
    return "\n".join(parts) + "\n"


def to_latex(sheet: Sheet, name: str) -> str:
    """The table in LaTeX."""
    needs = "% \\usepackage{booktabs,amssymb}"
    if any(ord(sign) > LATIN and sign not in LATEX and sign not in PUNCTUATION for sign in everything(sheet)):
        needs += "; letters that pdfLaTeX lacks: compile with XeLaTeX or LuaLaTeX, in a font that has them"
    parts = [needs, "\\begin{table}", "\\centering", f"\\caption{{{escaped(sheet.caption)}}}"]
    parts.append(f"\\label{{tab:{name}}}")
    for number, panel in enumerate(sheet.panels):
        parts += ["\\par\\medskip"] if number else []
        columns = "l" * panel.left + "r" * (len(panel.head) - panel.left)
        across = f"\\multicolumn{{{len(columns)}}}{{l}}"
        parts += [f"\\begin{{tabular}}{{{columns}}}", "\\toprule"]
        if panel.title:
            parts += [f"{across}{{{escaped(panel.title)}}} \\\\", "\\midrule"]
        parts += [row(panel.head), "\\midrule"]
        for place, line in enumerate(panel.lines):
            if isinstance(line, str):
                parts += ["\\midrule"] if place else []
                parts.append(f"{across}{{\\emph{{{escaped(line)}}}}} \\\\")
            else:
                parts.append(row(line))
        parts += ["\\bottomrule", "\\end{tabular}"]
    return "\n".join([*parts, "\\end{table}"]) + "\n"


def everything(sheet: Sheet) -> str:
    """All text of a table."""
    lines = (line for panel in sheet.panels for line in (panel.title, panel.head, *panel.lines))
    return sheet.caption + "".join("".join(line) for line in lines)


def row(cells: Sequence[str]) -> str:
    """A row of a tabular; what looks like an argument of the end of the row above is kept from being one."""
    text = " & ".join(map(cell, cells))
    return ("{}" if text.startswith(("[", "*")) else "") + text + " \\\\"


def cell(text: str) -> str:
    """A cell; a number without the mark that others have leaves room for one."""
    room = "~\\phantom{$\\checkmark$}" if text.strip() and text.endswith(ROOM) else ""
    return escaped(text.strip()) + room


def escaped(text: str) -> str:
    """A plain text as LaTeX sets it as it is, but for languages: en below the line in Q_en."""
    found, end = [], 0
    for match in LANGUAGE.finditer(text):
        found.append("".join(LATEX.get(sign, sign) for sign in text[end : match.start()]))
        found.append(f"{match[1]}$_{{\\mathrm{{{match[2]}}}}}$")
        end = match.end()
    found.append("".join(LATEX.get(sign, sign) for sign in text[end:]))
    return "".join(found)
