"""Is one system better than another, or were the questions kind to it?  Paired bootstrap after Koehn (2004).

Questions are drawn with replacement as often as there are, the same for both systems, and what is reported is computed
anew on them: means of per-question scores (`means`), or TyDi QA's F1 (`tydi_f1`).  From the differences over all
resamples, `bootstrap` reads a percentile interval and p:

- `p`, as in the papers: the share of resamples in which the system does not win; ties are no wins.  One-sided, for a
  comparison whose better side was named before looking.  Two equal systems get a star (p < .05) in 5 % of cases, and
  twice as often if whichever came out ahead is called the system.
- `p_two_sided`: twice the smaller share of the resamples in which either side does not win.  Below .05 in 5 % of cases
  whichever side is ahead; what a sentence needs that says who is better after looking.
- `holm`: p-values of a family of comparisons, corrected for their number.

Both p are 0 where all resamples agree; read it as "below 1 / resamples", the two-sided one as "below 2 / resamples".
`benchmarks.significance` measures how often two equal systems get a star.

Resamples are exact, not approximated, but not made question by question where that can be saved: questions of which
both systems got the same are one kind, and how often a kind is drawn is a multinomial count.  Scores are summed as
integers (units of 2**-40), so that neither the order of sums nor the blocks in which resamples are made change a digit.
Equal seeds give equal results, and swapping the systems the opposite ones.

Several runs (seeds), several pairs, several splits: `bootstrap` says what is drawn, and what its interval is about.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workflow_scripts.cli import InputError
from workflow_scripts.evaluate.tydi import Outcomes, at_threshold, best_threshold

RESAMPLES = {"default": 10_000, "paper": 1_000}  # preset -> how many; the paper's follows Koehn
LEVEL = 0.95  # of intervals
SIGNIFICANT = 0.05  # p below it makes a star
UNIT = 2.0**-40  # of scores; sums of 4 million of them fit into 64 bits
TIE = 1e-11  # differences up to it are rounding
OFTEN = 32  # questions of a kind that is counted, others are drawn: a count costs what so many draws do
# Draws that are made together: arrays of 128 KiB and more are pages that the system hands out anew each time.
BLOCK = 16_000

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Thresholds = Literal["best", "resampled"] | tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Sums:
    """A column whose figures follow from sums over questions.

    difference: [runs], on all questions; values: [questions, columns], in UNITs where they are scores; read: sums over
    drawn questions, [resamples, columns], to differences, [resamples, runs].
    """

    difference: Floats
    values: Integers
    read: Callable[[Integers], Floats]

    @property
    def questions(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Rows:
    """A column whose figures need the drawn questions themselves.

    difference: [runs]; read: questions by their number, [resamples, questions], to differences, [resamples, runs].
    """

    difference: Floats
    questions: int
    read: Callable[[NDArray[np.uint32]], Floats]


Column = Sums | Rows


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to.

    difference: system - base on all questions; low, high: percentile interval of LEVEL; p, p_two_sided: see the
    module; questions: of all columns and splits together; runs: the most of any split; resamples.
    """

    difference: float
    low: float
    high: float
    p: float
    p_two_sided: float
    questions: int
    runs: int
    splits: int
    resamples: int

    @property
    def star(self) -> bool:
        """The papers' mark, without any correction: p < .05 and better on all questions."""
        return self.p < SIGNIFICANT and self.difference > 0


def means(system: ArrayLike, base: ArrayLike) -> Sums:
    """A column of means of scores from 0 to 1 (EM, F1, Jaccard): [questions] or [runs, questions] of either system.

    Run k of one stands against run k of the other.  Raises InputError unless both have the same shape, at least one run
    and question, and scores from 0 to 1.
    """
    mine, theirs = _scores(system), _scores(base)
    _same_number(mine.shape[1], theirs.shape[1])
    _same_runs(len(mine), len(theirs))
    questions = mine.shape[1]
    difference = [_mean(one) - _mean(other) for one, other in zip(mine, theirs, strict=True)]
    values = (_units(mine) - _units(theirs)).T
    return Sums(np.array(difference), values, lambda sums: sums * (UNIT / questions))


