"""The bootstrap draws what loops over resamples draw, tells sides apart, and refuses what isn't paired."""

import random
from collections.abc import Sequence
from math import comb
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.significance import (
    Sides,
    array_means,
    made_up,
    ours,
    outcomes,
    overlaps,
    plain_anew,
    plain_means,
    plain_tydi,
    right_or_wrong,
)
from workflow_scripts.cli import InputError
from workflow_scripts.evaluate import significance
from workflow_scripts.evaluate.significance import (
    Column,
    Verdict,
    bootstrap,
    differences,
    holm,
    in_order,
    means,
    resampled,
    together,
    tydi_f1,
)
from workflow_scripts.evaluate.tydi import Outcomes, at_threshold, best_threshold

Floats = NDArray[np.float64]
MANY = 10_000


def fast(column: Column, resamples: int = MANY, seed: int = 0) -> Floats:
    return resampled(column, resamples, np.random.SeedSequence(seed)).mean(axis=1)


def same_distribution(one: Floats, other: Floats) -> bool:
    """Whether two samples agree in mean, deviation and quantiles, each within 4 of its standard errors."""
    deviation = other.std()
    error = deviation * (1 / len(one) + 1 / len(other)) ** 0.5
    points = np.array([0.025, 0.16, 0.5, 0.84, 0.975])
    # of a normal distribution, the errors of quantiles in those of the mean; half a step of a lattice comes in
    times = np.array([2.67, 1.5, 1.25, 1.5, 2.67])
    steps = np.diff(np.unique(np.round(other, 9)))
    apart = np.abs(np.quantile(one, points) - np.quantile(other, points))
    return bool(
        abs(one.mean() - other.mean()) < 4 * error
        and abs(one.std() / deviation - 1) < 4 * (error / deviation) / 2**0.5
        and (apart < 4 * times * error + np.median(steps)).all()
    )


def test_a_wrong_variance_is_seen() -> None:
    drawn = np.random.default_rng(0).normal(0.1, 1, (2, MANY))
    assert same_distribution(*drawn)
    for wrong in (0.95, 1.05):
        assert not same_distribution(0.1 + wrong * (drawn[0] - 0.1), drawn[1])
    assert not same_distribution(drawn[0] + 0.1, drawn[1])


@pytest.mark.parametrize("kind", ["exact match", "F1", "all different"])
def test_means_are_distributed_as_in_the_plain_loop(kind: str) -> None:
    sides = made_up(kind, 300)
    drawn = fast(means(sides.system[0], sides.base[0]))
    loop = array_means(sides, MANY, seed=1)
    assert np.allclose(array_means(sides, 20), plain_means(sides, 20))  # which is too slow for so many
    assert same_distribution(drawn, loop)


def test_pairs_of_answers_stay_together() -> None:
    """What both systems find hard is no difference; if each had its own draw, the interval would be too wide."""
    one, other = right_or_wrong(np.random.default_rng(0), 0.63, 0.6, 0.6)
    paired = fast(means(one, other))
    assert paired.std() == pytest.approx((one - other).std() / len(one) ** 0.5, rel=0.03)
    shuffled = fast(means(np.random.default_rng(1).permutation(one), other))
    assert shuffled.std() > 1.4 * paired.std()


@pytest.mark.parametrize("kind", ["passage", "minimal"])
def test_f1_is_distributed_as_in_the_plain_loop(kind: str) -> None:
    sides = made_up(kind, 240)
    columns = [tydi_f1([mine], [theirs]) for mine, theirs in zip(*sides, strict=True)]
    drawn = np.mean([fast(column, seed=place) for place, column in enumerate(columns)], axis=0)
    assert same_distribution(drawn, plain_tydi(sides, 3000, seed=1))


