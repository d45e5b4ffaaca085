"""What is said about files of one's own: every problem once, in a sentence, with places and counts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from workflow_scripts.acquire import validate


def check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[str]]:
    """The exit code and the lines printed, errors last."""
    with pytest.raises(SystemExit) as ended:
        validate.main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, (printed.out + printed.err).splitlines()


def squad(
    folder: Path, *questions: Any, context: Any = "The river Tesi is long, the river Lora not."
) -> Path:
    file = folder / "own.json"
    paragraphs = [{"context": context, "qas": questions}]
    file.write_text(
        json.dumps({"data": [{"title": "", "paragraphs": paragraphs}]}, ensure_ascii=False), "utf-8"
    )
    return file


def asked(name: Any, text: Any, start: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "question": "?", "answers": [{"text": text, "answer_start": start}], **more}


def test_a_file_that_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    impossible = {"id": "b", "question": "?", "is_impossible": True}
    file = squad(tmp_path, asked("a", "Tesi", 10), impossible, {"id": "c", "question": "?", "answers": []})
    assert check(capsys, file) == (0, ["checked as squad", f"{file}: 3 of 3 questions are fine"])


SPANS = "answer_start counts characters from 0, and from there on the context reads as text does"
PROBLEMS = {
    "span elsewhere": (
        [asked("a", "Tesi", 11)],
        "an answer stands elsewhere than the file says, or is spelt otherwise, and is set right (1 times); "
        + SPANS,
        "question a: 'Tesi' at 11, where the context has 'esi '; taken for 'Tesi' at 10",
    ),
    "span nowhere": (
        [asked("a", "Ramor", 3)],
        "an answer has no certain place in its context and is left out (1 times); " + SPANS,
        "question a: the answer 'Ramor' does not stand at character 3 and it occurs nowhere in the context",
    ),
    "span twice": (
        [asked("a", "river", 0)],
        "an answer has no certain place in its context and is left out (1 times); " + SPANS,
        "question a: the answer 'river' does not stand at character 0 and it occurs 2 times in the context",
    ),
    "no answers": (
        [{"id": "a", "question": "?"}],
        f"a question has no answers and is left out (1 times); {validate.ANSWERS}",
        "question a",
    ),
    "no answer": (
        [asked("a", "Tesi", "10")],
        f"an answer is not one (1 times); {validate.ANSWERS}",
        'question a: {"text": "Tesi", "answer_start": "10"}',
    ),
    "no id": (
        [{"question": "?"}],
        "a question has no id (1 times); id is a text that no other question of the corpus has",
        "article 1, paragraph 1, question 1",
    ),
    "no text": (
        [asked("a", "Tesi", 10, question=" ")],
        "a question has no text (1 times); question is a text that is not empty",
        "question a",
    ),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_may_be_wrong_with_a_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], problem: str
) -> None:
    questions, sentence, place = PROBLEMS[problem]
    file = squad(tmp_path, *questions, asked("fine", "Lora", 34))
    assert check(capsys, file, "--format", "squad") == (
        1,
        ["checked as squad", f"{file}: {sentence}", f"  {place}", f"{file}: 1 of 2 questions are fine"],
    )


def test_problems_are_grouped_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second question of an id is not fine, the first is."""
    file = squad(
        tmp_path,
        *(asked(str(number), "Tesi", 9) for number in range(5)),
        asked("x", "Lora", 34),
        asked("x", "Lora", 34),
    )
    code, lines = check(capsys, file)
    assert code == 1
    assert [line for line in lines if line.startswith("  ")] == [
        *(
            f"  question {n}: 'Tesi' at 9, where the context has ' Tes'; taken for 'Tesi' at 10"
            for n in range(3)
        ),
        "  and 2 more",
        "  article 1, paragraph 1, question 7: id x, as article 1, paragraph 1, question 6",
    ]
    assert lines[-1].endswith("1 of 7 questions are fine")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[]", "there is no list data (1 times); a SQuAD-format file is {data: ["),
        ('{"data": [{"title": "x"}, {"paragraphs": 1}]}', "there is no list paragraphs (2 times)"),
        ('{"data": [{"paragraphs": [{"context": "x"}]}]}', "there is no list qas (1 times)"),
        ('{"data": [{"paragraphs": [{"qas": []}, 5]}]}', "a paragraph has no context (2 times)"),
    ],
)
def test_files_of_another_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, sentence: str
) -> None:
    (tmp_path / "own.json").write_text(content)
    code, lines = check(capsys, tmp_path / "own.json")
    assert code == 1
    assert sentence in lines[1]
    assert lines[-1].endswith("0 of 0 questions are fine")


