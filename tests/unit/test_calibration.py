"""Confidences: fitted so that they are chances, measured by hand-made bins, and put into tables."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.evaluate import calibrate
from workflow_scripts.evaluate.calibrate import Answered, confidence, fit, likelihood, reliability
from workflow_scripts.files import read_jsonl, write_jsonl
from workflow_scripts.report import calibration


def drawn(seed: int, temperature: float, questions: int) -> Answered:
    """Questions whose best candidate is right as often as the softmax at a temperature says."""
    random = np.random.default_rng(seed)
    scores = -np.sort(-random.normal(2, 4, (questions, 5)), axis=1)
    scores[: questions // 10, 2:] = -np.inf
    right = random.random(questions) < confidence(scores, temperature)
    return Answered([("en-ar", str(n)) for n in range(questions)], scores, right)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_is_found(temperature: float) -> None:
    answered = drawn(0, temperature, 20_000)
    found = fit(answered)
    assert found == pytest.approx(temperature, rel=0.05)
    costs = [likelihood(confidence(answered.scores, t), answered.right) for t in np.geomspace(0.1, 10, 300)]
    assert likelihood(confidence(answered.scores, found), answered.right) <= min(costs) + 1e-7
    other = drawn(1, temperature, 20_000)
    sides = [reliability(confidence(other.scores, t), other.right, 10)["ece"] for t in (1.0, found)]
    assert sides[1] < 0.02
    assert temperature == 1 or sides[1] < sides[0] / 3


def test_a_confidence_is_the_softmax_with_null() -> None:
    scores = np.array([[3.0, 1.0, -math.inf], [-800.0, -900.0, -1000.0]])
    first = math.exp(3 / 2) / (math.exp(3 / 2) + math.exp(1 / 2) + 1)
    assert confidence(scores, 2.0).tolist() == pytest.approx([first, 0])


def test_where_all_are_right_confidence_is_certain_and_finite() -> None:
    scores = np.array([[2.0, 1.0], [1.0, 0.5]])
    found = fit(Answered([("a-b", "1"), ("a-b", "2")], scores, np.array([True, True])))
    assert found == pytest.approx(0.01, rel=0.2)
    assert math.isfinite(likelihood(confidence(scores, found), np.array([False, False])))


def test_reliability_as_counted_by_hand() -> None:
    chance, right = np.array([0.1, 0.3, 0.8, 1.0]), np.array([False, True, True, True])
    told = reliability(chance, right, 2)
    assert told["bins"] == [
        {"from": 0, "to": 0.5, "questions": 2, "confidence": pytest.approx(0.2), "right": 0.5},
        {"from": 0.5, "to": 1, "questions": 2, "confidence": pytest.approx(0.9), "right": 1},
    ]
    assert told["ece"] == pytest.approx((2 * 0.3 + 2 * 0.1) / 4)
    assert told["brier"] == pytest.approx((0.01 + 0.49 + 0.04) / 4)
    assert told["nll"] == pytest.approx(-(math.log(0.9) + math.log(0.3) + math.log(0.8)) / 4)


def files(folder: Path, answered: Answered, unanswered: int = 0) -> None:
    """n-best and questions files as qa.predict and evaluate.score write them; the last questions have no candidate."""
    listed: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    rows = [(row.tolist(), bool(right)) for row, right in zip(answered.scores, answered.right, strict=True)]
    for number, (scores, right) in enumerate([*rows, *[([], False)] * unanswered]):
        found = [{"score": score} for score in scores if score > -math.inf]
        listed.append({"example_id": number, "candidates": found})
        got = {"score": 0.0, "has_gold": True, "has_pred": True, "f1": 1.0 if right else 0.6}
        kept.append({"pair": "en-ar", "example_id": str(number), "passage": got, "minimal": got})
    write_jsonl(folder / "en-ar.nbest.jsonl", listed)
    write_jsonl(folder / "questions", kept)


def step(tmp_path: Path, **recipe: float) -> list[str]:
    options = [
        f"--{part}-{what}=m/0={tmp_path}/{part}{'/questions' if what == 'questions' else ''}"
        for part in ("dev", "test")
        for what in ("nbest", "questions")
    ]
    out = [f"--out={tmp_path}/figures.json", f"--confidences={tmp_path}/confidences"]
    return [*options, *out, f"--recipe={json.dumps(recipe)}"]


def test_from_files_to_tables(tmp_path: Path) -> None:
    files(tmp_path / "dev", drawn(0, 3.0, 2000), unanswered=3)
    test = drawn(1, 3.0, 1000)
    files(tmp_path / "test", test)
    calibrate.main(step(tmp_path, bins=5))
    figures = json.loads((tmp_path / "figures.json").read_text("utf-8"))["runs"]["m/0"]
    temperature = figures["temperature"]
    assert temperature == pytest.approx(3, rel=0.15)
    assert (figures["dev"]["questions"], figures["test"]["questions"]) == (2000, 1000)
    assert figures["test"]["after"]["ece"] < 0.05 < figures["test"]["before"]["ece"]
    lines = [line for _, line in read_jsonl(tmp_path / "confidences")]
    assert [line["right"] for line in lines] == test.right.tolist()
    assert [line["after"] for line in lines] == pytest.approx(
        confidence(test.scores, temperature).tolist(), abs=1e-9
    )

    recipe = {"labels": {"m": "mBERT | x"}, "fitted_on": "dev", "evaluation": "test"}
    table = [f"--figures={tmp_path}/figures.json", f"--csv={tmp_path}/t.csv", f"--markdown={tmp_path}/t.md"]
    calibration.main([*table, f"--recipe={json.dumps(recipe)}"])
    page = (tmp_path / "t.md").read_text("utf-8").splitlines()
    assert "The temperature is fitted on dev; before, it is 1." in page[0]
    cells = [cell.strip() for cell in page[4].strip("|").replace(r"\|", "/").split("|")]
    assert cells[:4] == ["mBERT / x", "0", f"{temperature:g}", "1000"]
    assert cells[5:7] == [f"{100 * figures['test'][side]['ece']:.1f}" for side in ("before", "after")]
    told = figures["test"]
    starts = sorted({cell["from"] for side in ("before", "after") for cell in told[side]["bins"]})
    assert [line.split("|")[1].strip() for line in page[10:]] == [
        f"{100 * start:.0f} to {100 * start + 20:.0f}" for start in starts
    ]
    last = [cell.strip() for cell in page[-1].strip("|").split("|")]
    top = told["after"]["bins"][-1]
    assert last[4:] == [str(top["questions"]), *(f"{100 * top[key]:.1f}" for key in ("confidence", "right"))]
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(
        len(of[side]["bins"]) for of in (figures["dev"], told) for side in ("before", "after")
    )
    counted = [int(row["Questions"]) for row in rows if (row["Evaluation"], row["Side"]) == ("test", "after")]
    assert sum(counted) == 1000

    recipe["labels"] = {"n": "n"}
    with pytest.raises(InputError, match=r"figures\.json: figures of m/0, but labels of n"):
        calibration.main([*table, f"--recipe={json.dumps(recipe)}"])


def test_what_counts_as_right_is_a_key(tmp_path: Path) -> None:
    for part in ("dev", "test"):
        files(tmp_path / part, drawn(0, 3.0, 50))
    calibrate.main(step(tmp_path, least_f1=0.6))
    assert json.loads((tmp_path / "figures.json").read_text("utf-8"))["runs"]["m/0"]["test"]["right"] == 1


def test_what_is_refused(tmp_path: Path) -> None:
    for part in ("dev", "test"):
        files(tmp_path / part, drawn(0, 3.0, 5))
    lines = (tmp_path / "dev/en-ar.nbest.jsonl").read_text("utf-8")
    for text, sentence in (
        (
            lines + '{"example_id": 7, "candidates": []}\n',
            r"line 6: question 7 is not among those of .*questions",
        ),
        (lines + '{"example_id": 1}\n', "line 6: not a list of candidates as qa.predict writes it"),
        ("".join(lines.splitlines(True)[1:]), r"nbest\.jsonl: no line for question 0 of .*questions"),
        (
            "".join(f'{{"example_id": {number}, "candidates": []}}\n' for number in range(5)),
            "dev: no question has a candidate",
        ),
    ):
        (tmp_path / "dev/en-ar.nbest.jsonl").write_text(text, "utf-8")
        with pytest.raises(InputError, match=sentence):
            calibrate.main(step(tmp_path))
    with pytest.raises(InputError, match="--test-nbest names n/0, but --dev-nbest m/0"):
        calibrate.main([option.replace("test-nbest=m", "test-nbest=n") for option in step(tmp_path)])
    assert not (tmp_path / "figures.json").exists()
