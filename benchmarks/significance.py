"""How fast is the paired bootstrap, and is it right as often as it says?

    python -m benchmarks.significance [--questions 5000] [--resamples 10000] [--runs 5] [--simulations 5000]

Speed: 10,000 resamples of 5,000 made-up questions, by exact match (three differences), by SQuAD's F1 (some hundred) and
by scores that are all different; TyDi QA's F1 as the average of four pairs with a quarter of the questions each, with
thresholds that are fixed and thresholds that are found anew.  Beside it run two loops over resamples.  The plain one
draws ids by numpy.random.choice, looks the drawn questions up in lists and computes both scores in Python, as the
scripts do that are passed around for this; it is faster if it makes Python's numbers of the ids first, and told with
that, too.  The other does the same with arrays.  Where thresholds are found anew there is one loop, which calls the
search of `evaluate.tydi`.  A hundredth of their resamples is timed and scaled up.  CPU seconds of one thread,
alternated, medians.

Errors: two systems of equal expected accuracy with independent errors are compared 5,000 times.  Claims are counted
that the first is better (p < .05, as in the papers), that either is (the same test in the direction of the one that is
ahead), and that they differ (two-sided p < .05): 5, 10 and 5 % are expected.  For TyDi's F1, scores of answers and the
search for thresholds come in.  Questions in four languages that are translations of each other, which a system finds
hard or easy in all of them, are drawn for each language apart, as if they were four times as many, and together.
Power: the same counts for 3 points of difference and correlated errors.

Several runs: how often the interval holds the true difference, where runs differ by chance as much as told.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.cli import InputError, Progress, run
from workflow_scripts.evaluate.significance import Column, Verdict, bootstrap, means, together, tydi_f1
from workflow_scripts.evaluate.tydi import Outcomes, best_threshold

WANTED = {"seconds": 0.15, "means": 50, "tydi": 10}  # CPU seconds and ratios to the plain loop
PAIRS = 4  # of TyDi's average
QUESTIONS = 1000  # of each simulation
Floats = NDArray[np.float64]
Generator = np.random.Generator


Programs = dict[str, Callable[["Sides", int], Any]]


class Sides(NamedTuple):
    """What is compared: the column's scores of both systems, each a file's."""

    system: list[Any]
    base: list[Any]


def overlaps(random: Generator, count: int) -> Floats:
    """Made-up F1s of answers of one to seven words: half of them right, a quarter wrong, the others partly right."""
    kind, said, gold = random.random(count), random.integers(1, 8, count), random.integers(1, 8, count)
    common = np.minimum(random.integers(1, 6, count), np.minimum(said, gold))
    f1: Floats = np.where(kind < 0.5, 1.0, np.where(kind < 0.75, 0.0, 2 * common / (said + gold)))
    return f1


def outcomes(random: Generator, has_gold: NDArray[np.bool_], f1: Floats) -> Outcomes:
    """TyDi's outcomes of answers of that f1: nine of ten questions answered, with scores that know a little."""
    has_pred = random.random(len(f1)) < 0.9
    f1 = f1 * has_gold * has_pred
    return Outcomes(random.normal(size=len(f1)) + 1.5 * f1, has_gold, has_pred, f1)


