"""Draw a table of scores as maps, one for each model: a line for each language of questions, a column of contexts.

All maps of a figure have one scale of colours.  A pair that the table does not have is blank, and a model that is not
there has no map.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.languages import language
from workflow_scripts.recipes.figures import HeatMaps
from workflow_scripts.report.cells import Cell, measured, read_cells
from workflow_scripts.report.charts import outputs, written

SIDE = 34  # pixels of a cell
WIDTH = 620  # pixels that maps beside one another may take


def values(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """A row for each cell that is a pair's and has a score."""
    found = []
    for cell in cells:
        if len(cell.pairs) == 1 and cell.score is not None:
            question, _, context = cell.pairs[0].partition("-")
            found.append(
                {
                    "model": f"{cell.label}, {cell.part}" if cell.part else cell.label,
                    "question": question,
                    "context": context,
                    "asked": language(question).name,
                    "about": language(context).name,
                    "score": round(cell.score, 1),
                }
            )
    return found


def each_once(rows: Sequence[dict[str, Any]], *keys: str) -> list[str]:
    """What rows have under these keys, each once, in their order."""
    return list(dict.fromkeys(row[key] for key in keys for row in rows))


def drawn(recipe: HeatMaps, rows: list[dict[str, Any]]) -> altair.FacetChart:
    """The chart."""
    codes = each_once(rows, "question", "context")
    questions = [code for code in codes if code in each_once(rows, "question")]
    contexts = [code for code in codes if code in each_once(rows, "context")]
    scores = [row["score"] for row in rows]
    low, high = 10 * math.floor(min(scores) / 10), 10 * math.ceil(max(scores) / 10)
    base = altair.Chart().encode(
        x=altair.X(
            "context:N",
            sort=contexts,
            title="context",
            axis=altair.Axis(labelAngle=0, ticks=False, domain=False),
        ),
        y=altair.Y(
            "question:N", sort=questions, title="question", axis=altair.Axis(ticks=False, domain=False)
        ),
        tooltip=[
            altair.Tooltip("model:N"),
            altair.Tooltip("asked:N", title="question"),
            altair.Tooltip("about:N", title="context"),
            altair.Tooltip("score:Q", format=".1f"),
        ],
    )
    cells = base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=altair.Color(
            "score:Q",
            scale=altair.Scale(scheme="blues", domain=[low, max(high, low + 10)]),
            legend=altair.Legend(title=measured(recipe.table), orient="top", gradientLength=200),
        )
    )
    numbers = base.mark_text(fontSize=11, aria=False).encode(
        text=altair.Text("score:Q", format=".0f"),
        color=altair.condition(
            f"datum.score > {low + 0.55 * (max(high, low + 10) - low)}",
            altair.value("white"),
            altair.value("black"),
        ),
    )
    one = altair.layer(cells, numbers).properties(
        width=SIDE * len(contexts), height=SIDE * len(questions), view=altair.ViewBackground(fill="#f2f2f2")
    )
    models = each_once(rows, "model")
    # a map is at least as wide as its title
    wide = max(SIDE * len(contexts), 7 * max(map(len, models))) + 30
    return one.facet(
        facet=altair.Facet("model:N", sort=models, title=None),
        columns=max(1, min(len(models), WIDTH // wide)),
        data=altair.Data(values=rows),
    ).properties(title=recipe.table.title)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, HeatMaps)
    arguments.add_argument("--table", type=Path, required=True, help="the table (CSV)")
    outputs(arguments)
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, HeatMaps)
    rows = values(read_cells(given.table, recipe.table))
    if not rows:
        raise InputError(f"{given.table}: no scores to draw; none of its models is there")
    written(drawn(recipe, rows), given, f"{len(each_once(rows, 'model'))} maps")


if __name__ == "__main__":
    run(main)