def tydi_f1(
    system: Sequence[Outcomes], base: Sequence[Outcomes], thresholds: Thresholds = "best"
) -> Sums | Rows:
    """A column of TyDi QA's F1 of one task: a run's outcomes each, over the same questions in the same order.

    thresholds: "best": what each run's best F1 on all questions needs, in every resample; "resampled": found anew in
    each resample, as in `evaluate.tydi`; or those of every run of the system and of the base, found elsewhere.
    F1 is 2PR / (P + R) = 2 f / (p + g), by sums of f1 of answers above the threshold, of such answers, and of questions
    with a gold answer.  Raises InputError where outcomes aren't of the same questions, or are none of `evaluate.tydi`.
    """
    _same_runs(len(system), len(base))
    for outcomes in (*system, *base):
        _check(outcomes, system[0])
    has_gold = system[0].has_gold.astype(np.int64)
    if thresholds == "resampled":
        gains = [best_threshold(a).f1 - best_threshold(b).f1 for a, b in zip(system, base, strict=True)]
        sweeps = [(_sweep(a), _sweep(b)) for a, b in zip(system, base, strict=True)]

        def read_rows(drawn: NDArray[np.uint32]) -> Floats:
            asked = has_gold.take(drawn).sum(axis=1)
            best = [_best_f1(a, drawn, asked) - _best_f1(b, drawn, asked) for a, b in sweeps]
            return np.stack(best, axis=1)

        return Rows(np.array(gains), len(has_gold), read_rows)
    if thresholds == "best":
        points = [best_threshold(outcomes).threshold for outcomes in (*system, *base)]
    else:
        points = [float(point) for side in thresholds for point in side]
        if [len(side) for side in thresholds] != [len(system), len(base)]:
            raise InputError(
                f"{len(points)} thresholds for {len(system) + len(base)} runs; give one for each"
            )
    runs = list(zip((*system, *base), points, strict=True))
    figures = np.array([at_threshold(*run).f1 for run in runs]).reshape(2, -1)
    above = np.array([outcomes.has_pred & (outcomes.score >= point) for outcomes, point in runs])
    right = np.array([_units(outcomes.f1) for outcomes, _ in runs]) * above
    # what a question adds to 2 f / (p + g): f of every run of both systems, then p + g of each
    values = np.concatenate([right, above + has_gold]).T

    def read_sums(sums: Integers) -> Floats:
        f1 = _divide(2 * UNIT * sums[:, : len(runs)], sums[:, len(runs) :])
        return f1[:, : len(system)] - f1[:, len(system) :]

    return Sums(figures[0] - figures[1], values, read_sums)


def together(columns: Sequence[Column]) -> Column:
    """The mean of columns that ask the same questions in the same order, such as translations of them, as one column.

    What is drawn of one is drawn of all.  As columns of their own, questions that are hard in every language would seem
    to be so many questions, and intervals too narrow.  Raises InputError where numbers of questions or runs differ.
    """
    if not columns:
        raise InputError("no columns to draw together")
    for column in columns:
        _same_number(column.questions, columns[0].questions)
        _same_runs(len(column.difference), len(columns[0].difference))
    difference = np.mean([column.difference for column in columns], axis=0)
    summed = [column for column in columns if isinstance(column, Sums)]
    drawn = [column for column in columns if isinstance(column, Rows)]
    if not drawn:
        ends = np.cumsum([column.values.shape[1] for column in summed])[:-1]

        def read_sums(sums: Integers) -> Floats:
            parts = np.split(sums, ends, axis=1)
            return np.mean([of.read(part) for of, part in zip(summed, parts, strict=True)], axis=0)

        return Sums(difference, np.concatenate([column.values for column in summed], axis=1), read_sums)
    if summed:
        raise InputError("columns whose thresholds are found anew cannot be drawn together with others")
    return Rows(difference, drawn[0].questions, lambda rows: np.mean([of.read(rows) for of in drawn], axis=0))


