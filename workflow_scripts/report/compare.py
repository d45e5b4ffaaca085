"""Write a table of scores, sections or outcomes beside the published one: ours, the paper's, and the difference.

Published numbers come from resources/paper_tables, transcribed from aligned_qa (Faisal & Anastasopoulos 2021) and MuCoT
(Kumar et al. 2022).  Rows go together by number: that of the row in the printed table, or of the column in MuCoT's.  A
cell that is in one table only has nothing on the other side; so has an average over other columns than the paper's, or
of pairs where the paper's is of questions.  What differs is often more than the method: other data, encoders and sizes;
this table puts numbers side by side and says nothing about why.

Beside aligned_qa's Tables 2 and 3 the caption tells what aligned encoders gain, as the paper's abstract puts it: the
mean relative gain of the averages of the fully aligned ones (TYDI-L, 111-S, 111-L) over their encoder's mono baseline;
and over +aug, which is what alignment adds.
"""

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.files import write_text
from workflow_scripts.recipes.comparison import Comparison
from workflow_scripts.recipes.outcomes import OutcomesTable
from workflow_scripts.recipes.sections import SectionsTable
from workflow_scripts.recipes.table import Row, Table
from workflow_scripts.report.chosen import how_chosen
from workflow_scripts.report.sections import heads_of as heads_of_section
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet
from workflow_scripts.report.tables import ABSENT, heads_of

PRINTED = Path(__file__).parents[2] / "resources" / "paper_tables"
HEADS = ["Model", "Tr. Data", "Column", "Ours", "Paper", "Difference"]
GAIN_TABLES = ("aligned_qa_table2", "aligned_qa_table3")
GAINED = ("TYDI-L", "111-S", "111-L")  # the alignments of the paper's own that are trained on most


class Key(NamedTuple):
    """A printed cell: row, task (none in MuCoT's), languages of question and context ("avg": a mean), and source."""

    row: int
    task: str | None
    question: str
    context: str
    source: str = "text"


Cells = dict[Key, float]  # in percent


