"""The benchmarks of answers found again: a perfect translator loses none, and the published search is as published."""

import json
from pathlib import Path

import pytest

from benchmarks import identity, recovery
from benchmarks.mucot import published_search
from workflow_scripts.augment.corpora import Translated, assemble
from workflow_scripts.augment.renderings import Sentence
from workflow_scripts.corpus import Annotation, Document, Question

FILES = {
    "xquad/xquad.en.json": 1190,
    "xquad/xquad.ar.json": 1190,
    "xquad/xquad.hi.json": 1190,
    "arcd/arcd.json": 1395,
    "chaii/train_subset.csv": 32,
    "squad/dev-v1.1.json": 10570,
}


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=[pytest.mark.slow] if "squad/dev" in file else []) for file in FILES],
)
def test_every_answer_survives_a_perfect_translator(pack: Path, file: str) -> None:
    found = identity.figures(str(pack / file))
    assert found["exact"] == found["records"] == FILES[file]
    assert found["across"] == found["across_exact"]


def test_the_command_tells_both_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second answer begins where the published search's lengths, which leave blanks out, lag a sentence behind."""
    context = "One was here. Two are bad. Three left. An answer over. Its end is here."
    answers = ["One", "t.", "over. Its end", "s"]
    items = [
        {
            "id": str(number),
            "question": "?",
            "answers": [{"text": text, "answer_start": context.rindex(text)}],
        }
        for number, text in enumerate(answers)
    ]
    file = tmp_path / "in.json"
    file.write_text(
        json.dumps({"data": [{"title": "", "paragraphs": [{"context": context, "qas": items}]}]}), "utf-8"
    )
    with pytest.raises(SystemExit) as ended:
        identity.main([str(file)])
    assert ended.value.code == 0
    *table, last = capsys.readouterr().out.splitlines()
    assert table[2] == "| in.json | 4 | 4 | 1 | 1 | 1 | 2 | 1 |"
    summary = json.loads(last)
    assert (summary["name"], summary["ours"], summary["peer"], summary["ratio"]) == ("identity", 1, 0.25, 4)


def test_an_answer_that_does_not_come_back_is_counted() -> None:
    document = Document("d", "en", "", "", "One. Two.", ((0, 9),), "d")
    question = Question("q", "q", "d", "en", "?", (Annotation(0, 0, 3, "One"),))
    told = [Sentence((0, 4), "Two."), Sentence((5, 9), "One.")]
    made: Translated = assemble(document, told, "en", "mt")
    assert identity.outcome(question, document, made)["exact"] == 0


@pytest.mark.parametrize(
    ("answer", "start", "expected"),
    [
        ("one", 0, (0, 0)),
        ("TWO", 5, (1, 0)),  # without regard to case
        ("x", 8, None),  # begins in the second sentence, and is looked for in the third
        ("o", 7, (1, 2)),  # the first in the sentence
        ("z", 99, None),
    ],
)
def test_the_published_search(answer: str, start: int, expected: tuple[int, int] | None) -> None:
    sentences = ["One.", "Two x", "Three."]  # with blanks between them
    assert published_search(sentences, sentences, answer, start if answer != "x" else 9) == expected


def test_the_micro_world_tells_right_from_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every record is found somewhere; the surer the label, the more of them are right."""
    recipe = recovery.WORLD.model_copy(
        update={"languages": ("en", "hi", "bn"), "chaii_articles": {"hi": (150, 1)}}
    )
    recovery.write_world(recipe, tmp_path)
    recovery.main(["--world", str(tmp_path), "--backwards"])
    *lines, last = capsys.readouterr().out.splitlines()
    summary = json.loads(last)
    assert sum("published search" in line and line.startswith("|") for line in lines) == 2
    assert set(summary["directions"]) == {"hi-bn", "hi-en"}
    assert summary["found"][0] == 1
    assert summary["found"][1] < 1
    assert all(right > 0.8 * 150 for right in summary["backwards"].values())
    for direction in summary["directions"].values():
        assert direction["lost"][0] == 0
        assert sum(label["records"] for label in direction["labels"].values()) == direction["records"] == 150
        assert direction["labels"]["high"]["exact"] > 0.9 * direction["labels"]["high"]["records"] > 0
    assert recovery.score((2, 6), (4, 8)) == recovery.Score(0.5, False)
