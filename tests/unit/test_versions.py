"""MuCoT's files of translated and transliterated records: what is taken, found again, left out and refused."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.acquire import chaii, versions
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Document, Question, read_documents, read_questions

COLUMNS = (*versions.TEXTS, "language", "is_original")
SCRIPTS = (*versions.TEXTS, "src", "tgt", "is_original")
RIVER = "नदी और पहाड़"
ORIGINALS = [
    ("a", RIVER, "क्या?", "नदी", 0, "hindi"),
    ("b", RIVER, "कहाँ?", "पहाड़", 7, "hindi"),
    ("c", "பழம்", "?", "பழம்", 0, "tamil"),
]
Row = Sequence[object]


def write(file: Path, columns: Sequence[str], rows: Sequence[Row]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([columns, *rows])
    return file


def originals(folder: Path, file: Path) -> None:
    """ChAII's rows as a corpus in `folder`."""
    outputs = [f"--{name}={folder / f'of.{name}'}" for name in ("documents", "questions", "dropped")]
    chaii.main(["--in", str(file), "--languages", "hi", "ta", *outputs])


def convert(
    folder: Path, file: Path, made: str = "translated", to: str = "bn"
) -> tuple[dict[str, Document], list[Question], dict[str, str]]:
    """What the step makes of a file."""
    of = [f"--of-{name}={folder / f'of.{name}'}" for name in ("documents", "questions")]
    outputs = [f"--{name}={folder / name}" for name in ("documents", "questions", "dropped")]
    versions.main(["--in", str(file), "--made", made, "--to", to, *of, *outputs])
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    return (
        read_documents(folder / "documents"),
        read_questions(folder / "questions"),
        {line["id"]: line["reason"] for line in dropped},
    )


@pytest.fixture
def of(tmp_path: Path) -> Path:
    """A folder with the originals' two tables."""
    originals(tmp_path, write(tmp_path / "of.csv", chaii.COLUMNS, ORIGINALS))
    return tmp_path


def test_translations_have_the_names_and_sources_of_our_own(
    of: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    river, other = "নদী আর পাহাড়", "নদী এবং পাহাড়"
    file = write(
        of / "in.csv",
        COLUMNS,
        [
            *((*row, True) for row in ORIGINALS),
            ("a", river, "কী?", "নদী", 0, "bn", False),
            ("b", other, "কোথায়?", "পাহাড়", "8.0", "bn", False),  # another translation of the same context
            ("c", "ফল", "?", "ফল", 0, "bn", "False"),
            ("a", "River", "?", "river", 0, "en", False),
            ("c", river, "?", "নদী", 0, "bn", False),
            ("x", river, "?", "নদী", 0, "bn", False),
        ],
    )
    documents, questions, dropped = convert(of, file)
    source = read_questions(of / "of.questions")[0].doc_id
    assert [(question.question_id, question.source_id, question.language) for question in questions] == [
        ("a@bn", "a", "bn"),
        ("b@bn", "b", "bn"),
        ("c@bn", "c", "bn"),
    ]
    assert [question.doc_id for question in questions[:2]] == [f"{source}@bn", f"{source}@bn.2"]
    assert [documents[question.doc_id].source_doc_id for question in questions[:2]] == [source, source]
    assert [documents[question.doc_id].text for question in questions] == [river, other, "ফল"]
    assert [(a.passage, a.start, a.text) for question in questions for a in question.annotations] == [
        (0, 0, "নদী"),
        (0, 8, "পাহাড়"),
        (0, 0, "ফল"),
    ]
    assert dropped == {
        "c": "another version has this id; the first is kept",
        "x": "no record of the corpus that these are versions of has this id",
    }
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "3 questions in Bengali",
        "3 rows left out that are originals",
        "1 rows left out that are in other languages",
        f"2 dropped, see {of / 'dropped'}",
    ]


