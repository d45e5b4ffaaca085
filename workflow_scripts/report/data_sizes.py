"""Draw the scores of models that differ in nothing but how much they were trained on, by this amount.

It is counted from files: the sentence pairs of all languages of an alignment, or the questions of a training set that
the leakage guard leaves in.  A panel is a task, metric or block of pairs, a colour a pair or an average, and a dash the
models that have all else in common.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.corpus import read_questions
from workflow_scripts.files import each_line
from workflow_scripts.recipes.figures import DataSizes
from workflow_scripts.report.cells import Cell, measured, read_cells
from workflow_scripts.report.charts import COLOURS, INK, outputs, scale_of, written

AMOUNTS = {"alignment": "sentence pairs of the alignment", "training": "questions trained on"}


def lines_in(file: str) -> int:
    """The lines of a file, of which each is a sentence pair or a question."""
    return sum(1 for _ in each_line(file))


def sizes(
    recipe: DataSizes, pairs: Mapping[str, str], questions: Mapping[str, str], left_out: Mapping[str, str]
) -> dict[str, int]:
    """How much every alignment or training set of a recipe has.

    pairs: ALIGNMENT/LANGUAGE -> file; questions: CORPUS -> table; left_out: TRAINING_SET -> the guard's list.
    Raises InputError where a file is not given.
    """
    found: dict[str, int] = {}
    for name in dict.fromkeys(name for line in recipe.lines for row in line.rows for name in row.data):
        if recipe.of == "alignment":
            files = [file for of, file in pairs.items() if of.rpartition("/")[0] == name]
            if not files:
                raise InputError(f"--pairs: no file of {name}, which the figure shows")
            found[name] = sum(map(lines_in, files))
            continue
        for corpus in recipe.corpora.get(name, ()):
            if corpus not in questions:
                raise InputError(f"--questions: no table of {corpus}, which {name} has")
        if name not in left_out:
            raise InputError(f"--left-out: no list of {name}, which the figure shows")
        of_corpora = sum(len(read_questions(questions[corpus])) for corpus in recipe.corpora[name])
        found[name] = of_corpora - lines_in(left_out[name])
    return found


def values(recipe: DataSizes, cells: Sequence[Cell], amounts: Mapping[str, int]) -> list[dict[str, Any]]:
    """A row for each cell of the rows that are shown."""
    lines = {row.row: (line.label, row.data) for line in recipe.lines for row in line.rows}
    blocks = blocks_of(cells)
    titles = titles_of(list(dict.fromkeys(blocks.values())))
    found = []
    for cell in cells:
        if cell.model in lines and cell.score is not None:
            label, data = lines[cell.model]
            block = blocks[cell.pairs]
            found.append(
                {
                    "line": label,
                    "model": cell.label,
                    "panel": ", ".join(filter(None, (cell.part, titles[block]))),
                    "column": called(cell.pairs, block),
                    "amount": round(statistics.fmean(amounts[name] for name in data)),
                    "score": round(cell.score, 2),
                }
            )
    return found


def blocks_of(cells: Sequence[Cell]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The pairs of a column -> those of the block that it is in, which is its own where it stands alone."""
    wholes = [cell.pairs for cell in cells if len(cell.pairs) > 1]
    return {
        cell.pairs: next((whole for whole in wholes if set(cell.pairs) <= set(whole)), cell.pairs)
        for cell in cells
    }


def titled(block: Sequence[str]) -> str:
    """What the pairs of a block have in common."""
    questions, contexts = ({pair.split("-")[side] for pair in block} for side in (0, 1))
    if all(pair.split("-")[0] == pair.split("-")[1] for pair in block):
        return ""
    if len(questions) == 1:
        return f"questions in {questions.pop()}"
    return f"contexts in {contexts.pop()}" if len(contexts) == 1 else ""


