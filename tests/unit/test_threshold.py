"""Thresholds that are found on dev and used on test, and what is kept of every question."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.test_tydi_eval import annotation, gold, said
from workflow_scripts.cli import InputError
from workflow_scripts.evaluate import score, threshold
from workflow_scripts.evaluate.outcomes import read_outcomes
from workflow_scripts.evaluate.tydi import Outcomes, at_threshold, best_threshold, example_scores, read_gold
from workflow_scripts.evaluate.tydi import read_predictions as read_said
from workflow_scripts.files import read_jsonl, write_jsonl

RIGHT, WRONG = 0, 1  # passages; the first is the gold one


def evaluation(folder: Path, answers: list[tuple[int, float]], unanswerable: int = 0) -> list[str]:
    """Options of evaluate.score for questions with (passage said, score), and some without an answer, said 1.5."""
    asked = [gold(n, annotation(RIGHT, 10, 20)) for n in range(len(answers))]
    told = [
        said(n, passage, 10 + 20 * passage, 20 + 20 * passage, scores=(points, points))
        for n, (passage, points) in enumerate(answers)
    ]
    for n in range(len(answers), len(answers) + unanswerable):
        asked.append(gold(n, annotation()))
        told.append(said(n, WRONG, 30, 40, scores=(1.5, 1.5)))
    write_jsonl(folder / "gold/en-ar.jsonl", asked)
    write_jsonl(folder / "said/en-ar.jsonl", told)
    files = [f"--gold={folder}/gold", f"--predictions={folder}/said", f"--out={folder}/scores.json"]
    return [*files, "--pairs=en-ar", "--annotators=1", f"--questions={folder}/questions.jsonl"]


def scored(folder: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((folder / "scores.json").read_text("utf-8"))["pairs"]["en-ar"]
    return figures


def test_a_threshold_of_dev_is_used_on_test(tmp_path: Path) -> None:
    """On dev, answers from 2 on are right; on test, one right answer scores less and one wrong answer more."""
    score.main(evaluation(tmp_path / "dev", [(RIGHT, 3), (RIGHT, 2), (WRONG, 1)], unanswerable=2))
    threshold.main([f"--questions={tmp_path}/dev/questions.jsonl", f"--out={tmp_path}/t.json"])
    found = json.loads((tmp_path / "t.json").read_text("utf-8"))["pairs"]["en-ar"]
    assert found["passage"] == {
        "f1": pytest.approx(0.8),
        "precision": 1,
        "recall": pytest.approx(2 / 3),
        "threshold": 2,
    }
    step = evaluation(tmp_path / "test", [(RIGHT, 5), (RIGHT, 1.8), (WRONG, 2.5)], unanswerable=1)
    score.main([*step, f"--thresholds={tmp_path}/t.json"])
    for task in ("passage", "minimal"):
        figures = scored(tmp_path / "test")[task]
        assert figures["best_f1"] == pytest.approx(2 / 3)  # of the two right answers among three, by 1.8
        assert figures["threshold"] == 1.8
        assert figures["at_dev_threshold"] == {
            "threshold": 2,
            "precision": 0.5,
            "recall": pytest.approx(1 / 3),
            "f1": pytest.approx(0.4),
        }
    score.main(step)
    assert "at_dev_threshold" not in scored(tmp_path / "test")["passage"]


def test_what_every_question_got_is_kept(tmp_path: Path) -> None:
    step = evaluation(tmp_path, [(RIGHT, 3.25), (WRONG, -2)], unanswerable=1)
    score.main(step)
    lines = [line for _, line in read_jsonl(tmp_path / "questions.jsonl")]
    assert [line["example_id"] for line in lines] == ["0", "1", "2"]
    assert lines[0] == {
        "pair": "en-ar",
        "example_id": "0",
        "passage": {"score": 3.25, "has_gold": True, "has_pred": True, "f1": 1.0},
        "minimal": {"score": 3.25, "has_gold": True, "has_pred": True, "f1": 1.0},
        "text": {"em": 1.0, "f1": 1.0, "jaccard": 1.0, "mucot_f1": 1.0},
    }
    assert [line["minimal"]["has_gold"] for line in lines] == [True, True, False]
    assert [line["minimal"]["f1"] for line in lines] == [1, 0, 0]
    kept = read_outcomes(tmp_path / "questions.jsonl")["en-ar"]
    made = example_scores(
        read_gold(tmp_path / "gold/en-ar.jsonl"), read_said(tmp_path / "said/en-ar.jsonl"), 1
    )
    for task, outcomes in made.items():
        for column, again in zip(outcomes, kept.tasks[task], strict=True):
            assert column.tobytes() == again.tobytes()
    (tmp_path / "questions.jsonl").write_text('{"pair": "en-ar", "example_id": "1"}\n')
    with pytest.raises(InputError, match=r"questions\.jsonl line 1: not an outcome"):
        read_outcomes(tmp_path / "questions.jsonl")


@pytest.mark.parametrize("seed", range(10))
def test_at_a_threshold_as_counted_by_hand(seed: int) -> None:
    draw = random.Random(seed)
    rows = [
        (draw.randint(0, 5), draw.random() < 0.7, draw.random() < 0.8) for _ in range(draw.randint(1, 30))
    ]
    f1 = [draw.random() if has_gold and has_pred else 0.0 for _, has_gold, has_pred in rows]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    outcomes = Outcomes(columns[0].astype(float), columns[1], columns[2], np.array(f1))
    for point in (-1.0, 0.0, 2.5, 3.0, 6.0):
        said = [row for row, (points, _, _) in enumerate(rows) if points >= point]
        right, answers = sum(f1[row] for row in said), sum(rows[row][2] for row in said)
        asked = sum(has_gold for _, has_gold, _ in rows)
        precision, recall = right / answers if answers else 0, right / asked if asked else 0
        expected = 2 * precision * recall / (precision + recall) if precision + recall else 0
        assert at_threshold(outcomes, point) == pytest.approx((expected, precision, recall, point))
    best = best_threshold(outcomes)
    assert at_threshold(outcomes, best.threshold).f1 == pytest.approx(best.f1)
    assert max(at_threshold(outcomes, point).f1 for point in range(-1, 7)) == pytest.approx(best.f1)


def test_thresholds_that_do_not_serve_are_told(tmp_path: Path) -> None:
    step = evaluation(tmp_path, [(RIGHT, 1)])
    (tmp_path / "t").write_text('{"pairs": {"ar-en": {}}}')
    with pytest.raises(InputError, match=r"t: not a file of thresholds as evaluate\.threshold"):
        score.main([*step, f"--thresholds={tmp_path}/t"])
    (tmp_path / "t").write_text('{"pairs": {}}')
    with pytest.raises(InputError, match="t: no thresholds for en-ar"):
        score.main([*step, f"--thresholds={tmp_path}/t"])
    (tmp_path / "empty").write_text("")
    with pytest.raises(InputError, match="empty: no lines"):
        threshold.main([f"--questions={tmp_path}/empty", f"--out={tmp_path}/none"])
