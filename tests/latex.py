"""A reader of the LaTeX that tables are written in, which finds what would stop LaTeX or set cells in wrong columns.

It knows what `report.sheet` uses and takes all else for a fault.  That tables compile was seen with pdfLaTeX (TeX Live
2022); an installation takes hundreds of megabytes, so that tests read instead.
"""

import re

COMMANDS = {
    *("begin", "end", "centering", "caption", "label", "par", "medskip", "toprule", "midrule", "bottomrule"),
    *("multicolumn", "emph", "phantom", "mathrm", "checkmark", "times", "pm", "rightarrow"),
    *("textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar"),
}
ALONE = ("centering", "par", "toprule", "midrule", "bottomrule", "caption", "label", "begin", "end")
MULTICOLUMN = re.compile(r"\\multicolumn\{(\d+)\}")


def faults(text: str) -> list[str]:
    """What is wrong with a table, a sentence each; comments, whole lines, are left out."""
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    return [*signs("\n".join(lines)), *environments(lines), *rows(lines)]


def signs(text: str) -> list[str]:
    """Signs that LaTeX reads and that are not escaped, unknown commands, and braces without their other."""
    found = [f"unknown command {name}" for name in re.findall(r"\\([a-zA-Z]+)", text) if name not in COMMANDS]
    text = re.sub(r"\\label\{[^{}]*\}", "", text)  # a name, in which signs are signs
    plain = re.sub(r"\\\\(?=\n|$)|\\[&%$#_{}]|\\[a-zA-Z]+", " ", text)
    found += ["a backslash of no command"] if "\\" in plain else []
    depth = 0
    for sign in plain:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            break
    found += ["braces that don't match"] if depth else []
    math = plain.split("$")
    found += ["math that does not end"] if len(math) % 2 == 0 else []
    outside = "".join(math[::2])
    found += [f"{sign} outside of math or unescaped" for sign in "_^#%✓✗±→−" if sign in outside]
    return found


def environments(lines: list[str]) -> list[str]:
    """Environments that don't end where they should."""
    open_ones: list[str] = []
    for line in lines:
        for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", line):
            if kind == "begin":
                open_ones.append(name)
            elif not open_ones or open_ones.pop() != name:
                return [f"end of {name} without its begin"]
    return [f"{name} does not end" for name in open_ones]


def rows(lines: list[str]) -> list[str]:
    """Rows that have not as many cells as their tabular, don't end, or begin like an argument of what is above them."""
    found, columns = [], 0
    for line in lines:
        if opened := re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", line):
            columns = len(opened[1])
        elif re.match(rf"\\({'|'.join(ALONE)})\b", line):
            continue
        elif not line.endswith(" \\\\"):
            found.append(f"a row does not end: {line}")
        else:
            cells = re.split(r"(?<!\\)&", line.removesuffix("\\\\"))
            width = sum(int(of[1]) if (of := MULTICOLUMN.search(cell)) else 1 for cell in cells)
            found += [f"{width} cells in {columns} columns: {line}"] if width != columns else []
            found += [f"a row begins like an argument: {line}"] if line.startswith(("[", "*")) else []
    return found