def bootstrap(
    splits: Sequence[Sequence[Column]],
    average: Literal["pairs", "questions"] = "pairs",
    resamples: int = RESAMPLES["default"],
    seed: int = 0,
    counts: Sequence[int] | None = None,
) -> Verdict:
    """Compare two systems on the mean of a split's columns, over its runs and over splits.

    `[[column]]` is a single column, `[columns]` an average, in which each column counts the same or, by "questions",
    as much as its questions are.  Splits count the same, as in tables of means, or as often as `counts` says.  Columns
    of a split have the same runs (the same models), in the same order.

    A resample draws, with replacement and as many as there are: splits, if there are several; in each that was drawn,
    its runs, if there are several, for all columns and both systems; and its questions, column by column, for all
    runs, because all runs answer the same questions.  Columns themselves are never drawn: they are the languages of
    the table, not a sample of languages.  A split that is drawn twice gets runs and questions of its own twice.  As
    columns are drawn each by itself, the paper's rule for averages, those that ask translations of the same questions
    make intervals too narrow, unless they are drawn `together`.

    What the interval is about: with one run and one split, these trained models on other questions of this kind; what
    training again would give is not in it.  With several runs, systems trained again and asked other questions.  With
    several splits, also other splits; whose questions overlap are not independent, and then it is too narrow.

    Is it as wide as it should be?  Two errors work against each other.  Runs are few, and few are drawn from few: what
    differs among S runs has (S - 1) / S of its variance in the resamples, .82 of its deviation with three, and no
    tails; were there no noise of questions, intervals of three runs would reach from the worst to the best, which hold
    the true mean in 3 of 4 cases, not in 95 of 100.  And chance in single answers, which runs don't share, comes in
    with runs, with questions and with both, up to three times (Owen 2007, The pigeonhole bootstrap).  So intervals are
    too wide where runs differ by no more than that, and too narrow where they differ by much more;
    `benchmarks.significance` prints how often they hold the truth.  Splits that differ by the chance of their questions
    only make intervals too wide, too, by up to a third with five.

    Raises InputError where there is nothing to compare, or columns of a split have different numbers of runs.
    """
    drawn = differences(splits, average, resamples, seed, counts)
    shares, weights = _weights(splits, average, counts)
    found = [
        np.average([column.difference.mean() for column in split], weights=share)
        for split, share in zip(splits, shares, strict=True)
    ]
    lost, won = float((drawn <= TIE).mean()), float((drawn >= -TIE).mean())
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Verdict(
        difference=float(np.average(found, weights=weights)),
        low=float(low),
        high=float(high),
        p=lost,
        p_two_sided=min(1.0, 2 * min(lost, won)),
        questions=sum(column.questions for split in splits for column in split),
        runs=max(len(split[0].difference) for split in splits),
        splits=len(splits),
        resamples=resamples,
    )


def differences(
    splits: Sequence[Sequence[Column]],
    average: Literal["pairs", "questions"] = "pairs",
    resamples: int = RESAMPLES["default"],
    seed: int = 0,
    counts: Sequence[int] | None = None,
) -> Floats:
    """The difference in every resample that `bootstrap` reads: [resamples].  Raises InputError as it does."""
    if resamples < 1:
        raise InputError(f"{resamples} resamples; at least 1 is needed")
    if not splits or not all(splits):
        raise InputError("nothing to compare: a split without columns")
    for split in splits:
        for column in split:
            _same_runs(len(column.difference), len(split[0].difference))
    choice, *streams = _streams(np.random.SeedSequence(seed), 1 + len(splits))
    several = len(splits) > 1
    shape = (resamples, len(splits))
    chosen = (
        np.random.default_rng(choice).integers(0, len(splits), shape) if several else np.zeros(shape, int)
    )
    shares, weights = _weights(splits, average, counts)
    total, weight = np.zeros(resamples), np.zeros(resamples)
    for number, (split, stream) in enumerate(zip(splits, streams, strict=True)):
        rows = np.nonzero(chosen == number)[0]
        mean = _split(split, shares[number], len(rows), stream)
        total += weights[number] * np.bincount(rows, mean, resamples)
        weight += weights[number] * np.bincount(rows, minlength=resamples)
    return total / weight


def in_order(ids: Sequence[str], questions: Sequence[str]) -> NDArray[np.int64]:
    """Where each of the base's questions stands among a system's, to bring both into one order.

    Raises InputError that names a question which only one of them has, or which occurs twice.
    """
    places = {name: place for place, name in enumerate(ids)}
    odd = sorted(places.keys() ^ set(questions))
    if odd:
        raise InputError(f"question {odd[0]} was asked of one system only; score both on the same questions")
    if len(places) < len(ids) or len(ids) != len(questions):
        raise InputError("a question occurs twice")
    return np.array([places[name] for name in questions], dtype=np.int64)


