"""Write the gold answers of an evaluation in TyDi QA's official format, one file for each pair of languages.

A pair `en-ar` holds the questions asked in English of Arabic articles.  A question keeps the example id of its source,
and its record is the official one in all but `question_text`, so the official program scores the files too.
"""

from collections.abc import Sequence

from workflow_scripts.cli import InputError, named_files, parser, run
from workflow_scripts.corpus import Question, example_id, read_documents, read_questions
from workflow_scripts.files import write_jsonl
from workflow_scripts.tydi_format import to_record


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--documents", required=True, nargs="+", help="documents tables (.parquet)")
    arguments.add_argument("--questions", required=True, nargs="+", help="questions tables (.parquet)")
    arguments.add_argument(
        "--pair",
        required=True,
        nargs="+",
        action="extend",
        metavar="EN-AR=OUT",
        help="question and context language, and the file to write; may be repeated",
    )
    given = arguments.parse_args(argv)
    documents = {key: value for table in given.documents for key, value in read_documents(table).items()}
    by_pair: dict[str, list[Question]] = {}
    for question in (question for table in given.questions for question in read_questions(table)):
        if question.doc_id not in documents:
            raise InputError(
                f"{', '.join(given.questions)}: question {question.question_id} belongs to document"
                f" {question.doc_id}, which is not in {', '.join(given.documents)}"
            )
        by_pair.setdefault(f"{question.language}-{documents[question.doc_id].language}", []).append(question)
    chosen = named_files(given.pair, "--pair")
    for pair in chosen:
        if pair not in by_pair:
            raise InputError(
                f"--pair {pair}: no such questions in {', '.join(given.questions)}; there are"
                f" {', '.join(sorted(by_pair)) or 'none at all'}"
            )
        seen: set[int] = set()
        for question in by_pair[pair]:
            if not question.annotations:
                raise InputError(
                    f"--pair {pair}: question {question.question_id} has no annotations to score against"
                )
            if example_id(question.source_id) in seen:
                raise InputError(
                    f"--pair {pair}: the source of question {question.question_id}, {question.source_id}, has another"
                    " question in the same pair; a file can hold one"
                )
            seen.add(example_id(question.source_id))
    for pair, out in chosen.items():
        write_jsonl(out, (to_record(question, documents[question.doc_id]) for question in by_pair[pair]))
        print(f"{out}: {len(by_pair[pair])} questions")


if __name__ == "__main__":
    run(main)