def lines_of(name: str) -> list[dict[str, str]]:
    """The lines of a published table."""
    with (PRINTED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def printed(name: str, metric: str | None = None) -> Cells:
    """The published scores in percent; metric: of MuCoT's tables, which have a system a column."""
    found: Cells = {}
    for row in lines_of(name):
        if "column_order" in row:
            if metric == row["metric"]:
                code = "avg" if row["language"] == "overall" else row["language"]
                found[Key(int(row["column_order"]), None, code, code)] = 100 * float(row["score"])
        else:
            pair = row["question_language"], row["context_language"]
            key = Key(int(row["row_order"]), row["task"], *pair, row["question_source"])
            found[key] = float(row["score"])
    return found


def relative_gains(name: str, cells: Mapping[Key, float], base: str) -> list[float]:
    """In percent, what each average of each aligned row in GAINED gains over `base` (mono or +aug) of its encoder.

    name: aligned_qa_table2 or 3, which says what the rows are; cells: its scores, or others under its keys.
    """
    rows = {int(row["row_order"]): row for row in lines_of(name)}
    bases = {
        row["base_model"]: number
        for number, row in rows.items()
        if not row["alignment"] and row["training"] == base
    }
    gains = []
    for key, score in cells.items():
        row = rows[key.row]
        other = cells.get(key._replace(row=bases[row["base_model"]]))
        if "avg" in (key.question, key.context) and row["alignment"] in GAINED and other:
            gains.append(100 * (score / other - 1))
    return gains


def gains_told(name: str, ours: Mapping[Key, float], task: str | None) -> str:
    """What a caption says of relative gains, without its full stop; empty where the table shows none of ours."""
    theirs = {key: score for key, score in printed(name).items() if key.task == task}
    told = []
    for base in ("mono", "+aug"):
        mine, paper = relative_gains(name, ours, base), relative_gains(name, theirs, base)
        if not mine or not paper:
            return ""
        told.append(f"{statistics.fmean(mine):+.1f} % over {base} (paper: {statistics.fmean(paper):+.1f} %)")
    return f"Mean relative gain of {', '.join(GAINED)} in the averages, as in the paper's abstract: {', '.join(told)}"


Pair = tuple[str, str]  # languages of question and context


class Ours(NamedTuple):
    """A cell of ours: its column's head, its key but for the row, the pairs that it is the mean of, and of what."""

    head: str
    key: Key
    of: set[Pair]
    by: str
    score: str


def keys_of(blocks: Sequence[Sequence[str]]) -> list[tuple[Pair, set[Pair]]]:
    """Every column of some blocks of pairs, "avg" on a side that is averaged over, and the pairs that it is of."""
    found = []
    for block in blocks:
        sides = [(question, context) for question, _, context in (pair.partition("-") for pair in block)]
        found += [(side, {side}) for side in sides]
        if len(block) > 1:
            questions, contexts = ({side[number] for side in sides} for number in (0, 1))
            key = (
                questions.pop() if len(questions) == 1 else "avg",
                contexts.pop() if len(contexts) == 1 else "avg",
            )
            found.append((key, set(sides)))
    return found


def same_column(cells: Cells, ours: Ours, number: int) -> float | None:
    """The published score of a cell in a printed row, if it has it: of an average, that of the same pairs."""
    key = ours.key._replace(row=number)
    if "avg" in (key.question, key.context):
        printed_of = {
            (other.question, other.context)
            for other in cells
            if other[:2] == key[:2]
            and other.source == key.source
            and "avg" not in (other.question, other.context)
            and key.question in ("avg", other.question)
            and key.context in ("avg", other.context)
        }
        by = "questions" if (key.question, key.context) == ("avg", "avg") else "pairs"
        if printed_of != ours.of or ours.by != by:
            return None
    return cells.get(key)


def ours_in_table(recipe: Table, lines: list[dict[str, str]]) -> list[list[Ours]]:
    """The cells of each model of a table of scores in the columns that may be printed."""
    keys = keys_of(recipe.columns)
    columns = list(zip(heads_of(recipe), keys, strict=False))  # of several metrics the first
    return [
        [
            Ours(head, Key(0, recipe.task, *pair), of, recipe.average, line[head])
            for head, (pair, of) in columns
        ]
        for line in lines
    ]


def ours_in_sections(recipe: SectionsTable, lines: list[dict[str, str]]) -> list[list[Ours]]:
    """The same of a table of sections, whose CSV has a line for each cell."""
    cells = iter(lines)
    found = []
    for section in recipe.sections:
        keys = [
            (Key(0, block.task, *pair, block.source), of)
            for block in section.columns
            for pair, of in keys_of([block.pairs])
        ]
        columns = list(zip(heads_of_section(section), keys, strict=True))
        for row in section.rows:
            if isinstance(row, Row):
                of_row = [Ours(head, key, of, "pairs", next(cells)["F1"]) for head, (key, of) in columns]
                found.append(of_row)
    return found


def compared(recipe: Comparison, lines: list[dict[str, str]]) -> tuple[list[list[str]], dict[Key, float]]:
    """The comparison without its head, and our scores under the printed ones' keys; lines: of the table's CSV."""
    table = recipe.table
    if isinstance(table, SectionsTable):
        models = [row for section in table.sections for row in section.rows if isinstance(row, Row)]
        ours, metric = ours_in_sections(table, lines), None
    else:
        assert isinstance(table, Table)
        models = [row for row in table.rows if isinstance(row, Row)]
        ours, metric = ours_in_table(table, lines), table.metrics[0] if table.metrics else None
    tasks = {cell.key.task for of_row in ours for cell in of_row}
    cells = {key: score for key, score in printed(recipe.printed.table, metric).items() if key.task in tasks}
    if not cells:
        shown = table.task or ", ".join(table.metrics) if isinstance(table, Table) else "such task"
        raise InputError(f"--recipe: {recipe.printed.table} has no {shown}; give printed of another table")
    check_rows(recipe, {key.row for key in cells})
    rows, mine = [], {}
    for model, of_row, number in zip(models, ours, recipe.printed.rows, strict=True):
        for cell in of_row:
            own = None if cell.score == ABSENT else float(cell.score)
            theirs = None if number is None else same_column(cells, cell, number)
            if own is not None and theirs is not None and number is not None:
                mine[cell.key._replace(row=number)] = own
            difference = "" if own is None or theirs is None else f"{own - theirs:+.1f}"
            both = [ABSENT if own is None else f"{own:.1f}", "" if theirs is None else f"{theirs:.1f}"]
            rows.append([model.label, model.training, cell.head, *both, difference])
    return rows, mine


def check_rows(recipe: Comparison, numbers: set[int]) -> None:
    """Raise InputError for a row that the published table does not have."""
    for number in recipe.printed.rows:
        if number is not None and number not in numbers:
            raise InputError(
                f"--recipe: {recipe.printed.table} has rows {min(numbers)} to {max(numbers)}, not {number}; give one of"
                " these in printed.rows, or null"
            )


def size_of(recipe: Comparison) -> tuple[int, int]:
    """How many models a table has, and how many lines its CSV should have."""
    if isinstance(recipe.table, OutcomesTable):
        models = len(recipe.table.models)
        return models, 4 * models * len(recipe.table.rows.pairs)
    if isinstance(recipe.table, Table):
        models = sum(isinstance(row, Row) for row in recipe.table.rows)
        return models, models
    of_sections = [sum(isinstance(row, Row) for row in section.rows) for section in recipe.table.sections]
    columns = [len(heads_of_section(section)) for section in recipe.table.sections]
    return sum(of_sections), sum(rows * heads for rows, heads in zip(of_sections, columns, strict=True))


def compared_outcomes(recipe: Comparison, lines: list[dict[str, str]]) -> list[list[str]]:
    """The comparison of a table of outcomes, in numbers of questions; lines: of its CSV, four for a pair and model."""
    assert isinstance(recipe.table, OutcomesTable)
    numbers = {
        model.model: number for model, number in zip(recipe.table.models, recipe.printed.rows, strict=True)
    }
    systems: dict[tuple[str, str], int] = {}
    theirs: dict[tuple[int | None, str, str, str], str] = {}
    for line in lines_of(recipe.printed.table):
        system = systems.setdefault((line["base_model"], line["alignment"]), len(systems) + 1)
        outcomes = line["own_question_outcome"], line["english_question_outcome"]
        theirs[system, line["context_language"], *outcomes] = line["count"]
    check_rows(recipe, set(systems.values()))
    expected = [
        (pair, model) for pair in recipe.table.rows.pairs for model in recipe.table.models for _ in range(4)
    ]
    rows = []
    for line, (pair, model) in zip(lines, expected, strict=True):
        key = (numbers[model.model], pair.split("-")[1], line["Row"], line["Column"])
        ours, paper = line["Questions"], theirs.get(key, "")
        difference = f"{float(ours) - int(paper):+g}" if paper and ours != ABSENT else ""
        column = f"{line['Rows']} {line['Row']}, {line['Columns']} {line['Column']}"
        rows.append([model.label, model.training, column, ours, paper, difference])
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Comparison)
    arguments.add_argument("--table", required=True, help="the table of scores (.csv)")
    arguments.add_argument("--csv", type=Path, required=True, help="the comparison for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the comparison for people")
    arguments.add_argument("--latex", type=Path, required=True, help="the comparison for papers")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Comparison)
    with open(given.table, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    models, expected = size_of(recipe)
    if len(lines) != expected or models != len(recipe.printed.rows):
        raise InputError(
            f"{given.table}: {len(lines)} rows, of {models} models and beside {len(recipe.printed.rows)} printed"
            " ones; give a number, or null, for each model in printed.rows"
        )
    if isinstance(recipe.table, OutcomesTable):
        rows, unit = compared_outcomes(recipe, lines), "as numbers of questions"
    else:
        (rows, mine), unit = compared(recipe, lines), "in percent"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADS, *rows])
    paper, number = recipe.printed.table.rsplit("_table", 1)
    caption = (
        f"{recipe.table.title}. Ours beside the numbers of Table {number} in the paper on {paper}, {unit}; data,"
        " encoders and sizes differ."
    )
    if isinstance(recipe.table, Table) and recipe.table.chosen == "columns":
        caption += f" Ours: {how_chosen(recipe.table.chosen_on)}."
    if recipe.printed.table in GAIN_TABLES and isinstance(recipe.table, Table):
        told = gains_told(recipe.printed.table, mine, recipe.table.task)
        caption += f" {told}." if told else ""
    write_text(given.csv, text.getvalue())
    write_sheet(Sheet(caption, [Panel(HEADS, rows, left=3)]), given.markdown, given.latex)
    print(f"{given.csv}, {given.markdown}: {sum(bool(row[-1]) for row in rows)} cells with a printed number")


if __name__ == "__main__":
    run(main)
