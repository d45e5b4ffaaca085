"""Write a table of sections in the layouts of aligned_qa's Tables 4, 5, 7 and 8, as CSV, Markdown and LaTeX.

A section has rows and columns of its own.  Columns are those of tables of scores, but each block says of which
evaluation and task it is: Table 5 puts passages beside minimal answers, and questions as they were written beside those
that a recogniser heard; Table 4 has a section for each task; Tables 7 and 8 have one for each side that is English.
Where tasks or sources of questions differ within a section, heads say so: `Minimal Q_en,C_bn ASR`.

The CSV has a line for each cell: section, heading above the row, model, column, F1 in percent, what it spreads over
several seeds, and the number of questions, empty for averages.
"""

import argparse
import csv
import io
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.files import write_text
from workflow_scripts.recipes.sections import Block, Section, SectionsTable, Source
from workflow_scripts.recipes.table import Heading, Row, Table
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet
from workflow_scripts.report.tables import ABSENT, heads, marks, read_cells, shown, spread_of, with_marks

HEADS = [
    "Section",
    "Heading",
    "Model",
    "Tr. Data",
    "Column",
    "F1",
    "±",
    "Questions",
    "Alignment languages",
]
SOURCES: dict[Source, str] = {"text": "", "gold": " gold", "asr": " ASR"}
Scores = dict[str, list[str]]  # MODEL@EVALUATION -> its score files, one for each seed


class Cell(NamedTuple):
    """F1 in percent of each seed (none where the model is missing), and the number of questions of a pair."""

    runs: list[float]
    questions: int | None


def heads_of(section: Section) -> list[str]:
    """The column heads of a section, of which no two are the same."""
    several = len({block.task for block in section.columns}) > 1
    found: list[str] = []
    for block in section.columns:
        task = f"{block.task.capitalize()} " if several else ""
        found += [f"{task}{head}{SOURCES[block.source]}" for head in heads([block.pairs])]
    return found


def table_of(recipe: SectionsTable, block: Block) -> Table:
    """The table of scores that a block of columns would be by itself."""
    return Table(
        title=recipe.title,
        evaluation=block.evaluation,
        annotators=recipe.annotators,
        seeds=recipe.seeds,
        task=block.task,
        columns=(block.pairs,),
        rows=(),
    )


def cells_of(recipe: SectionsTable, section: Section, row: Row, scores: Scores) -> list[Cell]:
    """The cells of a row.  Raises InputError where a file is not given, lacks a pair or counts other annotators."""
    found: list[Cell] = []
    for block in section.columns:
        if row.missing:
            found += [Cell([], None)] * len(heads([block.pairs]))
            continue
        name = f"{row.model}@{block.evaluation}"
        files = scores.get(name, [])
        if len(files) != len(recipe.seeds):
            raise InputError(
                f"--scores: {name} has {len(files)} files, but there are {len(recipe.seeds)} seeds"
            )
        read = [read_cells(file, table_of(recipe, block)) for file in files]
        asked = [
            [made.scores[None][pair][1] if pair else None for pair in (*block.pairs, "")] for made, _ in read
        ]
        if any(questions != asked[0] for questions in asked):
            raise InputError(f"--scores: files of {name} have different numbers of questions")
        columns = zip(*(figures for _, figures in read), strict=True)
        found += [Cell(list(runs), asked[0][number]) for number, runs in enumerate(columns)]
    return found


