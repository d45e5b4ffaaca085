"""The development split: by SD-QA's lists or by a sample that depends on the ids alone; nothing lost, nothing twice."""

import json
import random
from pathlib import Path

import pandas
import pytest
from sklearn.model_selection import train_test_split

from workflow_scripts.acquire import splits
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
    read_questions,
    write_documents,
    write_questions,
)

DOCUMENTS = {name: Document(name, name, "", "", "text", ((0, 4),), name) for name in ("en", "sw")}
QUESTIONS = [
    Question(str(n), str(n), name, name, "q?", (Annotation(),) * (1 + (n == 7)))
    for name, numbers in (("en", range(-20, 20)), ("sw", range(100, 130)))
    for n in numbers
]


def split(
    folder: Path, questions: list[Question], *more: str
) -> tuple[list[str], list[str], list[dict[str, str]]]:
    """Ids of the training and of the development questions, and what was dropped."""
    folder.mkdir(exist_ok=True)
    write_documents(folder / "documents", list(DOCUMENTS.values()))
    write_questions(folder / "all", questions, DOCUMENTS)
    outputs = [f"--{name}={folder / name}" for name in ("train", "dev", "dropped")]
    splits.main([f"--questions={folder}/all", f"--documents={folder}/documents", *outputs, *more])
    train, dev = (
        [question.question_id for question in read_questions(folder / name)] for name in ("train", "dev")
    )
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    assert sorted(train + dev) == sorted(question.question_id for question in questions)
    return train, dev, dropped


def test_a_sample_of_each_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = '--recipe={"per_language": 12, "seed": 3}'
    train, dev, dropped = split(tmp_path / "a", QUESTIONS, recipe)
    assert (len(dev), len(train), dropped) == (24, 46, [])
    assert sum(int(name) >= 100 for name in dev) == 12
    printed = capsys.readouterr().out
    assert "dev: 24 questions, 2" in printed
    assert "1 with 2 annotations" in printed

    shuffled = random.Random(0).sample(QUESTIONS, len(QUESTIONS))
    assert sorted(split(tmp_path / "b", shuffled, recipe)[1]) == sorted(dev)
    fewer = split(tmp_path / "c", QUESTIONS, '--recipe={"per_language": 5, "seed": 3}')[1]
    assert set(fewer) < set(dev)
    other = split(tmp_path / "d", QUESTIONS, '--recipe={"per_language": 12, "seed": 4}')[1]
    assert set(other) != set(dev)


def test_a_sample_in_which_each_language_has_its_share(tmp_path: Path) -> None:
    """As MuCoT's published code draws it, from a table of the rows, stratified by their language."""
    train, dev, _ = split(tmp_path / "a", QUESTIONS, '--recipe={"size": 21, "seed": 2}')
    rows = pandas.DataFrame(
        {"id": [q.question_id for q in QUESTIONS], "language": [q.language for q in QUESTIONS]}
    )
    rest, expected = train_test_split(rows, test_size=21, random_state=2, stratify=rows.language)
    assert (sorted(dev), train) == (sorted(expected.id), list(rest.id))
    rest, expected = train_test_split(rest, test_size=9, random_state=2, stratify=rest.language)
    left = read_questions(tmp_path / "a" / "train")
    train, again, _ = split(tmp_path / "again", left, '--recipe={"size": 9, "seed": 2}')
    assert (sorted(again), train) == (sorted(expected.id), list(rest.id))
    assert sum(int(name) >= 100 for name in dev) == 9  # 30 of 70
    assert split(tmp_path / "b", QUESTIONS, '--recipe={"size": 21, "seed": 3}')[1] != dev


def test_published_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    english, swahili = tmp_path / "english.dev.txt", tmp_path / "swahili.dev.txt"
    english.write_text(
        "\ufeffID\tin XOR dev\tsentence\r\n-3\tTrue\tWhat \u2028 is?\r\n5\tFalse\tWho\tme?\r\n-3\tTrue\tx\n"
    )
    swahili.write_text("\tID\tin XOR dev\n0\t101\tTrue\n1\t999\tFalse\n")
    train, dev, dropped = split(tmp_path, QUESTIONS, "--ids", f"en={english}", f"sw={swahili}")
    assert dev == ["-3", "5", "101"]
    assert len(train) == len(QUESTIONS) - 3
    assert dropped == [
        {"id": "999", "reason": f"listed in {swahili}, but no question of {tmp_path}/all"},
    ]
    assert "1 listed ids are no question of the table" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("5\tTrue\tWho?\n", "one of them ID"),
        ("", "one of them ID"),
        ("n\tID\n1\n", "line 2: no id in column 2"),
        ("ID\n77777\n", "no id is a question"),
        ("ID\n5\n101\n", "question 101 is in sw, not in en"),
    ],
)
def test_lists_that_cannot_be_used(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "list").write_text(content)
    with pytest.raises(InputError, match=sentence):
        split(tmp_path, QUESTIONS, f"--ids=en={tmp_path}/list")
    assert not (tmp_path / "dev").exists()


def test_lists_need_their_language_and_leave_something(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("ID\n" + "".join(f"{n}\n" for n in range(-20, 20)))
    with pytest.raises(InputError, match="none is left to train on"):
        split(tmp_path, QUESTIONS[:40], f"--ids=en={tmp_path}/list")
    with pytest.raises(InputError, match="expected <language>=<file>"):
        split(tmp_path, QUESTIONS, f"--ids={tmp_path}/list")


def test_too_few_questions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="per_language is 30, but there are only 30 questions in sw"):
        split(tmp_path, QUESTIONS, '--recipe={"per_language": 30}')
    with pytest.raises(InputError, match="unknown key per_lang; known keys are per_language, size, seed"):
        split(tmp_path, QUESTIONS, '--recipe={"per_lang": 30}')


def test_a_sample_that_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^size is 70, of 70 questions in en, sw: "):
        split(tmp_path, QUESTIONS, '--recipe={"size": 70}')
    with pytest.raises(InputError, match=r"give one of per_language .* and size"):
        split(tmp_path, QUESTIONS, '--recipe={"size": 10, "per_language": 3}')
