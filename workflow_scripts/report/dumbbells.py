"""A plot of figures before and after: rows of two dots that a line joins, as SVG, without a plotting library.

The bytes follow from the figures alone, so that a plot is stale when a figure is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

SIZE = 320  # pixels from 0 to 100
STEP = 18  # from row to row
LEFT, RIGHT, TOP, BOTTOM = 64, 84, 46, 30  # around a panel
LEGEND = 34
COLOURS = {True: "#1b6ca8", False: "#c8553d"}
GREY, RULE = "#555555", "#dddddd"


@dataclass(frozen=True)
class Row:
    """A line of a panel: figures in percent, None where there is none; `marked` gives the colour."""

    label: str
    marked: bool
    before: float | None
    after: float | None
    chance: float | None


@dataclass(frozen=True)
class Panel:
    """A plot with its own title."""

    title: str
    rows: Sequence[Row]


def drawn(title: str, grid: Sequence[Sequence[Panel]], legend: tuple[str, str]) -> str:
    """The plots, row by row of the grid, as the text of an SVG file; `legend` says what marked and other rows are."""
    width = max((len(panels) for panels in grid), default=1) * (LEFT + SIZE + RIGHT)
    parts, y = [], LEGEND + 24
    for panels in grid:
        for number, panel in enumerate(panels):
            parts += _panel(panel, number * (LEFT + SIZE + RIGHT) + LEFT, y + TOP)
        y += TOP + STEP * max(len(panel.rows) for panel in panels) + BOTTOM
    head = [_text(LEFT, 22, title, "start", 15, weight="bold")]
    x = LEFT
    for marked, said in zip((True, False), legend, strict=True):
        head += [_line(x, 42, x + 26, 42, COLOURS[marked], 2), *_dots(x, x + 26, 42, marked)]
        head.append(_text(x + 36, 46, f"{said}: before → after", "start"))
        x += 36 + 7 * (len(said) + 18)
    head += [_line(x, 37, x, 47, GREY, 1.5), _text(x + 8, 46, "chance", "start")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" viewBox="0 0 {width} {y}"'
        f' font-family="sans-serif" font-size="12">\n<rect width="{width}" height="{y}" fill="white"/>\n'
        + "\n".join([*head, *parts])
        + "\n</svg>\n"
    )


def _panel(panel: Panel, left: int, top: int) -> list[str]:
    bottom = top + STEP * len(panel.rows)
    parts = [_text(left, top - 14, panel.title, "start", weight="bold")]
    for tick in (0, 25, 50, 75, 100):
        x = left + SIZE * tick / 100
        parts += [_line(x, top, x, bottom, RULE, 1), _text(x, bottom + 16, str(tick), colour=GREY)]
    for number, row in enumerate(panel.rows):
        y = top + STEP * (number + 0.5)
        parts.append(_text(left - 10, y + 4, row.label, "end"))
        if row.before is None or row.after is None:
            parts.append(_text(left + SIZE + 10, y + 4, "–", "start", colour=GREY))
            continue
        before, after = (left + SIZE * value / 100 for value in (row.before, row.after))
        if row.chance is not None:
            x = left + SIZE * row.chance / 100
            parts.append(_line(x, y - 5, x, y + 5, GREY, 1.5))
        parts.append(_line(before, y, after, y, COLOURS[row.marked], 2))
        parts += _dots(before, after, y, row.marked)
        figures = f"{row.before:.0f} → {row.after:.0f}"
        parts.append(_text(left + SIZE + 10, y + 4, figures, "start", colour=GREY))
    return parts


def _dots(before: float, after: float, y: float, marked: bool) -> list[str]:
    stroke = f'stroke="{COLOURS[marked]}" stroke-width="1.5"'
    return [
        f'<circle cx="{before:.1f}" cy="{y:.1f}" r="4" fill="white" {stroke}/>',
        f'<circle cx="{after:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS[marked]}" {stroke}/>',
    ]


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, width: float) -> str:
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"'
        f' stroke-width="{width}"/>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    anchor: str = "middle",
    size: int = 12,
    weight: str = "normal",
    colour: str = "black",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
        f' fill="{colour}">{escape(text)}</text>'
    )
