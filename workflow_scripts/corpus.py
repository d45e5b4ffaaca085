"""The two-table corpus that every stage passes on: documents, and questions with their annotations.

Contexts are large and shared, questions small and many, so they are two Parquet tables; a corpus that only adds or
selects questions shares the documents of the corpus it was made from.  Offsets are characters of `Document.text`, end
exclusive; bytes exist only at the border to TyDi's files.  `NULL` offsets are -1, as in TyDi.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts.cli import InputError, absent
from workflow_scripts.files import atomic, write_jsonl

YES_NO = ("YES", "NO", "NONE")
PART_OCTETS = 2**20  # of documents of average length, which are read at a time


@dataclass(frozen=True)
class Document:
    """One context.  `passages` are sorted, disjoint [start, end) spans of `text` in characters; gaps are allowed."""

    doc_id: str
    language: str
    title: str
    url: str
    text: str
    passages: tuple[tuple[int, int], ...]
    source_doc_id: str
    made_by: str | None = None


@dataclass(frozen=True)
class Annotation:
    """One annotator's answer.

    `passage` is an index into the document's passages or -1; `start`, `end` delimit the minimal answer in the
    document's text or are -1, -1; `text` is what they delimit ("" without a span); `yes_no` is YES, NO or NONE.
    `annotation_id` is the official id, kept so that a file can be written out again as it was.
    """

    passage: int = -1
    start: int = -1
    end: int = -1
    text: str = ""
    yes_no: str = "NONE"
    annotation_id: str | None = None


@dataclass(frozen=True)
class Relocation:
    """How a derived question's answer span was found again, and how sure we are (0 to 1)."""

    method: str
    confidence: float


@dataclass(frozen=True)
class Question:
    """One question on one document; `source_id` is the question it was derived from (its own id for an original)."""

    question_id: str
    source_id: str
    doc_id: str
    language: str
    text: str
    annotations: tuple[Annotation, ...] = field(default_factory=tuple)
    made_by: str | None = None
    relocation: Relocation | None = None


DOCUMENTS = pa.schema(
    [
        ("doc_id", pa.string()),
        ("language", pa.string()),
        ("title", pa.string()),
        ("url", pa.string()),
        ("text", pa.large_string()),
        ("passages", pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64())]))),
        ("source_doc_id", pa.string()),
        ("made_by", pa.string()),
    ]
)
QUESTIONS = pa.schema(
    [
        ("question_id", pa.string()),
        ("source_id", pa.string()),
        ("doc_id", pa.string()),
        ("language", pa.string()),
        ("text", pa.string()),
        ("made_by", pa.string()),
        (
            "annotations",
            pa.list_(
                pa.struct(
                    [
                        ("passage", pa.int32()),
                        ("start", pa.int64()),
                        ("end", pa.int64()),
                        ("text", pa.string()),
                        ("yes_no", pa.string()),
                        ("annotation_id", pa.string()),
                    ]
                )
            ),
        ),
        ("relocation", pa.struct([("method", pa.string()), ("confidence", pa.float32())])),
    ]
)


def check_documents(documents: Iterable[Document], where: str) -> None:
    """Raise InputError naming the first document that breaks an invariant: unique ids, sorted passages."""
    seen: set[str] = set()
    for document in documents:
        name = f"{where}: document {document.doc_id}"
        if document.doc_id in seen:
            raise InputError(f"{name} occurs twice; ids must be unique")
        seen.add(document.doc_id)
        reached = 0
        for number, (start, end) in enumerate(document.passages):
            if not reached <= start <= end <= len(document.text):
                raise InputError(
                    f"{name}: passage {number} is [{start}, {end}), but passages must be sorted, disjoint and inside"
                    f" the text of {len(document.text)} characters"
                )
            reached = end


