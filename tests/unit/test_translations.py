"""Question translations: imported with their errors named, and questions derived so that none is lost silently."""

import json
from pathlib import Path

import pytest

from workflow_scripts.augment import questions as derived_questions
from workflow_scripts.augment import translations
from workflow_scripts.augment.translations import Translation, read_translations, write_translations
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
    derive,
    read_questions,
    write_documents,
    write_questions,
)

DOCUMENTS = {name: Document(name, name, "", "", "text", ((0, 4),), name) for name in ("en", "ar", "ko")}
QUESTIONS = [
    Question(name, name, name[:2], name[:2], f"{name}?", (Annotation(0, 0, 4, "text"),))
    for name in ("en1", "en2", "ar1", "ko1")
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the tables `documents` and `questions`."""
    write_documents(tmp_path / "documents", list(DOCUMENTS.values()))
    write_questions(tmp_path / "questions", QUESTIONS, DOCUMENTS)
    return tmp_path


def imported(folder: Path, *more: str) -> tuple[list[Translation], list[dict[str, str]]]:
    """The table that is made of the arguments, and what was dropped."""
    translations.main(["--made-by=someone", f"--out={folder}/table", f"--dropped={folder}/dropped", *more])
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    return read_translations(folder / "table"), dropped


def derived(folder: Path, *more: str) -> tuple[list[Question], list[dict[str, str]]]:
    """The questions that are derived by the folder's table, and what was dropped."""
    derived_questions.main(
        [
            f"--questions={folder}/questions",
            f"--documents={folder}/documents",
            f"--translations={folder}/table",
            f"--out={folder}/out",
            f"--dropped={folder}/dropped",
            *more,
        ]
    )
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    return read_questions(folder / "out"), dropped


def test_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a").write_text("\ufeffen2\tاثنان \u2028\r\n99\tلا أحد\nen1\t\n", "utf-8", newline="")
    (folder / "b").write_text("ar1\tOne\n", "utf-8")
    table, dropped = imported(
        folder, f"--file=en-ar={folder}/a", f"--file=ar-en={folder}/b", f"--questions={folder}/questions"
    )
    assert table == [
        Translation("en2", "en", "ar", "en2?", "اثنان \u2028", "someone"),
        Translation("en1", "en", "ar", "en1?", "", "someone"),
        Translation("ar1", "ar", "en", "ar1?", "One", "someone"),
    ]
    assert dropped == [{"id": "99", "reason": f"{folder}/a line 2: no such question in the corpus"}]
    assert "3 translations; 1 without their question" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("en1\tx\nen2\n", "line 2: 1 columns; a line is example_id<TAB>text"),
        ("en1\tx\ty\n", "line 1: 3 columns"),
        ("\tx\n", "line 1"),
        ("en1\tx\nen1\ty\n", "line 2: id en1 stands on line 1 too"),
        ("en1\tx\nko1\ty\n", "line 2: question ko1 is in ko, not in en; name the file ko-ar"),
        ("7\tx\n", "none of its 1 ids is a question"),
    ],
)
def test_malformed_lines_are_named(folder: Path, content: str, sentence: str) -> None:
    (folder / "a").write_text(content)
    with pytest.raises(InputError, match=sentence):
        imported(folder, f"--file=en-ar={folder}/a", f"--questions={folder}/questions")
    assert not (folder / "table").exists()


@pytest.mark.parametrize("text", ["en-ar", "en=x", "en-en=x", "en-ar="])
def test_a_file_needs_its_pair(folder: Path, text: str) -> None:
    with pytest.raises(InputError, match="expected <language>-<other language>=<file>"):
        imported(folder, f"--file={text}", f"--questions={folder}/questions")
    with pytest.raises(InputError, match="unknown language 'xx'"):
        imported(folder, "--file=en-xx=x", f"--questions={folder}/questions")
    with pytest.raises(InputError, match="--file needs --questions"):
        imported(folder, "--file=en-ar=x")
    with pytest.raises(InputError, match="nothing to import"):
        imported(folder)


def test_corpora_that_ask_the_same(folder: Path) -> None:
    for name, language in (("first", "en"), ("second", "ar")):
        same = [Question(n, n, language, language, f"{language} {n}") for n in ("p", "q", name)]
        write_questions(folder / name, same, DOCUMENTS)
    first, second = f"{folder}/first", f"{folder}/second"
    table, dropped = imported(folder, "--corpora", first, second, "--corpora", second, first)
    assert [(row.item, row.source_language, row.target_language, row.text) for row in table] == [
        ("p", "en", "ar", "ar p"),
        ("q", "en", "ar", "ar q"),
        ("p", "ar", "en", "en p"),
        ("q", "ar", "en", "en q"),
    ]
    assert [line["id"] for line in dropped] == ["first", "second"]
    with pytest.raises(InputError, match="item p is translated from en to ar twice"):
        imported(folder, "--corpora", first, second, "--corpora", first, second)
    with pytest.raises(InputError, match="is in en in both corpora"):
        imported(folder, "--corpora", first, first)
    with pytest.raises(InputError, match="share no question id"):
        imported(folder, "--corpora", first, f"{folder}/questions")


