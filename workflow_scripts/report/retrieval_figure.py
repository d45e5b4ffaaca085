"""Draw what align.retrieval measured: words found before (○) and after (●) alignment, and by chance (|).

A panel is an alignment and a measure, words within the parallel sentence or among all words by CSLS, as the mean of
both directions; a line is a language, and its colour and shape say whether the encoder was aligned in it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.languages import language
from workflow_scripts.recipes.retrieval_table import RetrievalTable
from workflow_scripts.report.charts import COLOURS, INK, LINES, SHAPES, outputs, scale_of, written
from workflow_scripts.report.retrieval import MEASURES, WAYS, Figures, mean, parted, percent, read_figures

SHOWN = ("within", "words")
ALIGNED = ("aligned in", "not aligned in")


def values(recipe: RetrievalTable, encoders: Mapping[str, Figures]) -> list[dict[str, Any]]:
    """A row for each alignment, measure and language; figures are null where nothing counts."""
    before = encoders[recipe.encoder]
    found = []
    for aligned in recipe.alignments:
        if aligned.missing:
            continue
        for measure in SHOWN:
            for mark, codes in parted(before, aligned.languages).items():
                for code in codes:
                    sides = (before[code], encoders[aligned.name][code])
                    old, new = (mean([percent(of, measure, way) for way in WAYS]) for of in sides)
                    chance = mean([percent(before[code], measure, f"chance_{way}") for way in WAYS])
                    found.append(
                        {
                            "panel": f"{aligned.name}\n{MEASURES[measure]}",
                            "language": language(code).name,
                            "aligned": ALIGNED[mark != "✓"],
                            **{
                                name: None if figure is None else round(figure, 2)
                                for name, figure in (("before", old), ("after", new), ("chance", chance))
                            },
                        }
                    )
    return found


def drawn(recipe: RetrievalTable, rows: list[dict[str, Any]]) -> altair.FacetChart:
    """The chart."""
    panels = list(dict.fromkeys(row["panel"] for row in rows))
    # lines are in the order in which they first come: aligned languages above others in every panel
    order: dict[str, list[str]] = {}
    for row in rows:
        order.setdefault(row["panel"], []).append(row["language"])
    scale = scale_of(ALIGNED, COLOURS)
    colour = altair.Color("aligned:N", scale=scale, legend=altair.Legend(title=None, orient="top"))
    shape = altair.Shape(
        "aligned:N", scale=scale_of(ALIGNED, SHAPES), legend=altair.Legend(title=None, orient="top")
    )
    numbered = [row | {"number": order[row["panel"]].index(row["language"])} for row in rows]
    base = altair.Chart().encode(
        y=altair.Y("language:N", sort=altair.EncodingSortField("number", op="min"), title=None),
        tooltip=[
            altair.Tooltip("language:N"),
            altair.Tooltip("aligned:N"),
            *(altair.Tooltip(f"{name}:Q", format=".1f") for name in ("before", "after", "chance")),
        ],
    )
    percents = altair.Scale(domain=[0, 100])
    there = base.transform_filter("isValid(datum.before) && isValid(datum.after)")
    line = there.mark_rule(strokeWidth=2, aria=False).encode(
        x=altair.X("before:Q", title="percent", scale=percents), x2="after:Q", color=colour
    )
    chance = there.mark_tick(color=INK, thickness=1.5, height=11).encode(
        x=altair.X("chance:Q", scale=percents)
    )
    before = there.mark_point(size=50, filled=False, fill="white", strokeWidth=2, opacity=1).encode(
        x=altair.X("before:Q", scale=percents), stroke=colour, shape=shape
    )
    after = there.mark_point(size=50, filled=True, opacity=1).encode(
        x=altair.X("after:Q", scale=percents), color=colour, shape=shape
    )
    none = (
        base.transform_filter("!(isValid(datum.before) && isValid(datum.after))")
        .mark_text(text="–", align="left", color=INK)
        .encode(x=altair.value(3))
    )
    return (
        altair.layer(line, chance, before, after, none)
        .properties(width=220, height={"step": 17})
        .facet(
            facet=altair.Facet(
                "panel:N", sort=panels, title=None, header=altair.Header(labelFontSize=12, labelExpr=LINES)
            ),
            columns=len(SHOWN),
            data=altair.Data(values=numbered),
        )
        .resolve_scale(y="independent")
        .properties(
            title={
                "text": f"Words found by {recipe.encoder}, mean of both directions",
                "subtitle": "before (○) and after (●) alignment; by chance (|)",
            }
        )
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, RetrievalTable)
    arguments.add_argument("--figures", type=Path, required=True, help="what align.retrieval measured (JSON)")
    outputs(arguments)
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, RetrievalTable)
    rows = values(recipe, read_figures(given.figures, recipe))
    if not rows:
        raise InputError("--recipe: no alignment of the figure is there")
    written(drawn(recipe, rows), given, f"{len({row['panel'] for row in rows})} panels")


if __name__ == "__main__":
    run(main)