def check_questions(questions: Iterable[Question], documents: dict[str, Document], where: str) -> None:
    """Raise InputError naming the first question that breaks an invariant.

    Ids are unique, the document is known, `text[start:end] == annotation.text`, the passage exists, yes_no is known.
    """
    seen: set[str] = set()
    for question in questions:
        name = f"{where}: question {question.question_id}"
        if question.question_id in seen:
            raise InputError(f"{name} occurs twice; ids must be unique")
        seen.add(question.question_id)
        document = documents.get(question.doc_id)
        if document is None:
            raise InputError(f"{name} belongs to document {question.doc_id}, which is not in the corpus")
        for answer in question.annotations:
            if answer.yes_no not in YES_NO:
                raise InputError(f"{name}: yes_no is {answer.yes_no!r}; allowed are {', '.join(YES_NO)}")
            if not -1 <= answer.passage < len(document.passages):
                raise InputError(
                    f"{name}: passage {answer.passage} of a document with {len(document.passages)} passages"
                )
            if (answer.start, answer.end) == (-1, -1):
                if answer.text:
                    raise InputError(f"{name}: answer {answer.text!r} has no span")
            elif not 0 <= answer.start < answer.end <= len(document.text):
                raise InputError(
                    f"{name}: span [{answer.start}, {answer.end}) of a text of {len(document.text)} characters"
                )
            elif document.text[answer.start : answer.end] != answer.text:
                raise InputError(
                    f"{name}: answer {answer.text!r}, but the text at [{answer.start}, {answer.end}) is"
                    f" {document.text[answer.start : answer.end]!r}"
                )


def write_documents(path: Path | str, documents: Sequence[Document]) -> None:
    """Write the documents table after checking it."""
    check_documents(documents, str(path))
    rows = [
        {**asdict(d), "passages": [{"start": start, "end": end} for start, end in d.passages]}
        for d in documents
    ]
    write_table(path, rows, DOCUMENTS)


def write_questions(path: Path | str, questions: Sequence[Question], documents: dict[str, Document]) -> None:
    """Write the questions table after checking it against the corpus's documents (by id)."""
    check_questions(questions, documents, str(path))
    write_table(path, [asdict(question) for question in questions], QUESTIONS)


def read_documents(path: Path | str) -> dict[str, Document]:
    """The documents table by doc_id, in the order of the file."""
    return {document.doc_id: document for document in map(_document, read_table(path, DOCUMENTS))}


class Text(NamedTuple):
    """The part of a document that is read by models."""

    doc_id: str
    text: str
    passages: Sequence[tuple[int, int]]


def each_text(path: Path | str) -> Iterator[Text]:
    """The texts of a documents table one at a time, so that a table may be larger than memory."""
    schema = pa.schema([DOCUMENTS.field(name) for name in Text._fields])
    about = _open(path, schema).metadata
    octets = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
    rows = PART_OCTETS * about.num_rows // max(octets, 1)  # documents may be long
    for table in _each_part(path, schema, rows=min(max(rows, 1), 1000)):
        bounds, inner = _lists(table["passages"])
        spans = list(zip(inner.field("start").to_pylist(), inner.field("end").to_pylist(), strict=True))
        for row, (doc_id, text) in enumerate(
            zip(table["doc_id"].to_pylist(), table["text"].to_pylist(), strict=True)
        ):
            yield Text(doc_id, text, spans[bounds[row] : bounds[row + 1]])


def count_documents(path: Path | str) -> int:
    """How many documents a table has.  Raises InputError where it is none."""
    return int(_open(path, DOCUMENTS).metadata.num_rows)


def _document(row: dict[str, Any]) -> Document:
    return Document(**{**row, "passages": tuple((p["start"], p["end"]) for p in row["passages"])})


def read_questions(path: Path | str) -> list[Question]:
    """The questions table, in the order of the file."""
    return list(each_question(path))


