"""What translators made of a corpus: of every sentence of a document, of a question, and of an answer by itself.

It comes either from tables of translations, where whatever has a text has its translation, or as whole records from
elsewhere (a published data set, IndicTrans2, the micro-world), one JSON line a question:

  id            the question's id, or that of the question it was made from
  sentences     [sentence of the context, its translation] pairs, in order; between them stand blanks only
  question      the question's translation
  answer_text   the answer's translation, made without the context

Either way a rendering answers the same three questions, and `None` says that there is no translation.
"""

import argparse
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from workflow_scripts.augment.sentences import Span, sentences
from workflow_scripts.augment.translations import read_translations
from workflow_scripts.cli import InputError, explain, named_files
from workflow_scripts.corpus import Document, Question
from workflow_scripts.files import read_jsonl
from workflow_scripts.languages import language

BLANKS = re.compile(r"\s*")


@dataclass(frozen=True)
class Sentence:
    """A stretch of a document's text and its translation; None where there is none, or nothing that can be read."""

    span: Span
    translation: str | None


@dataclass(frozen=True)
class Rendering:
    """What is known of a corpus in another language.

    sentences: those of a document in order, or the reason why there is no translation of it; question: a question's
    text; answer: the text of an answer to a question, (question, document, answer) → text; made_by: who translated a
    question, or the context of one that needed no translation.
    """

    sentences: Callable[[Document], list[Sentence] | str]
    question: Callable[[Question], str | None]
    answer: Callable[[Question, Document, str], str | None]
    made_by: Callable[[Question, Document], str]


class Record(BaseModel):
    """A line of a file of whole records; keys that are not named here are left alone."""

    id: str
    sentences: list[tuple[str, str]]
    question: str
    answer_text: str


def add_options(arguments: argparse.ArgumentParser) -> None:
    """Add the options that `read_rendering` reads."""
    arguments.add_argument(
        "--translations", nargs="+", default=[], metavar="TABLE", help="tables of translations (.parquet)"
    )
    arguments.add_argument(
        "--records",
        nargs="+",
        default=[],
        metavar="LANGUAGE=FILE",
        help="instead: whole translated records of contexts in a language (.jsonl)",
    )
    arguments.add_argument("--made-by", help="who translated --records, for the record")


def read_rendering(
    given: argparse.Namespace, target: str, documents: Mapping[str, Document], questions: Sequence[Question]
) -> Rendering:
    """What the options say about a corpus in the language `target`.

    Raises InputError where neither or both kinds are given, or a file is not what it should be.
    """
    if bool(given.translations) == bool(given.records):
        raise InputError("give either --translations or --records")
    if given.translations:
        return from_tables(given.translations, target)
    if not given.made_by:
        raise InputError("--records needs --made-by, who translated them")
    return from_records(named_files(given.records, "--records"), given.made_by, documents, questions)


def from_tables(tables: Iterable[str], target: str) -> Rendering:
    """What tables of translations tell; where two translate one text, the first does.

    A translation of an item is that of its question only, and goes before one of whatever has its text.
    """
    texts: dict[tuple[str, str], tuple[str, str]] = {}
    items: dict[tuple[str, str, str], tuple[str, str]] = {}
    for table in tables:
        for row in read_translations(table):
            if row.target_language == target:
                found = row.text, row.made_by
                if row.item:
                    items.setdefault((row.item, row.source_language, row.source_text), found)
                else:
                    texts.setdefault((row.source_language, row.source_text), found)

    def text_in(code: str, text: str) -> str | None:
        found = texts.get((code, text))
        return legible(found[0], text) if found else None

    def of_question(question: Question) -> tuple[str, str] | None:
        own = items.get((question.question_id, question.language, question.text))
        return own or texts.get((question.language, question.text))

    def question_text(question: Question) -> str | None:
        found = of_question(question)
        return legible(found[0], question.text) if found else None

    def cut(document: Document) -> list[Sentence]:
        spans = sentences(document)
        return [Sentence(span, text_in(document.language, document.text[slice(*span)])) for span in spans]

    def made_by(question: Question, document: Document) -> str:
        if found := of_question(question):
            return found[1]
        told = (texts.get((document.language, document.text[slice(*span)])) for span in sentences(document))
        return next((one[1] for one in told if one), "")

    return Rendering(
        cut,
        question_text,
        lambda question, document, answer: text_in(document.language, answer),
        made_by,
    )


