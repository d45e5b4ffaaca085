"""Files with ChAII's columns: one document for each context, spans that hold or are found again, and bad rows."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from workflow_scripts.acquire import chaii
from workflow_scripts.acquire.microworld.__main__ import write_world
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Document, Question, read_documents, read_questions
from workflow_scripts.recipes.microworld import Microworld

CONTEXT = "नदी और नदी, फिर पहाड़"


def write(folder: Path, *rows: tuple[object, ...], columns: tuple[str, ...] = chaii.COLUMNS) -> Path:
    """A file of these rows, (id, context, question, answer_text, answer_start, language) each."""
    file = folder / "in.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([columns, *rows])
    return file


def convert(
    folder: Path, file: Path, *languages: str
) -> tuple[dict[str, Document], list[Question], list[dict[str, str]]]:
    """What the step makes of a file."""
    outputs = [f"--{name}={folder / name}" for name in ("documents", "questions", "dropped")]
    chaii.main(["--in", str(file), "--languages", *languages, *outputs])
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    return read_documents(folder / "documents"), read_questions(folder / "questions"), dropped


def cells(file: Path) -> dict[str, dict[str, str]]:
    """The rows of a file by id, as Python's own reader has them."""
    with file.open(encoding="utf-8", newline="") as opened:
        return {row["id"]: row for row in csv.DictReader(opened)}


def test_a_context_is_one_document_of_one_passage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(
        tmp_path,
        ("1", CONTEXT, "कौन?", "नदी", 7, "hindi"),
        ("b", CONTEXT, "क्या?", "पहाड़", 3, "hindi"),  # elsewhere, but there once
        ("c", CONTEXT, "कब?", "नदी", 3, "hindi"),  # elsewhere, and there twice
        ("b", "பழம்", "?", "பழம்", 0, "tamil"),
        ("e", CONTEXT, "?", "और", 4, "tamil"),
        ("f", "பழம்", "?", "பழம்", 0, "tamil"),
        ("g", "গাছ", "?", "গাছ", 0, "bengali"),
    )
    documents, questions, dropped = convert(tmp_path, file, "hi", "ta")
    assert [(document.language, document.text) for document in documents.values()] == [
        ("hi", CONTEXT),
        ("ta", "பழம்"),
    ]
    assert all(document.passages == ((0, len(document.text)),) for document in documents.values())
    assert [(question.question_id, question.language) for question in questions] == [
        ("1", "hi"),
        ("b", "hi"),
        ("f", "ta"),
    ]
    at = CONTEXT.index("पहाड़")
    spans = [
        (answer.passage, answer.start, answer.text)
        for question in questions
        for answer in question.annotations
    ]
    assert spans == [(0, 7, "नदी"), (0, at, "पहाड़"), (0, 0, "பழம்")]
    reasons = [(line["id"], line["reason"]) for line in dropped]
    assert reasons == [
        ("c", "the answer 'नदी' does not stand at character 3 and it occurs 2 times in the context"),
        ("b", "another question has this id; the first is kept"),
        ("e", "another question says that its context is in Hindi"),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "2 questions in Hindi",
        "1 questions in Tamil",
        "1 answers set right that did not stand where the file says",
        "1 rows in Bengali left out, which is not asked for",
        f"3 dropped, see {tmp_path / 'dropped'}",
    ]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("a", CONTEXT), r"row 1 \(a\): a row has too many or too few columns; a row has as many"),
        (("a", CONTEXT, "?", "नदी", 0, "hindi", 1), r"row 1 \(a\): a row has too many or too few columns; "),
        ((" ", CONTEXT, "?", "नदी", 0, "hindi"), "a row has no id; give each row an id"),
        (
            ("a", CONTEXT, "?", "नदी", "-1", "hindi"),
            "answer_start is not a whole number \\('-1'\\); it counts",
        ),
        (("a", CONTEXT, " ", "नदी", 0, "hindi"), "question or context is empty; both are texts"),
        (("a", CONTEXT, "?", "नदी", 0, "hi"), "a language is not known \\('hi'\\); language is a name in"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, row: tuple[object, ...], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        convert(tmp_path, write(tmp_path, row), "hi")
    assert [file.name for file in tmp_path.iterdir()] == ["in.csv"]


def test_files_without_what_is_needed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column answer_text is missing; the first line must be id,context,"):
        convert(tmp_path, write(tmp_path, columns=("id", "context", "question", "language")), "hi")
    with pytest.raises(InputError, match=r"no usable question in ta \(0 dropped\)"):
        convert(tmp_path, write(tmp_path, ("a", CONTEXT, "?", "नदी", 0, "hindi")), "ta")
    with pytest.raises(InputError, match=r"absent\.csv: no such file"):
        convert(tmp_path, tmp_path / "absent.csv", "hi")


def test_a_context_may_be_longer_than_pythons_limit_for_cells(tmp_path: Path) -> None:
    file = write(tmp_path, ("a", "க" * 140_000 + " ஊர்", "?", "ஊர்", 140_001, "tamil"))
    _, (question,), dropped = convert(tmp_path, file, "ta")
    assert (question.annotations[0].start, dropped) == (140_001, [])


def test_real_rows(tmp_path: Path, pack: Path) -> None:
    """32 official rows on 28 contexts, in 17 of them Hindi; every span holds."""
    file = pack / "chaii/train_subset.csv"
    documents, questions, dropped = convert(tmp_path, file, "hi", "ta")
    assert (len(documents), dropped) == (28, [])
    assert Counter(question.language for question in questions) == {"hi": 17, "ta": 15}
    for question in questions:
        row, (answer,) = cells(file)[question.question_id], question.annotations
        assert (answer.text, answer.start) == (row["answer_text"], int(row["answer_start"]))
        assert (question.text, documents[question.doc_id].text) == (row["question"], row["context"])


@pytest.mark.parametrize(("name", "missing"), [("test.csv", "answer_text"), ("xquad_hi_external.csv", "id")])
def test_real_files_of_other_columns(tmp_path: Path, pack: Path, name: str, missing: str) -> None:
    with pytest.raises(InputError, match=f"{name}: column {missing} is missing"):
        convert(tmp_path, pack / "chaii" / name, "hi", "ta")


def test_the_micro_worlds_rows(tmp_path: Path) -> None:
    recipe = Microworld(
        languages=("en", "hi", "ta"),
        train_articles=3,
        dev_articles=2,
        test_articles=2,
        hard_articles=2,
        documents=3,
        sentence_pairs=3,
        text_names=30,
        squad_languages=("en",),
        squad_articles=(2, 2),
        chaii_articles={"hi": (12, 2), "ta": (6, 2)},
        chaii_targets=("en",),
        asr_noise={},
    )
    write_world(recipe, tmp_path / "world")
    documents, questions, dropped = convert(tmp_path, tmp_path / "world/chaii/train.csv", "hi", "ta")
    assert (len(documents), len(questions), dropped) == (18, 18, [])
    assert Counter(question.language for question in questions) == {"hi": 12, "ta": 6}
