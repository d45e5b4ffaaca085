"""Examples for the page of results: a sample that nobody chose, passages around answers, texts and their scores."""

import json
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.evaluate import examples

ARTICLE = "سطر أول. " * 60 + "والجواب هنا الآن. " + "سطر آخر. " * 60


def octets(text: str) -> tuple[int, int]:
    """Where a text begins and ends in the article, in bytes."""
    first = len(ARTICLE[: ARTICLE.index(text)].encode())
    return first, first + len(text.encode())


def record(number: int, answered: bool) -> dict[str, Any]:
    """A gold record of one long passage with one annotation."""
    first, last = octets("هنا") if answered else (-1, -1)
    return {
        "example_id": number,
        "language": "arabic",
        "question_text": f"سؤال {number}",
        "document_plaintext": ARTICLE,
        "passage_answer_candidates": [
            {"plaintext_start_byte": 0, "plaintext_end_byte": len(ARTICLE.encode())}
        ],
        "annotations": [
            {
                "annotation_id": 1,
                "passage_answer": {"candidate_index": 0 if answered else -1},
                "minimal_answer": {"plaintext_start_byte": first, "plaintext_end_byte": last},
                "yes_no_answer": "NONE",
            }
        ],
    }


def prediction(number: int, text: str | None) -> dict[str, Any]:
    first, last = octets(text) if text else (-1, -1)
    return {
        "example_id": number,
        "language": "arabic",
        "passage_answer_index": 0 if text else -1,
        "passage_answer_score": 1.0,
        "minimal_answer": {"start_byte_offset": first, "end_byte_offset": last},
        "minimal_answer_score": 1.0,
        "yes_no_answer": "NONE",
    }


def written(file: Path, lines: list[dict[str, Any]]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def taken(folder: Path, per_pair: int, *more: str) -> dict[str, Any]:
    """What is written of eight questions, two without an answer, that two models answered."""
    numbers = range(8)
    written(folder / "gold" / "en-ar.jsonl", [record(number, number > 1) for number in numbers])
    written(folder / "a" / "en-ar.jsonl", [prediction(number, "هنا") for number in numbers])
    written(
        folder / "b" / "en-ar.jsonl",
        [prediction(number, "هنا الآن" if number > 1 else None) for number in numbers],
    )
    given = [
        "--gold",
        f"{folder}/gold",
        "--predictions",
        f"a={folder}/a",
        f"b={folder}/b",
        "--pairs",
        "en-ar",
    ]
    examples.main(
        [*given, "--annotators", "1", "--per-pair", str(per_pair), "--out", f"{folder}/out.json", *more]
    )
    found: dict[str, Any] = json.loads((folder / "out.json").read_text("utf-8"))
    return found


def test_what_is_shown_of_a_question(tmp_path: Path) -> None:
    found = taken(tmp_path, 8)
    assert found["models"] == ["a", "b"]
    by_id = {one["id"]: one for one in found["examples"]}
    assert len(by_id) == 8
    answered, unanswered = by_id["5"], by_id["0"]
    assert answered["gold"] == ["هنا"]
    assert "والجواب هنا الآن" in answered["passage"]
    assert len(answered["passage"]) <= 2 * examples.CONTEXT
    assert answered["passage"][slice(*answered["marked"])] == "هنا"
    assert unanswered["marked"] is None
    assert answered["answers"] == {"a": {"text": "هنا", "f1": 1.0}, "b": {"text": "هنا الآن", "f1": 0.67}}
    assert unanswered["gold"] == []
    assert unanswered["answers"] == {"a": {"text": "هنا", "f1": 0.0}, "b": {"text": "", "f1": 1.0}}


def test_the_sample_follows_from_ids(tmp_path: Path) -> None:
    few, more = (taken(tmp_path, count)["examples"] for count in (3, 5))
    assert len(few) == 3
    assert {one["id"] for one in few} < {one["id"] for one in more}
    with pytest.raises(InputError, match=r"^--per-pair is 0; at least 1 question is shown$"):
        taken(tmp_path, 0)
