"""Stop the run if training data hold what the evaluation asks: the same questions or the same contexts.

Questions are the same if their source ids are (a translation keeps the source id of its original); contexts if they
differ in nothing but blanks and in how their characters are composed.
"""

import json
from collections.abc import Sequence

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.corpus import context_key, read_documents, read_questions
from workflow_scripts.files import write_text


def contents(questions: Sequence[str], documents: Sequence[str]) -> tuple[set[str], dict[str, str]]:
    """Source ids of the questions in these tables, and the contexts they are asked on (normalised text -> doc_id)."""
    texts = {name: document for table in documents for name, document in read_documents(table).items()}
    source_ids: set[str] = set()
    contexts: dict[str, str] = {}
    for table in questions:
        for question in read_questions(table):
            if question.doc_id not in texts:
                raise InputError(
                    f"{table}: question {question.question_id} belongs to document {question.doc_id}, which is not in"
                    f" {', '.join(documents)}"
                )
            source_ids.add(question.source_id)
            contexts[question.doc_id] = texts[question.doc_id].text
    return source_ids, {context_key(text): name for name, text in contexts.items()}


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    for name, what in (("train", "training"), ("evaluation", "evaluation")):
        arguments.add_argument(
            f"--{name}", required=True, nargs="+", help=f"{what} questions tables (.parquet)"
        )
        arguments.add_argument(f"--{name}-documents", required=True, nargs="+", help="their documents tables")
    arguments.add_argument("--out", required=True, help="what was compared and found apart, as JSON")
    given = arguments.parse_args(argv)
    train_ids, train_contexts = contents(given.train, given.train_documents)
    ids, contexts = contents(given.evaluation, given.evaluation_documents)
    shared_contexts = sorted(train_contexts.keys() & contexts.keys())
    shared_ids = sorted(train_ids & ids)
    if shared_contexts:
        first = shared_contexts[0]
        raise InputError(
            f"{', '.join(given.train)} and {', '.join(given.evaluation)} share {len(shared_contexts)} contexts, the"
            f" first of them document {train_contexts[first]} ({first[:60]!r}…); leave them out of the training data"
        )
    if shared_ids:
        raise InputError(
            f"{', '.join(given.train)} and {', '.join(given.evaluation)} share {len(shared_ids)} questions, the first"
            f" of them {shared_ids[0]}; leave them out of the training data"
        )
    counts = {
        "train": {"questions": len(train_ids), "contexts": len(train_contexts)},
        "evaluation": {"questions": len(ids), "contexts": len(contexts)},
        "shared": {"questions": 0, "contexts": 0},
    }
    write_text(given.out, json.dumps(counts, indent=1) + "\n")
    print(
        f"{len(train_ids)} training and {len(ids)} evaluation questions, {len(train_contexts)} and {len(contexts)}"
        " contexts: nothing shared"
    )


if __name__ == "__main__":
    run(main)
