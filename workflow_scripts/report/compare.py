"""Write a table of scores beside the published one, cell by cell: ours, the paper's, and the difference.

Published numbers come from resources/paper_tables, transcribed from aligned_qa (Faisal & Anastasopoulos 2021) and MuCoT
(Kumar et al. 2022).  Rows go together by number: that of the row in the printed table, or of the column in MuCoT's.  A
cell that is in one table only has nothing on the other side.  What differs is often more than the method: other data,
encoders and sizes; this table puts numbers side by side and says nothing about why.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.files import write_text
from workflow_scripts.recipes.table import Comparison, Heading, Table
from workflow_scripts.report.chosen import how_chosen
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet
from workflow_scripts.report.tables import ABSENT, heads_of

PRINTED = Path(__file__).parents[2] / "resources" / "paper_tables"
HEADS = ["Model", "Tr. Data", "Column", "Ours", "Paper", "Difference"]
Cells = dict[tuple[int, str, str], float]  # row, question and context language ("avg" for a mean) -> percent


def printed(name: str, recipe: Table) -> Cells:
    """The published scores of what a table shows, in percent.

    Raises InputError where the published table has none of it.
    """
    found: Cells = {}
    with (PRINTED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if "column_order" in row:  # MuCoT's, in which a column is a system
                if tuple(recipe.metrics[:1]) == (row["metric"],):
                    code = "avg" if row["language"] == "overall" else row["language"]
                    found[int(row["column_order"]), code, code] = 100 * float(row["score"])
            elif row["task"] == recipe.task:
                pair = row["question_language"], row["context_language"]
                found[(int(row["row_order"]), *pair)] = float(row["score"])
    if not found:
        shown = recipe.task or ", ".join(recipe.metrics)
        raise InputError(f"--recipe: {name} has no {shown}; give printed of another table")
    return found


def keys_of(recipe: Table) -> list[tuple[str, str]]:
    """(question, context) language of every column of a table's first metric, "avg" on a side that is averaged over."""
    found = []
    for block in recipe.columns:
        sides = [tuple(pair.split("-")) for pair in block]
        found += [(question, context) for question, context in sides]
        if len(block) > 1:
            questions, contexts = ({side[number] for side in sides} for number in (0, 1))
            found.append(
                (
                    questions.pop() if len(questions) == 1 else "avg",
                    contexts.pop() if len(contexts) == 1 else "avg",
                )
            )
    return found


def compared(recipe: Comparison, ours: list[dict[str, str]]) -> list[list[str]]:
    """The comparison without its head; `ours` are the rows of the table's CSV."""
    cells, keys = printed(recipe.printed.table, recipe.table), keys_of(recipe.table)
    heads = heads_of(recipe.table)[: len(keys)]
    rows = []
    for row, number in zip(ours, recipe.printed.rows, strict=True):
        for head, (question, context) in zip(heads, keys, strict=True):
            theirs = cells.get((number, question, context)) if number is not None else None
            mine = None if row[head] == ABSENT else float(row[head])
            difference = "" if mine is None or theirs is None else f"{mine - theirs:+.1f}"
            shown = [ABSENT if mine is None else f"{mine:.1f}", "" if theirs is None else f"{theirs:.1f}"]
            rows.append([row["Model"], row["Tr. Data"], head, *shown, difference])
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
        ours = list(csv.DictReader(file))
    models = [row for row in recipe.table.rows if not isinstance(row, Heading)]
    if not len(ours) == len(models) == len(recipe.printed.rows):
        raise InputError(
            f"{given.table}: {len(ours)} rows, of {len(models)} models and beside {len(recipe.printed.rows)} printed"
            " ones; give a number, or null, for each model in printed.rows"
        )
    rows = compared(recipe, ours)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADS, *rows])
    paper, number = recipe.printed.table.rsplit("_table", 1)
    caption = (
        f"{recipe.table.title}. Ours beside the numbers of Table {number} in the paper on {paper}, in percent; data,"
        " encoders and sizes differ."
    )
    if recipe.table.chosen == "columns":
        caption += f" Ours: {how_chosen(recipe.table.chosen_on)}."
    write_text(given.csv, text.getvalue())
    write_sheet(Sheet(caption, [Panel(HEADS, rows, left=3)]), given.markdown, given.latex)
    print(f"{given.csv}, {given.markdown}: {sum(bool(row[-1]) for row in rows)} cells with a printed number")


if __name__ == "__main__":
    run(main)