def from_records(
    files: Mapping[str, str],
    made_by: str,
    documents: Mapping[str, Document],
    questions: Sequence[Question],
) -> Rendering:
    """What files of whole records tell, one file for each language of contexts.

    Of several records of one document, the first whose sentences are the document's tells its translation.  Raises
    InputError for a line that is no record, an id given twice, and a record of a context in another language.
    """
    records: dict[str, Record] = {}
    where: dict[str, tuple[str, str]] = {}
    for code, file in files.items():
        for number, line in read_jsonl(file):
            try:
                record = Record.model_validate(line)
            except ValidationError as error:
                raise InputError(explain(error, f"{file} line {number}")) from None
            if record.id in records:
                raise InputError(
                    f"{file} line {number}: record {record.id} stands in {where[record.id][1]} too"
                )
            records[record.id], where[record.id] = record, (language(code).code, file)

    def record_of(question: Question) -> Record | None:
        return records.get(question.question_id) or records.get(question.source_id)

    of_document: dict[str, list[Sentence] | str] = {}
    for question in questions:
        known = record_of(question)
        if known is None or isinstance(of_document.get(question.doc_id), list):
            continue
        document = documents[question.doc_id]
        code, file = where[known.id]
        if document.language != code:
            raise InputError(
                f"{file}: record {known.id} belongs to a context in {document.language}, not in {code}; name the file"
                f" {document.language}={file}"
            )
        found = located(known, document)
        if found is None:
            of_document.setdefault(
                document.doc_id, "the sentences of its record are not those of its context"
            )
        else:
            of_document[document.doc_id] = found

    def question_text(question: Question) -> str | None:
        record = record_of(question)
        return legible(record.question, question.text) if record else None

    def answer_text(question: Question, document: Document, answer: str) -> str | None:
        record = record_of(question)
        # a record tells of one answer; another annotator's is found without
        first = next((one.text for one in question.annotations if one.text), "")
        return legible(record.answer_text, answer) if record and answer == first else None

    return Rendering(
        lambda document: of_document.get(document.doc_id, "there is no record of it"),
        question_text,
        answer_text,
        lambda question, document: made_by,
    )


def located(record: Record, document: Document) -> list[Sentence] | None:
    """A record's sentences in its document.

    None where they are not the document's text, or one of them holds the border of a passage.
    """
    found: list[Sentence] = []
    reached = 0
    for source, translation in record.sentences:
        source = source.strip()
        if not source:
            continue
        blanks = BLANKS.match(document.text, reached)
        start = blanks.end() if blanks else reached
        if not document.text.startswith(source, start):
            return None
        reached = start + len(source)
        found.append(Sentence((start, reached), legible(translation, source)))
    borders = itertools.chain(*document.passages)
    if document.text[reached:].strip() or any(inside(found, border) for border in borders):
        return None
    return found


def inside(found: Sequence[Sentence], place: int) -> bool:
    """Whether a place in a text is inside a sentence, neither before its first nor after its last character."""
    return any(sentence.span[0] < place < sentence.span[1] for sentence in found)


def legible(translation: str, source: str) -> str | None:
    """A translation without blanks around it, and with blanks for control characters that its source lacks.

    Nul bytes and halves of surrogate pairs come from broken services and files, and a line feed would end the sentence.
    None where nothing is left.
    """
    signs = (
        " " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") and sign not in source else sign
        for sign in translation
    )
    text = translation if translation.isprintable() else "".join(signs)
    return text.strip() or None