def holm(p: Sequence[float]) -> list[float]:
    """p-values of a family, corrected so that all of its stars are right in 95 % of cases (Holm 1979, step down).

    The smallest is multiplied by their number, the next by one less, and so on; none is below a smaller one's, nor
    above 1.  In the order they came.  Raises ValueError for what is no p-value.
    """
    values = np.asarray(p, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values are from 0 to 1, not {values.tolist()}")
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(steps, 1)
    return [float(value) for value in corrected]


def resampled(column: Column, resamples: int, seed: np.random.SeedSequence) -> Floats:
    """A column's differences in so many resamples of its questions: [resamples, runs]."""
    if isinstance(column, Sums):
        return column.read(_sums(column.values, resamples, seed))
    random = np.random.default_rng(seed)
    shape = (resamples, column.questions)
    blocks = [
        column.read(random.integers(0, column.questions, (size, column.questions), dtype=np.uint32))
        for size in _blocks(*shape)
    ]
    return np.concatenate(blocks) if blocks else np.zeros((0, len(column.difference)))


def _weights(
    splits: Sequence[Sequence[Column]],
    average: Literal["pairs", "questions"],
    counts: Sequence[int] | None,
) -> tuple[list[list[int]], list[int]]:
    """How much each column counts in its split, and each split."""
    weights = [1] * len(splits) if counts is None else list(counts)
    if average == "pairs":
        return [[1] * len(split) for split in splits], weights
    return [[column.questions for column in split] for split in splits], weights


def _split(
    split: Sequence[Column], share: Sequence[float], resamples: int, seed: np.random.SeedSequence
) -> Floats:
    """Resampled differences of a split, means over drawn runs and over columns: [resamples]."""
    choice, *streams = _streams(seed, 1 + len(split))
    runs = len(split[0].difference)
    # of one run nothing is drawn; counts of several add up to their number
    often = np.random.default_rng(choice).multinomial(runs, np.full(runs, 1 / runs), resamples)
    total = np.zeros(resamples)
    for column, weight, stream in zip(split, share, streams, strict=True):
        total += weight * (resampled(column, resamples, stream) * often).sum(axis=1)
    return total / (runs * sum(share))


def _sums(values: Integers, resamples: int, seed: np.random.SeedSequence) -> Integers:
    """Sums of as many rows as there are, drawn with replacement: [questions, columns] to [resamples, columns].

    Kinds of equal rows that come OFTEN are counted: multinomial, with all other rows as one kind.  As many of these as
    it was drawn are drawn one by one.  Kinds are in an order that swapping two systems leaves as it is.
    """
    counts, picks = (np.random.default_rng(stream) for stream in _streams(seed, 2))
    _, first, kind, size = np.unique(
        values, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    kinds = np.lexsort((first, -size))[: (size >= OFTEN).sum()]
    common, rest = values[first[kinds]], np.ascontiguousarray(values[size[kind.ravel()] < OFTEN].T)
    many = rest.shape[1]
    chances = size[kinds] / len(values)
    if many:  # else the last kind takes what rounding leaves
        chances = np.append(chances, many / len(values))
    sums = np.zeros((resamples, values.shape[1]), np.int64)
    done = 0
    for block in _blocks(resamples, max(many, len(chances))):
        drawn = counts.multinomial(len(values), chances, block)
        here = sums[done : done + block]
        here += drawn[:, : len(kinds)] @ common
        if many:
            row = picks.integers(0, many, drawn[:, -1].sum(), dtype=np.uint32)
            filled = np.flatnonzero(drawn[:, -1])  # reduceat would take a row for an empty stretch
            starts = (np.cumsum(drawn[:, -1]) - drawn[:, -1])[filled]
            for column, of in enumerate(rest):
                if len(filled):
                    here[filled, column] += np.add.reduceat(of.take(row, mode="clip"), starts)
        done += block
    return sums


@dataclass(frozen=True)
class _Sweep:
    """A run's answers by falling score: kind of each question [questions]; f1 of each kind in UNITs [kinds]; stops.

    Stops are the kinds after which a threshold can lie.  Questions whose kind is the number of kinds don't matter.
    """

    kind: NDArray[np.int64]
    f1: Integers
    stops: NDArray[np.int64]


def _sweep(outcomes: Outcomes) -> _Sweep:
    """What a search for the best threshold has to look at, in any resample.

    Only distinct scores are thresholds.  F1 falls by wrong answers alone and rises by right ones (f1 = 1) alone, so
    that the best threshold is never behind answers that are all wrong nor before answers that are all right: between
    the stops that are left, answers of the same f1 are one kind.
    """
    given = np.flatnonzero(outcomes.has_pred)
    _, group = np.unique(-outcomes.score[given], return_inverse=True)
    f1 = outcomes.f1[given]
    groups = int(group.max(initial=-1)) + 1
    useful = np.bincount(group, f1 > 0, groups) > 0
    perfect = np.append(np.bincount(group, f1 < 1, groups) == 0, False)
    stops = np.flatnonzero(useful & ~perfect[1:])
    segment = np.searchsorted(stops, group)
    seen = segment < len(stops)
    pairs, kind = np.unique(np.stack([segment[seen], _units(f1[seen])]), axis=1, return_inverse=True)
    of_question = np.full(len(outcomes.f1), pairs.shape[1])
    of_question[given[seen]] = kind.ravel()
    last = np.searchsorted(pairs[0], np.arange(len(stops)), side="right") - 1
    return _Sweep(of_question, pairs[1], last)


def _best_f1(sweep: _Sweep, drawn: NDArray[np.uint32], asked: Integers) -> Floats:
    """The best F1 over all thresholds in each resample; drawn: [resamples, questions], asked: with a gold answer."""
    resamples, kinds = len(drawn), len(sweep.f1) + 1
    kind = sweep.kind.take(drawn, mode="clip")
    kind += kinds * np.arange(resamples)[:, None]
    counts = np.bincount(kind.ravel(), minlength=resamples * kinds).reshape(resamples, kinds)[:, :-1]
    right = np.cumsum(counts * sweep.f1, axis=1)[:, sweep.stops]
    predicted = np.cumsum(counts, axis=1)[:, sweep.stops]
    best: Floats = _divide(2 * UNIT * right, predicted + asked[:, None]).max(axis=1, initial=0.0)
    return best


def _streams(seed: np.random.SeedSequence, count: int) -> list[np.random.SeedSequence]:
    """What `seed.spawn` gives the first time: a seed that is used again gives the same again."""
    return [
        np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number)) for number in range(count)
    ]