@pytest.mark.parametrize(
    ("name", "content", "more", "sentence"),
    [
        ("own.json", b"{", [], "own.json line 1, column 2: not JSON"),
        ("own.json", b'{"data": []}', [], "own.json: no questions in it (squad format)"),
        ("own.json", b"\xff\xfe{", [], "its first line tells no format; say --format squad|tydi|"),
        ("own.txt", b"one\ntwo\n", [], "its first line tells no format; say --format squad|tydi|"),
        ("own.tsv", b"1\tone\n", ["--format", "moses"], "--format moses: give 2 files at a time"),
        (
            "own.csv",
            b"id,context,question,language\n",
            [],
            "own.csv: column answer_text is missing; the first line",
        ),
        ("absent", None, [], "absent: no such file"),
    ],
)
def test_files_of_which_nothing_can_be_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes | None,
    more: list[str],
    sentence: str,
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, (line,) = check(capsys, tmp_path / name, *more)
    assert code == 1
    assert line.startswith("error: ")
    assert sentence in line


def test_tydi_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    span = {"plaintext_start_byte": 0, "plaintext_end_byte": 4}
    record = {
        "example_id": 1,
        "language": "bengali",
        "question_text": "?",
        "document_title": "",
        "document_url": "",
        "document_plaintext": "নদী",
        "passage_answer_candidates": [{**span, "plaintext_end_byte": 9}],
    }
    lines = [
        record,
        {**record, "example_id": 2, "passage_answer_candidates": [span]},
        {**record, "example_id": 3, "language": "klingon"},
        {key: value for key, value in record.items() if key != "document_url"},
        {**record, "example_id": "x"},
        record,
        {**record, "example_id": 7, "document_plaintext": None},
        [],
    ]
    file = tmp_path / "own.jsonl"
    file.write_text("\n".join([*(json.dumps(line) for line in lines), "{"]), "utf-8")
    code, printed = check(capsys, file)
    assert (code, printed[0]) == (1, "checked as tydi")
    assert printed[-1] == f"{file}: 1 of 9 records are fine"
    problems = [line.removeprefix(f"{file}: ") for line in printed[1:-1]]
    assert problems[:2] == [
        "a record contradicts itself and is left out (1 times); offsets count UTF-8 bytes of document_plaintext, end"
        " exclusive, -1 for none",
        "  line 2: passage 0 is [0, 4) in bytes, which cuts a character in two",
    ]
    for sentence in (
        "a language is not known (1 times)",
        "a record has no document_url (1 times)",
        "an example id is not a number (1 times)",
        "a record has the id of another (1 times)",
        "a record is not of the format (2 times)",
        "a line is not JSON (1 times)",
    ):
        assert any(line.startswith(sentence) for line in problems), sentence


def test_translations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.tsv"
    file.write_text("1\tone\n2\n1\tagain\n3\t \n4\tfour\n", "utf-8")
    code, printed = check(capsys, file)
    assert code == 1
    assert printed == [
        "checked as translations",
        f"{file}: a line has not two columns (1 times); a line is the id of a question, a tab and its translation",
        "  line 2: 1 columns",
        f"{file}: an id is translated twice (1 times); give each id once",
        "  line 3: id 1, as line 1",
        f"{file}: a line has no translation (1 times); give the translation, or leave the line out",
        "  line 4",
        f"{file}: 2 of 5 translations are fine",
    ]