def each_question(path: Path | str) -> Iterator[Question]:
    """The questions of `read_questions` one at a time, so that a table may be larger than memory."""
    names = [name for name in QUESTIONS.names if name not in ("annotations", "relocation")]
    answer = [field.name for field in QUESTIONS.field("annotations").type.value_type]
    for table in _each_part(path, QUESTIONS):
        # Column by column, which is several times as fast as dictionaries of dictionaries.
        bounds, inner = _lists(table["annotations"])
        answers = list(map(Annotation, *(inner.field(name).to_pylist() for name in answer)))
        columns: dict[str, list[Any]] = {name: table[name].to_pylist() for name in names}
        columns["annotations"] = [tuple(answers[begin:end]) for begin, end in pairwise(bounds)]
        columns["relocation"] = [
            Relocation(**given) if given else None for given in table["relocation"].to_pylist()
        ]
        yield from map(Question, *(columns[field.name] for field in fields(Question)))


def write_dropped(path: Path | str, dropped: Iterable[tuple[str, str]]) -> None:
    """Write what a stage left out: one JSON line {id, reason} a record; an empty file says that nothing was dropped."""
    write_jsonl(path, [{"id": record, "reason": reason} for record, reason in dropped])


def derive(question: Question, language: str, text: str, made_by: str) -> Question:
    """The same question asked in another language: same document and annotations, id `<source_id>@<language>`."""
    return replace(
        question,
        question_id=f"{question.source_id}@{language}",
        language=language,
        text=text,
        made_by=made_by,
    )


def example_id(source_id: str) -> int:
    """The signed 64-bit number that TyDi QA's files call a question by.

    An id that is such a number stands for itself; any other id (SQuAD's are hexadecimal) gives the same number always.
    """
    if re.fullmatch(r"0|-?[1-9][0-9]*", source_id) and -(2**63) <= int(source_id) < 2**63:
        return int(source_id)
    return int.from_bytes(hashlib.sha256(source_id.encode("utf-8")).digest()[:8], "big", signed=True)


def write_table(path: Path | str, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Write rows as a Parquet table, whole or not at all."""
    with atomic(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema), temporary, compression="zstd")


def read_table(path: Path | str, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet table, of which the columns of `schema` are taken; a thousand are Python objects at a time.

    Raises InputError where there is no such file, it is not Parquet, or a column is missing or of another type.
    """
    table = _cast(path, _open(path, schema).read(columns=schema.names), schema)
    return (row for batch in table.to_batches(max_chunksize=1000) for row in batch.to_pylist())


def _lists(column: pa.ChunkedArray) -> tuple[list[int], pa.StructArray]:
    """Where each row's list begins among the values of all of them, and these."""
    lists = column.combine_chunks()
    bounds = lists.offsets.to_numpy()
    return (bounds - bounds[0]).tolist(), lists.flatten()


def _each_part(path: Path | str, schema: pa.Schema, rows: int = 1000) -> Iterator[pa.Table]:
    """A table in parts of at most so many rows, of which one at a time is in memory."""
    for batch in _open(path, schema).iter_batches(batch_size=rows, columns=schema.names):
        yield _cast(path, pa.Table.from_batches([batch]), schema)


def _open(path: Path | str, schema: pa.Schema) -> pq.ParquetFile:
    """A Parquet file that has the columns of `schema`."""
    try:
        # Read through a buffer; otherwise the columns of a row group, which may be the whole table, are in memory.
        file = pq.ParquetFile(path, buffer_size=2**20, pre_buffer=False)
    except FileNotFoundError:
        raise InputError(absent(path)) from None
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: not a Parquet file ({error})") from None
    missing = [name for name in schema.names if name not in file.schema_arrow.names]
    if missing:
        raise InputError(
            f"{path}: column {missing[0]} is missing; a table of this kind has {', '.join(schema.names)}"
        )
    return file


def _cast(path: Path | str, table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Columns in the order and of the types of `schema`."""
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"{path}: a column is not of the type that a table of this kind has ({error})"
        ) from None