def titles_of(blocks: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """What panels call these blocks: what their pairs have in common, or, of blocks with an average that share this,
    all their columns, so that a panel has one average.
    """
    whole = Counter(titled(block) for block in blocks if len(block) > 1)
    return {
        block: ", ".join([called((pair,), block) for pair in block])
        if len(block) > 1 and whole[titled(block)] > 1
        else titled(block)
        for block in blocks
    }


def called(pairs: Sequence[str], block: Sequence[str]) -> str:
    """What a column is called beside the others of its block."""
    if len(pairs) > 1:
        return "average"
    question, _, context = pairs[0].partition("-")
    if question == context:
        return question
    common = titled(block) if len(block) > 1 else ""
    return context if common.startswith("questions") else question if common else pairs[0]


def drawn(recipe: DataSizes, rows: list[dict[str, Any]]) -> altair.FacetChart:
    """The chart."""
    panels = list(dict.fromkeys(row["panel"] for row in rows))
    columns = sorted(dict.fromkeys(row["column"] for row in rows), key=lambda name: name != "average")
    lines = [line.label for line in recipe.lines]
    labelled = [row | {"label": told(row), "about": float(f"{row['amount']:.2g}")} for row in rows]
    # the average is black and leads
    rest = [colour for colour in COLOURS if colour != INK]
    colours = [INK if name == "average" else rest[number % len(rest)] for number, name in enumerate(columns)]
    amounts = [row["amount"] for row in rows]
    base = altair.Chart().encode(
        x=altair.X(
            "amount:Q",
            title=AMOUNTS[recipe.of],
            scale=altair.Scale(type="log", domain=[min(amounts) / 1.15, max(amounts) * 1.15], nice=False),
            axis=altair.Axis(values=ticks(amounts), format="~s", labelOverlap=False),
        ),
        y=altair.Y("score:Q", title=measured(recipe.table), scale=altair.Scale(zero=False)),
        color=altair.Color(
            "column:N",
            scale=scale_of(columns, colours),
            legend=altair.Legend(title=None, orient="top"),
        ),
    )
    dash = altair.StrokeDash(
        "line:N",
        scale=scale_of(lines, [[1, 0], [5, 3], [2, 2], [8, 3, 2, 3]]),
        legend=altair.Legend(title=None, orient="top", columns=1) if len(lines) > 1 else None,
    )
    wide = altair.condition("datum.column == 'average'", altair.value(3), altair.value(1.2))
    # through the mean of what is as good as equally large; whatever else was told of a line would split it
    strokes = base.mark_line(aria=False).encode(
        x=altair.X("about:Q"), y=altair.Y("mean(score):Q"), strokeDash=dash, strokeWidth=wide
    )
    points = base.mark_point(filled=True, opacity=1).encode(
        size=altair.condition("datum.column == 'average'", altair.value(60), altair.value(28)),
        description="label:N",
        tooltip=[
            "model:N",
            "column:N",
            altair.Tooltip("amount:Q", title=AMOUNTS[recipe.of], format=","),
            altair.Tooltip("score:Q", format=".1f"),
        ],
    )
    return (
        altair.layer(strokes, points)
        .properties(width=250, height=190)
        .facet(
            facet=altair.Facet("panel:N", sort=panels, title=None), columns=min(2, len(panels)),
            data=altair.Data(values=labelled),
        )
        .properties(title=recipe.table.title)
    )  # fmt: skip


def told(row: Mapping[str, Any]) -> str:
    """A point in words."""
    return f"{row['model']}, {row['column']}: {row['score']:.1f} at {row['amount']:,}"


def ticks(amounts: Sequence[int]) -> list[int]:
    """Round numbers from the least amount to the most, about five of them; both where no round one is between."""
    decades = range(len(str(max(amounts))) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        found = [int(step * 10**decade) for decade in decades for step in steps]
        found = [value for value in found if min(amounts) / 1.15 <= value <= max(amounts) * 1.15]
        if len(found) > 2:
            break
    return found or sorted({min(amounts), max(amounts)})


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, DataSizes)
    arguments.add_argument("--table", type=Path, required=True, help="the table (CSV)")
    arguments.add_argument(
        "--pairs",
        nargs="*",
        default=[],
        metavar="ALIGNMENT/LANGUAGE=FILE",
        help="sentence pairs, a pair a line",
    )
    arguments.add_argument(
        "--questions", nargs="*", default=[], metavar="CORPUS=FILE", help="questions tables (.parquet)"
    )
    arguments.add_argument(
        "--left-out", nargs="*", default=[], metavar="TRAINING_SET=FILE", help="the guard's lists (.jsonl)"
    )
    outputs(arguments)
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, DataSizes)
    amounts = sizes(
        recipe,
        named_files(given.pairs, "--pairs"),
        named_files(given.questions, "--questions"),
        named_files(given.left_out, "--left-out"),
    )
    rows = values(recipe, read_cells(given.table, recipe.table), amounts)
    if not rows:
        raise InputError(f"{given.table}: no scores to draw; none of its models is there")
    written(drawn(recipe, rows), given, ", ".join(f"{name} {amount:,}" for name, amount in amounts.items()))


if __name__ == "__main__":
    run(main)
