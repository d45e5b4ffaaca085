"""The primary-task scorer: the official program's results, its edge cases, and one sentence for what it can't score."""

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.evaluate import score
from workflow_scripts.evaluate.tydi import (
    Outcomes,
    best_threshold,
    evaluate,
    example_scores,
    main,
    operating_points,
    read_gold,
    read_predictions,
    recall_at_precision,
)
from workflow_scripts.files import write_jsonl


def annotation(passage: int = -1, start: int = -1, end: int = -1, yes_no: str = "NONE") -> dict[str, Any]:
    return {
        "annotation_id": 1,
        "minimal_answer": {"plaintext_start_byte": start, "plaintext_end_byte": end},
        "passage_answer": {"candidate_index": passage},
        "yes_no_answer": yes_no,
    }


def gold(example: Any, *annotations: dict[str, Any], language: str = "arabic") -> dict[str, Any]:
    return {
        "example_id": example,
        "language": language,
        "document_plaintext": "The wharf of Uvuv was painted green in 1807.",
        "annotations": list(annotations),
    }


def said(
    example: Any,
    passage: int = -1,
    start: int = -1,
    end: int = -1,
    *,
    yes_no: str = "NONE",
    scores: tuple[Any, Any] = (1.0, 1.0),
    language: str = "arabic",
) -> dict[str, Any]:
    return {
        "example_id": example,
        "language": language,
        "passage_answer_index": passage,
        "passage_answer_score": scores[0],
        "minimal_answer": {"start_byte_offset": start, "end_byte_offset": end},
        "minimal_answer_score": scores[1],
        "yes_no_answer": yes_no,
    }


def report(
    folder: Path, golds: list[dict[str, Any]], saids: list[dict[str, Any]], annotators: int = 1
) -> dict[str, Any]:
    write_jsonl(folder / "gold.jsonl", golds)
    write_jsonl(folder / "said.jsonl", saids)
    return evaluate(read_gold(folder / "gold.jsonl"), read_predictions(folder / "said.jsonl"), annotators)


def assert_equal(found: Any, expected: Any, where: str = "") -> None:
    """Same keys, and figures equal to 1e-12."""
    if isinstance(expected, dict):
        assert set(found) == set(expected), where
        for key in expected:
            assert_equal(found[key], expected[key], f"{where}/{key}")
    else:
        assert found == pytest.approx(expected, abs=1e-12), where


