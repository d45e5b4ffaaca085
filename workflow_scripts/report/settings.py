"""Write a table of hyper-parameters in the layout of MuCoT's Table 1, beside it, as CSV, Markdown and LaTeX."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.files import write_text
from workflow_scripts.recipes.descriptions import SettingsTable
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet

PRINTED = Path(__file__).parents[2] / "resources" / "paper_tables" / "mucot_table1.csv"
HEADS = ["Hyper-parameter", "Ours", "Paper"]


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, SettingsTable)
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the table for people")
    arguments.add_argument("--latex", type=Path, required=True, help="the table for papers")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, SettingsTable)
    with PRINTED.open(encoding="utf-8", newline="") as file:
        paper = {row["hyperparameter"]: row["value"] for row in csv.DictReader(file)}
    for setting in recipe.settings:
        if setting.name not in paper:
            raise InputError(
                f"--recipe: MuCoT's Table 1 has no '{setting.name}'; there are {', '.join(paper)}"
            )
    rows = [[setting.name, setting.value, paper[setting.name]] for setting in recipe.settings]
    caption = (
        f"{recipe.title}. Ours: of {recipe.model}, whose encoder and data may be of another size. The paper's feature"
        " length and stride look exchanged: its published code has 384 and 128."
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADS, *rows])
    write_text(given.csv, text.getvalue())
    write_sheet(Sheet(caption, [Panel(HEADS, rows, left=1)]), given.markdown, given.latex)
    print(f"{given.csv}, {given.markdown}: {len(rows)} hyper-parameters")


if __name__ == "__main__":
    run(main)