def _blocks(resamples: int, width: int) -> list[int]:
    """Sizes of blocks of resamples, of which each takes `width` draws, of about BLOCK draws."""
    size = max(1, BLOCK // width)
    full, left = divmod(resamples, size)
    return [size] * full + [left] * (left > 0)


def _divide(upper: NDArray[Any], lower: Integers) -> Floats:
    return np.divide(upper, lower, out=np.zeros(upper.shape), where=lower != 0)


def _units(scores: Floats) -> Integers:
    return np.rint(scores / UNIT).astype(np.int64)


def _mean(scores: Floats) -> float:
    return fsum(scores) / len(scores)


def _scores(given: ArrayLike) -> Floats:
    """Scores as [runs, questions]."""
    scores = np.asarray(given, dtype=np.float64)
    if scores.ndim not in (1, 2):
        raise InputError(f"scores of the shape {scores.shape}; give [questions] or [runs, questions]")
    if not scores.size:
        raise InputError("no questions: there is nothing to compare")
    if not ((scores >= 0) & (scores <= 1)).all():
        raise InputError(f"scores from {scores.min()} to {scores.max()}; they must be from 0 to 1")
    return np.atleast_2d(scores)


def _check(outcomes: Outcomes, other: Outcomes) -> None:
    """Raise InputError unless outcomes are of the same questions as others and f1 is that of answers."""
    if not len(outcomes.f1):
        raise InputError("no questions: there is nothing to compare")
    _same_number(len(outcomes.f1), len(other.f1))
    if (outcomes.has_gold != other.has_gold).any():
        number = int(np.flatnonzero(outcomes.has_gold != other.has_gold)[0])
        raise InputError(
            f"question {number} (counted from 0) has a gold answer in one run and none in another; score both against"
            " the same gold file, with the same number of annotators"
        )
    if not ((outcomes.f1 >= 0) & (outcomes.f1 <= outcomes.has_gold * outcomes.has_pred)).all():
        raise InputError("f1 must be from 0 to 1, and 0 where a question has no gold answer or no prediction")
    if np.isnan(outcomes.score).any():
        raise InputError("a score is not a number")


def _same_number(one: int, other: int) -> None:
    if one != other:
        raise InputError(
            f"{one} questions here, {other} there; a comparison needs the same questions of both systems, in one order"
        )


def _same_runs(one: int, other: int) -> None:
    if one != other or not one:
        raise InputError(f"{one} runs here, {other} there; give the same number of both, at least one")
