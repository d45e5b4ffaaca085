"""Say of every number in a table what it was made from: results/manifest.json.

`cells` are the numbers of tables of scores and of differences (without a table's spread of several runs), as their CSV
has them: table, row, column, the pairs of question and context language behind it, value (null: n/a), and the runs
that it is the mean of.  Of a difference there are `system` and `base` instead, and low, high and p.  `runs` has each of
these by name: model, seed, split, evaluation, the files of its gold answers, predictions and scores, the digest of the
parts of the configuration that it was made by (`configurations` has the parts) and of the code of its steps, and the
files that it was made from: weights, encoder, data.  `files` has the SHA-256 and the size of every file that is named.

The recipe comes on standard input, because it may be longer than a command line.
"""

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.cli import InputError, Progress, parser, read_recipe, run
from workflow_scripts.files import read_text, sha256, write_text
from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.recipes.manifest import Manifest, Shown
from workflow_scripts.recipes.table import Row, Table
from workflow_scripts.report.effects import columns_of
from workflow_scripts.report.tables import ABSENT, heads_of, shown_of

Cell = dict[str, Any]
FIGURES = {
    "value": "Difference",
    "low": "Low",
    "high": "High",
    "p": "p",
    "p_two_sided": "p two-sided",
    "p_holm": "p Holm",
}


def groups(blocks: Sequence[Sequence[str]]) -> list[list[str]]:
    """The pairs behind each column of a table, one after another: those of `report.tables.heads`."""
    return [
        group
        for block in blocks
        for group in (*([pair] for pair in block), *([list(block)] if len(block) > 1 else []))
    ]


def score_cells(name: str, shown: Shown, recipe: Table) -> Iterator[Cell]:
    """The cells of a table of scores.  Raises InputError where the CSV is not of this table."""
    rows = [row for row in recipe.rows if isinstance(row, Row)]
    columns = [
        (metric or recipe.task, pairs) for metric in shown_of(recipe) for pairs in groups(recipe.columns)
    ]
    for row, line in zip(rows, lines_of(shown.csv, len(rows)), strict=True):
        for head, (measured, pairs) in zip(heads_of(recipe), columns, strict=True):
            value = figure(shown.csv, line, head)
            yield {
                "table": name,
                "row": row.model,
                "label": row.label,
                "training": row.training,
                "column": head,
                "measured": measured,
                "pairs": pairs,
                "value": value,
                "runs": [] if value is None else list(shown.runs[row.model]),
            }


def effect_cells(name: str, shown: Shown, recipe: EffectsTable) -> Iterator[Cell]:
    """The cells of a table of differences.  Raises InputError where the CSV is not of this table."""
    names = columns_of(recipe)
    asked = [
        (effect, column)
        for effect in recipe.effects
        for column in zip(names, groups(recipe.columns), strict=True)
    ]
    for (effect, (head, pairs)), line in zip(asked, lines_of(shown.csv, len(asked)), strict=True):
        if (line.get("Effect"), line.get("Column")) != (effect.label, head):
            raise InputError(
                f"{shown.csv}: no line of {effect.label}, {head}, where it should be; make the table again"
            )
        yield {
            "table": name,
            "row": effect.label,
            "column": head,
            "measured": recipe.metric or recipe.task,
            "pairs": pairs,
            **{key: figure(shown.csv, line, column) for key, column in FIGURES.items()},
            "system": [run for model in effect.system for run in shown.runs[model]],
            "base": [run for model in effect.base for run in shown.runs[model]],
        }


def lines_of(file: str, expected: int) -> list[dict[str, str]]:
    """The lines of a CSV by their heads.  Raises InputError unless there are as many as expected."""
    lines = list(csv.DictReader(io.StringIO(read_text(file))))
    if len(lines) != expected:
        raise InputError(f"{file}: {len(lines)} lines instead of {expected}; make the table again")
    return lines


def figure(file: str, line: dict[str, str], head: str) -> float | None:
    """The number in a column; None where it is n/a.  Raises InputError where there is none."""
    try:
        return None if line[head] == ABSENT else float(line[head])
    except (KeyError, ValueError):
        raise InputError(f"{file}: no number in column {head}; make the table again") from None


def cells_of(name: str, shown: Shown) -> Iterator[Cell]:
    """The cells of a table."""
    if shown.scores is not None:
        yield from score_cells(name, shown, shown.scores)
    if shown.effects is not None:
        yield from effect_cells(name, shown, shown.effects)


def kind(shown: Shown) -> dict[str, Any]:
    """What the whole of a table has in common."""
    recipe = shown.scores or shown.effects
    assert recipe is not None
    common = {"csv": shown.csv, "title": recipe.title, "average": recipe.average}
    if isinstance(recipe, Table):
        return {**common, "kind": "scores", "threshold": recipe.threshold, "chosen": recipe.chosen}
    return {**common, "kind": "effects", "thresholds": recipe.thresholds}


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--out", type=Path, required=True, help="the manifest (JSON)")
    given = arguments.parse_args(argv)
    text = sys.stdin.read()
    recipe = read_recipe(text if text.lstrip().startswith("{") else "{}", Manifest)
    files = recipe.files()
    progress, sums = Progress("manifest", len(files), "files"), {}
    for file in files:
        if not Path(file).is_file():
            raise InputError(f"{file}: no such file; make it before the manifest, which tells its checksum")
        sums[file] = {"sha256": sha256(file), "bytes": Path(file).stat().st_size}
        progress.advance()
    cells = [cell for name, shown in recipe.tables.items() for cell in cells_of(name, shown)]
    content = {
        "cells": cells,
        "tables": {name: kind(shown) for name, shown in recipe.tables.items()},
        "runs": {name: made.model_dump(mode="json") for name, made in recipe.runs.items()},
        "configurations": recipe.configurations,
        "files": sums,
    }
    write_text(given.out, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    print(f"{given.out}: {len(cells)} cells, {len(recipe.runs)} runs, {len(sums)} files")


if __name__ == "__main__":
    run(main)
