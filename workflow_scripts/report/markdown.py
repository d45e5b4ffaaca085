"""Tables in Markdown that read well as plain text too."""

import unicodedata
from collections.abc import Sequence


def table(lines: Sequence[Sequence[str]], left: int) -> list[str]:
    """The lines of a table, its head first; the first `left` columns stand on the left, the others on the right."""
    widths = [max(3, *map(width, column)) for column in zip(*lines, strict=True)]
    rule = [
        f":{'-' * (size - 1)}" if number < left else f"{'-' * (size - 1)}:"
        for number, size in enumerate(widths)
    ]
    return [
        "| " + " | ".join(map(pad, line, widths, (n < left for n in range(len(line))))) + " |"
        for line in (lines[0], rule, *lines[1:])
    ]


def literal(text: str) -> str:
    """A text as a cell of a Markdown table, where a bar would end the cell and stars would emphasise."""
    return text.replace("|", r"\|").replace("*", r"\*")


def width(text: str) -> int:
    """Columns that a text takes in a terminal: two for wide characters, none for combining ones."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def pad(text: str, size: int, left: bool) -> str:
    """A cell filled up to `size`."""
    blank = " " * (size - width(text))
    return text + blank if left else blank + text
