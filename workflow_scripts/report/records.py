"""Write a table of what training sets are made of, as CSV, Markdown and LaTeX.

A row is a corpus of a training set: its questions, how many of them are not trained on because they are evaluated
(`acquire.guard`), how many are left, and how many of the records of the training set's first corpus have no version
in it.  A record is a question with its translations and transliterations, which name one source.
"""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.corpus import Question, read_questions
from workflow_scripts.files import each_line, write_text
from workflow_scripts.languages import language
from workflow_scripts.recipes.table import RecordsTable
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet

HEADS = [
    "Tr. Data",
    "Training set",
    "Corpus",
    "Made",
    "Languages",
    "Questions",
    "Evaluated",
    "Trained on",
    "Missing",
]
TEXT = 5  # columns before the numbers


def rows_of(
    recipe: RecordsTable, questions: dict[str, list[Question]], left_out: dict[str, set[tuple[str, str]]]
) -> list[list[str]]:
    """The table without its head; `left_out` holds (corpus, question) of each training set."""
    rows = []
    for training_set in recipe.sets:
        records = {question.source_id for question in questions[training_set.corpora[0].name]}
        for corpus in training_set.corpora:
            here = questions[corpus.name]
            evaluated = sum(name == corpus.name for name, _ in left_out[training_set.name])
            missing = len(records - {question.source_id for question in here})
            languages = " ".join(dict.fromkeys(language(question.language).code for question in here))
            numbers = [len(here), evaluated, len(here) - evaluated, missing]
            rows.append(
                [
                    training_set.label,
                    training_set.name,
                    corpus.name,
                    corpus.made,
                    languages,
                    *map(str, numbers),
                ]
            )
    return rows


def read_left_out(file: str) -> set[tuple[str, str]]:
    """(corpus, question) of every line of the guard's list."""
    return {(line["corpus"], line["id"]) for line in map(json.loads, each_line(file))}


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, RecordsTable)
    arguments.add_argument(
        "--questions", required=True, nargs="+", metavar="CORPUS=FILE", help="questions tables (.parquet)"
    )
    arguments.add_argument(
        "--left-out", required=True, nargs="+", metavar="TRAINING_SET=FILE", help="the guard's lists (.jsonl)"
    )
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the table for people")
    arguments.add_argument("--latex", type=Path, required=True, help="the table for papers")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, RecordsTable)
    files, lists = named_files(given.questions, "--questions"), named_files(given.left_out, "--left-out")
    for training_set in recipe.sets:
        if training_set.name not in lists:
            raise InputError(f"--left-out: no list of {training_set.name}, which the table shows")
        for corpus in training_set.corpora:
            if corpus.name not in files:
                raise InputError(f"--questions: no table of {corpus.name}, which {training_set.name} has")
    rows = rows_of(
        recipe,
        {name: read_questions(file) for name, file in files.items()},
        {name: read_left_out(file) for name, file in lists.items()},
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADS, *rows])
    caption = (
        f"{recipe.title}. Evaluated: questions that are left out because they, or their contexts, are evaluated."
        " Missing: records of the training set's first corpus that have no version in this one; .dropped.jsonl beside"
        " its questions, or those of a corpus that it is made of, names them with reasons."
    )
    shown = [[*row[:TEXT], *(f"{int(number):,}" for number in row[TEXT:])] for row in rows]
    write_text(given.csv, text.getvalue())
    write_sheet(Sheet(caption, [Panel(HEADS, shown, TEXT)]), given.markdown, given.latex)
    print(f"{given.csv}, {given.markdown}: {len(recipe.sets)} training sets")


if __name__ == "__main__":
    run(main)
