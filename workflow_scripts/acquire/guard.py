"""Keep what is evaluated out of the training data: the same questions, and every question on the same contexts.

A training question leaks if it is evaluated itself, in whatever language, or if its context is.  A question is known by
its source id, which translations keep.  Two contexts are the same if they have the same letters and digits, if one is a
passage of the other (TyDi QA's gold passages are passages of its articles), if one was made from the other
(`source_doc_id`), or if one question is asked on both (XQuAD's paragraphs in all languages and SQuAD's).  Of an article
that is evaluated, the passages that hold answers count as contexts too, but not the others: articles share notices, and
whole paragraphs about nobody's question, without being about the same.

A leak stops the run, or, with `--drop-leaks`, is left out: `--left-out` names the questions that are not to be trained
on, and `--dropped` says why.  The first holds no reasons, so that models are stale only where other questions are left
out.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from workflow_scripts.acquire.duplicates import context_key, question_key
from workflow_scripts.cli import InputError, named_files, parser, run
from workflow_scripts.corpus import DOCUMENTS, QUESTIONS, read_table
from workflow_scripts.files import write_jsonl, write_text

LONG = 50  # letters and digits from which on a passage with an answer is not in another article by chance


@dataclass(frozen=True)
class Documents:
    """What is compared of a documents table.

    `rows` gives a document's number by its id; ids, source_ids: its id and that of the document it was made from.
    texts: int64 [documents], a hash of `context_key` of the whole text; passages: int64 [passages], the same of each
    passage; owners, sizes: int64 [passages], the number of its document, ascending, and its letters and digits.
    The hash of a text that has none is 0.
    """

    rows: dict[str, int]
    ids: list[str]
    source_ids: list[str]
    texts: np.ndarray
    passages: np.ndarray
    owners: np.ndarray
    sizes: np.ndarray


@dataclass(frozen=True)
class Corpus:
    """A corpus's questions by id and source id, the number of the document of each, and the documents.

    `answered` holds the passages that annotators of each question chose, as indices into the documents' passages.
    """

    name: str
    questions: list[str]
    source_ids: list[str]
    asked: list[int]
    answered: list[list[int]]
    documents: Documents


@dataclass(frozen=True)
class Evaluated:
    """What must not be trained on, and where it is evaluated: questions and sources by id, contexts by hash.

    `contexts` are whole texts and passages that hold answers, `passages` are all.
    """

    questions: dict[str, str]
    sources: dict[str, str]
    contexts: dict[int, str]
    passages: dict[int, str]


@dataclass(frozen=True)
class Leak:
    """A training question that must go: its corpus, its id, why, and whether it is evaluated itself."""

    corpus: str
    question: str
    reason: str
    asked: bool


def columns(schema: pa.Schema, *names: str) -> pa.Schema:
    """The schema of some of a table's columns."""
    return pa.schema([schema.field(name) for name in names])


