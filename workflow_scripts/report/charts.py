"""Charts as files: SVG and PNG to print, and a page to look at with tooltips, which loads nothing from elsewhere."""

from io import StringIO
from pathlib import Path

import altair

from workflow_scripts.files import atomic, write_text

FONT = "sans-serif"
COLOURS = ["#0b6e99", "#c4560f", "#3d3d3d", "#7a5195", "#4f7a28"]  # told apart also without red or green


def styled(chart: altair.TopLevelMixin) -> altair.TopLevelMixin:
    """A chart with the fonts, sizes and colours that all have."""
    return (
        # browsers' own sans-serif may be wider than the one that the layout was made with
        chart.configure(
            font=FONT, background="white", padding={"left": 40, "top": 5, "right": 15, "bottom": 5}
        )
        .configure_range(category=COLOURS)
        .configure_axis(labelFontSize=12, titleFontSize=12, titleFontWeight="normal", labelLimit=360)
        .configure_header(labelFontSize=13, titleFontSize=13)
        .configure_legend(labelFontSize=12, titleFontSize=12)
        .configure_title(fontSize=14, anchor="start", subtitleFontSize=12, subtitleColor="#555")
        .configure_view(stroke=None)
    )


def write(chart: altair.TopLevelMixin, svg: Path, png: Path, page: Path) -> None:
    """Write a chart in all three forms; equal figures give equal bytes."""
    whole = styled(chart)
    text, markup = StringIO(), StringIO()
    whole.save(text, format="svg")
    whole.save(markup, format="html", inline=True, embed_options={"actions": False})
    write_text(svg, text.getvalue())
    write_text(page, markup.getvalue())
    with atomic(png) as place:
        whole.save(str(place), format="png", scale_factor=2)
