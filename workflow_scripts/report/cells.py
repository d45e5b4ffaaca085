"""The numbers of a table of scores or of sections, read from its CSV, each with what it is a number of."""

import csv
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.cli import InputError
from workflow_scripts.files import read_lines
from workflow_scripts.recipes.figures import AnyTable
from workflow_scripts.recipes.sections import SectionsTable
from workflow_scripts.recipes.table import Row, Table, Task
from workflow_scripts.report.sections import HEADS
from workflow_scripts.report.sections import heads_of as heads_of_section
from workflow_scripts.report.tables import ABSENT, METRICS, heads_of, shown_of

TASKS: dict[Task, str] = {"passage": "passage selection", "minimal": "minimal answer"}


@dataclass(frozen=True)
class Cell:
    """A score in percent, None where the model is missing.

    part: the metric, or the task and evaluation, each where there are several; head: of its column; pairs: the
    question-context pair, or those that it is the average of.
    """

    part: str
    model: str
    label: str
    head: str
    pairs: tuple[str, ...]
    score: float | None


def read_cells(file: Path, recipe: AnyTable) -> list[Cell]:
    """The cells row by row.  Raises InputError where the file is not the table that the recipe tells of."""
    rows = list(csv.reader(read_lines(file)))
    found = of_sections(rows, recipe) if isinstance(recipe, SectionsTable) else of_scores(rows, recipe)
    if found is None:
        raise InputError(f"{file}: not the table that --recipe tells of; write the table again")
    return found


def models_in(rows: tuple[object, ...]) -> list[Row]:
    """The rows that show models."""
    return [row for row in rows if isinstance(row, Row)]


def called(row: Row) -> str:
    """A model and what it is trained on."""
    return f"{row.label} {row.training}"


def columns_of(blocks: tuple[tuple[str, ...], ...]) -> list[tuple[str, ...]]:
    """The pairs of each column: of a pair, and of each block's average."""
    found: list[tuple[str, ...]] = []
    for block in blocks:
        found += [(pair,) for pair in block] + ([block] if len(block) > 1 else [])
    return found


def of_scores(rows: list[list[str]], recipe: Table) -> list[Cell] | None:
    """The cells of a table of scores; None where the file is of another."""
    models, heads = models_in(recipe.rows), heads_of(recipe)
    if not rows or rows[0][2 : 2 + len(heads)] != heads or len(rows) != 1 + len(models):
        return None
    metrics = shown_of(recipe)
    parts = [METRICS[metric][0] if metric and len(metrics) > 1 else "" for metric in metrics]
    columns = [(part, pairs) for part in parts for pairs in columns_of(recipe.columns)]
    return [
        Cell(part, row.model, called(row), head, pairs, None if text == ABSENT else float(text))
        for row, line in zip(models, rows[1:], strict=True)
        for (part, pairs), head, text in zip(columns, heads, line[2:], strict=False)
    ]


def of_sections(rows: list[list[str]], recipe: SectionsTable) -> list[Cell] | None:
    """The cells of a table of sections; None where the file is of another."""
    lines = iter(rows[1:])
    found = []
    blocks = [block for section in recipe.sections for block in section.columns]
    tasks, evaluations = {block.task for block in blocks}, {block.evaluation for block in blocks}
    for section in recipe.sections:
        columns = []
        for block in section.columns:
            of = [TASKS[block.task]] if len(tasks) > 1 else []
            of += [block.evaluation] if len(evaluations) > 1 else []
            columns += [(", ".join(of), pairs) for pairs in columns_of((block.pairs,))]
        for row in models_in(section.rows):
            for (part, pairs), head in zip(columns, heads_of_section(section), strict=True):
                line = next(lines, [])
                if len(line) != len(HEADS) or (line[0], line[4]) != (section.heading or "", head):
                    return None
                score = None if line[5] == ABSENT else float(line[5])
                found.append(Cell(part, row.model, called(row), head, pairs, score))
    return found if next(lines, None) is None and rows and rows[0] == HEADS else None


def measured(recipe: AnyTable) -> str:
    """What the scores of a table are, for an axis."""
    if isinstance(recipe, SectionsTable):
        return "best F1, percent"
    if not recipe.metrics:
        return "best F1, percent" if recipe.threshold == "swept" else "F1, percent"
    return f"{METRICS[recipe.metrics[0]][1]}, percent" if len(recipe.metrics) == 1 else "percent"