def made_up(kind: str, count: int) -> Sides:
    """Both systems' scores of so many questions."""
    random = np.random.default_rng(0)
    if kind == "exact match":
        return Sides([(random.random(count) < 0.6) * 1.0], [(random.random(count) < 0.58) * 1.0])
    if kind == "F1":
        return Sides([overlaps(random, count)], [overlaps(random, count)])
    if kind == "all different":
        return Sides([random.random(count)], [random.random(count)])
    sides = Sides([], [])
    for _ in range(PAIRS):
        has_gold = random.random(count // PAIRS) < 0.7
        for side in sides:
            right = (random.random(len(has_gold)) < 0.7).astype(np.float64)
            f1 = right if "passage" in kind else overlaps(random, len(has_gold))
            side.append(outcomes(random, has_gold, f1))
    return sides


def ours(sides: Sides, resamples: int, anew: bool = False) -> Verdict:
    """What is measured, from scores to the verdict."""
    columns: list[Column] = [
        tydi_f1([mine], [theirs], "resampled" if anew else "best")
        if isinstance(mine, Outcomes)
        else means(mine, theirs)
        for mine, theirs in zip(*sides, strict=True)
    ]
    return bootstrap([columns], resamples=resamples)


def plain_means(sides: Sides, resamples: int, seed: int = 0, numbers: bool = False) -> Floats:
    """Differences of means in each resample, question by question; numbers: ids as Python's."""
    random = np.random.RandomState(seed)
    system, base = sides.system[0].tolist(), sides.base[0].tolist()
    count = len(system)
    differences = []
    for _ in range(resamples):
        ids = random.choice(count, count, replace=True)
        ids = ids.tolist() if numbers else ids
        mine = [system[number] for number in ids]
        theirs = [base[number] for number in ids]
        differences.append(sum(mine) / count - sum(theirs) / count)
    return np.array(differences)


def array_means(sides: Sides, resamples: int, seed: int = 0) -> Floats:
    """The same with arrays."""
    random = np.random.RandomState(seed)
    difference = sides.system[0] - sides.base[0]
    count = len(difference)
    return np.array([difference[random.choice(count, count)].mean() for _ in range(resamples)])


def plain_tydi(sides: Sides, resamples: int, seed: int = 0, numbers: bool = False) -> Floats:
    """Differences of the average F1 at fixed thresholds in each resample, likewise."""
    random = np.random.RandomState(seed)
    files = []
    for pair in zip(*sides, strict=True):
        threshold = [best_threshold(side).threshold for side in pair]
        files.append([
            [
                (f1 if said and score >= point else 0.0, said and score >= point, asked)
                for score, asked, said, f1 in zip(*(column.tolist() for column in side), strict=True)
            ]
            for side, point in zip(pair, threshold, strict=True)
        ])  # fmt: skip

    def f1_of(rows: list[tuple[float, bool, bool]]) -> float:
        right = sum(row[0] for row in rows)
        predicted = sum(row[1] for row in rows)
        asked = sum(row[2] for row in rows)
        precision = right / predicted if predicted else 0.0
        recall = right / asked if asked else 0.0
        return 2 * precision * recall / (precision + recall) if right else 0.0

    differences = []
    for _ in range(resamples):
        found = []
        for system, base in files:
            ids = random.choice(len(system), len(system), replace=True)
            ids = ids.tolist() if numbers else ids
            found.append(f1_of([system[i] for i in ids]) - f1_of([base[i] for i in ids]))
        differences.append(sum(found) / len(found))
    return np.array(differences)


def array_tydi(sides: Sides, resamples: int, seed: int = 0) -> Floats:
    """The same with arrays."""
    random = np.random.RandomState(seed)
    files = []
    for pair in zip(*sides, strict=True):
        above = [side.has_pred & (side.score >= best_threshold(side).threshold) for side in pair]
        right = [side.f1 * reached for side, reached in zip(pair, above, strict=True)]
        files.append((right, above, pair[0].has_gold))
    differences = np.zeros(resamples)
    for number in range(resamples):
        for right, above, has_gold in files:
            ids = random.choice(len(has_gold), len(has_gold))
            asked = has_gold[ids].sum()
            mine, theirs = (
                2 * f1[ids].sum() / max(reached[ids].sum() + asked, 1)
                for f1, reached in zip(right, above, strict=True)
            )
            differences[number] += (mine - theirs) / len(files)
    return differences


def plain_anew(sides: Sides, resamples: int, seed: int = 0) -> Floats:
    """Differences of the average best F1, its threshold searched for in each resample."""
    random = np.random.RandomState(seed)
    differences = np.zeros(resamples)
    for number in range(resamples):
        for pair in zip(*sides, strict=True):
            ids = random.choice(len(pair[0].f1), len(pair[0].f1))
            mine, theirs = (best_threshold(Outcomes(*(column[ids] for column in side))).f1 for side in pair)
            differences[number] += (mine - theirs) / len(sides.system)
    return differences


def seconds(program: Callable[[Sides, int], Any], sides: Sides, resamples: int) -> float:
    """CPU seconds that a call takes."""
    began = time.process_time()
    program(sides, resamples)
    return time.process_time() - began


def speed(questions: int, resamples: int, runs: int) -> dict[str, dict[str, float]]:
    """Median CPU seconds of ours and of the loops, for each kind of scores."""
    of_means: Programs = {"ours": ours, "plain": plain_means}
    of_means |= {"numbers": partial(plain_means, numbers=True), "arrays": array_means}
    of_tydi: Programs = {"ours": ours, "plain": plain_tydi}
    of_tydi |= {"numbers": partial(plain_tydi, numbers=True), "arrays": array_tydi}
    anew: Programs = {"ours": partial(ours, anew=True), "plain": plain_anew}
    kinds: dict[str, tuple[str, Programs]] = {
        "exact match": ("exact match", of_means),
        "F1": ("F1", of_means),
        "all different": ("all different", of_means),
        "TyDi passage": ("passage", of_tydi),
        "TyDi minimal": ("minimal", of_tydi),
        "TyDi passage, anew": ("passage", anew),
        "TyDi minimal, anew": ("minimal", anew),
    }
    found = {}
    for name, (kind, programs) in kinds.items():
        sides = made_up(kind, questions)
        times: dict[str, list[float]] = {side: [] for side in programs}
        for _ in range(runs):
            for side, program in programs.items():
                share = 1 if side == "ours" else 100
                times[side].append(share * seconds(program, sides, max(1, resamples // share)))
        found[name] = {side: statistics.median(values) for side, values in times.items()}
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def right_or_wrong(
    random: Generator, first: float, second: float, correlation: float
) -> tuple[Floats, Floats]:
    """Two systems that are right so often, by questions; correlation (phi) of being right."""
    both = first * second + correlation * (first * (1 - first) * second * (1 - second)) ** 0.5
    kind = random.random(QUESTIONS)
    one = kind < first
    other = (kind < both) | ((kind >= first) & (kind < first + second - both))
    return one.astype(np.float64), other.astype(np.float64)


def claims(
    draw: Callable[[Generator], list[Column]], simulations: int, resamples: int, label: str
) -> dict[str, float]:
    """Shares of simulations in which a claim is made, by kinds of claims, and in which the interval holds 0."""
    random = np.random.default_rng(1)
    counted = {"better": 0, "either": 0, "two_sided": 0, "holds_zero": 0}
    progress = Progress(label, simulations, "simulations")
    for number in range(simulations):
        verdict = bootstrap([draw(random)], resamples=resamples, seed=number)
        other = verdict.p_two_sided / 2  # p of whichever is ahead; ties count against both
        counted["better"] += verdict.star
        counted["either"] += other < 0.05
        counted["two_sided"] += verdict.p_two_sided < 0.05
        counted["holds_zero"] += verdict.low <= 0 <= verdict.high
        progress.advance()
    return {name: of / simulations for name, of in counted.items()}


def exact_match(random: Generator, first: float, second: float, correlation: float) -> list[Column]:
    return [means(*right_or_wrong(random, first, second, correlation))]


def partly_right(random: Generator) -> list[Column]:
    return [means(overlaps(random, QUESTIONS), overlaps(random, QUESTIONS))]


def minimal(random: Generator, anew: bool = False) -> list[Column]:
    has_gold = random.random(QUESTIONS) < 0.7
    system, base = (outcomes(random, has_gold, overlaps(random, QUESTIONS)) for _ in range(2))
    return [tydi_f1([system], [base], "resampled" if anew else "best")]


def translations(random: Generator, joined: bool) -> list[Column]:
    """Questions in four languages; how likely a system is right about one is the same in all of them."""
    chances = random.uniform(0.2, 1, (2, QUESTIONS // PAIRS))
    drawn = (random.random((PAIRS, *chances.shape)) < chances).astype(np.float64)
    columns = [means(*sides) for sides in drawn]
    return [together(columns)] if joined else list(columns)


def trained(random: Generator, runs: int, deviation: float) -> list[Column]:
    """Systems of equal expected accuracy; runs are better or worse by chance, and alike in what they find hard."""
    hard = random.uniform(0.2, 0.9, QUESTIONS)
    sides = []
    for _ in range(2):
        chance = hard + random.normal(0, 0.2, QUESTIONS) + random.normal(0, deviation, (runs, 1))
        sides.append((random.random((runs, QUESTIONS)) < chance).astype(np.float64))
    return [means(*sides)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=5000, help="for the speed")
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5, help="runs of each side")
    parser.add_argument("--simulations", type=int, default=5000)
    given = parser.parse_args()
    if min(given.questions // PAIRS, given.resamples, given.runs, given.simulations // 5) < 1:
        raise InputError("give at least 4 questions, 1 resample, 1 run and 5 simulations")
    found = speed(given.questions, given.resamples, given.runs)
    few = min(given.resamples, 1000)  # where simulations would take long
    cases: dict[str, tuple[Callable[[Generator], list[Column]], int, int]] = {
        "equal, exact match": (
            partial(exact_match, first=0.6, second=0.6, correlation=0),
            given.simulations,
            given.resamples,
        ),
        "equal, F1": (partly_right, given.simulations, few),
        "equal, TyDi minimal": (minimal, given.simulations, few),
        "equal, TyDi minimal, anew": (partial(minimal, anew=True), given.simulations // 5, few),
        "equal, translations apart": (partial(translations, joined=False), given.simulations, few),
        "equal, translations together": (partial(translations, joined=True), given.simulations, few),
        "3 points, correlation .6": (
            partial(exact_match, first=0.63, second=0.6, correlation=0.6),
            given.simulations,
            given.resamples,
        ),
        "3 points, independent": (
            partial(exact_match, first=0.63, second=0.6, correlation=0),
            given.simulations,
            given.resamples,
        ),
    }
    rates = {name: claims(draw, count, of, name) for name, (draw, count, of) in cases.items()}
    covered = {
        f"{runs} runs, deviation {deviation}": claims(
            partial(trained, runs=runs, deviation=deviation / 100),
            given.simulations // 5,
            few,
            f"{runs} runs",
        )["holds_zero"]
        for deviation in (0, 1, 2, 4)
        for runs in (1, 3, 5)
    }
    show(given, found, rates, covered)


def show(
    given: argparse.Namespace,
    found: dict[str, dict[str, float]],
    rates: dict[str, dict[str, float]],
    covered: dict[str, float],
) -> None:
    """Print the tables and the line for programs."""
    print(f"{given.resamples:,} resamples of {given.questions:,} questions, CPU seconds:")
    loops = {"plain": "plain loop", "numbers": "Python's ids", "arrays": "arrays"}
    print(f"{'':20s} {'ours':>7s}" + "".join(f" {loop:>12s} {'ratio':>6s}" for loop in loops.values()))
    for name, of in found.items():
        cells = [f" {of[loop]:>12.2f} {of[loop] / of['ours']:>6.1f}" for loop in loops if loop in of]
        print(f"{name:20s} {of['ours']:>7.3f}" + "".join(cells))
    print(f"\nclaims in percent of simulations, {QUESTIONS:,} questions:")
    print(f"{'':28s} {'first better':>12s} {'either better':>13s} {'two-sided':>9s}")
    for name, rate in rates.items():
        print(
            f"{name:28s} {100 * rate['better']:>12.2f} {100 * rate['either']:>13.2f}"
            f" {100 * rate['two_sided']:>9.2f}"
        )
    print("\nintervals that hold the true difference, percent; deviation of runs in points:")
    for name, share in covered.items():
        print(f"{name:28s} {100 * share:>6.1f}")
    summary = {
        "name": "significance",
        "ours": round(found["F1"]["ours"], 4),
        "peer": round(found["F1"]["plain"], 2),
        "unit": "CPU seconds",
        "ratio": round(found["F1"]["plain"] / found["F1"]["ours"], 1),
        "wanted": WANTED,
        "questions": given.questions,
        "resamples": given.resamples,
        "simulations": given.simulations,
        "seconds": found,
        "claims": rates,
        "holds_the_truth": covered,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    run(main)