@pytest.mark.parametrize("case", ["a", "b"])
def test_equals_the_official_program(case: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "oracles" / "tydi_eval" / case
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    files = [f"--gold={folder}/gold.jsonl.gz", f"--predictions={folder}/predictions.jsonl"]
    main([*files, f"--annotators={expected['thresholds']}"])
    assert_equal(json.loads(capsys.readouterr().out), expected)


@pytest.mark.parametrize("case", ["a", "b"])
def test_order_and_packing_of_the_files_are_nothing_to_the_scores(
    case: str, shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared / "oracles" / "tydi_eval" / case
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    for seed in range(3):
        lines = gzip.decompress((folder / "gold.jsonl.gz").read_bytes()).splitlines(keepends=True)
        predicted = (folder / "predictions.jsonl").read_bytes().splitlines(keepends=True)
        random.Random(seed).shuffle(lines)
        random.Random(seed + 10).shuffle(predicted)
        # Plain text under a packed file's name and the other way round.
        (tmp_path / "gold.jsonl.gz").write_bytes(b"".join(lines))
        (tmp_path / "predictions.jsonl").write_bytes(gzip.compress(b"".join(predicted)))
        main(
            [
                f"--gold={tmp_path}/gold.jsonl.gz",
                f"--predictions={tmp_path}/predictions.jsonl",
                f"--annotators={expected['thresholds']}",
                f"--out={tmp_path}/new/report.json",
            ]
        )
        printed = capsys.readouterr().out
        assert_equal(json.loads(printed), expected)
        assert (tmp_path / "new/report.json").read_text("utf-8") == printed


def random_outcomes(seed: int) -> Outcomes:
    """Many ties, ranges of F1 from all-or-nothing to fractional, null predictions, few or no gold answers."""
    draw = np.random.default_rng(seed)
    n = int(draw.integers(1, 40))
    has_gold, has_pred = draw.random(n) < draw.random(), draw.random(n) < 0.8
    f1 = draw.choice([0.0, 0.25, 1 / 3, 1.0], n) if seed % 2 else draw.random(n)
    return Outcomes(
        draw.integers(-5, 6, n) / (1 if seed % 3 else 7), has_gold, has_pred, f1 * (has_gold & has_pred)
    )


@pytest.mark.parametrize("seed", range(40))
def test_best_f1_is_that_of_a_sweep_over_all_thresholds(seed: int) -> None:
    outcomes = random_outcomes(seed)
    sweep: list[tuple[float, float, float, float]] = []
    for threshold in sorted(set(outcomes.score.tolist()), reverse=True):
        kept = outcomes.score >= threshold
        right, predicted = outcomes.f1[kept].sum(), (outcomes.has_pred & kept).sum()
        precision = right / predicted if predicted else 0.0
        recall = right / outcomes.has_gold.sum() if outcomes.has_gold.any() else 0.0
        total = precision + recall
        sweep.append((2 * precision * recall / total if total else 0.0, precision, recall, threshold))
    best = best_threshold(outcomes)
    assert best.f1 == pytest.approx(max(point[0] for point in sweep), abs=1e-12)
    if best.f1:
        at = next(point for point in sweep if point[3] == best.threshold)
        assert best == pytest.approx(at, abs=1e-12)
        assert all(point[0] < best.f1 + 1e-12 for point in sweep if point[3] > best.threshold)
    for target in (0.5, 0.75, 0.9):
        highest = max([point[2] for point in sweep if point[1] >= target], default=0.0)
        assert recall_at_precision(outcomes, target) == pytest.approx(highest, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_questions_changes_no_digit(seed: int) -> None:
    outcomes = random_outcomes(seed)
    shuffled = Outcomes(
        *(column[np.random.default_rng(seed).permutation(len(column))] for column in outcomes)
    )
    for one, other in zip(operating_points(outcomes), operating_points(shuffled), strict=True):
        assert one.tolist() == other.tolist()


def test_the_first_of_equal_f1_wins_and_ties_count_whole() -> None:
    yes, no = np.array([True, True]), np.array([True, False])
    # At 3 one of two answers is found, F1 2/3; the null prediction at 2 changes nothing.
    equal = Outcomes(
        np.array([3.0, 2, 1, 1, 1]),
        np.array([1, 1, 0, 0, 0], dtype=bool),
        np.array([1, 0, 1, 1, 1], dtype=bool),
        np.array([1.0, 0, 0, 0, 0]),
    )
    assert best_threshold(equal).threshold == 3
    # A right and a wrong answer of one score stand or fall together.
    tied = best_threshold(Outcomes(np.array([2.0, 2.0]), no, yes, np.array([1.0, 0.0])))
    assert (tied.f1, tied.precision, tied.recall) == (pytest.approx(2 / 3), 0.5, 1.0)


def test_nothing_right_is_all_zero() -> None:
    empty = Outcomes(*(np.zeros(0, dtype=kind) for kind in (float, bool, bool, float)))
    assert best_threshold(empty) == (0, 0, 0, 0)
    assert recall_at_precision(empty, 0.5) == 0


def test_byte_overlap_takes_the_best_annotator(tmp_path: Path) -> None:
    spans = [annotation(0, 0, 10), annotation(1, 8, 12), annotation()]
    found = report(tmp_path, [gold(1, *spans)], [said(1, 1, 6, 12)], 2)["languages"]["arabic"]
    assert found["passage"]["best_f1"] == 1
    # 4 of 6 bytes against [0, 10), all 4 of 6 against [8, 12): F1 0.5 and 0.8.
    assert found["minimal"]["best_f1"] == pytest.approx(2 * 0.8 * 0.8 / 1.6)
    assert found["minimal"]["recall"] == pytest.approx(0.8)


def test_annotators_must_agree_on_an_answer_but_not_on_which(tmp_path: Path) -> None:
    pooled = [gold(1, annotation(3, 5, 9), annotation(4, yes_no="YES"), annotation())]
    for annotators, passage, minimal in ((1, 1, 1), (2, 1, 1), (3, 0, 0)):
        found = report(tmp_path, pooled, [said(1, 4, yes_no="yes")], annotators)["languages"]["arabic"]
        assert (found["passage"]["best_f1"], found["minimal"]["best_f1"]) == (passage, minimal), annotators


@pytest.mark.parametrize(
    ("answer", "f1"),
    [
        (said(1, 0, yes_no="YES"), 1),
        (said(1, 0, yes_no="NO"), 0),
        (said(1, 0, 3, 5), 0),  # a span never matches yes or no
        (said(1, 0, 4, 4), 0),  # an empty span is an answer, and a wrong one
        (said(1), 0),
    ],
)
def test_yes_no(tmp_path: Path, answer: dict[str, Any], f1: float) -> None:
    found = report(tmp_path, [gold(1, annotation(0, yes_no="YES"))], [answer])
    assert found["languages"]["arabic"]["minimal"]["best_f1"] == f1


def test_a_missing_prediction_of_a_null_question_is_a_false_positive_below_zero(tmp_path: Path) -> None:
    golds = [gold(1, annotation(0, 1, 2)), gold(2, annotation())]
    for score_, best in ((5.0, 1.0), (-5.0, 2 / 3)):
        found = report(tmp_path, golds, [said(1, 0, 1, 2, scores=(score_, score_))])["languages"]["arabic"]
        assert found["minimal"]["best_f1"] == found["passage"]["best_f1"] == pytest.approx(best)
        explicit = report(
            tmp_path, golds, [said(1, 0, 1, 2, scores=(score_, score_)), said(2, scores=(0, 0))]
        )
        assert explicit["languages"]["arabic"]["minimal"]["best_f1"] == 1


def test_languages_are_those_of_the_predictions_and_english_is_not_averaged(tmp_path: Path) -> None:
    golds = [
        gold(n, annotation(0, 1, 2), language=name) for n, name in enumerate(["arabic", "english", "thai"])
    ]
    found = report(
        tmp_path,
        golds,
        [
            said(0, 0, 1, 2),
            said(1, 0, 1, 2, language="english"),
            said(99, 0, 1, 2, language="swahili"),
            said(2, 0, 1, 2, language="klingon"),
        ],
    )
    assert {name: figures["n"] for name, figures in found["languages"].items()} == {
        "arabic": 1,
        "english": 1,
        "swahili": 0,
    }
    assert found["macro_without_english"]["minimal"] == {"best_f1": 0.5, "precision": 0.5, "recall": 0.5}
    only = report(tmp_path, golds, [said(1, 0, 1, 2, language="english")])
    assert only["macro_without_english"]["passage"]["best_f1"] == 0


def test_a_prediction_under_another_label_is_none(tmp_path: Path) -> None:
    golds = [gold(1, annotation(0, 1, 2)), gold(2, annotation(0, 1, 2))]
    found = report(tmp_path, golds, [said(1, 0, 1, 2), said(2, 0, 1, 2, language="thai")])["languages"]
    assert found["arabic"]["passage"]["recall"] == 0.5
    assert found["thai"]["n"] == 0


def test_ids_and_optional_fields(tmp_path: Path) -> None:
    """Ids at both ends of 64 bits, ids as text, html fields, infinite and textual scores, left-out fields."""
    first, last = -(2**63), 2**63 - 1
    golds = [
        {**gold(str(first), annotation(0, 1, 2)), "document_html": "<p>"},
        gold(last, annotation(0, 1, 2)),
    ]
    golds[0]["annotations"][0]["minimal_answer"]["html_start_byte"] = 5
    short = said(last, 0, 1, 2, scores=("2.5", float("-inf")))
    del short["yes_no_answer"], short["passage_answer_index"]
    found = report(tmp_path, golds, [said(first, 0, 1, 2), short])["languages"]["arabic"]
    assert found["minimal"]["best_f1"] == 1
    assert found["passage"]["recall"] == 0.5


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({**gold(1, annotation()), "example_id": 1e18}, "64-bit integers"),
        (gold(1), "example 1 has no annotations"),
        ({"example_id": 1, "language": "arabic"}, "annotations is missing"),
        (gold(1, annotation(0, 5, -1)), "plaintext_start_byte 5 and plaintext_end_byte -1 are no span"),
        (gold(1, annotation(yes_no="MAYBE")), "allowed are YES, NO, NONE"),
        ([1], "example_id is missing"),
        (gold(2, annotation()), "line 2: example_id 2 occurs twice"),
    ],
)
def test_gold_that_cannot_be_used_is_named(tmp_path: Path, line: Any, sentence: str) -> None:
    write_jsonl(tmp_path / "gold.jsonl", [gold(2, annotation()), line])
    with pytest.raises(InputError, match=r"gold\.jsonl line 2") as error:
        read_gold(tmp_path / "gold.jsonl")
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"minimal_answer": None}, "minimal_answer is missing"),
        ({"language": None}, "language is missing"),
        ({"minimal_answer_score": None}, "minimal_answer_score is missing"),
        ({"passage_answer_score": float("nan")}, "not a number"),
        ({"passage_answer_score": "high"}, "not a number"),
        ({"passage_answer_index": "2"}, "not an integer"),
        ({"minimal_answer": {"start_byte_offset": 4, "end_byte_offset": 2}}, "are no span"),
        ({"minimal_answer": {"start_byte_offset": -1, "end_byte_offset": 2}}, "are no span"),
        (
            {"yes_no_answer": "YES", "minimal_answer": {"start_byte_offset": 1, "end_byte_offset": 2}},
            "beside",
        ),
        ({"example_id": 2}, "occurs twice"),
        ({"example_id": "x" * 100, "minimal_answer": []}, "not a dict"),
    ],
)
def test_predictions_that_cannot_be_used_are_named(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    line = {key: value for key, value in {**said(1, 0), **change}.items() if value is not None}
    write_jsonl(tmp_path / "said.jsonl", [said(2), line])
    with pytest.raises(InputError, match=r"said\.jsonl line 2") as error:
        read_predictions(tmp_path / "said.jsonl")
    assert sentence in str(error.value)


@pytest.mark.parametrize("content", [b"{]\n", b"\xff\xfe\n", gzip.compress(b"{}\n" * 99, mtime=0)[:-9]])
def test_broken_files_are_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "said.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=r"said\.jsonl"):
        read_predictions(tmp_path / "said.jsonl")


def test_the_command_says_what_is_odd(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_jsonl(tmp_path / "g", [gold(1, annotation(0, 1, 2)), gold(2, annotation())])
    write_jsonl(tmp_path / "p", [said(1, 0, 1, 2), said(3)])
    main([f"--gold={tmp_path}/g", f"--predictions={tmp_path}/p", "--annotators=2"])
    told = capsys.readouterr().err
    assert "1 of 2 questions have no prediction" in told
    assert "1 predictions are for questions that are not in the gold file" in told
    assert "every gold answer counts as null" in told
    with pytest.raises(InputError, match="no such file"):
        main([f"--gold={tmp_path}/none", f"--predictions={tmp_path}/p"])
    with pytest.raises(InputError, match="at least 1 annotator"):
        main([f"--gold={tmp_path}/g", f"--predictions={tmp_path}/p", "--annotators=0"])
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(InputError, match="no lines"):
        main([f"--gold={tmp_path}/g", f"--predictions={tmp_path}/empty"])


def test_outcomes_are_in_the_order_of_the_gold(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "g", [gold(n, annotation(n, n, n + 2)) for n in (3, 1, 2)])
    write_jsonl(tmp_path / "p", [said(n, n, n, n + 1, scores=(n, -n)) for n in (1, 2, 3)])
    outcomes = example_scores(read_gold(tmp_path / "g"), read_predictions(tmp_path / "p"), 1)
    assert outcomes["passage"].score.tolist() == [3, 1, 2]
    assert outcomes["minimal"].score.tolist() == [-3, -1, -2]
    assert outcomes["minimal"].f1 == pytest.approx(2 / 3)


def test_the_scorer_loads_neither_torch_nor_pandas() -> None:
    code = (
        "import sys, workflow_scripts.evaluate.tydi; print({'torch', 'pandas'} & {*sys.modules} or 'neither')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "neither"


def test_score_takes_each_pair_from_files_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for pair, language, passage in (("en-ar", "arabic", 0), ("ar-en", "english", 1)):
        write_jsonl(tmp_path / "gold" / f"{pair}.jsonl", [gold(1, annotation(0, 1, 3), language=language)])
        write_jsonl(tmp_path / "said" / f"{pair}.jsonl", [said(1, passage, 1, 2, language=language)])
    folders = [f"--gold={tmp_path}/gold", f"--predictions={tmp_path}/said", "--annotators=1"]
    score.main([*folders, "--pairs", "en-ar", "ar-en", f"--out={tmp_path}/s.json"])
    scores = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert scores["annotators"] == 1
    assert list(scores["pairs"]) == ["en-ar", "ar-en"]
    assert [scores["pairs"][pair]["passage"]["best_f1"] for pair in ("en-ar", "ar-en")] == [1, 0]
    assert scores["pairs"]["ar-en"]["minimal"]["best_f1"] == pytest.approx(2 / 3)
    assert scores["pairs"]["ar-en"]["n"] == 1
    assert "en-ar: 1 questions, passage F1 100.0, minimal F1 66.7" in capsys.readouterr().out

    write_jsonl(tmp_path / "said" / "en-ar.jsonl", [said(1, language="thai")])
    with pytest.raises(InputError, match=r"the language is thai, but that of .*gold/en-ar.jsonl is arabic"):
        score.main([*folders, "--pairs", "en-ar", f"--out={tmp_path}/none.json"])
    write_jsonl(tmp_path / "said" / "en-ar.jsonl", [said(1), said(2, language="thai")])
    with pytest.raises(InputError, match="the languages are arabic, thai"):
        score.main([*folders, "--pairs", "en-ar", f"--out={tmp_path}/none.json"])
    assert not (tmp_path / "none.json").exists()


def test_gold_that_cannot_count_is_refused_and_missing_predictions_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_jsonl(tmp_path / "gold" / "en-ar.jsonl", [gold(n, annotation(0, 1, 3)) for n in (1, 2)])
    write_jsonl(tmp_path / "said" / "en-ar.jsonl", [said(1, 0, 1, 2)])
    step = [f"--gold={tmp_path}/gold", f"--predictions={tmp_path}/said", "--pairs", "en-ar"]
    with pytest.raises(InputError, match=r"no question has 2 annotations \(the most is 1\)"):
        score.main([*step, "--annotators=2", f"--out={tmp_path}/s.json"])
    assert not (tmp_path / "s.json").exists()
    score.main([*step, "--annotators=1", f"--out={tmp_path}/s.json"])
    assert "said/en-ar.jsonl: 1 of 2 questions have no prediction" in capsys.readouterr().err