@pytest.mark.parametrize("kind", ["passage", "minimal"])
def test_thresholds_found_anew_are_those_of_the_scores(kind: str) -> None:
    """In the same resamples, exactly the differences that evaluate.tydi finds; also with ties of scores."""
    for seed in range(20):
        draw = np.random.default_rng(seed)
        count = int(draw.integers(1, 60))
        has_gold = draw.random(count) < draw.choice([0, 0.3, 0.8, 1])
        runs = []
        for _ in range(4):
            f1 = (draw.random(count) < 0.6) * 1.0 if kind == "passage" else overlaps(draw, count)
            made = outcomes(draw, has_gold, f1)
            runs.append(made._replace(score=np.round(made.score, int(draw.integers(0, 3)))))
        column = tydi_f1(runs[:2], runs[2:], "resampled")
        assert isinstance(column, significance.Rows)
        drawn = draw.integers(0, count, (20, count), dtype=np.uint32)
        expected = [[anew(runs[run], ids) - anew(runs[run + 2], ids) for run in range(2)] for ids in drawn]
        assert column.read(drawn) == pytest.approx(np.array(expected), abs=1e-10)
        everything = np.arange(count, dtype=np.uint32)[None]
        assert column.read(everything)[0] == pytest.approx(column.difference, abs=1e-10)


def anew(outcomes: Outcomes, ids: NDArray[Any]) -> float:
    return best_threshold(Outcomes(*(column[ids] for column in outcomes))).f1


def test_thresholds_found_anew_are_distributed_as_in_the_plain_loop() -> None:
    sides = Sides(*([files[0]] for files in made_up("minimal", 240)))
    drawn = fast(tydi_f1(sides.system, sides.base, "resampled"))
    assert same_distribution(drawn, plain_anew(sides, 4000, seed=1))
    assert not same_distribution(fast(tydi_f1(sides.system, sides.base)), drawn)  # or it would say nothing


def test_f1_at_fixed_thresholds_in_the_same_resample() -> None:
    """Every question once is a resample, too: sums over it give the F1s of the scores, also at thresholds of dev."""
    sides = made_up("minimal", 400)
    system, base = sides.system[:1], sides.base[:1]
    column = tydi_f1(system, base)
    assert isinstance(column, significance.Sums)
    expected = best_threshold(system[0]).f1 - best_threshold(base[0]).f1
    assert column.difference.tolist() == [expected]
    assert column.read(column.values.sum(axis=0)[None])[0] == pytest.approx([expected], abs=1e-10)
    column = tydi_f1(system, base, ([0.3], [1.2]))
    assert isinstance(column, significance.Sums)
    expected = at_threshold(system[0], 0.3).f1 - at_threshold(base[0], 1.2).f1
    assert column.difference.tolist() == [expected]
    assert column.read(column.values.sum(axis=0)[None])[0] == pytest.approx([expected], abs=1e-10)
    with pytest.raises(InputError, match="1 thresholds for 2 runs"):
        tydi_f1(system, base, ([0.3], []))


def hierarchical_loop(
    splits: Sequence[Sequence[Floats]], by_questions: bool, resamples: int, seed: int
) -> Floats:
    """Splits, runs and questions drawn one after another; a split: for each column, differences [runs, questions]."""
    draw = random.Random(seed)
    found = []
    for _ in range(resamples):
        total = weight = 0.0
        for _ in splits:
            split = draw.choice(splits) if len(splits) > 1 else splits[0]
            runs = draw.choices(range(len(split[0])), k=len(split[0]))
            shares = [column.shape[1] if by_questions else 1 for column in split]
            value = 0.0
            for column, share in zip(split, shares, strict=True):
                ids = draw.choices(range(column.shape[1]), k=column.shape[1])
                value += share * sum(column[run, ids].mean() for run in runs) / len(runs)
            value /= sum(shares)
            total, weight = total + value, weight + 1
        found.append(total / weight)
    return np.array(found)


