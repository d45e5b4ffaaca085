"""Questions whose records other corpora have, too: by source, all of the others, and what is left out is told."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from workflow_scripts.acquire import matched
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import (
    Annotation,
    Document,
    Question,
    read_questions,
    write_documents,
    write_questions,
)

DOCUMENT = Document("d", "bn", "", "", "text", ((0, 4),), "d")


def table(folder: Path, name: str, ids: list[str], language: str = "bn") -> str:
    """A questions table of versions of some records."""
    write_documents(folder / "documents", [DOCUMENT])
    questions = [
        Question(f"{source}@{language}", source, "d", language, "q?", (Annotation(),)) for source in ids
    ]
    write_questions(folder / name, questions, {"d": DOCUMENT})
    return str(folder / name)


def take(folder: Path, ids: list[str], *others: str) -> tuple[list[str], list[dict[str, str]]]:
    """Ids of the questions that are kept, and what was left out."""
    arguments = ["--questions", table(folder, "all", ids), "--documents", str(folder / "documents")]
    matched.main([*arguments, "--with", *others, "--out", f"{folder}/out", "--dropped", f"{folder}/dropped"])
    dropped = [json.loads(line) for line in (folder / "dropped").read_text("utf-8").splitlines()]
    return [question.question_id for question in read_questions(folder / "out")], dropped


def test_every_other_corpus_must_have_the_record(tmp_path: Path) -> None:
    train = table(tmp_path, "train", ["c", "a", "e"], "hi")
    lossy = table(tmp_path, "lossy", ["a", "b", "c"], "te")
    kept, dropped = take(tmp_path, ["a", "b", "c", "d"], f"train={train}", f"te={lossy}")
    assert kept == ["a@bn", "c@bn"]
    assert dropped == [
        {"id": "b@bn", "reason": "no such record in train"},
        {"id": "d@bn", "reason": "no such record in train, te"},
    ]


def test_documents_and_answers_stay(tmp_path: Path) -> None:
    question = replace(Question("a@bn", "a", "d", "bn", "q?", ()), annotations=(Annotation(0, 0, 4, "text"),))
    assert matched.matched([question], {"train": {"a"}}) == ([question], [])


def test_nothing_in_common(tmp_path: Path) -> None:
    other = table(tmp_path, "train", ["x"])
    with pytest.raises(InputError, match=r"all: no record is in train, too; match it with versions of it$"):
        take(tmp_path, ["a"], f"train={other}")
    assert not (tmp_path / "out").exists()
