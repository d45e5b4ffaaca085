"""Where an answer stands in a translation, from links between words: every span is scored, the best one is taken.

A span gains by words that are linked with the answer's, loses by words that are linked with others, by the answer's
words whose partners it leaves out, and by a length or place that the answer does not suggest.  Links are doubtful, so
three kinds of evidence that word i of the source is word j of the target are used side by side: the links themselves,
how often the two words are linked elsewhere in the same corpus (`Lexicon`), and that they are the same text.

A span's score is linear in `FEATURES`; `WEIGHTS` and `CALIBRATION` are what `python -m benchmarks.relocation --fit`
prints, from human translations of XQuAD with marked answers.  It also prints what the scores are for a language that
the weights have not seen.
"""

import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from workflow_scripts.augment.weights import CALIBRATION, WEIGHTS
from workflow_scripts.joined import NO_JOINS, Joins, learn_joins
from workflow_scripts.pairs import Links, Pair
from workflow_scripts.stems import stem

Array = np.ndarray[Any, Any]
LINKED = 0.5  # what a link counts beside a lexicon of shares and words that are the same
FAINT = 0.1  # evidence below this is none
LONGEST = 64  # words of an answer of which all spans are scored; beyond, each half of so many at its ends


@dataclass(frozen=True)
class Lexicon:
    """What the links of a corpus say of its words, by stem.

    partners: source stem -> target stem -> Dice's coefficient of the two (0 to 1); source_rarity, target_rarity: 0 for
    a stem that every sentence has, 1 for one that a single sentence has, or none; joins: of both sides, which
    characters of scripts without blanks belong together and count as one word here.
    """

    partners: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    source_rarity: Mapping[str, float] = field(default_factory=dict)
    target_rarity: Mapping[str, float] = field(default_factory=dict)
    joins: tuple[Joins, Joins] = (NO_JOINS, NO_JOINS)


def learn(pairs: Sequence[Pair], links: Sequence[Links]) -> Lexicon:
    """The lexicon of sentence pairs and their links, a line each."""
    together: Counter[tuple[str, str]] = Counter()
    linked: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    sentences: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    joins = learn_joins(first for first, _ in pairs), learn_joins(second for _, second in pairs)
    for pair, line in zip(pairs, links, strict=True):
        groups = [join.groups(words) for join, words in zip(joins, pair, strict=True)]
        sides = [
            [stem("".join(words[one.start : one.stop])) for one in held]
            for words, held in zip(pair, groups, strict=True)
        ]
        for seen, side in zip(sentences, sides, strict=True):
            seen.update(set(side))
        for i, j in joined(line, groups):
            together[sides[0][i], sides[1][j]] += 1
            linked[0][sides[0][i]] += 1
            linked[1][sides[1][j]] += 1
    partners: dict[str, dict[str, float]] = {}
    for (one, other), count in together.items():
        share = 2 * count / (linked[0][one] + linked[1][other] + 1)
        if share >= FAINT:
            partners.setdefault(one, {})[other] = share
    scale = math.log(max(len(pairs), 2))
    rarity = [{word: 1 - math.log(count) / scale for word, count in seen.items()} for seen in sentences]
    return Lexicon(partners, rarity[0], rarity[1], joins)


def joined(links: Links, groups: Sequence[Sequence[range]]) -> Links:
    """Links of words as links of the groups that they are in, each once; `groups` of both sides."""
    numbers = [[number for number, one in enumerate(held) for _ in one] for held in groups]
    return list(dict.fromkeys((numbers[0][i], numbers[1][j]) for i, j in links))


@dataclass(frozen=True)
class Evidence:
    """What is known of the words of a stretch of source text (n) and of the target text that translates it (m).

    linked, evident: [n, m] from 0 to 1, the links, and the strongest evidence of any kind; signs: [n] and [m], 1 for
    words without a letter or digit; rarity: [n] and [m]; lengths: [n] and [m] characters.
    """

    linked: Array
    evident: Array
    signs: tuple[Array, Array]
    rarity: tuple[Array, Array]
    lengths: tuple[Array, Array]


