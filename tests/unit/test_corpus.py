"""The corpus: what is written is read again, and a record that breaks an invariant is named."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
    Relocation,
    derive,
    example_id,
    read_documents,
    read_questions,
    write_documents,
    write_dropped,
    write_questions,
)

TEXT = "\nনদী\u200c 😀 long.\r\nSecond passage"
DOCUMENT = Document("d", "bn", "title", "", TEXT, ((1, 13), (15, len(TEXT))), "d")
SPAN = Annotation(0, 1, 4, "নদী", "NONE", "15355291868148928766")
QUESTION = Question("q", "q", "d", "bn", "কি?", (SPAN, Annotation(1, yes_no="YES"), Annotation()))


def test_tables_keep_everything(tmp_path: Path) -> None:
    moved = replace(
        derive(QUESTION, "en", "What?", "someone"), relocation=Relocation("exact", 0.5), annotations=()
    )
    write_documents(tmp_path / "new" / "d.parquet", [DOCUMENT, replace(DOCUMENT, doc_id="e", made_by="x")])
    write_questions(tmp_path / "q.parquet", [QUESTION, moved], {"d": DOCUMENT})
    assert read_documents(tmp_path / "new" / "d.parquet") == {
        "d": DOCUMENT,
        "e": replace(DOCUMENT, doc_id="e", made_by="x"),
    }
    assert read_questions(tmp_path / "q.parquet") == [QUESTION, moved]
    assert (moved.question_id, moved.source_id, moved.language) == ("q@en", "q", "en")


@pytest.mark.parametrize(
    ("passages", "fits"),
    [
        (((0, 0), (0, 3), (3, 3)), True),
        (((0, len(TEXT)),), True),
        ((), True),
        (((2, 5), (1, 9)), False),
        (((2, 5), (4, 9)), False),
        (((-1, 2),), False),
        (((3, 2),), False),
        (((0, len(TEXT) + 1),), False),
    ],
)
def test_passages(tmp_path: Path, passages: tuple[tuple[int, int], ...], fits: bool) -> None:
    document = replace(DOCUMENT, passages=passages)
    if fits:
        write_documents(tmp_path / "d.parquet", [document])
    else:
        with pytest.raises(InputError, match="document d: passage"):
            write_documents(tmp_path / "d.parquet", [document])
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (replace(SPAN, start=2, end=5), "the text at"),
        (replace(SPAN, end=len(TEXT) + 1), "span"),
        (replace(SPAN, start=1, end=1, text=""), "span"),
        (replace(SPAN, start=-1), "span"),
        (Annotation(text="x"), "has no span"),
        (Annotation(passage=2), "passage 2 of a document with 2 passages"),
        (Annotation(passage=-2), "passage -2"),
        (Annotation(yes_no="yes"), "allowed are YES, NO, NONE"),
    ],
)
def test_annotations(tmp_path: Path, answer: Annotation, sentence: str) -> None:
    with pytest.raises(InputError, match="question q") as error:
        write_questions(tmp_path / "q.parquet", [replace(QUESTION, annotations=(answer,))], {"d": DOCUMENT})
    assert sentence in str(error.value)
    assert not list(tmp_path.iterdir())


def test_ids_are_unique_and_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="document d occurs twice"):
        write_documents(tmp_path / "d.parquet", [DOCUMENT, DOCUMENT])
    with pytest.raises(InputError, match="question q occurs twice"):
        write_questions(tmp_path / "q.parquet", [QUESTION, QUESTION], {"d": DOCUMENT})
    with pytest.raises(InputError, match="document d, which is not in the corpus"):
        write_questions(tmp_path / "q.parquet", [QUESTION], {})


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_questions(tmp_path / "q.parquet")
    (tmp_path / "text").write_text("no table")
    with pytest.raises(InputError, match="not a Parquet file"):
        read_documents(tmp_path / "text")
    pq.write_table(pa.table({"doc_id": ["d"]}), tmp_path / "short")
    with pytest.raises(InputError, match="column language is missing"):
        read_documents(tmp_path / "short")
    for values in ([1], ["x"]):
        columns = ("doc_id", "language", "title", "url", "text", "passages", "source_doc_id", "made_by")
        pq.write_table(pa.table(dict.fromkeys(columns, values)), tmp_path / "typed")
        with pytest.raises(InputError, match="a column is not of the type"):
            read_documents(tmp_path / "typed")


def test_dropped(tmp_path: Path) -> None:
    write_dropped(tmp_path / "none.jsonl", [])
    assert (tmp_path / "none.jsonl").read_bytes() == b""
    write_dropped(tmp_path / "one.jsonl", [("q", "নদী")])
    assert (tmp_path / "one.jsonl").read_text("utf-8") == '{"id":"q","reason":"নদী"}\n'


def test_example_ids() -> None:
    for number in (0, 7, -1, -(2**63), 2**63 - 1):
        assert example_id(str(number)) == number
    others = ["56be4db0acb8001400a502ec", "007", "-0", "", "1.5", "१२", str(2**63), "arabic-12-1"]
    numbers = [example_id(name) for name in others]
    assert len({*numbers, 7, 0}) == len(others) + 2
    assert all(-(2**63) <= number < 2**63 for number in numbers)
    assert example_id("56be4db0acb8001400a502ec") == 6057792772478381084