@functools.cache
def read_documents(path: str) -> Documents:
    """A documents table; one that several corpora share is read once."""
    ids: list[str] = []
    source_ids: list[str] = []
    texts: list[int] = []
    passages: list[int] = []
    owners: list[int] = []
    sizes: list[int] = []
    for row in read_table(path, columns(DOCUMENTS, "doc_id", "source_doc_id", "text", "passages")):
        # A context is its passages and what lies between them, so every character is looked at once.
        keys: list[bytes] = []
        text, reached = row["text"], 0
        for span in row["passages"]:
            before, passage = text[reached : span["start"]], context_key(text[span["start"] : span["end"]])
            keys += [passage] if before.isspace() else [context_key(before), passage]
            reached = span["end"]
            # Python's own hash, which differs from process to process, never leaves this one.
            passages.append(hash(passage))
            owners.append(len(ids))
            sizes.append(len(passage) // 4)
        texts.append(hash(b"".join([*keys, context_key(text[reached:])])))
        ids.append(row["doc_id"])
        source_ids.append(row["source_doc_id"])
    rows = {name: number for number, name in enumerate(ids)}
    arrays = (np.array(values, dtype=np.int64) for values in (texts, passages, owners, sizes))
    return Documents(rows, ids, source_ids, *arrays)


def read_corpus(name: str, questions: str, documents: str) -> Corpus:
    """A corpus from its two tables.  Raises InputError for a question whose document is in neither."""
    contexts = read_documents(documents)
    rows = list(
        read_table(questions, columns(QUESTIONS, "question_id", "source_id", "doc_id", "annotations"))
    )
    for row in rows:
        if row["doc_id"] not in contexts.rows:
            raise InputError(
                f"{questions}: question {row['question_id']} belongs to document {row['doc_id']}, which is not in"
                f" {documents}"
            )
    asked = [contexts.rows[row["doc_id"]] for row in rows]
    first = np.searchsorted(contexts.owners, asked).tolist()
    return Corpus(
        name,
        [row["question_id"] for row in rows],
        [row["source_id"] for row in rows],
        asked,
        [
            [begin + answer["passage"] for answer in row["annotations"] if answer["passage"] >= 0]
            for row, begin in zip(rows, first, strict=True)
        ],
        contexts,
    )


def passages_asked(corpus: Corpus) -> np.ndarray:
    """Whether a passage belongs to a document that the corpus asks about, bool [passages]."""
    asked = np.zeros(len(corpus.documents.ids), dtype=bool)
    asked[corpus.asked] = True
    return asked[corpus.documents.owners]


def evaluated(corpora: Sequence[Corpus]) -> Evaluated:
    """What some corpora evaluate; of two places, the first is remembered."""
    found = Evaluated({}, {}, {}, {})
    for corpus in corpora:
        documents = corpus.documents
        for source_id in corpus.source_ids:
            found.questions.setdefault(question_key(source_id), corpus.name)
        for row in dict.fromkeys(corpus.asked):
            place = f"document {documents.ids[row]} of {corpus.name}"
            found.sources.setdefault(documents.source_ids[row], place)
            found.contexts.setdefault(int(documents.texts[row]), place)
        asked = passages_asked(corpus)
        for digest, row in zip(
            documents.passages[asked].tolist(), documents.owners[asked].tolist(), strict=True
        ):
            found.passages.setdefault(digest, f"document {documents.ids[row]} of {corpus.name}")
        for passage in dict.fromkeys(number for answers in corpus.answered for number in answers):
            if documents.sizes[passage] >= LONG:
                owner = documents.ids[documents.owners[passage]]
                place = f"a passage with an answer, of document {owner} of {corpus.name}"
                found.contexts.setdefault(int(documents.passages[passage]), place)
    for digests in (found.contexts, found.passages):
        digests.pop(hash(b""), None)
    return found


def leaking_documents(corpus: Corpus, against: Evaluated) -> dict[int, str]:
    """Why a document that the corpus asks about is evaluated, by its number."""
    documents = corpus.documents
    inside = passages_asked(corpus) & np.isin(documents.passages, np.fromiter(against.contexts, np.int64))
    holds = dict(zip(documents.owners[inside].tolist(), documents.passages[inside].tolist(), strict=True))
    reasons: dict[int, str] = {}
    for row in dict.fromkeys(corpus.asked):
        text = int(documents.texts[row])
        if text in against.contexts:
            reasons[row] = f"its context is {against.contexts[text]}"
        elif text in against.passages:
            reasons[row] = f"its context is a passage of {against.passages[text]}"
        elif row in holds:
            reasons[row] = f"a passage of its context is {against.contexts[holds[row]]}"
        elif documents.source_ids[row] in against.sources:
            reasons[row] = f"its context has the same source as {against.sources[documents.source_ids[row]]}"
    for question, source_id, row in zip(corpus.questions, corpus.source_ids, corpus.asked, strict=True):
        if question_key(source_id) in against.questions:
            place = against.questions[question_key(source_id)]
            reasons.setdefault(row, f"on its context question {question} is asked, which {place} asks")
    return reasons


def leaks(corpora: Sequence[Corpus], against: Evaluated) -> list[Leak]:
    """The training questions that leak, in the order of the corpora and their tables."""
    reasons = [leaking_documents(corpus, against) for corpus in corpora]
    # What leaks in one language leaks in the others: a document made from a leaking one, or from what it was made from.
    sources: dict[str, str] = {}
    for corpus, rows in zip(corpora, reasons, strict=True):
        for row, reason in rows.items():
            sources.setdefault(corpus.documents.source_ids[row], reason)
    found = []
    for corpus, rows in zip(corpora, reasons, strict=True):
        for question, source_id, row in zip(corpus.questions, corpus.source_ids, corpus.asked, strict=True):
            key, source = question_key(source_id), corpus.documents.source_ids[row]
            if key in against.questions:
                found.append(Leak(corpus.name, question, f"{against.questions[key]} asks it too", True))
            elif row in rows:
                found.append(Leak(corpus.name, question, rows[row], False))
            elif source in sources:
                reason = f"its context has the same source as another, of which was said: {sources[source]}"
                found.append(Leak(corpus.name, question, reason, False))
    return found


def size(corpora: Sequence[Corpus]) -> dict[str, int]:
    """How many questions and contexts, each counted once."""
    return {
        "questions": len({question_key(name) for corpus in corpora for name in corpus.source_ids}),
        "contexts": len(
            {int(corpus.documents.texts[row]) for corpus in corpora for row in set(corpus.asked)}
        ),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--label", required=True, help="the training set's name, for messages")
    for name, what in (("train", "training"), ("evaluation", "evaluation")):
        arguments.add_argument(
            f"--{name}",
            required=True,
            nargs="+",
            metavar="CORPUS=TABLE",
            help=f"{what} questions tables (.parquet)",
        )
        arguments.add_argument(
            f"--{name}-documents",
            required=True,
            nargs="+",
            metavar="TABLE",
            help="the documents table of each, in the same order",
        )
    arguments.add_argument(
        "--drop-leaks", action="store_true", help="leave leaks out of the training set instead of stopping"
    )
    arguments.add_argument("--report", required=True, help="what was compared, as JSON")
    arguments.add_argument("--dropped", required=True, help="questions left out, with reasons (.jsonl)")
    arguments.add_argument(
        "--left-out", required=True, help="their corpora and ids only, for training (.jsonl)"
    )
    given = arguments.parse_args(argv)
    sides = []
    for option in ("train", "evaluation"):
        questions = named_files(getattr(given, option), f"--{option}")
        documents = getattr(given, f"{option}_documents")
        if len(questions) != len(documents):
            raise InputError(
                f"--{option} names {len(questions)} tables, --{option}-documents {len(documents)}; give one for one"
            )
        sides.append(
            [
                read_corpus(name, table, contexts)
                for (name, table), contexts in zip(questions.items(), documents, strict=True)
            ]
        )
    train, evaluation = sides
    found = leaks(train, evaluated(evaluation))
    total = sum(len(corpus.questions) for corpus in train)
    asked = sum(leak.asked for leak in found)
    if found and not given.drop_leaks:
        first = found[0]
        raise InputError(
            f"training set {given.label}: {len(found)} of its {total} questions leak, {asked} of them because they are"
            f" evaluated and {len(found) - asked} because their context is; the first is question {first.question} of"
            f" {first.corpus}: {first.reason}; say drop_leaks: true under training_sets.{given.label} to train without"
            " them, or evaluate on something else"
        )
    if len(found) == total:
        raise InputError(
            f"training set {given.label}: all of its {total} questions leak, so nothing is left to train on; the first"
            f" is question {found[0].question} of {found[0].corpus}: {found[0].reason}"
        )
    report = {
        "train": size(train),
        "evaluation": size(evaluation),
        "left_out": {"evaluated": asked, "on_evaluated_contexts": len(found) - asked},
    }
    write_jsonl(given.left_out, [{"corpus": leak.corpus, "id": leak.question} for leak in found])
    write_jsonl(
        given.dropped, [{"corpus": leak.corpus, "id": leak.question, "reason": leak.reason} for leak in found]
    )
    write_text(given.report, json.dumps(report, indent=1) + "\n")
    print(
        f"{total} training questions against {report['evaluation']['questions']} that are evaluated:"
        f" {len(found)} left out, see {given.dropped}"
        if found
        else f"{total} training questions and {report['evaluation']['questions']} that are evaluated: nothing shared"
    )


if __name__ == "__main__":
    run(main)
