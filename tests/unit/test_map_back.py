"""Answers to translated questions on the originals: what carries over, what is found again, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_corpora import ENGLISH, TEXT, answer, document, question, table
from workflow_scripts.augment import corpora, map_back
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, read_documents, write_documents, write_questions
from workflow_scripts.files import read_jsonl, write_jsonl

NAMES = "राम दिल्ली में रहता है । ||| Ram lives in Delhi .\nसीता पटना में है । ||| Sita is in Patna .\n"
LINKS = "0-0 1-3 2-2 3-1\n0-0 1-3 2-2 3-1\n"


def said(name: int, text: str, span: str = "", passage: int = 0, yes_no: str = "NONE") -> dict[str, Any]:
    """A line of TyDi's predictions, of the first place where `span` stands in `text`."""
    start = len(text[: text.index(span)].encode()) if span else -1
    return {
        "example_id": name,
        "language": "english",
        "passage_answer_index": passage,
        "passage_answer_score": 3.5,
        "minimal_answer": {
            "start_byte_offset": start,
            "end_byte_offset": start + len(span.encode()) if span else -1,
        },
        "minimal_answer_score": 2.5,
        "yes_no_answer": yes_no,
    }


class Case:
    """A folder with three Hindi questions, and their corpus in English."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        asked = [
            question("1", "राम कहाँ है?", answer("दिल्ली")),
            question("2", "क्या राम है?", Annotation(0, yes_no="YES")),
            question("3", "सीता कहाँ है?", answer("पटना", 1)),
        ]
        write_documents(folder / "documents", [document()])
        write_questions(folder / "questions", asked, {"d": document()})
        (folder / "pairs").write_text(NAMES, "utf-8")
        (folder / "links").write_text(LINKS, "utf-8")
        self.translations = table(folder / "t.parquet", ENGLISH)

    def translate(self) -> str:
        """The text of the document in English."""
        names = ("documents", "questions")
        files = [f"--{name}={self.folder / name}" for name in names]
        outs = [f"--out-{name}={self.folder / f'en-{name}'}" for name in names]
        options = [f"--translations={self.translations}", f"--dropped={self.folder / 'd'}", "--to=en"]
        corpora.main([*files, *outs, *options])
        return read_documents(self.folder / "en-documents")["d@en"].text

    def map_back(
        self, *lines: dict[str, Any], pair: str = "en-en", asked: str = "en-", more: bool = True
    ) -> Any:
        write_jsonl(self.folder / "said.jsonl", lines)
        options = [f"--{name}={self.folder / name}" for name in ("documents", "questions")]
        options += [
            f"--asked-documents={self.folder / f'{asked}documents'}",
            f"--asked={self.folder / f'{asked}questions'}",
        ]
        options += [
            f"--predictions={pair}={self.folder / 'said.jsonl'}",
            f"--pair=hi-hi={self.folder / 'out.jsonl'}",
        ]
        if more:
            options += [f"--translated-{name}={self.folder / name}" for name in ("documents", "questions")]
            options += ["--to=en", f"--translations={self.translations}"]
            options += [f"--{name}=hi={self.folder / name}" for name in ("pairs", "links")]
        map_back.main([*options, f"--dropped={self.folder / 'dropped'}"])
        return [line for _, line in read_jsonl(self.folder / "out.jsonl")]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def spanned(line: dict[str, Any]) -> str:
    """The text of an answer, by its bytes in the original document."""
    span = line["minimal_answer"]
    return TEXT.encode()[span["start_byte_offset"] : span["end_byte_offset"]].decode()


def test_answers_in_translated_contexts_are_found_in_the_originals(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    text = case.translate()
    given = [said(1, text, "Delhi"), said(2, text, yes_no="YES"), said(3, text, "Patna", passage=1)]
    lines = case.map_back(*given)
    assert [spanned(lines[0]), spanned(lines[2])] == ["दिल्ली", "पटना"]
    assert lines[1]["minimal_answer"] == {"start_byte_offset": -1, "end_byte_offset": -1}
    for line, before in zip(lines, given, strict=True):
        kept = (
            "example_id",
            "passage_answer_index",
            "passage_answer_score",
            "minimal_answer_score",
            "yes_no_answer",
        )
        assert {key: line[key] for key in kept} == {key: before[key] for key in kept}
        assert line["language"] == "hindi"
    assert "3 of 3 questions have an answer; 0 were not asked" in capsys.readouterr().out
    assert spanned(case.map_back(said(1, text, "12"), *given[1:])[0]) == "12"


def test_what_was_not_asked_is_null_and_told(case: Case) -> None:
    case.translations = table(
        case.folder / "t", {key: ENGLISH[key] for key in ENGLISH if key != "सीता कहाँ है?"}
    )
    text = case.translate()
    *_, last = case.map_back(said(1, text, "Delhi"), said(2, text))
    assert last == {**map_back.NULL, "example_id": 3, "language": "hindi"}
    (line,) = (json.loads(line) for line in (case.folder / "dropped").read_text("utf-8").splitlines())
    assert line["id"] == "3"


def test_answers_in_the_same_contexts_are_taken_over(case: Case) -> None:
    """Whatever language the question was asked in."""
    asked = [question(name, "?", answer("दिल्ली"), code="en") for name in ("1", "2", "3")]
    write_questions(case.folder / "en-questions", asked, {"d": document()})
    write_documents(case.folder / "en-documents", [document()])
    lines = case.map_back(*(said(n, TEXT, "में रहता") for n in (1, 2, 3)), pair="en-hi", more=False)
    assert [spanned(line) for line in lines] == ["में रहता"] * 3


def test_what_does_not_fit_is_told(case: Case) -> None:
    text = case.translate()
    lines = [said(n, text, "Delhi") for n in (1, 2, 3)]
    with pytest.raises(
        InputError, match=r"was asked of document d@en, which is neither d nor its translation"
    ):
        case.map_back(*lines, more=False)
    with pytest.raises(InputError, match="no answer to question 3@en of pair en-en"):
        case.map_back(*lines[:2])
    with pytest.raises(InputError, match=r"said\.jsonl line 1: not a line of TyDi's predictions"):
        case.map_back({"id": 1})
    asked = [question(name, "?", answer("दिल्ली")) for name in ("1", "2", "3")]
    double = [*asked, question("1", "??", code="en")]
    double[-1] = double[-1].__class__(**{**vars(double[-1]), "question_id": "1@en"})
    write_questions(case.folder / "two-questions", double, {"d": document()})
    write_documents(case.folder / "two-documents", [document()])
    with pytest.raises(
        InputError, match="questions 1 and 1@en come from one source, 1; ask each question once"
    ):
        case.map_back(*lines, pair="hi-hi", asked="two-")
    case.translations = table(case.folder / "t", {**ENGLISH, "वह 12 साल का है।": "He is twelve."})
    with pytest.raises(InputError, match="document d@en is not what the translations make of d"):
        case.map_back(*lines)
    assert not (case.folder / "out.jsonl").exists()
