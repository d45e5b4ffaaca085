"""Take over answers to questions that were translated at test time, for the questions and contexts as they were.

This is the baseline translate-test: a model answers the same questions in another language, in their own contexts or
in contexts that were translated whole.  A question gets the answer to the one that comes from the same source.  In the
same context, it is taken over as it is.  In a translated one, its span is found again in the original as
`augment.corpora` finds answers in translations, the other way around: within the sentences that it touches, by text
that stands in both and by word links read backwards.  Passages have the same numbers on both sides; they, YES, NO and
all scores are taken over.

A question that was not asked, for want of a translation, gets an explicit null and a line in --dropped.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow_scripts.augment.corpora import Linked, Translated, assemble, label, read_linked
from workflow_scripts.augment.relocate import Found, Segment, relocate
from workflow_scripts.augment.renderings import Rendering, add_options, read_rendering
from workflow_scripts.cli import InputError, Progress, named_files, parser, run
from workflow_scripts.corpus import (
    Document,
    Question,
    example_id,
    read_documents,
    read_questions,
    write_dropped,
)
from workflow_scripts.files import read_jsonl, write_jsonl
from workflow_scripts.languages import language
from workflow_scripts.recipes.relocation import LABELS

NO_SPAN = {"start_byte_offset": -1, "end_byte_offset": -1}
NULL: dict[str, Any] = {
    "passage_answer_index": -1,
    "passage_answer_score": -1e9,
    "minimal_answer": NO_SPAN,
    "minimal_answer_score": -1e9,
    "yes_no_answer": "NONE",
}


@dataclass(frozen=True)
class Answer:
    """What was answered (a line of TyDi's predictions) to a question, and the document that it was asked of."""

    line: dict[str, Any]
    question: Question
    document: Document


@dataclass(frozen=True)
class Contexts:
    """Contexts that were translated whole to the language `target`: their documents, what was made of their sentences,
    and word links by language, from the translations to the originals."""

    target: str
    documents: Mapping[str, Document]
    rendering: Rendering
    links: Mapping[str, Linked]

    def made(self, original: Document, translated: Document) -> Translated:
        """A translated document with the intervals of its sentences on both sides.

        Raises InputError where it is not what the translations make of the original.
        """
        told = self.rendering.sentences(original)
        again = None if isinstance(told, str) else assemble(original, told, self.target, "")
        if again is None or again.document.text != translated.text:
            raise InputError(
                f"document {translated.doc_id} is not what the translations make of {original.doc_id}; give the"
                " translations that it was made with"
            )
        return again

    def found(self, span: tuple[int, int], original: Document, made: Translated) -> Found:
        """Where a span of a translated document stands in the original."""
        text = made.document.text
        known = self.links.get(original.language, Linked())
        backwards = [Segment(segment.target, segment.source) for segment in made.segments]
        sides = ((text[slice(*one.source)], original.text[slice(*one.target)]) for one in backwards)
        links = [known.of(*side) for side in sides]
        return relocate(text, span, original.text, backwards, links, None, known.lexicon)


def characters(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """A span of bytes in characters, as small as can be where it cuts one in two."""
    encoded = text.encode()
    return len(encoded[: span[0]].decode(errors="ignore")), len(encoded[: span[1]].decode(errors="ignore"))


def octets(text: str, span: tuple[int, int]) -> dict[str, int]:
    """A span of characters as TyDi's predictions have it."""
    start = len(text[: span[0]].encode())
    return {"start_byte_offset": start, "end_byte_offset": start + len(text[slice(*span)].encode())}


def read_answers(
    predictions: Mapping[str, str], questions: Sequence[Question], documents: Mapping[str, Document]
) -> dict[str, Answer]:
    """Source id -> the answer to a question, from a file of TyDi's predictions for each pair of languages.

    Raises InputError where questions come from one source, or their answer is missing.
    """
    lines: dict[tuple[str, int], dict[str, Any]] = {}
    for pair, file in predictions.items():
        for number, line in read_jsonl(file):
            try:
                lines[pair, int(line["example_id"])] = line
            except (KeyError, TypeError, ValueError):
                raise InputError(f"{file} line {number}: not a line of TyDi's predictions") from None
    answers: dict[str, Answer] = {}
    for question in questions:
        if question.doc_id not in documents:
            raise InputError(
                f"question {question.question_id} belongs to document {question.doc_id}, not there"
            )
        document = documents[question.doc_id]
        if question.source_id in answers:
            raise InputError(
                f"questions {answers[question.source_id].question.question_id} and {question.question_id} come from"
                f" one source, {question.source_id}; ask each question once"
            )
        pair = f"{question.language}-{document.language}"
        line = lines.get((pair, example_id(question.source_id)))
        if line is None:
            raise InputError(f"--predictions: no answer to question {question.question_id} of pair {pair}")
        answers[question.source_id] = Answer(line, question, document)
    return answers


def taken_over(
    document: Document, answer: Answer, contexts: Contexts | None
) -> tuple[dict[str, Any], Found | None]:
    """An answer as one on `document`, and how its span was found there if it was looked for.

    Raises InputError where the answer's document is neither this one nor its translation.
    """
    line = {key: answer.line.get(key, value) for key, value in NULL.items()}
    line["language"] = language(document.language).tydi
    if (answer.document.doc_id, answer.document.text) == (document.doc_id, document.text):
        return line, None
    original = contexts.documents.get(document.doc_id) if contexts else None
    if (
        contexts is None
        or original is None
        or answer.document.doc_id != f"{original.source_doc_id}@{contexts.target}"
    ):
        raise InputError(
            f"question {answer.question.question_id} was asked of document {answer.document.doc_id}, which is neither"
            f" {document.doc_id} nor its translation"
        )
    made = contexts.made(original, answer.document)
    place = line["minimal_answer"]
    if place["start_byte_offset"] < 0:
        return line, None
    span = characters(answer.document.text, (place["start_byte_offset"], place["end_byte_offset"]))
    if not answer.document.text[slice(*span)].strip():
        return line | {"minimal_answer": NO_SPAN}, None
    found = contexts.found(span, original, made)
    return line | {"minimal_answer": octets(document.text, (found.start, found.end))}, found


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    for name, content in (
        ("documents", "documents tables of the questions as they were"),
        ("questions", "these questions, same order"),
        ("asked-documents", "documents tables of the questions that were answered"),
        ("asked", "these questions, same order"),
    ):
        arguments.add_argument(
            f"--{name}", nargs="+", required=True, metavar="TABLE", help=f"{content} (.parquet)"
        )
    for name, content in (
        ("predictions", "the answers to these, in TyDi's format, for each pair of languages"),
        ("pair", "answers to write for each pair of languages of the questions as they were"),
    ):
        arguments.add_argument(f"--{name}", nargs="+", required=True, metavar="EN-AR=FILE", help=content)
    arguments.add_argument("--dropped", required=True, help="questions that were not asked (.jsonl)")
    arguments.add_argument(
        "--to", help="where contexts were translated: the language, and with what is named below"
    )
    arguments.add_argument(
        "--translated-documents", help="the documents that were translated (.parquet), and"
    )
    arguments.add_argument("--translated-questions", help="the questions that were")
    add_options(arguments)
    for name, content in (("pairs", "their sentence pairs, by language, and"), ("links", "the words' links")):
        arguments.add_argument(f"--{name}", nargs="*", default=[], metavar="LANGUAGE=FILE", help=content)
    given = arguments.parse_args(argv)
    contexts = None
    if given.to:
        if not (given.translated_documents and given.translated_questions):
            raise InputError("--to needs --translated-documents and --translated-questions")
        target, documents = language(given.to).code, read_documents(given.translated_documents)
        rendering = read_rendering(given, target, documents, read_questions(given.translated_questions))
        files = named_files(given.pairs, "--pairs"), named_files(given.links, "--links")
        contexts = Contexts(target, documents, rendering, read_linked(*files, backwards=True))
    answers = read_answers(
        named_files(given.predictions, "--predictions"),
        [question for table in given.asked for question in read_questions(table)],
        {key: value for table in given.asked_documents for key, value in read_documents(table).items()},
    )
    outputs = named_files(given.pair, "--pair")
    lines: dict[str, list[dict[str, Any]]] = {pair: [] for pair in outputs}
    dropped: list[tuple[str, str]] = []
    labels: Counter[str] = Counter()
    originals = {key: value for table in given.documents for key, value in read_documents(table).items()}
    questions = [question for table in given.questions for question in read_questions(table)]
    progress = Progress("taking answers over", len(questions), "questions")
    for question in questions:
        document = originals[question.doc_id]
        pair = f"{question.language}-{document.language}"
        if pair not in lines:
            raise InputError(
                f"question {question.question_id} is one of pair {pair}, which --pair does not name"
            )
        answer = answers.get(question.source_id)
        if answer is None:
            line, found = NULL | {"language": language(document.language).tydi}, None
            dropped.append((question.question_id, "it was not asked: nothing answered comes from its source"))
        else:
            line, found = taken_over(document, answer, contexts)
        if found is not None:
            labels[label(found.confidence, found.method)] += 1
        lines[pair].append(line | {"example_id": example_id(question.source_id)})
        progress.advance()
    for pair, file in outputs.items():
        if not lines[pair]:
            raise InputError(f"--pair {pair}: no such questions in {', '.join(given.questions)}")
        write_jsonl(file, lines[pair])
    write_dropped(given.dropped, dropped)
    print(
        f"{len(questions) - len(dropped)} of {len(questions)} questions have an answer; {len(dropped)} were not asked"
    )
    if given.to:
        print(f"spans found again: {', '.join(f'{labels[name]} {name}' for name in reversed(LABELS))}")


if __name__ == "__main__":
    run(main)
