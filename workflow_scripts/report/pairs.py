"""Write a table of sentence pairs in the layout of aligned_qa's Table 9, as CSV, Markdown and LaTeX.

A row is a language: number, name, code, whether encoders have read text in it (✗ where they have not, "no"
in the CSV, both as the paper prints it; "?" where it is not known), how many sentence pairs each alignment uses,
and how many the paper's 111-L did.  "n/a" stands for languages that an alignment asks for and has no pairs of; the
caption names them.  The last row holds sums, and of how many languages the encoders have read text.

What the published encoders have read stands in resources/read_by_encoders.tsv, after their authors' lists
(multilingual.md of google-research/bert for the cased model, XLM-R's README in fairseq); the marks and numbers that the
paper prints are those of resources/paper_tables.  The caption names the languages whose marks differ from the paper's.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.files import each_line, write_text
from workflow_scripts.languages import language
from workflow_scripts.recipes.table import PairsTable
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet
from workflow_scripts.report.tables import ABSENT

RESOURCES = Path(__file__).parents[2] / "resources"
PRINTED = RESOURCES / "paper_tables" / "aligned_qa_table9.csv"
READ = RESOURCES / "read_by_encoders.tsv"
ENCODERS = ("mbert", "xlmr")
UNKNOWN = "?"
Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Printed:
    """A language in the paper's Table 9: what encoders have read, what the paper says of it, and its sentences."""

    read: dict[str, bool]
    marked: dict[str, bool]
    sentences: int


def printed() -> dict[str, Printed]:
    """The rows of the paper's Table 9 by language."""
    with PRINTED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with READ.open(encoding="utf-8", newline="") as file:
        read = {row["language"]: row for row in csv.DictReader(file, delimiter="\t")}
    return {
        row["code"]: Printed(
            {name: read[row["code"]][name] == "yes" for name in ENCODERS},
            {name: row[f"{name}_pretraining"] == "yes" for name in ENCODERS},
            int(row["sentences"]),
        )
        for row in rows
    }


def has_read(encoder: str | Sequence[str] | None, code: str, paper: dict[str, Printed]) -> bool | None:
    """Whether an encoder has read text in a language; None: not known."""
    if isinstance(encoder, str):
        return paper[code].read[encoder] if code in paper else None
    return None if encoder is None else code in encoder


def cells(recipe: PairsTable, counts: Counts, paper: dict[str, Printed]) -> list[list[str]]:
    """The table with its head and its sums, with yes, no or ? for each encoder."""
    heads = [column.alignment for column in recipe.columns] if len(recipe.columns) > 1 else ["Sentences"]
    rows = [["Index", "Language", "Code", *(read.head for read in recipe.encoders), *heads, "Paper"]]
    signs = {True: "yes", False: "no", None: UNKNOWN}
    for number, code in enumerate(recipe.languages, 1):
        marks = [signs[has_read(read.encoder, code, paper)] for read in recipe.encoders]
        numbers = [
            str(counts[column.alignment][code])
            if code in column.languages
            else ABSENT
            if code in column.missing
            else ""
            for column in recipe.columns
        ]
        of_paper = str(paper[code].sentences) if code in paper else ""
        rows.append([str(number), language(code).name, code, *marks, *numbers, of_paper])
    columns = list(zip(*rows[1:], strict=True))[3 : 3 + len(recipe.encoders)]
    known = [UNKNOWN if UNKNOWN in column else str(column.count("yes")) for column in columns]
    sums = [str(sum(counts[column.alignment].values())) for column in recipe.columns]
    all_of_paper = sum(paper[code].sentences for code in recipe.languages if code in paper)
    return [*rows, ["", "Sum", "", *known, *sums, str(all_of_paper)]]


def caption(recipe: PairsTable, paper: dict[str, Printed]) -> str:
    """Title, what is counted, what the marks say, which languages are missing and where marks are not the paper's."""
    sentences = [
        recipe.title,
        "Sentence pairs of each language with English that alignments use"
        + (f" ({recipe.columns[0].alignment})" if len(recipe.columns) == 1 else "")
        + ", and the number that aligned_qa prints for 111-L",
    ]
    if recipe.encoders:
        sentences.append("✗: the encoder has read no text in it")
    for column in recipe.encoders:
        encoder = column.encoder
        if encoder is None:
            sentences.append(f"{UNKNOWN}: what {column.head} has read is not known")
        if isinstance(encoder, str):
            other = [
                code
                for code in recipe.languages
                if code in paper and paper[code].read[encoder] != paper[code].marked[encoder]
            ]
            if other:
                sentences.append(f"The paper marks {', '.join(other)} otherwise for {column.head}")
    for counted in recipe.columns:
        if counted.missing:
            names = ", ".join(f"{language(code).name} ({code})" for code in counted.missing)
            sentences.append(f"{ABSENT}: {counted.alignment} has no sentence pairs of {names}")
    return " ".join(f"{sentence}." for sentence in sentences)


def to_sheet(recipe: PairsTable, rows: list[list[str]], paper: dict[str, Printed]) -> Sheet:
    """The table for people: ✗ for no, nothing for yes, numbers with thousands apart."""
    marks = range(3, 3 + len(recipe.encoders))
    lines = [
        [
            {"yes": "", "no": "✗"}.get(cell, cell)
            if number in marks
            else f"{int(cell):,}"
            if number >= marks.stop and cell.isdecimal()
            else cell
            for number, cell in enumerate(row)
        ]
        for row in rows[1:]
    ]
    return Sheet(caption(recipe, paper), [Panel(rows[0], lines, marks.stop)])


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, PairsTable)
    arguments.add_argument(
        "--pairs",
        required=True,
        nargs="+",
        metavar="ALIGNMENT/LANGUAGE=FILE",
        help="each alignment's pairs of each of its languages, a pair a line",
    )
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the table for people")
    arguments.add_argument("--latex", type=Path, required=True, help="the table for papers")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, PairsTable)
    files = named_files(given.pairs, "--pairs")
    counts: Counts = {}
    for column in recipe.columns:
        counts[column.alignment] = {}
        for code in column.languages:
            name = f"{column.alignment}/{code}"
            if name not in files:
                raise InputError(f"--pairs: no file of {name}, which the table shows")
            counts[column.alignment][code] = sum(1 for _ in each_line(files[name]))
    paper = printed()
    rows = cells(recipe, counts, paper)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(given.csv, text.getvalue())
    write_sheet(to_sheet(recipe, rows, paper), given.markdown, given.latex)
    print(f"{given.csv}, {given.markdown}: {len(recipe.languages)} languages; sums {', '.join(rows[-1][3:])}")


if __name__ == "__main__":
    run(main)
