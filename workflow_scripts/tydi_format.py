"""The official TyDi QA primary-task record, to the corpus and from it.

A record is one JSON line with a question, the whole article as `document_plaintext`, its passages and (one in the train
file, three in the dev file) annotations.  All its offsets are UTF-8 bytes of the article, end exclusive, -1 for none;
the corpus counts characters.  The `html` fields of the older sample files are ignored.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.corpus import YES_NO, Annotation, Document, Question, example_id
from workflow_scripts.languages import from_tydi, language


class Unusable(ValueError):
    """A record that is well formed but contradicts itself; its text is the reason why it is dropped."""


def byte_offsets(text: str) -> NDArray[np.int64]:
    """Where each character of `text` begins in its UTF-8 form, and at last its length in bytes: int64 [characters + 1].

    Indexing turns characters into bytes, `searchsorted` bytes into characters.
    """
    octets = np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
    # Every octet but the continuation octets 10xxxxxx begins a character.
    return np.append(np.flatnonzero((octets & 0xC0) != 0x80), len(octets)).astype(np.int64)


def from_record(record: dict[str, Any], where: str) -> tuple[Document, Question]:
    """One official record as a document and a question, both named by the example id; no annotations is allowed.

    `where` (file and line) goes into the InputError for a language that is not in the table.  Raises KeyError for a
    field that is not there and Unusable for offsets that fit neither the text nor each other.
    """
    name = str(record["example_id"])
    spoken = from_tydi(record["language"], where).code
    text = record["document_plaintext"]
    try:
        offsets = byte_offsets(text)
    except UnicodeEncodeError:
        raise Unusable("the article holds half a surrogate pair and has no UTF-8 form") from None

    def characters(span: dict[str, int], what: str) -> tuple[int, int]:
        both = np.array([span["plaintext_start_byte"], span["plaintext_end_byte"]])
        if not (0 <= both[0] <= both[1] <= offsets[-1]):
            raise Unusable(f"{what} is [{both[0]}, {both[1]}) in an article of {offsets[-1]} bytes")
        found = np.searchsorted(offsets, both)
        if (offsets[found] != both).any():
            raise Unusable(f"{what} is [{both[0]}, {both[1]}) in bytes, which cuts a character in two")
        return int(found[0]), int(found[1])

    passages = tuple(
        characters(span, f"passage {number}")
        for number, span in enumerate(record["passage_answer_candidates"])
    )
    for number, (before, after) in enumerate(pairwise(passages)):
        if after[0] < before[1]:
            raise Unusable(f"passage {number + 1} begins before passage {number} ends")

    annotations = []
    for number, given in enumerate(record.get("annotations", [])):
        passage = given["passage_answer"]["candidate_index"]
        if not -1 <= passage < len(passages):
            raise Unusable(f"annotation {number} names passage {passage} of {len(passages)}")
        yes_no = given["yes_no_answer"].upper()
        if yes_no not in YES_NO:
            raise Unusable(f"annotation {number} answers {given['yes_no_answer']!r}, not {', '.join(YES_NO)}")
        span = given["minimal_answer"]
        start = end = -1
        if (span["plaintext_start_byte"], span["plaintext_end_byte"]) != (-1, -1):
            start, end = characters(span, f"the answer of annotation {number}")
            if start == end:
                raise Unusable(f"the answer of annotation {number} is empty")
        annotations.append(
            Annotation(
                passage=passage,
                start=start,
                end=end,
                text=text[start:end] if start >= 0 else "",
                yes_no=yes_no,
                annotation_id=str(given["annotation_id"]) if "annotation_id" in given else None,
            )
        )
    document = Document(
        doc_id=name,
        language=spoken,
        title=record["document_title"],
        url=record["document_url"],
        text=text,
        passages=passages,
        source_doc_id=name,
    )
    question = Question(
        question_id=name,
        source_id=name,
        doc_id=name,
        language=spoken,
        text=record["question_text"],
        annotations=tuple(annotations),
    )
    return document, question


def to_record(question: Question, document: Document) -> dict[str, Any]:
    """The official record of a question; `example_id` is that of its source, `language` the article's.

    A question without annotations gives a record without the key, as in the official test input.
    """
    offsets = byte_offsets(document.text)

    def span(start: int, end: int) -> dict[str, int]:
        if start < 0:
            return {"plaintext_start_byte": -1, "plaintext_end_byte": -1}
        return {"plaintext_start_byte": int(offsets[start]), "plaintext_end_byte": int(offsets[end])}

    annotations = [
        {
            **({"annotation_id": int(given.annotation_id)} if given.annotation_id is not None else {}),
            "minimal_answer": span(given.start, given.end),
            "passage_answer": {"candidate_index": given.passage},
            "yes_no_answer": given.yes_no,
        }
        for given in question.annotations
    ]
    return {
        **({"annotations": annotations} if annotations else {}),
        "document_plaintext": document.text,
        "document_title": document.title,
        "document_url": document.url,
        "example_id": example_id(question.source_id),
        "language": language(document.language).tydi,
        "passage_answer_candidates": [span(start, end) for start, end in document.passages],
        "question_text": question.text,
    }
