"""Charts as files: SVG and PNG to print, and a page to look at with tooltips, which loads nothing from elsewhere."""

import hashlib
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import altair

from workflow_scripts.files import atomic, write_text

FONT = "sans-serif"
# told apart also without red or green
COLOURS = ["#0b6e99", "#c4560f", "#3d3d3d", "#7a5195", "#4f7a28", "#b8860b", "#d4668f", "#5aa9d6", "#8c564b"]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
GREY = "#8a8a8a"
INK = "#3d3d3d"
LINES = r"split(datum.label, '\n')"  # of a header that has several


def scale_of(names: Sequence[str], values: Sequence[Any]) -> altair.Scale:
    """A colour, shape or dash for each name, those of the beginning again where there are more names."""
    return altair.Scale(
        domain=list(names), range=[values[number % len(values)] for number in range(len(names))]
    )


def styled(chart: altair.TopLevelMixin) -> altair.TopLevelMixin:
    """A chart with the fonts, sizes and colours that all have."""
    return (
        # browsers' own sans-serif may be wider than the one that the layout was made with: room is left for it
        chart.configure(
            font=FONT, background="white", padding={"left": 40, "top": 5, "right": 15, "bottom": 5}
        )
        .configure_range(category=COLOURS)
        .configure_axis(labelFontSize=12, titleFontSize=12, titleFontWeight="normal", labelLimit=360)
        .configure_header(labelFontSize=13, titleFontSize=13, labelLimit=360)
        .configure_legend(labelFontSize=12, titleFontSize=12, labelLimit=360, columnPadding=28)
        .configure_title(fontSize=14, anchor="start", subtitleFontSize=12, subtitleColor="#555")
        .configure_view(stroke=None)
    )


def with_own_ids(svg: str) -> str:
    """The picture with ids that no other one has, and that follow from what it shows: one page may hold several."""
    found = list(dict.fromkeys(re.findall(r' id="([^"]+)"', svg)))
    for number, name in enumerate(found):
        svg = re.sub(
            rf'(?<= id=")({re.escape(name)})(?=")|(?<=#)({re.escape(name)})(?=\))', f"id{number}", svg
        )
    own = hashlib.sha256(svg.encode()).hexdigest()[:8]
    return re.sub(r'(?<= id=")id(?=\d+")|(?<=#)id(?=\d+\))', f"id-{own}-", svg)


def within_script(markup: str) -> str:
    """The page with its chart's JSON as a script may hold it: in a label, "<" could begin the script's end."""
    return re.sub(r"(?m)^ *const spec = .*$", lambda line: line[0].replace("<", r"\u003c"), markup)


def outputs(arguments: ArgumentParser) -> None:
    """The options of every step that draws."""
    arguments.add_argument("--svg", type=Path, required=True, help="the figure, to print")
    arguments.add_argument("--png", type=Path, required=True, help="the same as pixels")
    arguments.add_argument("--page", type=Path, required=True, help="the same with tooltips (.html)")


def written(chart: altair.TopLevelMixin, given: Namespace, what: str) -> None:
    """Write a chart to the files of `outputs`, and say what it shows; equal figures give equal bytes."""
    whole = styled(chart)
    text, markup = StringIO(), StringIO()
    whole.save(text, format="svg")
    whole.save(markup, format="html", inline=True, embed_options={"actions": False})
    write_text(given.svg, with_own_ids(text.getvalue()))
    write_text(given.page, within_script(markup.getvalue()))
    with atomic(given.png) as place:
        whole.save(str(place), format="png", scale_factor=2)
    print(f"{given.svg}, {given.png}, {given.page}: {what}")