def test_transliterations_are_named_by_their_script_and_copies_left_out(of: Path) -> None:
    rows = [
        (*ORIGINALS[0][:5], "hindi", "hindi", True),
        (*ORIGINALS[0][:5], "hindi", "hi", False),  # the notebook writes Hindi in Hindi's own letters, too
        (*ORIGINALS[2][:5], "ta", "hi", False),
        ("b", "নদী ঔর পহাড়", "কহাঁ?", "পহাড়", 7, "hi", "bn", False),
    ]
    file = write(of / "in.csv", SCRIPTS, rows)
    _, (question,), dropped = convert(of, file, "transliterated")
    assert (question.question_id, question.doc_id.partition("@")[2]) == ("b@bn~bengali", "bn~bengali")
    assert dropped == {}
    _, (question,), dropped = convert(of, file, "transliterated", "hi")
    assert (question.question_id, dropped) == ("c@hi~devanagari", {"a": "it is a copy of a record in Hindi"})


def test_a_back_translation_is_no_version_in_another_language(of: Path) -> None:
    rows = [(*ORIGINALS[0][:5], "hi", False), ("c", "फल", "?", "फल", 0, "hi", False)]
    _, (question,), dropped = convert(of, write(of / "in.csv", COLUMNS, rows), to="hi")
    assert (question.question_id, dropped) == ("c@hi", {"a": "the record is in Hindi already"})


LATER = "İzmir " * 3 + "lies by the Sea. The SEA is calm. Boats are in Ramor."
AT = LATER.index("Ramor")


@pytest.mark.parametrize(
    ("context", "answer", "start", "found"),
    [
        (LATER, "Ramor", AT, AT),
        (LATER, "Ramor", AT + 3, AT),  # lower() makes two characters of each İ
        (LATER, "ramor ", AT + 2, AT),  # searched for in small letters; blanks at the edge
        (LATER, "sea", LATER.index("SEA"), LATER.index("SEA")),  # twice, but it stands there in other letters
        # strip() took two blanks from the beginning after the place was told
        ("the Sea is calm, the Sea is wide", "Sea", 6, 4),
        (LATER.replace(". ", "  \r\n"), "Ramor", AT, AT + 4),  # lines saved anew
        (f"{'x ' * 70_000}Ramor", "Ramor", 5, 140_000),
    ],
)
def test_an_answer_is_found_where_mucots_search_means_it(
    of: Path, context: str, answer: str, start: int, found: int
) -> None:
    file = write(of / "in.csv", COLUMNS, [("a", context, "?", answer, start, "en", False)])
    _, (question,), dropped = convert(of, file, to="en")
    (annotation,) = question.annotations
    assert dropped == {}
    assert annotation.start == found
    assert annotation.text.lower() == answer.strip().lower()


@pytest.mark.parametrize(
    ("context", "answer", "start", "reason"),
    [
        (
            LATER,
            "sea",
            3,
            "the answer 'sea' does not stand at character 3 and it occurs 2 times in the context",
        ),
        (
            LATER,
            "Lora",
            3,
            "the answer 'Lora' does not stand at character 3 and it occurs nowhere in the context",
        ),
        (LATER, " ", 5, "the answer is empty"),
        (LATER, "Ramor", -1, "answer_start is '-1', not a whole number from 0"),
        (" ", "Ramor", 0, "question or context is empty"),
    ],
)
def test_an_answer_without_a_certain_place_is_dropped(
    of: Path, context: str, answer: str, start: int, reason: str
) -> None:
    rows = [("a", context, "?", answer, start, "en", False), ("b", "Fruit", "?", "fruit", 0, "en", False)]
    _, (question,), dropped = convert(of, write(of / "in.csv", COLUMNS, rows), to="en")
    assert (question.question_id, dropped) == ("b@en", {"a": reason})


