"""Where an answer stands in a translation, from links between words: every span is scored, the best one is taken.

A span gains by words that are linked with the answer's, loses by words that are linked with others, by the answer's
words whose partners it leaves out, and by a length or place that the answer does not suggest.  Links are doubtful, so
three kinds of evidence that word i of the source is word j of the target are used side by side: the links themselves,
how often the two words are linked elsewhere in the same corpus (`Lexicon`), and that they are the same text.

A span's score is linear in `FEATURES`; `WEIGHTS` and `CALIBRATION` are what `python -m benchmarks.relocation --fit`
prints, from human translations of XQuAD with marked answers.  It also prints what the scores are for a language that
the weights have not seen.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workflow_scripts.augment.weights import CALIBRATION, WEIGHTS
from workflow_scripts.pairs import Links, Pair
from workflow_scripts.stems import stem

Array = np.ndarray[Any, Any]
LINKED = 0.5  # what a link counts beside a lexicon of shares and words that are the same
FAINT = 0.1  # evidence below this is none


@dataclass(frozen=True)
class Lexicon:
    """What the links of a corpus say of its words, by stem.

    partners: source stem -> target stem -> Dice's coefficient of the two (0 to 1); source_rarity, target_rarity: 0 for
    a stem that every sentence has, 1 for one that a single sentence has, or none.
    """

    partners: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    source_rarity: Mapping[str, float] = field(default_factory=dict)
    target_rarity: Mapping[str, float] = field(default_factory=dict)


def learn(pairs: Sequence[Pair], links: Sequence[Links]) -> Lexicon:
    """The lexicon of sentence pairs and their links, a line each."""
    together: Counter[tuple[str, str]] = Counter()
    linked: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    sentences: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for (first, second), line in zip(pairs, links, strict=True):
        sides = [stem(word) for word in first], [stem(word) for word in second]
        for seen, side in zip(sentences, sides, strict=True):
            seen.update(set(side))
        for i, j in line:
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
    return Lexicon(partners, rarity[0], rarity[1])


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
    sides = [stem(word) for word in source], [stem(word) for word in target]
    linked = np.zeros((len(source), len(target)))
    if links:
        rows, columns = zip(*links, strict=True)
        linked[list(rows), list(columns)] = 1
    evident = LINKED * linked
    places: dict[str, list[int]] = {}
    for j, word in enumerate(sides[1]):
        places.setdefault(word, []).append(j)
    for i, word in enumerate(sides[0]):
        for partner, share in lexicon.partners.get(word, {}).items():
            for j in places.get(partner, ()):
                evident[i, j] = max(evident[i, j], share)
    signs = np.array([_sign(word) for word in source]), np.array([_sign(word) for word in target])
    spelled: dict[str, list[int]] = {}
    for j, word in enumerate(target):
        if not signs[1][j]:
            spelled.setdefault(_plain(word), []).append(j)
    for i, word in enumerate(source):
        if not signs[0][i]:
            for j in spelled.get(_plain(word), ()):
                evident[i, j] = 1
    return Evidence(
        linked,
        evident,
        signs,
        (
            np.array([lexicon.source_rarity.get(word, 1.0) for word in sides[0]]),
            np.array([lexicon.target_rarity.get(word, 1.0) for word in sides[1]]),
        ),
        (np.array([len(word) for word in source]), np.array([len(word) for word in target])),
    )


def _sign(word: str) -> float:
    return 0.0 if any(sign.isalnum() for sign in word) else 1.0


def _plain(word: str) -> str:
    """A word for comparison across scripts: small letters, digits of any script as digits."""
    return stem(word) if any(sign.isdigit() for sign in word) else word.lower()


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


def candidates(words: int, answer: int) -> tuple[Array, Array]:
    """Every span [first, last) of so many words that may be an answer of `answer` words, as two arrays."""
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


def doubts(seen: Evidence, inside: Array, first: Array, last: Array, scores: Array) -> tuple[int, Array]:
    """The number of the best span, and what tells how sure it is (the inputs of CALIBRATION)."""
    best = int(scores.argmax())
    chances = np.exp(scores - scores[best])
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
    """The span of target words that best translates the source words with the numbers `inside` (ascending)."""
    first, last = candidates(seen.linked.shape[1], len(inside))
    scores = features(seen, inside, first, last) @ np.array(WEIGHTS)
    best, found = doubts(seen, inside, first, last, scores)
    certain = 1 / (1 + math.exp(-float(found @ np.array(CALIBRATION))))
    return Projected(int(first[best]), int(last[best]), certain)