@pytest.mark.parametrize(
    ("splits", "average"), [(1, "pairs"), (1, "questions"), (3, "questions"), (3, "pairs")]
)
def test_splits_runs_and_questions_are_drawn_as_a_loop_draws_them(splits: int, average: Any) -> None:
    draw = np.random.default_rng(3)
    made = []  # runs are better or worse in all columns of a split
    for split in range(splits):
        good = draw.uniform(0.6, 1, (2, 3, 1))
        made.append([[overlaps(draw, n) * of for of in good] for n in ((30, 90) if split else (20, 40))])
    columns = [[means(*sides) for sides in split] for split in made]
    drawn = differences(columns, average, seed=1)
    verdict = bootstrap(columns, average, seed=1)
    assert (verdict.low, verdict.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    given = [[mine - theirs for mine, theirs in split] for split in made]
    assert same_distribution(drawn, hierarchical_loop(given, average == "questions", 4000, 2))
    assert (verdict.runs, verdict.splits) == (3, splits)
    if average == "questions":
        every = [np.concatenate([column.mean(axis=0) for column in split]) for split in given]
        assert verdict.difference == pytest.approx(np.mean([of.mean() for of in every]))
        assert verdict.questions == sum(map(len, every))
    else:
        of = [np.mean([column.mean() for column in split]) for split in given]
        assert verdict.difference == pytest.approx(np.mean(of))
    if splits > 1:
        often = bootstrap([*columns, columns[0]], average).difference
        assert bootstrap(columns, average, counts=[2, 1, 1]).difference == pytest.approx(often)


def test_runs_that_agree_are_one_run() -> None:
    """Nothing is drawn of one run, and drawing among copies of it changes nothing."""
    sides = made_up("F1", 500)
    one = bootstrap([[means(sides.system[0], sides.base[0])]])
    three = bootstrap([[means(np.tile(sides.system[0], (3, 1)), np.tile(sides.base[0], (3, 1)))]])
    assert (three.difference, three.low, three.high) == pytest.approx((one.difference, one.low, one.high))
    assert (three.p, three.runs, one.runs) == (one.p, 3, 1)


def test_without_noise_of_questions_three_runs_span_the_interval() -> None:
    """As the docstring says: all three draws fall on one run in 1 of 27 resamples, more than 2.5 %."""
    runs = np.array([[0.50], [0.53], [0.58]])
    verdict = bootstrap([[means(np.tile(runs, 100), np.full((3, 100), 0.5))]])
    assert (verdict.low, verdict.high) == pytest.approx((0, 0.08))


def test_translations_of_questions_are_drawn_together() -> None:
    """Four copies of a column are no more than one of them; drawn apart, they would seem to be four times as many."""
    sides = made_up("minimal", 1600)
    one = tydi_f1(sides.system[:1], sides.base[:1])
    single = bootstrap([[one]])
    copies = bootstrap([[together([one] * 4)]])
    assert (copies.low, copies.high) == pytest.approx((single.low, single.high))
    apart = bootstrap([[one] * 4])
    assert apart.high - apart.low == pytest.approx((single.high - single.low) / 2, rel=0.05)
    swept = [tydi_f1(sides.system[:1], sides.base[:1], "resampled")] * 2
    assert bootstrap([[together(swept)]], resamples=500) == bootstrap([swept[:1]], resamples=500)
    different = [tydi_f1([a], [b]) for a, b in zip(*sides, strict=True)]
    mean = np.mean([column.difference for column in different])
    assert together(different).difference.tolist() == pytest.approx([mean])
    with pytest.raises(InputError, match="cannot be drawn together"):
        together([one, *swept])
    with pytest.raises(InputError, match="400 questions here, 3 there"):
        together([means([1, 0, 1], [0, 0, 1]), one])


@pytest.mark.parametrize("kind", ["exact match", "F1", "all different", "minimal", "anew"])
def test_swapping_the_systems_turns_everything_round(kind: str) -> None:
    sides = made_up("minimal" if kind == "anew" else kind, 800)
    one = ours(sides, 2000, kind == "anew")
    other = ours(Sides(sides.base, sides.system), 2000, kind == "anew")
    assert (other.difference, other.low, other.high) == pytest.approx((-one.difference, -one.high, -one.low))
    assert other.p_two_sided == one.p_two_sided
    assert 1 <= one.p + other.p < 1.05  # ties count against both


def test_kinds_as_frequent_as_others_turn_round_with_the_systems() -> None:
    one, other = np.repeat([1.0, 0.2, 0.7, 0.5], 99), np.repeat([0, 0.9, 0.1, 0.6], 99)
    drawn, swapped = (differences([[means(*sides)]]) for sides in ((one, other), (other, one)))
    assert (drawn == -swapped).all()


def test_a_star_turns_round_with_the_systems() -> None:
    one, other = np.array([1.0] * 30 + [0] * 30), np.array([1.0] * 15 + [0] * 45)
    better, worse = bootstrap([[means(one, other)]]), bootstrap([[means(other, one)]])
    assert better.star
    assert not worse.star
    assert better.p < 0.001
    assert worse.p > 0.999
    assert better.low > 0 > worse.high


@pytest.mark.parametrize("kind", ["exact match", "F1", "all different", "minimal", "anew"])
def test_seeds_decide_and_blocks_do_not(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = made_up("minimal" if kind == "anew" else kind, 700)
    first = ours(sides, 1000, kind == "anew")
    for block in (1, 997, 1 << 20):
        monkeypatch.setattr(significance, "BLOCK", block)
        assert ours(sides, 1000, kind == "anew") == first
    column = means(overlaps(np.random.default_rng(0), 99), overlaps(np.random.default_rng(1), 99))
    assert bootstrap([[column]], seed=1) != bootstrap([[column]], seed=2)
    assert bootstrap([[column]], seed=1) == bootstrap([[column]], seed=1)


def test_counting_kinds_changes_no_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = made_up("F1", 300)
    column = means(sides.system[0], sides.base[0])
    drawn = {}
    for often in (1, 24, 1000):  # all kinds counted, some, none
        monkeypatch.setattr(significance, "OFTEN", often)
        drawn[often] = fast(column, seed=often)
    assert same_distribution(drawn[1], drawn[24])
    assert same_distribution(drawn[1000], drawn[24])


def test_a_kind_that_is_often_not_drawn() -> None:
    """One question among 301, the others all alike: drawn n times by chance of a binomial count."""
    drawn = fast(means([1.0] + [0] * 300, [0] * 301)) * 301
    for times in range(4):
        expected = comb(301, times) * 300 ** (301 - times) / 301**301
        assert (np.round(drawn) == times).mean() == pytest.approx(expected, abs=0.02)


def test_ties_are_no_wins() -> None:
    """Of two questions, one better by the system: a resample without it, 1 in 4, is a tie."""
    verdict = bootstrap([[means([1, 1], [0, 1])]])
    assert verdict.p == pytest.approx(0.25, abs=0.02)
    assert verdict.p_two_sided == 2 * verdict.p
    assert not verdict.star
    rounded = bootstrap([[means([0.1 + 0.2] * 3, [0.3] * 3)]])
    assert rounded.difference > 0  # in the last digit
    assert (rounded.p, rounded.p_two_sided, rounded.star) == (1, 1, False)


def test_systems_that_are_the_same_do_not_differ() -> None:
    draw = np.random.default_rng(0)
    run = outcomes(draw, draw.random(50) < 0.7, overlaps(draw, 50))
    never = Outcomes(np.zeros(5), np.zeros(5, bool), np.zeros(5, bool), np.zeros(5))
    nothing = (0, 0, 0, 1, 1, False)
    columns = [means([0.5] * 9, [0.5] * 9), means([1], [1])]
    columns += [tydi_f1([of], [of], way) for of in (run, never) for way in ("best", "resampled")]
    for column in columns:
        found = bootstrap([[column]], resamples=100)
        told = (found.difference, found.low, found.high, found.p, found.p_two_sided, found.star)
        assert told == nothing


def test_a_difference_that_every_question_shows_is_certain() -> None:
    verdict = bootstrap([[means([0.75] * 7, [0.5] * 7)]], resamples=100)
    expected = Verdict(0.25, 0.25, 0.25, 0.0, 0.0, questions=7, runs=1, splits=1, resamples=100)
    assert verdict == expected
    assert verdict.star


@pytest.mark.parametrize("seed", range(5))
def test_holm_as_by_hand(seed: int) -> None:
    draw = random.Random(seed)
    p = [draw.choice([0.0, 0.01, 0.04, draw.random(), 1.0]) for _ in range(draw.randint(1, 12))]
    corrected = holm(p)
    # the reference rejects one after another, from the smallest on, each at its own level, until one is not rejected
    for level in (0.01, 0.049, 0.05, 0.2, 0.7):
        left = sorted(range(len(p)), key=lambda number: p[number])
        rejected = set()
        while left and p[left[0]] * len(left) <= level:
            rejected.add(left.pop(0))
        assert {number for number, value in enumerate(corrected) if value <= level} == rejected
    assert all(mine >= raw for mine, raw in zip(corrected, p, strict=True))


def test_holm_known() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []
    for wrong in ([0.2, 1.2], [float("nan")], [-0.1]):
        with pytest.raises(ValueError, match="p-values are from 0 to 1"):
            holm(wrong)


def test_questions_are_brought_into_one_order() -> None:
    assert in_order(["c", "a", "b"], ["a", "b", "c"]).tolist() == [1, 2, 0]
    for ids, odd in ((["a"], "b"), (["a", "b", "d", "c"], "c")):
        with pytest.raises(InputError, match=f"question {odd} was asked of one system only"):
            in_order(ids, ["a", "b"])
    with pytest.raises(InputError, match="a question occurs twice"):
        in_order(["a", "b", "b"], ["a", "b", "a"])


def test_what_is_refused() -> None:
    run = Outcomes(np.zeros(2), np.array([True, False]), np.array([True, True]), np.array([0.5, 0]))
    other_gold = run._replace(has_gold=np.array([True, True]))
    unasked = run._replace(f1=np.array([0.5, 0.5]))
    unscored = run._replace(score=np.array([0, np.nan]))
    longer = Outcomes(*(np.append(column, column[:1]) for column in run))
    empty = Outcomes(*(column[:0] for column in run))
    column = means([1, 0], [0, 1])
    cases = [
        (lambda: means([], []), "no questions"),
        (lambda: means([[]], [[]]), "no questions"),
        (lambda: means([1, 0], [1]), "2 questions here, 1 there; a comparison needs the same questions"),
        (lambda: means([[1, 0]], [[1, 0], [0, 1]]), "1 runs here, 2 there"),
        (lambda: means([1, 50], [1, 0]), r"scores from 1\.0 to 50\.0; they must be from 0 to 1"),
        (lambda: means([1, float("nan")], [1, 0]), "they must be from 0 to 1"),
        (lambda: means([[[1]]], [[[1]]]), r"shape \(1, 1, 1\)"),
        (lambda: tydi_f1([], []), "0 runs here, 0 there"),
        (lambda: tydi_f1([run], [run, run]), "1 runs here, 2 there"),
        (lambda: tydi_f1([empty], [empty]), "no questions"),
        (lambda: tydi_f1([run], [longer]), "3 questions here, 2 there"),
        (
            lambda: tydi_f1([run], [other_gold]),
            "question 1 .* has a gold answer in one run and none in another",
        ),
        (
            lambda: tydi_f1([run], [unasked]),
            "f1 must be from 0 to 1, and 0 where a question has no gold answer",
        ),
        (lambda: tydi_f1([run], [unscored]), "a score is not a number"),
        (lambda: bootstrap([]), "nothing to compare"),
        (lambda: bootstrap([[column], []]), "nothing to compare"),
        (lambda: bootstrap([[column, means([[1], [1]], [[0], [1]])]]), "2 runs here, 1 there"),
        (lambda: bootstrap([[column]], resamples=0), "0 resamples"),
        (lambda: together([]), "no columns"),
    ]
    for refused, sentence in cases:
        with pytest.raises(InputError, match=sentence):
            refused()
