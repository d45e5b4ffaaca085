"""Write a table of alignments in the layout of aligned_qa's Table 1, as CSV, Markdown and LaTeX.

A row is an alignment: what it is, how many languages beside English it has and which, how many sentence pairs of each
language it is trained on (of several languages the fewest and the most), and which encoders are aligned so; beside
these the numbers of languages and sentences that the paper prints.  Sentences of encoders that others aligned are not
known.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.files import each_line, write_text
from workflow_scripts.recipes.descriptions import AlignmentsTable, DescribedAlignment
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet
from workflow_scripts.report.tables import ABSENT

PRINTED = Path(__file__).parents[2] / "resources" / "paper_tables" / "aligned_qa_table1.csv"
MANY = 20  # languages from which on tables for people give their number only


def printed() -> dict[int, tuple[str, str]]:
    """Row of the paper's table -> numbers of languages and of sentences, as printed."""
    with PRINTED.open(encoding="utf-8", newline="") as file:
        return {
            int(row["row_order"]): (row["language_count"], row["sentences_printed"])
            for row in csv.DictReader(file)
        }


def sentences(alignment: DescribedAlignment, files: dict[str, str]) -> list[int]:
    """Sentence pairs of each language.  Raises InputError where a file is not given."""
    counts = []
    for code in alignment.languages:
        name = f"{alignment.name}/{code}"
        if name not in files:
            raise InputError(f"--pairs: no file of {name}, which the table shows")
        counts.append(sum(1 for _ in each_line(files[name])))
    return counts


def span(counts: Sequence[int], thousands: str) -> str:
    """The fewest and the most of some numbers, or the only one."""
    ends = dict.fromkeys((min(counts), max(counts)))
    return "–".join(f"{count:,}".replace(",", thousands) for count in ends)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, AlignmentsTable)
    arguments.add_argument(
        "--pairs",
        nargs="*",
        default=[],
        metavar="ALIGNMENT/LANGUAGE=FILE",
        help="pairs of each language of each alignment that is no published one, a pair a line",
    )
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the table for people")
    arguments.add_argument("--latex", type=Path, required=True, help="the table for papers")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, AlignmentsTable)
    files = named_files(given.pairs, "--pairs") if given.pairs else {}
    paper = printed()
    texts = ["Model", "Description", "Languages"]
    numbers = ["Number", "Sentences", *recipe.encoders, "Paper: number", "Paper: sentences"]
    lines, shown = [], []
    for row in recipe.rows:
        counts = [] if row.published else sentences(row, files)
        theirs = paper.get(row.printed or 0, ("", ""))
        several = "" if len(row.languages) > MANY else " ".join(row.languages)
        read = [head in row.encoders for head in recipe.encoders]
        both = [row.label, row.description]
        marks = ["yes" if one else "no" for one in read]
        of_language = span(counts, "") if counts else ABSENT
        lines.append([*both, " ".join(row.languages), str(len(row.languages)), of_language, *marks, *theirs])
        checks = ["✓" if one else "" for one in read]
        of_language = span(counts, ",") if counts else ABSENT
        shown.append([*both, several, str(len(row.languages)), of_language, *checks, *theirs])
    caption = (
        f"{recipe.title}. Sentences: pairs with English of each language. ✓: the encoder is aligned so."
        f" {ABSENT}: others aligned the encoder, and sentences are not counted. Paper: as aligned_qa prints them."
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*texts, *numbers], *lines])
    write_text(given.csv, text.getvalue())
    panel = Panel([*texts, *numbers], shown, len(texts))
    write_sheet(Sheet(caption, [panel]), given.markdown, given.latex)
    print(f"{given.csv}, {given.markdown}: {len(recipe.rows)} alignments")


if __name__ == "__main__":
    run(main)
