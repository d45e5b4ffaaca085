"""How fast are predictions scored?

    python -m benchmarks.scoring [--examples 5000] [--runs 5]

Scored are as many made-up questions, by TyDi QA's primary-task scores (three annotators; right, overlapping and wrong
spans, yes and no) and by SQuAD's exact match and F1 (an answer of one to five words each, half of them found), from
what the files hold to the report; reading JSON is not timed.  Beside them run the official programs' loops, written
out as they are documented: for every question, every annotator and every gold answer one call, texts normalised anew
each time, one pass over the sorted scores for a threshold (of the minimal answer only, where ours scores passages,
too).  Runs alternate, medians of CPU seconds of one thread are compared.  SQuAD's loop did 51,000 examples a CPU
second when it was measured for the first time; below half of that, its ratio is void.
"""

import argparse
import collections
import json
import re
import statistics
import string
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from workflow_scripts.cli import run
from workflow_scripts.evaluate import overlap, tydi

PUBLISHED = 51_000  # examples a CPU second of SQuAD's official loop, as first measured
WANTED = 0.1  # CPU seconds for 5,000 examples
LANGUAGES = ("arabic", "bengali", "english", "korean", "swahili")


def made_up_tydi(count: int) -> tuple[dict[str, tydi.Gold], dict[str, tydi.Prediction]]:
    """Gold answers and predictions of so many questions in five languages."""
    random = np.random.default_rng(0)
    gold: dict[str, tydi.Gold] = {}
    said: dict[str, tydi.Prediction] = {}

    def answer() -> tydi.Answer:
        kind = random.random()
        if kind < 0.4:
            return tydi.Answer(-1, -1, -1, "none")
        start = int(random.integers(0, 40))
        if kind < 0.5:
            return tydi.Answer(int(random.integers(0, 5)), -1, -1, "yes" if kind < 0.45 else "no")
        return tydi.Answer(int(random.integers(0, 5)), start, start + int(random.integers(1, 30)), "none")

    for number in range(count):
        language = LANGUAGES[number % len(LANGUAGES)]
        gold[str(number)] = tydi.Gold(language, (answer(), answer(), answer()))
        score = float(random.normal())
        said[str(number)] = tydi.Prediction(language, answer(), score, score)
    return gold, said


def made_up_squad(count: int) -> tuple[dict[str, overlap.Gold], dict[str, str]]:
    """Gold answers and predictions of so many questions."""
    random = np.random.default_rng(0)
    words = [f"word{number}" for number in range(2000)] + ["the", "a", "of", "in", "1990,", "U.S.", "(city)"]

    def phrase() -> str:
        return " ".join(random.choice(words, random.integers(1, 6)))

    gold, said = {}, {}
    for number in range(count):
        right = phrase()
        gold[str(number)] = overlap.Gold((right,))
        said[str(number)] = right if number % 2 else f"{right} {phrase()}"
    return gold, said


def official_squad(gold: dict[str, overlap.Gold], said: dict[str, str]) -> tuple[float, float]:
    """Exact match and F1 in evaluate-v1.1's manner."""

    def normalise(text: str) -> str:
        signs = set(string.punctuation)
        bare = "".join(character for character in text.lower() if character not in signs)
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())

    def f1(prediction: str, truth: str) -> float:
        one, other = normalise(prediction).split(), normalise(truth).split()
        same = sum((collections.Counter(one) & collections.Counter(other)).values())
        if same == 0:
            return 0
        precision, recall = 1.0 * same / len(one), 1.0 * same / len(other)
        return (2 * precision * recall) / (precision + recall)

    exact = overlapping = 0.0
    for name, (answers, _) in gold.items():
        exact += max(normalise(said[name]) == normalise(answer) for answer in answers)
        overlapping += max(f1(said[name], answer) for answer in answers)
    return 100.0 * exact / len(gold), 100.0 * overlapping / len(gold)


def official_tydi(gold: dict[str, tydi.Gold], said: dict[str, tydi.Prediction]) -> dict[str, float]:
    """Best minimal-answer F1 of each language in tydi_eval's manner."""

    def span_f1(one: tydi.Answer, other: tydi.Answer) -> float:
        inside = set(range(one.start, one.end)) & set(range(other.start, other.end))
        if not inside:
            return 0.0
        precision, recall = len(inside) / (other.end - other.start), len(inside) / (one.end - one.start)
        return 2 * precision * recall / (precision + recall)

    report = {}
    for language in LANGUAGES:
        stats = []
        for name, question in gold.items():
            if question.language != language:
                continue
            given = said[name].answer
            has_gold = sum(not answer.is_null for answer in question.answers) >= 2
            best = 0.0
            if has_gold and not given.is_null:
                for answer in question.answers:
                    if given.yes_no != "none":
                        best = max(best, float(answer.yes_no == given.yes_no))
                    elif answer.start >= 0:
                        best = max(best, span_f1(answer, given))
            stats.append((has_gold, not given.is_null, best, said[name].minimal_score))
        stats.sort(key=lambda row: row[3], reverse=True)
        total = sum(row[0] for row in stats)
        right, predicted, best_f1 = 0.0, 0, 0.0
        by_score: dict[float, tuple[float, float]] = {}
        for _, has_pred, f1, score in stats:
            right += f1
            predicted += has_pred
            by_score[score] = (right / predicted if predicted else 0.0, right / total if total else 0.0)
        for precision, recall in by_score.values():
            if precision + recall:
                best_f1 = max(best_f1, 2 * precision * recall / (precision + recall))
        report[language] = best_f1
    return report


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    asked, answered = made_up_squad(given.examples)
    gold, said = made_up_tydi(given.examples)
    programs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "squad": (
            lambda: overlap.evaluate(asked, answered, "squad"),
            lambda: official_squad(asked, answered),
        ),
        "tydi": (lambda: tydi.evaluate(gold, said, 2), lambda: official_tydi(gold, said)),
    }
    seconds: dict[str, dict[str, list[float]]] = {name: {"ours": [], "peer": []} for name in programs}
    for _ in range(given.runs):
        for name, pair in programs.items():
            for side, program in zip(("ours", "peer"), pair, strict=True):
                began = time.process_time()
                program()
                seconds[name][side].append(time.process_time() - began)
    report, _ = overlap.evaluate(asked, answered, "squad")
    same = (report["exact_match"], report["f1"]) == official_squad(asked, answered)
    found = {
        name: row["minimal"]["best_f1"] for name, row in tydi.evaluate(gold, said, 2)["languages"].items()
    }
    same &= all(abs(found[name] - value) < 1e-12 for name, value in official_tydi(gold, said).items())
    medians = {
        name: {side: statistics.median(runs) for side, runs in row.items()} for name, row in seconds.items()
    }
    for name, row in medians.items():
        print(
            f"{name}: {row['ours']:.3f} CPU seconds for {given.examples} examples ({WANTED} for 5,000 wanted), the"
            f" official loop {row['peer']:.3f}"
        )
    print(f"scores are {'equal' if same else 'DIFFERENT'}")
    rates = {side: given.examples / medians["squad"][side] for side in ("ours", "peer")}
    summary = {
        "name": "scoring",
        "ours": round(rates["ours"]),
        "peer": round(rates["peer"]),
        "unit": "SQuAD examples per CPU second",
        "ratio": round(rates["ours"] / rates["peer"], 2),
        "void": rates["peer"] < PUBLISHED / 2,
        "peer_published": PUBLISHED,
        "examples": given.examples,
        "seconds": medians,
        "same": same,
    }
    print(json.dumps(summary))
    if not same:
        sys.exit(1)


if __name__ == "__main__":
    run(main)
