"""TyDi QA's official files: bytes to characters and back, whatever the script, and nothing lost without a reason."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.acquire import tydiqa
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import (
    Document,
    Question,
    derive,
    read_documents,
    read_questions,
    write_documents,
    write_questions,
)
from workflow_scripts.evaluate import gold
from workflow_scripts.evaluate.tydi import read_gold
from workflow_scripts.files import write_jsonl
from workflow_scripts.tydi_format import byte_offsets, to_record

ALL = ["ar", "bn", "en", "fi", "id", "ja", "ko", "ru", "sw", "te", "th"]

# One, two, three and four bytes a character, with zero-width signs and a direction mark.
TEXT = "\nA নদী\u200c র\u200d 😀 é. \u200fنهر\nend"


def record(**changes: Any) -> dict[str, Any]:
    """An official record over TEXT with an answer, a null answer and a yes."""
    size = len(TEXT.encode("utf-8"))
    return {
        "annotations": [
            annotation(2**64 - 1, 0, "নদী"),
            annotation(1, -1, None),
            annotation(2, 1, None, "YES"),
        ],
        "document_plaintext": TEXT,
        "document_title": "নদী",
        "document_url": "https://bn.wikipedia.org/",
        "example_id": -981216329755920732,
        "language": "bengali",
        "passage_answer_candidates": [span(1, size - 4), span(size - 3, size)],
        "question_text": "কি?",
        **changes,
    }


def span(start: int, end: int) -> dict[str, int]:
    return {"plaintext_end_byte": end, "plaintext_start_byte": start}


def annotation(name: int, passage: int, answer: str | None, yes_no: str = "NONE") -> dict[str, Any]:
    start = TEXT.encode("utf-8").index(answer.encode("utf-8")) if answer else -1
    return {
        "annotation_id": name,
        "minimal_answer": span(start, start + len(answer.encode("utf-8")) if answer else -1),
        "passage_answer": {"candidate_index": passage},
        "yes_no_answer": yes_no,
    }


def read(
    folder: Path, *records: dict[str, Any], languages: list[str] = ALL
) -> tuple[dict[str, Document], list[Question], list[dict[str, str]]]:
    """What the step makes of a file of these records."""
    write_jsonl(folder / "in.jsonl.gz", records)
    outputs = [f"--{name}={folder / name}" for name in ("documents", "questions", "dropped")]
    tydiqa.main(["--in", f"{folder}/in.jsonl.gz", "--languages", *languages, *outputs])
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    return read_documents(folder / "documents"), read_questions(folder / "questions"), dropped


@pytest.mark.parametrize("text", ["", "abc", TEXT, "é😀é", "\U0010ffff\u0800\u07ff\u0080\u007f"])
def test_byte_offsets(text: str) -> None:
    expected = [len(text[:end].encode("utf-8")) for end in range(len(text) + 1)]
    assert byte_offsets(text).tolist() == expected


def test_characters_and_bytes(tmp_path: Path) -> None:
    documents, (question,), dropped = read(tmp_path, record())
    assert dropped == []
    document = documents[question.doc_id]
    assert question.question_id == question.source_id == document.doc_id == "-981216329755920732"
    assert (document.language, question.language) == ("bn", "bn")
    assert [document.text[start:end] for start, end in document.passages] == [TEXT[1:-4], "end"]
    first, null, yes = question.annotations
    assert (first.text, first.passage, first.annotation_id) == ("নদী", 0, str(2**64 - 1))
    assert (null.passage, null.start, null.end, null.text, null.yes_no) == (-1, -1, -1, "", "NONE")
    assert (yes.passage, yes.start, yes.yes_no) == (1, -1, "YES")
    assert to_record(question, document) == record()


def test_official_files_come_out_byte_for_byte(pack: Path, tmp_path: Path) -> None:
    official = pack / "tydiqa_primary" / "tiny_dev.jsonl.gz"
    outputs = [f"--{name}={tmp_path / name}" for name in ("documents", "questions", "dropped")]
    tydiqa.main(["--in", str(official), "--languages", *ALL, *outputs])
    documents, questions = read_documents(tmp_path / "documents"), read_questions(tmp_path / "questions")
    assert len(questions) == 11
    assert sorted(len(document.passages) for document in documents.values())[-2:] == [67, 84]
    assert {len(question.annotations) for question in questions} == {3}
    write_jsonl(tmp_path / "out", [to_record(question, documents[question.doc_id]) for question in questions])
    assert (tmp_path / "out").read_bytes() == gzip.decompress(official.read_bytes())


def test_html_fields_are_ignored_and_annotations_optional(pack: Path, tmp_path: Path) -> None:
    for name, annotations in (("small_gold_annotation.jsonl", 3), ("tiny_dev_no_annotations.jsonl.gz", 0)):
        outputs = [f"--{name}={tmp_path / name}" for name in ("documents", "questions", "dropped")]
        tydiqa.main(["--in", str(pack / "tydiqa_primary" / name), "--languages", *ALL, *outputs])
        assert (tmp_path / "dropped").read_bytes() == b""
        questions = read_questions(tmp_path / "questions")
        documents = read_documents(tmp_path / "documents")
        assert {len(question.annotations) for question in questions} == {annotations}
        for question in questions:
            written = to_record(question, documents[question.doc_id])
            assert ("annotations" in written) == bool(annotations)
            assert "document_html" not in written


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"passage_answer_candidates": [span(1, 5)]},
            "passage 0 is [1, 5) in bytes, which cuts a character in two",
        ),
        ({"passage_answer_candidates": [span(0, 999)]}, "in an article of"),
        ({"passage_answer_candidates": [span(3, 1)]}, "passage 0 is [3, 1)"),
        ({"passage_answer_candidates": [span(0, 3), span(1, 2)]}, "passage 1 begins before passage 0 ends"),
        ({"annotations": [annotation(1, 2, None)]}, "annotation 0 names passage 2 of 2"),
        ({"annotations": [annotation(1, 0, None, "PERHAPS")]}, "answers 'PERHAPS'"),
        (
            {"annotations": [{**annotation(1, 0, None), "minimal_answer": span(4, 6)}]},
            "cuts a character in two",
        ),
        ({"annotations": [{**annotation(1, 0, None), "minimal_answer": span(3, 3)}]}, "is empty"),
        ({"annotations": [{**annotation(1, 0, None), "minimal_answer": span(-1, 3)}]}, "is [-1, 3)"),
    ],
)
def test_records_that_contradict_themselves_are_dropped_with_a_reason(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    documents, questions, dropped = read(tmp_path, record(**changes), record(example_id=5))
    assert [question.question_id for question in questions] == list(documents) == ["5"]
    assert [line["id"] for line in dropped] == ["-981216329755920732"]
    assert reason in dropped[0]["reason"]


def test_half_a_surrogate_pair_is_dropped(tmp_path: Path) -> None:
    lines = [json.dumps(record(document_plaintext=TEXT + "\ud83d")), json.dumps(record(example_id=5))]
    (tmp_path / "in").write_text("\n".join(lines))
    outputs = [f"--{name}={tmp_path / name}" for name in ("documents", "questions", "dropped")]
    tydiqa.main(["--in", str(tmp_path / "in"), "--languages", "bn", *outputs])
    assert "surrogate" in (tmp_path / "dropped").read_text("utf-8")


def test_what_is_not_asked_for_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [record(example_id=n, language=name) for n, name in enumerate(["bengali", "thai", "bengali"])]
    _, questions, dropped = read(tmp_path, *records, languages=["bn"])
    assert [question.question_id for question in questions] == ["0", "2"]
    assert dropped == []
    assert "1 records in Thai left out, which is not asked for" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"example_id": 5}, "example_id 5 stands on"),
        ({"example_id": 1.5}, "signed 64-bit integers"),
        ({"example_id": 2**63}, "signed 64-bit integers"),
        ({"language": "klingon"}, "unknown language 'klingon'"),
        ({"annotations": [{}]}, "passage_answer is missing"),
        ({"passage_answer_candidates": None}, "not a TyDi QA primary-task record"),
    ],
)
def test_lines_that_are_no_records_are_named(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=r"in\.jsonl\.gz line 2") as error:
        read(tmp_path, record(example_id=5), record(**changes))
    assert sentence in str(error.value)
    assert not (tmp_path / "questions").exists()


def test_other_files_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="example_id is missing"):
        read(tmp_path, {"data": []})
    with pytest.raises(InputError, match=r"no usable record in en \(0 dropped, 1 left out\)"):
        read(tmp_path, record(), languages=["en"])
    with pytest.raises(InputError, match="unknown language 'xx'"):
        read(tmp_path, record(), languages=["xx"])


def test_gold_is_the_official_file_of_each_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documents, (question,), _ = read(tmp_path, record())
    write_questions(tmp_path / "en", [derive(question, "en", "What?", "someone")], documents)
    tables = [
        "--documents",
        f"{tmp_path}/documents",
        "--questions",
        f"{tmp_path}/questions",
        f"{tmp_path}/en",
    ]
    gold.main([*tables, f"--pair=bn-bn={tmp_path}/bn-bn.jsonl", f"--pair=en-bn={tmp_path}/en-bn.jsonl"])
    same, translated = (
        json.loads((tmp_path / f"{pair}.jsonl").read_text("utf-8")) for pair in ("bn-bn", "en-bn")
    )
    assert same == record()
    assert translated == record(question_text="What?")
    assert len(read_gold(tmp_path / "en-bn.jsonl")["-981216329755920732"].answers) == 3
    assert "1 questions" in capsys.readouterr().out

    with pytest.raises(InputError, match=r"no such questions in .*; there are bn-bn, en-bn"):
        gold.main([*tables, f"--pair=bn-en={tmp_path}/x"])
    with pytest.raises(InputError, match="--pair bn-bn: give name=file"):
        gold.main([*tables, "--pair=bn-bn"])
    with pytest.raises(InputError, match="another question in the same pair"):
        gold.main([*tables, f"{tmp_path}/en", f"--pair=bn-bn={tmp_path}/y", f"--pair=en-bn={tmp_path}/x"])


def test_gold_needs_annotations_and_documents(tmp_path: Path) -> None:
    documents, _, _ = read(tmp_path, record(annotations=[]))
    tables = ["--documents", f"{tmp_path}/documents", "--questions", f"{tmp_path}/questions"]
    with pytest.raises(InputError, match="has no annotations"):
        gold.main([*tables, f"--pair=bn-bn={tmp_path}/x"])
    (document,) = documents.values()
    write_documents(tmp_path / "documents", [Document("other", "bn", "", "", document.text, (), "other")])
    with pytest.raises(InputError, match=r"belongs to document -981216329755920732, which is not in"):
        gold.main([*tables, f"--pair=bn-bn={tmp_path}/x"])
    assert not (tmp_path / "x").exists()