def evidence(source: Sequence[str], target: Sequence[str], links: Links, lexicon: Lexicon) -> Evidence:
    """The evidence for two lists of words, neither of them empty, with their links (i, j) counted from 0."""
    forms = [_forms(word) for word in source], [_forms(word) for word in target]
    linked = np.zeros((len(source), len(target)))
    if links:
        linked[[i for i, _ in links], [j for _, j in links]] = 1
    places: dict[str, list[int]] = {}
    spelled: dict[str, list[int]] = {}
    for j, form in enumerate(forms[1]):
        places.setdefault(form.stem, []).append(j)
        spelled.setdefault(form.plain, []).append(j)
    spelled.pop("", None)
    rows: list[int] = []
    columns: list[int] = []
    shares: list[float] = []
    for i, form in enumerate(forms[0]):
        if (partners := lexicon.partners.get(form.stem)) is None:
            continue
        for partner in partners.keys() & places.keys():
            there = places[partner]
            rows += [i] * len(there)
            columns += there
            shares += [partners[partner]] * len(there)
    evident = LINKED * linked
    if rows:  # each once
        evident[rows, columns] = np.maximum(evident[rows, columns], shares)
    for i, form in enumerate(forms[0]):
        if form.plain in spelled:
            evident[i, spelled[form.plain]] = 1
    return Evidence(
        linked,
        evident,
        (np.array([form.sign for form in forms[0]]), np.array([form.sign for form in forms[1]])),
        (
            np.array([lexicon.source_rarity.get(form.stem, 1.0) for form in forms[0]]),
            np.array([lexicon.target_rarity.get(form.stem, 1.0) for form in forms[1]]),
        ),
        (np.array([form.length for form in forms[0]]), np.array([form.length for form in forms[1]])),
    )


class Forms(NamedTuple):
    """A word for counting, and for comparison with words of the other side (empty for one without letter or digit).

    sign: 1 for a word without letter or digit; length: its characters.
    """

    stem: str
    plain: str
    sign: float
    length: float


@functools.lru_cache(maxsize=1 << 18)
def _forms(word: str) -> Forms:
    form = stem(word)
    digits = any(sign.isdigit() for sign in word)  # which are the same in all scripts
    plain = form if digits else word.lower() if any(sign.isalnum() for sign in word) else ""
    return Forms(form, plain, 0.0 if plain else 1.0, float(len(word)))


FEATURES = (
    "evident inside",
    "evident outside",
    "evidence missed",
    "evidence missed, share",
    "evident beside",
    "evident at edge",
    "outside at edge",
    "linked inside",
    "linked outside",
    "links missed, share",
    "unlinked at edge",
    "neighbours",
    "sign at edge",
    "sign kept at edge",
    "signs",
    "words more",
    "words fewer",
    "words more, share",
    "words fewer, share",
    "rarity more",
    "rarity less",
    "characters",
    "rare at edge",
    "moved, share",
    "moved, words",
)


@functools.lru_cache(maxsize=1 << 9)
def candidates(words: int, answer: int) -> tuple[Array, Array]:
    """Every span [first, last) of so many words that may be an answer of `answer` words, as two arrays (shared)."""
    first, last = np.meshgrid(np.arange(words), np.arange(1, words + 1), indexing="ij")
    fits = (last > first) & (last - first <= 3 * answer + 6)
    return first[fits], last[fits]


