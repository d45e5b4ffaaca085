"""Say of every number in a table what it was made from: results/manifest.json.

`cells` are the numbers of all tables as their CSV has them: table, row, column and value (null: n/a).

- Of tables of scores and of sections: what is measured, the pairs of question and context language behind it, and the
  runs that it is the mean of, with their spread where the CSV has it.
- Of differences: `system` and `base` instead of runs, and low, high and p.
- Of outcomes: the outcomes of both ways of asking, how many questions are left out (`partly`), and runs of both.
- Beside a published table (`<table>.compare`): `paper` and `difference`, too.
- Of sentence pairs, alignments, records and hyper-parameters: the files that the number was read from, and the digest
  of the parts of the configuration that they were made by; a number from the configuration names no file.

`runs` has each run by name: model, seed, split, evaluation, the files of its gold answers, predictions and scores, the
digest of the parts of the configuration that it was made by (`configurations` has the parts) and of the code of its
steps, and the files that it was made from: weights, encoder, data.  `tables` tells what cells of a table have in
common, and the digest of the code that made it of scores.  `files` has the SHA-256 and the size of every file named.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.cli import InputError, Progress, parser, read_recipe, run
from workflow_scripts.files import read_text, sha256, write_text
from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.recipes.manifest import Counts, Manifest, Shown
from workflow_scripts.recipes.outcomes import OutcomesTable
from workflow_scripts.recipes.sections import SectionsTable
from workflow_scripts.recipes.table import Row, Table
from workflow_scripts.report import sections
from workflow_scripts.report.effects import columns_of
from workflow_scripts.report.outcomes import OUTCOMES, names_of
from workflow_scripts.report.tables import ABSENT, heads_of, shown_of

Cell = dict[str, Any]
FIGURES = {
    "value": "Difference",
    "low": "Low",
    "high": "High",
    "p": "p",
    "p_two_sided": "p two-sided",
    "p_holm": "p Holm",
    "questions": "Questions",
    "runs_drawn": "Runs",
    "splits": "Splits",
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
                **spread(shown.csv, line, f"{head} ±"),
                "runs": [] if value is None else list(shown.runs[row.model]),
            }


def section_cells(name: str, shown: Shown, recipe: SectionsTable) -> Iterator[Cell]:
    """The cells of a table of sections.  Raises InputError where the CSV is not of this table."""
    asked = [
        (section, row, head, block, pairs)
        for section in recipe.sections
        for row in section.rows
        if isinstance(row, Row)
        for head, (block, pairs) in zip(
            sections.heads_of(section),
            [(block, pairs) for block in section.columns for pairs in groups([block.pairs])],
            strict=True,
        )
    ]
    for (section, row, head, block, pairs), line in zip(asked, lines_of(shown.csv, len(asked)), strict=True):
        check(shown.csv, line, {"Model": row.label, "Column": head})
        value = figure(shown.csv, line, "F1")
        yield {
            "table": name,
            "section": section.heading,
            "row": row.model,
            "label": row.label,
            "training": row.training,
            "column": head,
            "measured": block.task,
            "pairs": pairs,
            "value": value,
            **spread(shown.csv, line, "±"),
            "questions": int(line["Questions"]) if line["Questions"] else None,
            "runs": [] if value is None else list(shown.runs[f"{row.model}@{block.evaluation}"]),
        }


def outcome_cells(name: str, shown: Shown, recipe: OutcomesTable) -> Iterator[Cell]:
    """The cells of a table of outcomes.  Raises InputError where the CSV is not of this table."""
    asked = [
        (place, model, row, column)
        for place in range(len(recipe.rows.pairs))
        for model in recipe.models
        for row in OUTCOMES
        for column in OUTCOMES
    ]
    for (place, model, row, column), line in zip(asked, lines_of(shown.csv, len(asked)), strict=True):
        sides = names_of(recipe.rows)[place], names_of(recipe.columns)[place]
        check(shown.csv, line, {"Model": model.label, "Row": row, "Column": column})
        value = figure(shown.csv, line, "Questions")
        runs = [
            [] if value is None else list(shown.runs[f"{model.model}@{side.evaluation}"])
            for side in (recipe.rows, recipe.columns)
        ]
        yield {
            "table": name,
            "row": model.model,
            "label": model.label,
            "training": model.training,
            "column": f"{sides[0]} {row}, {sides[1]} {column}",
            "measured": recipe.task,
            "outcomes": [row, column],
            "pairs": [recipe.rows.pairs[place], recipe.columns.pairs[place]],
            "value": value,
            "partly": figure(shown.csv, line, "Partly right"),
            "runs": runs[0],
            "other_runs": runs[1],
        }


def count_cells(name: str, shown: Shown, recipe: Counts) -> Iterator[Cell]:
    """The cells of a table of what is counted or set.  Raises InputError where the CSV is not of this table."""
    for told, line in zip(recipe.lines, lines_of(shown.csv, len(recipe.lines)), strict=True):
        for head, files in told.files.items():
            if head not in line:
                raise InputError(f"{shown.csv}: no column {head}; make the table again")
            if any(sign.isdecimal() for sign in line[head]) or line[head] == ABSENT:
                yield {
                    "table": name,
                    "row": told.name,
                    "column": head,
                    "value": number(line[head]),
                    "files": list(files),
                    "config": told.config,
                }


def compared_cells(name: str, shown: Shown, cells: Sequence[Cell]) -> Iterator[Cell]:
    """The cells of a table, given those of the table itself, beside the published one, which shows its first metric."""
    assert shown.compared is not None
    if shown.scores is not None:
        measured = shown_of(shown.scores)[0] or shown.scores.task
        cells = [cell for cell in cells if cell["measured"] == measured]
    for cell, line in zip(cells, lines_of(shown.compared, len(cells)), strict=True):
        check(shown.compared, line, {"Model": cell["label"], "Column": cell["column"]})
        yield {
            **{key: value for key, value in cell.items() if key not in ("spread", "partly", "questions")},
            "table": f"{name}.compare",
            "value": figure(shown.compared, line, "Ours"),
            "paper": figure(shown.compared, line, "Paper", may_lack=True),
            "difference": figure(shown.compared, line, "Difference", may_lack=True),
            "printed": shown.printed,
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
        check(shown.csv, line, {"Effect": effect.label, "Column": head})
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


def check(file: str, line: dict[str, str], expected: dict[str, str]) -> None:
    """Raise InputError unless a line has these names."""
    if {key: line.get(key) for key in expected} != expected:
        raise InputError(
            f"{file}: no line of {', '.join(expected.values())}, where it should be; make the table again"
        )


def figure(file: str, line: dict[str, str], head: str, may_lack: bool = False) -> float | None:
    """The number in a column; None where it is n/a, or, where it may lack, empty.  Raises InputError otherwise."""
    try:
        return None if line[head] == ABSENT or (may_lack and not line[head]) else float(line[head])
    except (KeyError, ValueError):
        raise InputError(f"{file}: no number in column {head}; make the table again") from None


def spread(file: str, line: dict[str, str], head: str) -> dict[str, float | None]:
    """What a mean spreads by, where the table has a column for it."""
    return {"spread": figure(file, line, head)} if line.get(head) else {}


def number(text: str) -> float | str | None:
    """A number, a text that holds some, such as `200–400`, as it is, or None for n/a."""
    if text == ABSENT:
        return None
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return text


def cells_of(name: str, shown: Shown) -> Iterator[Cell]:
    """The cells of a table, and of its comparison with a published one."""
    cells: list[Cell] = []
    if shown.scores is not None:
        cells = list(score_cells(name, shown, shown.scores))
    elif shown.sections is not None:
        cells = list(section_cells(name, shown, shown.sections))
    elif shown.outcomes is not None:
        cells = list(outcome_cells(name, shown, shown.outcomes))
    elif shown.effects is not None:
        cells = list(effect_cells(name, shown, shown.effects))
    elif shown.counts is not None:
        cells = list(count_cells(name, shown, shown.counts))
    yield from cells
    if shown.compared is not None:
        yield from compared_cells(name, shown, cells)


def kind(shown: Shown) -> dict[str, Any]:
    """What the whole of a table has in common."""
    if shown.scores is not None:
        table = shown.scores
        told: dict[str, str] = {
            "average": table.average,
            "threshold": table.threshold,
            "chosen": table.chosen,
        }
        of_kind, title = "scores", table.title
    elif shown.sections is not None:
        told, of_kind, title = {"average": "pairs"}, "sections", shown.sections.title
    elif shown.outcomes is not None:
        told, of_kind, title = {}, "outcomes", shown.outcomes.title
    elif shown.effects is not None:
        told = {"average": shown.effects.average, "thresholds": shown.effects.thresholds}
        of_kind, title = "effects", shown.effects.title
    else:
        assert shown.counts is not None
        told, of_kind, title = {}, shown.counts.kind, shown.counts.title
    return {"csv": shown.csv, "kind": of_kind, "title": title, **told, "code": shown.code}


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Manifest)
    arguments.add_argument("--out", type=Path, required=True, help="the manifest (JSON)")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Manifest)
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
