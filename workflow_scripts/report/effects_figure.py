"""Draw a table of effects: a line for each effect, a point where the difference is, a bar over its 95 % interval.

A panel is a column of the table.  Points are filled where the two-sided p is below .05 (`evaluate.effects`).
"""

from collections.abc import Sequence
from typing import Any

import altair

from workflow_scripts.cli import parser, read_recipe, run
from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.report.charts import COLOURS, GREY, outputs, written
from workflow_scripts.report.effects import SIGNIFICANT, columns_of, read_verdicts, two_sided


def values(recipe: EffectsTable, found: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """A row for each effect and column, in percentage points."""
    return [
        {
            "effect": effect.label,
            "column": name,
            **{key: round(100 * verdict[key], 2) for key in ("difference", "low", "high")},
            "p": two_sided(verdict).removeprefix("p ").removeprefix("= "),
            "clear": verdict["p_two_sided"] < SIGNIFICANT,
        }
        for effect, row in zip(recipe.effects, found, strict=True)
        for name, verdict in zip(columns_of(recipe), row, strict=True)
    ]


def drawn(recipe: EffectsTable, rows: list[dict[str, Any]]) -> altair.FacetChart:
    """The chart."""
    base = altair.Chart().encode(
        y=altair.Y("effect:N", sort=[effect.label for effect in recipe.effects], title=None),
        tooltip=[
            altair.Tooltip("effect:N", title="effect"),
            altair.Tooltip("difference:Q", title="points", format="+.1f"),
            altair.Tooltip("low:Q", title="from", format="+.1f"),
            altair.Tooltip("high:Q", title="to", format="+.1f"),
            altair.Tooltip("p:N", title="p, two-sided"),
        ],
    )
    zero = altair.Chart().mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=altair.datum(0))
    bars = base.mark_rule(strokeWidth=2, color=COLOURS[0]).encode(
        x=altair.X("low:Q", title="percentage points"), x2="high:Q"
    )
    points = base.mark_point(size=70, color=COLOURS[0], strokeWidth=2).encode(
        x="difference:Q",
        fill=altair.condition("datum.clear", altair.value(COLOURS[0]), altair.value("white")),
    )
    width = max(160, 660 // len(columns_of(recipe)))
    layers = altair.layer(zero, bars, points).properties(width=width, height={"step": 26})
    return layers.facet(
        column=altair.Column("column:N", sort=columns_of(recipe), title=None), data=altair.Data(values=rows)
    ).properties(
        title={"text": recipe.title, "subtitle": "difference and 95 % interval; filled: p < .05, two-sided"}
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, EffectsTable)
    arguments.add_argument("--effects", required=True, help="what evaluate.effects found (JSON)")
    outputs(arguments)
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, EffectsTable)
    rows = values(recipe, read_verdicts(given.effects, recipe))
    written(drawn(recipe, rows), given, f"{len(recipe.effects)} effects")


if __name__ == "__main__":
    run(main)
