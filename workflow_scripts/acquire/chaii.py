"""Read files with the columns of ChAII's training file into a corpus.

ChAII (Kaggle, "Hindi and Tamil Question Answering", 2021) gives a question a row: id, context, question, answer_text,
answer_start (in characters), language (hindi or tamil; here, any name that TyDi QA's files would use).  Every distinct
context is one document of one passage, and every question has one annotation.  An answer that does not stand where the
row says is looked for in the whole context (see spans); where it has no certain place, the question is dropped.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workflow_scripts.acquire.outputs import add_outputs, write_outputs
from workflow_scripts.acquire.spans import annotate, context_document
from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import Document, Question
from workflow_scripts.files import read_text
from workflow_scripts.languages import from_tydi, language

COLUMNS = ("id", "context", "question", "answer_text", "answer_start", "language")


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a row, what would be right, and what stands there ("" where that says nothing)."""

    what: str
    right: str
    found: str = ""


def opened(file: str, *forms: Sequence[str]) -> "csv.DictReader[str]":
    """The rows of a CSV file that has all columns of one of the forms, and perhaps further ones.

    Raises InputError where a column is missing.
    """
    text = read_text(file)
    # A cell may hold a whole article; the module's own limit is 131,072 characters.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    table = csv.DictReader(io.StringIO(text, newline=""))
    missing = [[name for name in form if name not in (table.fieldnames or [])] for form in forms]
    if all(missing):
        right = " or ".join(",".join(form) for form in forms)
        raise InputError(
            f"{file}: column {min(missing, key=len)[0]} is missing; the first line must be {right}"
        )
    return table


def rows(file: str) -> Iterator[tuple[str, dict[str, str]]]:
    """What to call a row, and its cells by column, for each row of a file; further columns are allowed.

    A row that `flaw` complains of may have other cells than these.  Raises InputError where a column is missing.
    """
    for number, row in enumerate(opened(file, COLUMNS), 1):
        yield f"row {number} ({row['id']})", row


def no_record(row: dict[str, str]) -> Flaw | None:
    """Why a row is not one record's; None where it is."""
    if None in row or None in row.values():
        right = (
            "a row has as many columns as the first line, and texts with commas or line feeds stand in quotes"
        )
        return Flaw("a row has too many or too few columns", right)
    if not row["id"].strip():
        return Flaw("a row has no id", "give each row an id that no other has")
    return None


def flaw(row: dict[str, str]) -> Flaw | None:
    """Why a row cannot be read, whatever the others say; None where it can."""
    if (broken := no_record(row)) is not None:
        return broken
    if not re.fullmatch(r"[0-9]{1,18}", row["answer_start"]):
        return Flaw("answer_start is not a whole number", "it counts characters from 0", row["answer_start"])
    if not row["question"].strip() or not row["context"].strip():
        return Flaw("question or context is empty", "both are texts")
    try:
        from_tydi(row["language"], "")
    except InputError:
        right = "language is a name in the column tydi of resources/languages.tsv, such as hindi or tamil"
        return Flaw("a language is not known", right, row["language"])
    return None


def read_chaii(
    files: Sequence[str], languages: Sequence[str]
) -> tuple[list[Document], list[Question], list[tuple[str, str]], Counter[str]]:
    """Documents, questions, (id, reason) of what was dropped, and counts of what else a reader should know.

    `languages` are the codes to keep.  Raises InputError for a file without the columns and for a row that cannot be
    read (see `flaw`).
    """
    wanted = {language(code).code for code in languages}
    documents: dict[str, Document] = {}
    questions: dict[str, Question] = {}
    dropped: list[tuple[str, str]] = []
    counts: Counter[str] = Counter()
    for file in files:
        for name, row in rows(file):
            problem = flaw(row)
            if problem is not None:
                found = f" ({problem.found!r})" if problem.found else ""
                raise InputError(f"{file} {name}: {problem.what}{found}; {problem.right}")
            spoken = from_tydi(row["language"], f"{file} {name}")
            if spoken.code not in wanted:
                counts[f"rows in {spoken.name} left out, which is not asked for"] += 1
                continue
            if row["id"] in questions:
                dropped.append((row["id"], "another question has this id; the first is kept"))
                continue
            answer = annotate(row["context"], row["answer_text"], int(row["answer_start"]))
            if isinstance(answer, str):
                dropped.append((row["id"], answer))
                continue
            document = context_document(row["context"], spoken.code)
            if documents.setdefault(document.doc_id, document) != document:
                first = language(documents[document.doc_id].language).name
                dropped.append((row["id"], f"another question says that its context is in {first}"))
                continue
            moved = (answer.text, answer.start) != (row["answer_text"], int(row["answer_start"]))
            counts["answers set right that did not stand where the file says"] += moved
            questions[row["id"]] = Question(
                row["id"], row["id"], document.doc_id, spoken.code, row["question"], (answer,)
            )
    return list(documents.values()), list(questions.values()), dropped, counts


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--in", dest="files", required=True, nargs="+", help="files with ChAII's columns (.csv[.gz])"
    )
    arguments.add_argument("--languages", required=True, nargs="+", help="codes of the languages to keep")
    add_outputs(arguments)
    given = arguments.parse_args(argv)
    documents, questions, dropped, counts = read_chaii(given.files, given.languages)
    if not questions:
        raise InputError(
            f"{', '.join(given.files)}: no usable question in {', '.join(given.languages)} ({len(dropped)} dropped)"
        )
    write_outputs(given, documents, questions, dropped, counts)


if __name__ == "__main__":
    run(main)