@pytest.mark.parametrize(
    ("columns", "row", "made", "sentence"),
    [
        (
            chaii.COLUMNS,
            (*ORIGINALS[0],),
            "translated",
            "column is_original is missing; the first line must be id,context,question,answer_text,answer_start,"
            "language,is_original",
        ),
        (
            COLUMNS,
            (*ORIGINALS[0], True),
            "transliterated",
            "column src is missing; the first line must be id,",
        ),
        (
            COLUMNS,
            ("a", RIVER),
            "translated",
            r"row 1 \(a\): a row has too many or too few columns; a row has",
        ),
        (COLUMNS, (" ", RIVER, "?", "नदी", 0, "bn", False), "translated", "a row has no id; give each row"),
        (
            COLUMNS,
            ("a", RIVER, "?", "नदी", 0, "bangla", False),
            "translated",
            r"row 1 \(a\): 'bangla' is no language that is known; give a code or a name of",
        ),
        (
            COLUMNS,
            ("a", RIVER, "?", "नदी", 0, "bn", ""),
            "translated",
            r"row 1 \(a\): is_original is ''; it must be True or False",
        ),
        (
            COLUMNS,
            ("x", RIVER, "?", "नदी", 0, "bn", False),
            "translated",
            r"no usable version in Bengali \(1 dropped; no record of the corpus",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    of: Path, columns: Sequence[str], row: Row, made: str, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        convert(of, write(of / "in.csv", columns, [row]), made)
    assert not (of / "questions").exists()


def published(pack: Path) -> list[dict[str, Any]]:
    """The pack's records as the file on disk had them: no mark at the language, which the loader adds."""
    lines = (pack / "chaii/chaiitrans_subset.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    names = {"hi": "hindi", "ta": "tamil"}
    return [
        {
            **{key: record[key] for key in COLUMNS},
            "language": names[record["language"]] if record["is_original"] else record["language"][:2],
        }
        for record in records
    ]


def test_real_records(tmp_path: Path, pack: Path) -> None:
    """Three Malayalam records, and two Telugu ones, are versions of the pack's rows; the other ids are told."""
    originals(tmp_path, pack / "chaii/train_subset.csv")
    records = published(pack)
    file = write(tmp_path / "in.csv", COLUMNS, [list(record.values()) for record in records])
    for to, kept, unknown in (("ml", 2, 12), ("te", 2, 0)):
        documents, questions, dropped = convert(tmp_path, file, to=to)
        assert (len(questions), len(dropped)) == (kept, unknown)
        assert set(dropped.values()) <= {"no record of the corpus that these are versions of has this id"}
        by_id = {record["id"]: record for record in records if record["language"] == to}
        sources = {question.question_id: question for question in read_questions(tmp_path / "of.questions")}
        for question in questions:
            record, (answer,) = by_id[question.source_id], question.annotations
            assert (answer.start, answer.text) == (record["answer_start"], record["answer_text"])
            assert documents[question.doc_id].text == record["context"]
            assert documents[question.doc_id].source_doc_id == sources[question.source_id].doc_id


@pytest.mark.parametrize(
    ("shift", "change"),
    [
        (0, lambda context: context + " \n "),
        (2, lambda context: context),
        (0, lambda context: context.replace("\n", "\r\n")),
    ],
    ids=["trailing blanks", "a shifted place", "carriage returns"],
)
def test_real_records_with_what_files_suffer(
    tmp_path: Path, pack: Path, shift: int, change: Callable[[str], str]
) -> None:
    """The answers of all 16 generated records are found again, though many stand in their context more than once."""
    records = [record for record in published(pack) if not record["is_original"]]
    stubs = [(record["id"], RIVER, "?", "नदी", 0, "hindi") for record in records]
    originals(tmp_path, write(tmp_path / "of.csv", chaii.COLUMNS, stubs))
    spoiled = [
        (
            *(record["id"], change(record["context"]), record["question"], record["answer_text"]),
            *(record["answer_start"] + shift, record["language"], False),
        )
        for record in records
    ]
    file = write(tmp_path / "in.csv", COLUMNS, spoiled)
    found = 0
    for to in ("ml", "te"):
        documents, questions, dropped = convert(tmp_path, file, to=to)
        here = {record["id"]: record for record in records if record["language"] == to}
        assert {question.source_id for question in questions} | dropped.keys() == here.keys()
        for question in questions:
            record, (answer,) = here[question.source_id], question.annotations
            text = documents[question.doc_id].text
            assert text[answer.start : answer.end] == answer.text == record["answer_text"]
            stands = record["answer_start"] + text[: answer.start].count("\r\n")
            assert answer.start == stands
        found += len(questions)
    assert found == 16