def test_sentence_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    foreign, english = tmp_path / "own.pt", tmp_path / "own.en"
    foreign.write_text("um rio\n\num rio longo e a cidade dele\nLisboa\n", "utf-8")
    english.write_text("a river\na city\nlong\nLisboa\n", "utf-8")
    code, printed = check(capsys, foreign, english)
    assert (code, printed[0]) == (1, "checked as moses")
    said = [line.partition(f"{english}: ")[2].partition(" (")[0] for line in printed[1:-1:2]]
    assert said == list(map(validate.UNFIT.get, ("words", "beside", "same")))
    assert printed[-1].endswith("1 of 4 pairs are fine")
    english.write_text("a river\n", "utf-8")
    assert check(capsys, foreign, english) == (
        1,
        [
            f"error: {foreign} has 4 lines, {english} 1; each line must translate the same line of the other file, and"
            " a sentence must not hold a line feed"
        ],
    )


def test_chaii_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.csv"
    rows = [
        "a,नदी,?,नदी,0,hindi",
        "a,नदी,?,नदी,0,hindi",
        "b,नदी,?,नदी,x,hindi",
        "c,नदी,?,घर,0,hindi",
        "d,नदी",
        "e, ,?,,0,x",
    ]
    file.write_text("\n".join(["id,context,question,answer_text,answer_start,language", *rows]), "utf-8")
    code, printed = check(capsys, file)
    assert (code, printed[0]) == (1, "checked as chaii")
    assert printed[-1] == f"{file}: 1 of 6 rows are fine"
    assert sum(line.startswith(str(file)) for line in printed) == 6


@pytest.mark.parametrize("made", ["translated", "transliterated"])
def test_versions_that_others_made(made: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Originals are not looked into; of others it is told what the step sets right, leaves out or refuses."""
    translated = made == "translated"
    tags = "language" if translated else "src,tgt"

    def row(name: str, answer: str, start: object, source: str, target: str, original: object = False) -> str:
        languages = target if translated else f"{source},{target}"
        return f"{name},গাছ ও নদী,কী?,{answer},{start},{languages},{original}"

    rows = [
        row("a", "wrong", 0, "hindi", "hindi" if translated else "bengali", True),
        row("a", "নদী", 6, "hi", "bn"),
        row("b", "নদী", "6.0", "hi", "bn"),
        row("a", "নদী", 6, "hi", "bn"),  # twice
        row("c", "নদী", 7, "hi", "bn"),  # elsewhere
        row("d", "ঘর", 6, "hi", "bn"),  # nowhere
        row("e", "নদী", 6, "hi", "xx-yy"),
        row("f", "নদী", 6, "hi", "bn", "maybe"),
        "g,গাছ",
        *([] if translated else [row("h", "নদী", 6, "bn", "bn")]),
    ]
    file = tmp_path / "own.csv"
    head = f"id,context,question,answer_text,answer_start,{tags},is_original"
    file.write_text("\n".join([head, *rows]), "utf-8")
    code, printed = check(capsys, file)
    assert (code, printed[0]) == (1, "checked as versions")
    assert printed[-1] == f"{file}: 3 of {len(rows)} rows are fine"
    told = " ".join(printed)
    for sentence in (
        "a record has two versions in a language, of which the first is kept (1 times)",
        "taken for 'নদী' at 6",
        "a row has no answer with a certain place and is left out (1 times)",
        "a language is not known (1 times)",
        "is_original says neither (1 times); is_original is True or False",
        "a row has too many or too few columns (1 times)",
        *([] if translated else ["a row is a copy in its own language and is left out (1 times)"]),
    ):
        assert sentence in told


def test_the_example_of_the_page_about_own_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/own_data.md").read_text("utf-8"), re.S)
    (tmp_path / "own.json").write_text(shown, "utf-8")
    assert check(capsys, tmp_path / "own.json")[0] == 0


def test_real_files(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file, last in {
        "arcd/arcd.json": "1389 of 1395 questions are fine",
        "tydiqa_goldp/bengali_tydiqa_dev.json": "113 of 113 questions are fine",
        "tydiqa_primary/tiny_dev.jsonl.gz": "11 of 11 records are fine",
        "chaii/train_subset.csv": "32 of 32 rows are fine",
    }.items():
        assert check(capsys, pack / file)[1][-1] == f"{pack / file}: {last}"
