"""Scores by plain loops, read off the official programs' definitions; nothing of the package is used here.

TyDi QA's are those of google-research-datasets/tydiqa `tydi_eval.py`, EM and F1 those of SQuAD 2.0's evaluation,
Jaccard that of ChAII's competition page.
"""

import json
import re
import string
from collections import Counter
from pathlib import Path
from typing import Any


def lines(file: Path) -> dict[Any, dict[str, Any]]:
    """The records of a JSON-lines file by their example id."""
    records = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return {record["example_id"]: record for record in records}


def overlap(start: int, end: int, other_start: int, other_end: int) -> float:
    """F1 of the bytes of two spans."""
    common = min(end, other_end) - max(start, other_start)
    if common <= 0:
        return 0.0
    precision, recall = common / (end - start), common / (other_end - other_start)
    return 2 * precision * recall / (precision + recall)


def of_question(
    gold: dict[str, Any], said: dict[str, Any], task: str, annotators: int
) -> tuple[float, bool, bool, float]:
    """Score, whether there is a gold answer, whether one was given, and F1, of a question."""
    passage = said["passage_answer_index"]
    start, end = (said["minimal_answer"][key] for key in ("start_byte_offset", "end_byte_offset"))
    passages = [one["passage_answer"]["candidate_index"] for one in gold["annotations"]]
    spans = [
        (
            one["minimal_answer"]["plaintext_start_byte"],
            one["minimal_answer"]["plaintext_end_byte"],
            one["yes_no_answer"],
        )
        for one in gold["annotations"]
    ]
    if task == "passage":
        asked = sum(one != -1 for one in passages) >= annotators
        f1 = float(asked and passage != -1 and passage in passages)
        return said["passage_answer_score"], asked, passage != -1, f1
    asked = sum(one != -1 or yes_no != "NONE" for one, _, yes_no in spans) >= annotators
    given = start != -1 or said["yes_no_answer"] != "NONE"
    if said["yes_no_answer"] != "NONE":
        f1 = float(said["yes_no_answer"] in [yes_no for _, _, yes_no in spans])
    else:
        f1 = max((overlap(start, end, one, other) for one, other, _ in spans if one != -1), default=0.0)
    return said["minimal_answer_score"], asked, given, f1 if asked and given else 0.0


def tydi(gold: Path, said: Path, task: str, annotators: int) -> list[tuple[float, bool, bool, float]]:
    """`of_question` of every question of a file."""
    answers = lines(said)
    return [of_question(record, answers[name], task, annotators) for name, record in lines(gold).items()]


def best_f1(questions: list[tuple[float, bool, bool, float]]) -> float:
    """The best F1 of all thresholds."""
    best = 0.0
    for threshold in {score for score, _, _, _ in questions}:
        right = sum(f1 for score, _, _, f1 in questions if score >= threshold)
        given = sum(there for score, _, there, _ in questions if score >= threshold)
        asked = sum(there for _, there, _, _ in questions)
        best = max(best, 2 * right / (given + asked) if given + asked else 0.0)
    return best


def words(text: str) -> list[str]:
    """The words that SQuAD's program compares."""
    plain = "".join(sign for sign in text.lower() if sign not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


def squad_f1(said: str, gold: str) -> float:
    """SQuAD 2.0's F1 of two texts."""
    one, other = words(said), words(gold)
    if not one or not other:
        return float(one == other)
    common = sum((Counter(one) & Counter(other)).values())
    return 2 * common / (len(one) + len(other))


def jaccard(said: str, gold: str) -> float:
    """Words in common as a share of the words of either."""
    one, other = set(said.lower().split()), set(gold.lower().split())
    return len(one & other) / len(one | other) if one | other else 1.0


METRICS = {
    "em": lambda said, gold: float(words(said) == words(gold)),
    "f1": squad_f1,
    "jaccard": jaccard,
}


def texts(gold: Path, said: Path, metric: str, annotators: int) -> list[float]:
    """What every question's text scores; a question without an answer has the answer ""."""
    answers, found = lines(said), []
    for name, record in lines(gold).items():
        article = record["document_plaintext"].encode()

        def text(start: int, end: int, yes_no: str, article: bytes = article) -> str:
            return yes_no.lower() if yes_no != "NONE" else article[start:end].decode(errors="ignore")

        given = [
            text(span["plaintext_start_byte"], span["plaintext_end_byte"], one["yes_no_answer"])
            for one in record["annotations"]
            if (span := one["minimal_answer"])["plaintext_start_byte"] != -1 or one["yes_no_answer"] != "NONE"
        ]
        span = answers[name]["minimal_answer"]
        none = span["start_byte_offset"] == -1 and answers[name]["yes_no_answer"] == "NONE"
        answer = (
            ""
            if none
            else text(span["start_byte_offset"], span["end_byte_offset"], answers[name]["yes_no_answer"])
        )
        right = given if len(given) >= annotators else [""]
        found.append(max(METRICS[metric](answer, one) for one in right))
    return found


def outcome(question: tuple[float, bool, bool, float]) -> str | None:
    """Whether a question is answered rightly, wrongly or partly; None where it has no answer."""
    _, asked, given, f1 = question
    if not asked:
        return None
    return "wrong" if not given or f1 < 1e-9 else "correct" if f1 > 1 - 1e-9 else "partly"