def caption(recipe: SectionsTable, questions: Sequence[int], marked: bool) -> str:
    """Title, evaluations, number of questions, annotators, seeds, sources of questions, and what the marks say."""
    blocks = [block for section in recipe.sections for block in section.columns]
    evaluations = ", ".join(dict.fromkeys(block.evaluation for block in blocks))
    fewest, most = min(questions), max(questions)
    span = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    agree = "1 annotator" if recipe.annotators == 1 else f"{recipe.annotators} annotators"
    seeds = f"seed{'s' if len(recipe.seeds) > 1 else ''} {', '.join(map(str, recipe.seeds))}"
    if len(recipe.seeds) > 1:
        what = "half of a 95 % interval" if recipe.spread == "interval" else "standard deviation"
        seeds += f" (mean ± {what})"
    rows = [row for section in recipe.sections for row in section.rows if isinstance(row, Row)]
    missing = list(dict.fromkeys(row.missing for row in rows if row.missing))
    spoken = {block.source for block in blocks} - {"text"}
    sentences = [
        recipe.title,
        f"Best F1 in percent on {evaluations}: {span} questions a column, an answer where at least {agree} gave one,"
        f" {seeds}",
        "gold: questions as they are written" if "gold" in spoken else "",
        "ASR: as a speech recogniser heard them" if "asr" in spoken else "",
        "✓ or ✗: aligned in the language beside English, or not" if marked else "",
        f"{ABSENT}: there is no checkpoint in {', '.join(missing)}" if missing else "",
    ]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def panel(recipe: SectionsTable, section: Section, cells: list[list[Cell]]) -> Panel:
    """A section for people."""
    models = [row for row in section.rows if isinstance(row, Row)]
    signs = [
        [sign for block in section.columns for sign in marks(block.pairs, row.alignment)] for row in models
    ]
    marked = [any(column) for column in zip(*signs, strict=True)]
    of_rows = iter(zip(cells, signs, strict=True))
    lines: list[list[str] | str] = []
    for row in section.rows:
        if isinstance(row, Heading):
            lines.append(row.heading)
            continue
        of_row, ends = next(of_rows)
        values = [shown(cell.runs, recipe.spread) if cell.runs else ABSENT for cell in of_row]
        lines.append([row.label, row.training, *with_marks(values, ends, marked)])
    return Panel(["Model", "Tr. Data", *heads_of(section)], lines, 2, section.heading or "")


def csv_lines(recipe: SectionsTable, section: Section, cells: list[list[Cell]]) -> list[list[str]]:
    """A section for programs."""
    lines, above = [], ""
    of_rows = iter(cells)
    for row in section.rows:
        if isinstance(row, Heading):
            above = row.heading
            continue
        for head, cell in zip(heads_of(section), next(of_rows), strict=True):
            f1 = f"{statistics.fmean(cell.runs):.2f}" if cell.runs else ABSENT
            spread = f"{spread_of(cell.runs, recipe.spread):.2f}" if len(cell.runs) > 1 else ""
            questions = "" if cell.questions is None else str(cell.questions)
            names = [section.heading or "", above, row.label, row.training, head]
            lines.append([*names, f1, spread, questions, " ".join(row.alignment or ())])
    return lines


def scores_option(arguments: argparse.ArgumentParser) -> None:
    """The option that names the score files of a table of sections."""
    arguments.add_argument(
        "--scores",
        required=True,
        nargs="+",
        metavar="MODEL@EVALUATION=FILE,…",
        help="each model's score files on each evaluation that its section shows, one for each seed",
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, SectionsTable)
    scores_option(arguments)
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the table for people")
    arguments.add_argument("--latex", type=Path, required=True, help="the table for papers")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, SectionsTable)
    scores = {name: files.split(",") for name, files in named_files(given.scores, "--scores").items()}
    cells = [
        [cells_of(recipe, section, row, scores) for row in section.rows if isinstance(row, Row)]
        for section in recipe.sections
    ]
    lines = [HEADS]
    panels = []
    for section, of_section in zip(recipe.sections, cells, strict=True):
        lines += csv_lines(recipe, section, of_section)
        panels.append(panel(recipe, section, of_section))
    all_cells = [cell for of_section in cells for of_row in of_section for cell in of_row]
    questions = [cell.questions for cell in all_cells if cell.questions is not None]
    if not questions:
        raise InputError("--recipe: no model of the table is there")
    rows = [row for section in recipe.sections for row in section.rows if isinstance(row, Row)]
    marked = any(row.alignment is not None for row in rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    write_text(given.csv, text.getvalue())
    write_sheet(Sheet(caption(recipe, questions, marked), panels), given.markdown, given.latex)
    print(f"{given.csv}, {given.markdown}: {len(recipe.sections)} sections, {len(lines) - 1} cells")


if __name__ == "__main__":
    run(main)