def features(seen: Evidence, inside: Array, first: Array, last: Array) -> Array:
    """[spans, FEATURES] for spans [first, last) of the target's words; `inside` are the numbers of the answer's words.

    Raises ValueError where `inside` is empty.
    """
    n, m = seen.linked.shape
    mine = np.zeros(n, bool)
    mine[inside] = True
    size = last - first
    low, high = int(inside[0]), int(inside[-1])
    letters = 1 - seen.signs[1]

    def total(values: Array) -> Array:
        sums = np.concatenate([[0.0], np.cumsum(values)])
        return sums[last] - sums[first]

    def beside(values: Array) -> Array:
        padded = np.concatenate([[0.0], values, [0.0]])
        return padded[first] + padded[last + 1]

    def edges(values: Array) -> Array:
        return values[first] + values[last - 1]

    def sides(matrix: Array) -> tuple[Array, Array]:
        """For each target word, its evidence with the answer's words, and with others where that is stronger."""
        ours = matrix[mine].max(0)
        others = matrix[~mine].max(0) if n > len(inside) else np.zeros(m)
        return ours * (ours >= others) * letters, others * (others > ours) * letters

    def missed(matrix: Array) -> Array:
        lost = np.zeros(len(first))
        for i in inside:
            if (most := matrix[i].max()) > FAINT:
                lost += most - np.minimum(total(matrix[i]), most)
        return lost

    ours, others = sides(seen.evident)
    linked, linked_away = sides(seen.linked)
    lost = missed(seen.evident)
    unlinked = (seen.linked.max(0) == 0) * letters
    before = seen.linked[low - 1] if low else np.zeros(m)
    after = seen.linked[high + 1] if high + 1 < n else np.zeros(m)
    neighbours = np.concatenate([[0.0], before])[first] + np.concatenate([after, [0.0]])[last]
    signs = seen.signs[1]
    kept = seen.signs[0][[low, high]]
    at_start, at_end = signs[first], signs[last - 1]
    rarity = total(seen.rarity[1]) - seen.rarity[0][mine].sum()
    length = seen.lengths[0][mine].sum()
    moved = np.abs((first + last) / 2 / m - (low + high + 1) / 2 / n)
    more, fewer = np.maximum(size - len(inside), 0), np.maximum(len(inside) - size, 0)
    return np.stack(
        [
            total(ours),
            total(others),
            lost,
            lost / len(inside),
            beside(ours),
            edges(ours),
            edges(others),
            total(linked),
            total(linked_away),
            missed(seen.linked) / len(inside),
            edges(unlinked),
            neighbours,
            at_start * (1 - kept[0]) + at_end * (1 - kept[1]),
            at_start * kept[0] + at_end * kept[1],
            np.abs(total(signs) - seen.signs[0][mine].sum()),
            more,
            fewer,
            more / len(inside),
            fewer / len(inside),
            np.maximum(rarity, 0),
            np.maximum(-rarity, 0),
            np.abs(np.log(total(seen.lengths[1]) / length)),
            edges(seen.rarity[1]),
            moved,
            moved * m / 10,
        ],
        1,
    )


@functools.lru_cache(maxsize=8)
def _named(weights: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(FEATURES, weights, strict=True))


