"""Draw what models score on questions as they are written (○) and as a speech recogniser heard them (●).

A line is a model, a panel a pair of languages and a task, with the share of misheard words in its title; the panel
below shows what was lost by this share, a point for each model, and their mean as a line.  Scores are means over seeds,
of all questions of their evaluation: where some were not heard, titles say how many were.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import altair

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.files import read_text
from workflow_scripts.languages import language
from workflow_scripts.recipes.sections import Section, SectionsTable
from workflow_scripts.report.cells import TASKS, called, models_in
from workflow_scripts.report.charts import COLOURS, GREY, LINES, SHAPES, outputs, scale_of, written
from workflow_scripts.report.sections import cells_of, scores_option

Values = list[dict[str, Any]]


def asked(pair: str) -> str:
    """A pair of languages in words."""
    question, context = (language(code).name for code in pair.split("-"))
    return question if question == context else f"{question} about {context}"


def values(
    recipe: SectionsTable, section: Section, scores: dict[str, list[str]], rates: Mapping[str, Any]
) -> Values:
    """A row for each model, pair and task of a section whose columns are as written and as heard, by turns.

    Raises InputError where scores or the rate of a pair are missing.
    """
    found: Values = []
    for row in models_in(section.rows):
        if row.missing:
            continue
        cells = cells_of(recipe, section, row, scores)
        for number, block in enumerate(section.columns[1::2]):
            name = f"{block.evaluation}/{block.pairs[0]}"
            try:
                rate = 100 * rates[name]["rate"]
            except (KeyError, TypeError):
                raise InputError(f"--misheard: no rate of {name}; run evaluate.misheard again") from None
            sides = cells[2 * number : 2 * number + 2]
            before, after = (statistics.fmean(cell.runs) for cell in sides)
            whole, part = (cell.questions for cell in sides)
            fewer = "" if part == whole else f"\n{part:,} questions heard, {whole:,} written"
            found.append(
                {
                    "model": called(row),
                    "pair": asked(block.pairs[0]),
                    "task": TASKS[block.task],
                    "rate": round(rate, 1),
                    "panel": f"{TASKS[block.task]}, {rate:.0f} % misheard\n{asked(block.pairs[0])}{fewer}",
                    "written": round(before, 1),
                    "heard": round(after, 1),
                    "change": round(after - before, 1),
                }
            )
    return found


TOLD = [
    altair.Tooltip("model:N"),
    altair.Tooltip("pair:N"),
    altair.Tooltip("task:N"),
    altair.Tooltip("written:Q", title="as written", format=".1f"),
    altair.Tooltip("heard:Q", title="as heard", format=".1f"),
    altair.Tooltip("rate:Q", title="words misheard, percent", format=".1f"),
]


def both_ways(rows: Values) -> altair.FacetChart:
    """Two dots for each model."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    panels = list(dict.fromkeys(row["panel"] for row in rows))
    base = altair.Chart().encode(y=altair.Y("model:N", sort=models, title=None), tooltip=TOLD)
    x = altair.X("written:Q", title="best F1, percent", scale=altair.Scale(zero=False))
    line = base.mark_rule(color=COLOURS[0], strokeWidth=2, aria=False).encode(x=x, x2="heard:Q")
    dots = [
        base.mark_point(size=60, color=COLOURS[0], strokeWidth=2, filled=False, fill=fill, opacity=1).encode(
            x=at
        )
        for at, fill in ((x, "white"), (altair.X("heard:Q"), COLOURS[0]))
    ]
    return (
        altair.layer(line, *dots)
        .properties(width=190, height={"step": 19})
        .facet(
            facet=altair.Facet(
                "panel:N", sort=panels, title=None, header=altair.Header(labelFontSize=12, labelExpr=LINES)
            ),
            columns=min(2, len(panels)),
            data=altair.Data(values=rows),
        )
    )


def by_rate(rows: Values) -> altair.FacetChart:
    """What is lost, by the share of words that were misheard."""
    pairs = list(dict.fromkeys(row["pair"] for row in rows))
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    rates = [row["rate"] for row in rows]
    base = altair.Chart().encode(
        x=altair.X(
            "rate:Q",
            title="words misheard, percent",
            scale=altair.Scale(domain=[min(rates) - 2, max(rates) + 2], nice=False),
        ),
        y=altair.Y("change:Q", title="change of F1, points"),
        color=altair.Color(
            "pair:N",
            scale=scale_of(pairs, COLOURS),
            legend=altair.Legend(title=None, orient="top", columns=2),
        ),
    )
    zero = altair.Chart().mark_rule(color=GREY, strokeDash=[3, 3]).encode(y=altair.datum(0))
    points = base.mark_point(size=45, filled=True, opacity=0.75).encode(
        shape=altair.Shape(
            "pair:N",
            scale=scale_of(pairs, SHAPES),
        ),
        tooltip=TOLD,
    )
    mean = base.mark_tick(orient="horizontal", width=26, thickness=3).encode(y=altair.Y("mean(change):Q"))
    return (
        altair.layer(zero, points, mean)
        .properties(width=190, height=170)
        .facet(
            facet=altair.Facet("task:N", sort=tasks, title=None),
            columns=min(2, len(tasks)),
            data=altair.Data(values=rows),
        )
    )  # fmt: skip


def drawn(title: str, sections: Sequence[tuple[str, Values]]) -> altair.TopLevelMixin:
    """The chart."""
    blocks: list[Any] = [both_ways(rows).properties(title=heading) for heading, rows in sections]
    lost = by_rate([row for _, rows in sections for row in rows])
    blocks.append(lost.properties(title="Change by misheard words"))
    return (
        altair.vconcat(*blocks, spacing=30)
        .resolve_scale(color="independent", shape="independent")
        .properties(
            title={
                "text": title,
                "subtitle": "questions as written (○) and as a speech recogniser heard them (●)",
            }
        )
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, SectionsTable)
    scores_option(arguments)
    arguments.add_argument("--misheard", required=True, help="what evaluate.misheard found (JSON)")
    outputs(arguments)
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, SectionsTable)
    scores = {name: files.split(",") for name, files in named_files(given.scores, "--scores").items()}
    rates = json.loads(read_text(given.misheard))
    sections = [(of.heading or "", values(recipe, of, scores, rates)) for of in recipe.sections]
    sections = [(heading, rows) for heading, rows in sections if rows]
    if not sections:
        raise InputError("--recipe: no model of the table is there")
    written(
        drawn(recipe.title, sections), given, f"{sum(len(rows) for _, rows in sections)} scores both ways"
    )


if __name__ == "__main__":
    run(main)
