"""SQuAD-format files: spans that hold or are found again, paragraphs left out, languages that names and ids tell."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.acquire import squad
from workflow_scripts.acquire.spans import locate
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, Document, Question, read_documents, read_questions


def paragraph(context: str, *questions: tuple[str, list[tuple[str, int]]], **more: Any) -> dict[str, Any]:
    """A paragraph with (id, [(answer, start), …]) questions; `more` goes into each question."""
    return {
        "context": context,
        "qas": [
            {
                "id": name,
                "question": f"{name}?",
                "answers": [{"text": text, "answer_start": start} for text, start in answers],
                **more,
            }
            for name, answers in questions
        ],
    }


def read(
    folder: Path, *paragraphs: dict[str, Any], more: list[str] | None = None
) -> tuple[list[Document], list[Question], list[dict[str, str]]]:
    """What the step makes of a file of one article with these paragraphs."""
    file = folder / "in.json"
    file.write_text(json.dumps({"version": "1.1", "data": [{"title": "T", "paragraphs": paragraphs}]}))
    return convert(folder, [file], "en", more)


def convert(
    folder: Path, files: list[Path], language: str, more: list[str] | None = None
) -> tuple[list[Document], list[Question], list[dict[str, str]]]:
    outputs = [f"--{name}={folder / name}" for name in ("documents", "questions", "dropped")]
    squad.main(["--in", *map(str, files), f"--language={language}", *outputs, *(more or [])])
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    return list(read_documents(folder / "documents").values()), read_questions(folder / "questions"), dropped


@pytest.mark.parametrize(
    ("context", "answer", "start", "expected"),
    [
        ("one two two", "two", 8, (8, 11)),  # where it is said to be, though it occurs twice
        (" two one", " two", 0, (0, 4)),  # edge blanks that hold are kept
        ("one two two", " two", 7, (7, 11)),
        ("one two two", "two ", 4, (4, 8)),
        ("one two two", "two ", 8, (8, 11)),  # the blank is not there, but the word is
        ("one two two", "two", 7, (8, 11)),  # off by the blank before it
        ("a\u00a0b  c", "a b c", 0, (0, 6)),
        ("x a\u00a0b", "a b", 9, (2, 5)),
        ("one two", "two", 0, (4, 7)),
        ("one two", "two", -3, (4, 7)),
        ("one (two)*", "(two)*", 0, (4, 10)),
        ("a\u200db", "b", 2, (2, 3)),
        ("one two two", "two", 0, "occurs 2 times"),
        ("aaa", "aa", 5, "occurs 2 times"),
        ("one two", "three", 0, "occurs nowhere"),
        ("one (a) a", "( a", 4, "occurs nowhere"),
        ("the Café here", "Cafe\u0301", 0, (4, 8)),  # however its characters are composed
        ("the Cafe\u0301 here", "Café", 4, (4, 9)),
        ("Café", "Cafe", 2, "occurs nowhere"),  # not half of a composed character
        ("각", "가", 0, "occurs nowhere"),
        ("the na\u200dme\u200f is", "name", 4, (4, 9)),  # with or without invisible characters
        ("name, the name", "na\u200cme", 10, (10, 14)),
        ("a \u200e\n b, a b", "a b", 0, (0, 6)),
        ("one two", "  ", 3, "is empty"),
        ("one two", "", 0, "is empty"),
    ],
)
def test_locate(context: str, answer: str, start: int, expected: tuple[int, int] | str) -> None:
    found = locate(context, answer, start)
    assert found == expected if isinstance(expected, tuple) else expected in found


def test_one_document_for_each_context_and_an_annotation_for_each_answer(tmp_path: Path) -> None:
    documents, questions, dropped = read(
        tmp_path,
        paragraph("one two", ("a", [("one", 0), ("two", 4), ("one", 0)]), ("b", [])),
        paragraph("three", ("c", [("three", 0)])),
        paragraph("one two", ("d", [("two", 4)])),
    )
    assert dropped == []
    assert [(document.text, document.title, document.passages) for document in documents] == [
        ("one two", "T", ((0, 7),)),
        ("three", "T", ((0, 5),)),
    ]
    assert [question.question_id for question in questions] == ["a", "b", "c", "d"]
    assert questions[0].doc_id == questions[3].doc_id
    assert questions[0].annotations[1] == Annotation(0, 4, 7, "two")
    assert [len(question.annotations) for question in questions] == [3, 1, 1, 1]
    assert questions[1].annotations == (Annotation(),)


def test_impossible_questions_are_null(tmp_path: Path) -> None:
    plausible = {"is_impossible": True, "plausible_answers": [{"text": "one", "answer_start": 0}]}
    _, (first, second), dropped = read(
        tmp_path,
        paragraph("one two", ("a", []), **plausible),
        paragraph("one two", ("b", [("two", 4)]), is_impossible=False),
    )
    assert first.annotations == (Annotation(),)
    assert second.annotations[0].text == "two"
    assert dropped == []


def test_what_has_no_place_is_dropped_and_what_is_set_right_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents, questions, dropped = read(
        tmp_path,
        paragraph("one two two", ("a", [("three", 0)]), ("b", [("two", 0), ("one", 3)]), ("b", [("one", 0)])),
        paragraph("lost", ("c", [("found", 0)])),
    )
    assert [question.question_id for question in questions] == ["b"]
    assert [answer.text for answer in questions[0].annotations] == ["one"]
    assert [document.text for document in documents] == ["one two two"]
    assert [line["id"] for line in dropped] == ["a", "b", "b", "c"]
    assert "another question has this id" in dropped[2]["reason"]
    assert "1 answers set right" in capsys.readouterr().out


def test_paragraphs_can_be_excluded_and_limited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.json"
    other.write_text(
        json.dumps({"data": [{"paragraphs": [paragraph("Cafe\u0301 \n\u00a0one ", ("x", [("one", 7)]))]}]})
    )
    paragraphs = [
        paragraph("Café one", ("a", [("one", 5)]), ("b", [])),
        paragraph("two", ("c", [("two", 0)])),
        paragraph("three", ("d", [("three", 0)])),
    ]
    _, questions, dropped = read(
        tmp_path, *paragraphs, more=["--exclude-contexts", str(other), "--max-paragraphs", "1"]
    )
    assert [question.question_id for question in questions] == ["c"]
    assert dropped == [{"id": name, "reason": "its context is excluded"} for name in "ab"]
    printed = capsys.readouterr().out
    assert "1 paragraphs excluded" in printed
    assert "1 paragraphs left out beyond the first 1" in printed


def test_unlabelled_questions_are_dropped(tmp_path: Path) -> None:
    """Taken for unanswerable ones, they would teach a model to find nothing."""
    unlabelled = {"context": "one", "qas": [{"id": "b", "question": "b?"}]}
    _, questions, dropped = read(tmp_path, paragraph("one", ("a", [])), unlabelled)
    assert [question.question_id for question in questions] == ["a"]
    assert [line["id"] for line in dropped] == ["b"]
    assert dropped[0]["reason"].startswith("it has no answers")


def test_questions_may_be_in_another_language(tmp_path: Path) -> None:
    file = tmp_path / "test-context-ar-question-en.json"
    file.write_text(json.dumps({"data": [{"paragraphs": [paragraph("نعم", ("a", [("نعم", 0)]))]}]}))
    (document,), (question,), _ = convert(tmp_path, [file], "ar", ["--question-language", "en"])
    assert (document.language, question.language) == ("ar", "en")
    assert (question.question_id, question.source_id) == ("a", "a")


@pytest.mark.parametrize(
    ("name", "question_id", "sentence"),
    [
        (
            "dev-context-ar-question-en.json",
            "a",
            "its name says that its questions are in en, but they are declared to be in ar; declare en",
        ),
        (
            "test-context-de-question-ar.json",
            "a",
            "its name says that its contexts are in de, but they are declared to be in ar; declare de",
        ),
        (
            "xquad.hi.json",
            "a",
            "its name says that its contexts are in hi, but they are declared to be in ar; declare hi",
        ),
        (
            "goldp.json",
            "swahili-8211684794284159625-4",
            "the id of question swahili-8211684794284159625-4 says that its contexts are in sw, but they are declared"
            " to be in ar; declare sw",
        ),
    ],
)
def test_a_language_that_the_file_contradicts(
    tmp_path: Path, name: str, question_id: str, sentence: str
) -> None:
    file = tmp_path / name
    file.write_text(json.dumps({"data": [{"paragraphs": [paragraph("one", (question_id, []))]}]}))
    with pytest.raises(InputError) as error:
        convert(tmp_path, [file], "ar")
    assert str(error.value) == f"{file}: {sentence}"


@pytest.mark.parametrize(
    "question_id", ["arabic-8211684794284159625-4", "train-12-3", "klingon-821168479428415-1"]
)
def test_ids_that_say_nothing_else(tmp_path: Path, question_id: str) -> None:
    file = tmp_path / "xquad.ar.json"
    file.write_text(json.dumps({"data": [{"paragraphs": [paragraph("one", (question_id, []))]}]}))
    assert len(convert(tmp_path, [file], "ar")[1]) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "not a SQuAD-format file"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', "not a SQuAD-format file"),
        (
            '{"data": [{"paragraphs": [{"context": "x", "qas": [{"question": "q"}]}]}]}',
            "a question has no id",
        ),
        ('{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": 7}]}]}]}', "question 7 has no question"),
        (
            '{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": 7, "answers": [{"text": "x"}]}]}]}]}',
            "question 7 has no answer_start",
        ),
        ('{"data": [{"paragraphs": [{"context": null, "qas": []}]}]}', "not a SQuAD-format file"),
        ('{"data": [{"paragraphs": [{"context": "x", "qas": null}]}]}', "not a SQuAD-format file"),
        (
            '{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": 7, "question": null}]}]}]}',
            "question 7: question and answers must be texts",
        ),
        (
            '{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": 7, "question": "q", "answers": null}]}]}]}',
            "question 7: question and answers must be texts",
        ),
        (
            '{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": 7, "question": "q",'
            ' "answers": [{"text": "x", "answer_start": "0"}]}]}]}]}',
            "each answer_start a whole number",
        ),
        ('{"data": []}', "no usable question"),
    ],
)
def test_files_that_are_not_of_the_format(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "in.json").write_text(content)
    with pytest.raises(InputError, match=r"in\.json") as error:
        convert(tmp_path, [tmp_path / "in.json"], "en")
    assert sentence in str(error.value)
    assert not (tmp_path / "questions").exists()


def test_real_spans_hold_or_are_found_again(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ARCD's no-break and double blanks, XQuAD's contexts that are not composed, GoldP's answers with edge blanks."""
    _, questions, dropped = convert(tmp_path, [pack / "arcd" / "arcd.json"], "ar")
    assert (len(questions), dropped) == (1395, [])
    assert "6 answers set right" in capsys.readouterr().out
    documents, questions, dropped = convert(tmp_path, [pack / "xquad" / "xquad.hi.json"], "hi")
    assert (len(documents), len(questions), dropped) == (240, 1190, [])
    assert "set right" not in capsys.readouterr().out
    goldp = [pack / "tydiqa_goldp" / f"english_tydiqa_{split}.json" for split in ("train", "dev")]
    _, questions, dropped = convert(tmp_path, goldp, "en")
    edges = Counter(answer.text != answer.text.strip() for q in questions for answer in q.annotations)
    assert (len(questions), dropped, edges[True]) == (3696 + 440, [], 12)
    swahili = [pack / "tydiqa_goldp" / f"swahili_tydiqa_{split}.json" for split in ("train", "dev")]
    _, questions, dropped = convert(tmp_path, swahili, "sw")
    assert (len(questions), len(dropped)) == (2755 + 499 - 2, 2)