def scores(seen: Evidence, inside: Array, first: Array, last: Array) -> Array:
    """`features(…) @ WEIGHTS` without making the features: what is a sum over words is summed once for all spans."""
    weight = _named(WEIGHTS)
    n, m = seen.linked.shape
    count = len(inside)
    low, high = int(inside[0]), int(inside[-1])
    others_mask = np.ones(n, bool)
    others_mask[inside] = False
    letters = 1 - seen.signs[1]
    added = np.zeros(m)  # what a word adds to every span that holds it
    begins, ends = np.zeros(m), np.zeros(m)  # what it adds to a span that begins, or ends, with it
    # what it adds to a span that begins after, or ends before it
    ahead, behind = np.zeros(m + 1), np.zeros(m + 1)
    partners, limits = [], []  # of the answer's words, their evidence, and the most that each has
    for matrix, named in ((seen.evident, True), (seen.linked, False)):
        held_by = matrix[inside]
        ours = held_by.max(0)
        others = matrix[others_mask].max(0) if n > count else np.zeros(m)
        most = held_by.max(1)
        kept = most > FAINT
        partners.append(held_by[kept])
        limits.append(most[kept])
        mine, theirs = ours * (ours >= others) * letters, others * (others > ours) * letters
        if named:
            added += weight["evident inside"] * mine + weight["evident outside"] * theirs
            begins += weight["evident at edge"] * mine + weight["outside at edge"] * theirs
            ahead[1:] += weight["evident beside"] * mine
            behind[:-1] += weight["evident beside"] * mine
        else:
            added += weight["linked inside"] * mine + weight["linked outside"] * theirs
    begins += (
        weight["unlinked at edge"] * (np.maximum(ours, others) == 0) * letters
    )  # of links, looked at last
    begins += weight["rare at edge"] * seen.rarity[1]
    ends += begins
    signs = seen.signs[1]
    for edge, kept in ((begins, seen.signs[0][low]), (ends, seen.signs[0][high])):
        edge += signs * (weight["sign kept at edge"] if kept else weight["sign at edge"])
    if low:
        ahead[1:] += weight["neighbours"] * seen.linked[low - 1]
    if high + 1 < n:
        behind[:-1] += weight["neighbours"] * seen.linked[high + 1]
    rows = np.concatenate([[added, signs, seen.rarity[1], seen.lengths[1]], *partners])
    sums = np.zeros((len(rows), m + 1))
    np.cumsum(rows, axis=1, out=sums[:, 1:])
    held = sums[:, last] - sums[:, first]
    result = held[0] + (begins + ahead[:-1])[first] + (ends + behind[1:])[last - 1]
    result += weight["signs"] * np.abs(held[1] - seen.signs[0][inside].sum())
    rarity = held[2] - seen.rarity[0][inside].sum()
    result += np.where(rarity > 0, weight["rarity more"] * rarity, -weight["rarity less"] * rarity)
    result += weight["characters"] * np.abs(np.log(held[3] / seen.lengths[0][inside].sum()))
    costs = (
        weight["evidence missed"] + weight["evidence missed, share"] / count,
        weight["links missed, share"] / count,
    )
    cost = np.repeat(costs, [len(some) for some in limits])
    limit = np.concatenate(limits)
    result += cost @ (limit[:, None] - np.minimum(held[4:], limit[:, None]))
    sizes = np.arange(m + 1) - count
    by_size = np.where(
        sizes > 0,
        (weight["words more"] + weight["words more, share"] / count) * sizes,
        -(weight["words fewer"] + weight["words fewer, share"] / count) * sizes,
    )
    result += by_size[last - first]
    middles = np.abs(np.arange(2 * m + 1) / 2 / m - (low + high + 1) / 2 / n)
    result += ((weight["moved, share"] + weight["moved, words"] * m / 10) * middles)[first + last]
    return result


@dataclass(frozen=True)
class Projected:
    """The best span [first, last) of target words, and the chance (0 to 1) that it is right but for a word or two."""

    first: int
    last: int
    confidence: float


def overlap(first: Array, last: Array, one: int, other: int) -> Array:
    """F1 of spans [first, last) with the span [one, other), in words."""
    common = np.maximum(0, np.minimum(last, other) - np.maximum(first, one))
    return 2 * common / (last - first + other - one)


def doubts(seen: Evidence, inside: Array, first: Array, last: Array, scored: Array) -> tuple[int, Array]:
    """The number of the best span, and what tells how sure it is (the inputs of CALIBRATION)."""
    best = int(scored.argmax())
    chances = np.exp(scored - scored[best])
    chances /= chances.sum()
    same = overlap(first, last, int(first[best]), int(last[best]))
    span = seen.evident[inside][:, first[best] : last[best]]
    return best, np.array(
        [
            1.0,
            float(chances[best]),
            float((chances * same).sum()),
            float(chances[same >= 0.8].sum()),
            math.log(len(inside)),
            float(span.max(1).mean()),
            float(span.max(0).mean()),
            1.0 if last[best] - first[best] == 1 else 0.0,
        ]
    )


def project(seen: Evidence, inside: Array) -> Projected:
    """The span of target words that best translates the source words with the numbers `inside` (ascending).

    Of an answer of more than LONGEST words, its first and its last words are projected each by themselves.
    """
    if len(inside) > LONGEST:
        begin, end = project(seen, inside[: LONGEST // 2]), project(seen, inside[-LONGEST // 2 :])
        return Projected(
            min(begin.first, end.first), max(begin.last, end.last), min(begin.confidence, end.confidence)
        )
    first, last = candidates(seen.linked.shape[1], len(inside))
    best, found = doubts(seen, inside, first, last, scores(seen, inside, first, last))
    certain = 1 / (1 + math.exp(-float(found @ np.array(CALIBRATION))))
    return Projected(int(first[best]), int(last[best]), certain)
