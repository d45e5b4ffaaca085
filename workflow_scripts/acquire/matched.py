"""Take those questions of a corpus whose records other corpora have, too.

A record is a question and its versions in other languages, which name the same source.  MuCoT (Kumar et al. 2022)
leaves the records that translation lost out of the transliterated ones, so that models are tuned on equal records; and
copies of questions that are set aside for testing must not be trained on.  What is left out is written down with the
corpora that lack it.
"""

from collections.abc import Sequence

from workflow_scripts.cli import InputError, named_files, parser, run
from workflow_scripts.corpus import Question, read_documents, read_questions, write_dropped, write_questions


def matched(
    questions: Sequence[Question], others: dict[str, set[str]]
) -> tuple[list[Question], list[tuple[str, str]]]:
    """Questions of which every other corpus (name -> its sources) has the source, and (id, reason) of the rest."""
    kept, dropped = [], []
    for question in questions:
        lacking = [name for name, sources in others.items() if question.source_id not in sources]
        if lacking:
            dropped.append((question.question_id, f"no such record in {', '.join(lacking)}"))
        else:
            kept.append(question)
    return kept, dropped


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--questions", required=True, help="the questions table to take from (.parquet)")
    arguments.add_argument("--documents", required=True, help="its documents table (.parquet)")
    arguments.add_argument(
        "--with",
        dest="others",
        required=True,
        nargs="+",
        metavar="CORPUS=FILE",
        help="questions tables that must have the record",
    )
    arguments.add_argument("--out", required=True, help="the questions that are kept, to write (.parquet)")
    arguments.add_argument("--dropped", required=True, help="the others, with reasons (.jsonl)")
    given = arguments.parse_args(argv)
    others = {
        name: {question.source_id for question in read_questions(file)}
        for name, file in named_files(given.others, "--with").items()
    }
    kept, dropped = matched(read_questions(given.questions), others)
    if not kept:
        raise InputError(
            f"{given.questions}: no record is in {', '.join(others)}, too; match it with versions of it"
        )
    write_questions(given.out, kept, read_documents(given.documents))
    write_dropped(given.dropped, dropped)
    print(f"{len(kept)} questions kept, {len(dropped)} left out, see {given.dropped}")


if __name__ == "__main__":
    run(main)
