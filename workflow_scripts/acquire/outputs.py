"""What every reader of questions with documents writes: two tables, what it dropped, and counts for its log."""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Mapping, Sequence

from workflow_scripts.corpus import Document, Question, write_documents, write_dropped, write_questions
from workflow_scripts.languages import language


def add_outputs(arguments: ArgumentParser) -> None:
    """Add the options that `write_outputs` reads."""
    arguments.add_argument("--documents", required=True, help="the documents table to write (.parquet)")
    arguments.add_argument("--questions", required=True, help="the questions table to write (.parquet)")
    arguments.add_argument("--dropped", required=True, help="what could not be used, with reasons (.jsonl)")


def write_outputs(
    given: Namespace,
    documents: Sequence[Document],
    questions: Sequence[Question],
    dropped: Sequence[tuple[str, str]],
    counts: Mapping[str, int],
) -> None:
    """Write the files that `given` names; print questions by language, counts above 0, and how many were dropped."""
    write_documents(given.documents, documents)
    write_questions(given.questions, questions, {document.doc_id: document for document in documents})
    write_dropped(given.dropped, dropped)
    for code, count in sorted(Counter(question.language for question in questions).items()):
        print(f"{count} questions in {language(code).name}")
    for what, count in counts.items():
        if count:
            print(f"{count} {what}")
    print(f"{len(dropped)} dropped, see {given.dropped}")