def test_questions_in_other_languages(folder: Path) -> None:
    rows = [
        Translation("en1", "en", "ar", "en1?", "ar of en1", "someone"),
        Translation("en1", "en", "ko", "en1?", "ko of en1", "another"),
        Translation("en2", "en", "ar", "en2?", " \n", "someone"),
        Translation("en2", "en", "ko", "an older text", "ko of en2", "someone"),
        Translation("ar1", "ar", "en", "ar1?", "en of ar1", "someone"),
    ]
    write_translations(folder / "table", rows)
    made, dropped = derived(folder, "--from", "en", "--to", "ar", "ko", "ar", "en")
    assert made == [
        derive(QUESTIONS[0], "ar", "ar of en1", "someone"),
        derive(QUESTIONS[0], "ko", "ko of en1", "another"),
    ]
    assert made[0].question_id == "en1@ar"
    assert (made[0].source_id, made[0].doc_id, made[0].annotations) == ("en1", "en", QUESTIONS[0].annotations)
    assert dropped == [
        {"id": "en2@ar", "reason": "its translation from en to ar is empty"},
        {"id": "en2@ko", "reason": "what was translated is another text: 'an older text'"},
    ]
    made, dropped = derived(folder, "--from", "ar", "ko", "--to", "en")
    assert [question.question_id for question in made] == ["ar1@en"]
    assert dropped == [{"id": "ko1@en", "reason": "no translation from ko to en"}]


def test_a_translation_of_the_text_serves_every_question_that_asks_it(folder: Path) -> None:
    same = [Question(name, name, "en", "en", "en1?") for name in ("en1", "en2")]
    write_questions(folder / "questions", [*same, *QUESTIONS[2:]], DOCUMENTS)
    rows = [
        Translation("", "en", "ar", "en1?", "ar of the text", "someone"),
        Translation("", "en", "ar", "en9?", "never asked", "someone"),
        Translation("", "en", "ko", "en1?", "ko of the text", "someone"),
        Translation("", "ko", "ar", "en2?", "from another language", "someone"),
        Translation("en2", "en", "ar", "en1?", "its own", "another"),
    ]
    write_translations(folder / "table", rows)
    made, dropped = derived(folder, "--from", "en", "--to", "ar")
    assert made == [
        derive(same[0], "ar", "ar of the text", "someone"),
        derive(same[1], "ar", "its own", "another"),
    ]
    assert dropped == []
    with pytest.raises(InputError, match=r"table: the text 'en1\?' is translated from en to ar twice"):
        write_translations(folder / "table", [rows[0], rows[0]])
    with pytest.raises(InputError, match=r"two translations of the text 'en1\?' from en to ar"):
        derived(folder, "--from=en", "--to=ar", "--translations", f"{folder}/table", f"{folder}/table")


def test_derivations_that_make_no_sense(folder: Path) -> None:
    write_translations(folder / "table", [Translation("en1", "en", "ar", "en1?", "x", "someone")])
    with pytest.raises(InputError, match="no question in ko has a translation into en"):
        derived(folder, "--from", "ko", "--to", "en")
    with pytest.raises(InputError, match="nothing to translate"):
        derived(folder, "--from", "en", "--to", "en")
    with pytest.raises(InputError, match="unknown language 'xx'"):
        derived(folder, "--from", "en", "--to", "xx")
    with pytest.raises(InputError, match="two translations of item en1"):
        derived(folder, "--from", "en", "--to", "ar", "--translations", f"{folder}/table", f"{folder}/table")
    write_questions(folder / "questions", [derive(QUESTIONS[0], "ar", "x", "y")], DOCUMENTS)
    with pytest.raises(InputError, match="question en1@ar is itself a translation"):
        derived(folder, "--from", "ar", "--to", "en")
    assert not (folder / "out").exists()


def test_xquad_questions_asked_in_the_other_language(pack: Path, tmp_path: Path) -> None:
    """From files to derived questions: the Arabic wording of an English question, still answered in English text."""
    texts = {}
    for code in ("en", "ar"):
        data = json.loads((pack / "xquad" / f"xquad.{code}.json").read_text("utf-8"))["data"]
        items = [item for article in data for part in article["paragraphs"] for item in part["qas"]]
        texts[code] = {item["id"]: item["question"] for item in items}
        corpus = [Question(name, name, code, code, text) for name, text in texts[code].items()]
        write_questions(tmp_path / code, corpus, DOCUMENTS)
    write_documents(tmp_path / "documents", list(DOCUMENTS.values()))
    (tmp_path / "en").rename(tmp_path / "questions")
    assert len(imported(tmp_path, "--corpora", f"{tmp_path}/questions", f"{tmp_path}/ar")[0]) == 1190
    made, dropped = derived(tmp_path, "--from", "en", "--to", "ar")
    assert dropped == []
    assert {question.source_id: question.text for question in made} == texts["ar"]
    assert {(question.language, question.doc_id) for question in made} == {("ar", "en")}
