"""How well are answers found again in a human translation, and how fast?

    python -m benchmarks.relocation --xquad DIR [--languages ar hi es de el] [--moses DIR] [--fit]

XQuAD's paragraphs and answers were translated from English by people, who marked each answer in the translation.  Here
its English answers are projected into the other languages: sentences are paired by their lengths, their words and those
of the questions linked by fast_align (nothing but these texts is learned from, no marked answer, no trained weights),
and every answer is relocated without a translation of its own.  Printed for each language: token F1 and exact match
with the marked answer, by SQuAD's rules; how often the span is the marked one to the character; how many records have a
span (coverage); for every label its share of the records, its F1, and how many of its records have F1 of 0.8 or more.
With --moses, the same with links learned from other sentence pairs as well (`xx-en.xx`, `xx-en.en` in that folder).

Peer: the span from the first to the last word that is linked with the answer's words, from the same links.  Speed:
relocations a second on one core, in contexts of at least 2,000 characters, links given.

--fit prints the constants of workflow_scripts/augment/weights.py, fitted to the languages given, and beside it what
each language scores with the constants fitted to the others.
"""

import argparse
import collections
import json
import math
import re
import string
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workflow_scripts.acquire.squad import paragraphs
from workflow_scripts.align.statistical import link
from workflow_scripts.augment import projection
from workflow_scripts.augment.projection import Array, Evidence, Lexicon, learn
from workflow_scripts.augment.relocate import Found, Segment, gather, label, relocate, touched
from workflow_scripts.augment.sentences import split
from workflow_scripts.cli import InputError, run
from workflow_scripts.files import read_lines
from workflow_scripts.pairs import Links, Pair
from workflow_scripts.recipes.links import Links as Recipe
from workflow_scripts.recipes.relocation import LABELS
from workflow_scripts.words import WORD, words

Span = tuple[int, int]
SHARPNESS = 6  # how much more a span with F1 of 1 is worth than one with less, when fitting
UNSTOPPED = ("km", "lo", "my", "th")  # written without stops: sentences, and parts of them, end with a blank
RIGHT = 0.8  # F1 from which a span counts as right but for a word or two


@dataclass(frozen=True)
class Record:
    """An English answer and the marked one in the other language, in contexts paired sentence by sentence."""

    source: str
    answer: Span
    target: str
    gold: Span
    segments: list[Segment]
    links: list[Links]


def normalised(text: str) -> list[str]:
    """The words that SQuAD's evaluation compares: no case, punctuation or English articles."""
    kept = "".join(sign for sign in text.lower() if sign not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", kept).split()


def token_f1(found: str, gold: str) -> float:
    """SQuAD's F1 of two answers."""
    ours, theirs = normalised(found), normalised(gold)
    common = sum((collections.Counter(ours) & collections.Counter(theirs)).values())
    return 2 * common / (len(ours) + len(theirs)) if common else float(ours == theirs)


def pair_sentences(
    source: Sequence[int], target: Sequence[int], ratio: float, stretches: bool = False
) -> list[tuple[Span, Span]]:
    """Which sentences translate which, by their lengths in characters (Gale & Church 1993).

    Returns pairs of [first, last) in both, together all sentences; `ratio` is the target's characters for one of the
    source's.  One to one is cheapest; one to four and two to three are the most that is thought of.  With `stretches`,
    the target's are parts of sentences, of which one holds any number.
    """
    penalty = {(1, 1): 0.0, (1, 2): 2.3, (2, 1): 2.3, (2, 2): 4.0, (1, 3): 4.0, (3, 1): 4.0}
    penalty |= {(2, 3): 5.0, (3, 2): 5.0, (1, 4): 6.0, (4, 1): 6.0}
    if stretches:
        penalty = {(a, b): 4.0 * (a - 1) for a in (1, 2, 3) for b in range(1, len(target) + 1)}
    best: dict[Span, tuple[float, Span]] = {(0, 0): (0.0, (0, 0))}
    for i in range(len(source) + 1):
        for j in range(len(target) + 1):
            if (i, j) not in best:
                continue
            for (a, b), cost in penalty.items():
                if i + a > len(source) or j + b > len(target):
                    continue
                expected, found = sum(source[i : i + a]) * ratio, sum(target[j : j + b])
                off = (found - expected) ** 2 / (6.8 * max((expected + found) / 2, 1))
                total = best[i, j][0] + cost + off / 2
                if total < best.get((i + a, j + b), (math.inf,))[0]:
                    best[i + a, j + b] = (total, (i, j))
    here = (len(source), len(target))
    if here not in best:
        return [((0, here[0]), (0, here[1]))]
    path = []
    while here != (0, 0):
        before = best[here][1]
        path.append(((before[0], here[0]), (before[1], here[1])))
        here = before
    return path[::-1]


Paragraph = dict[str, Any]


def read_xquad(folder: Path, code: str) -> Iterator[tuple[Paragraph, Paragraph]]:
    """The paragraphs of XQuAD in English and in a language, with the questions that both have an answer to.

    A question has the same id in both.  Raises InputError where the files have no question in common.
    """
    english, other = (
        [paragraph for _, paragraph in paragraphs(str(folder / f"xquad.{one}.json"))] for one in ("en", code)
    )
    known = {item["id"]: (paragraph, item) for paragraph in english for item in paragraph["qas"]}
    shared = False
    for two in other:
        items = [item for item in two["qas"] if item["id"] in known]
        both = [(known[item["id"]][1], item) for item in items]
        both = [pair for pair in both if all(item["answers"] for item in pair)]
        if both:
            shared = True
            one = known[both[0][1]["id"]][0]
            yield {**one, "qas": [item for item, _ in both]}, {**two, "qas": [item for _, item in both]}
    if not shared:
        raise InputError(
            f"{folder}/xquad.{code}.json: none of its questions has the id of one in xquad.en.json; files of one"
            " edition of XQuAD are needed"
        )


def marked(answer: dict[str, Any]) -> Span:
    """The characters of a SQuAD-format answer."""
    return answer["answer_start"], answer["answer_start"] + len(answer["text"])


def read(folder: Path, code: str, moses: Path | None) -> tuple[list[Record], Lexicon]:
    """XQuAD's answers in English and in a language, in linked contexts, and what the links say of words."""
    english, other = zip(*read_xquad(folder, code), strict=True)
    ratio = sum(len(p["context"]) for p in other) / sum(len(p["context"]) for p in english)
    aligned: list[list[Segment]] = []
    pairs: list[Pair] = []
    for one, two in zip(english, other, strict=True):
        spans = split(one["context"], "en"), split(two["context"], code)
        if code in UNSTOPPED:
            spans = spans[0], [found.span() for found in re.finditer(r"\S+", two["context"])]
        lengths = [[end - start for start, end in side] for side in spans]
        segments = []
        for (a, b), (c, d) in pair_sentences(lengths[0], lengths[1], ratio, code in UNSTOPPED):
            segment = Segment((spans[0][a][0], spans[0][b - 1][1]), (spans[1][c][0], spans[1][d - 1][1]))
            segments.append(segment)
            pairs.append(
                (words(one["context"][slice(*segment.source)]), words(two["context"][slice(*segment.target)]))
            )
        aligned.append(segments)
    for one, two in zip(english, other, strict=True):
        pairs += [
            (words(a["question"]), words(b["question"])) for a, b in zip(one["qas"], two["qas"], strict=True)
        ]
    if moses is not None:
        sides = [read_lines(moses / f"{code}-en.{end}") for end in ("en", code)]
        more = [(words(a), words(b)) for a, b in zip(*sides, strict=True)]
        pairs += [pair for pair in more if pair[0] and pair[1] and max(map(len, pair)) <= 64]
    links = link(pairs, Recipe(stems=True))
    lexicon = learn(pairs, links)
    records = []
    at = 0
    for one, two, segments in zip(english, other, aligned, strict=True):
        lines = links[at : at + len(segments)]
        at += len(segments)
        for a, b in zip(one["qas"], two["qas"], strict=True):
            answer, gold = marked(a["answers"][0]), marked(b["answers"][0])
            records.append(Record(one["context"], answer, two["context"], gold, segments, lines))
    return records, lexicon


def naive(record: Record) -> str:
    """The peer's answer: from the first to the last linked word; empty where no word of the answer is linked."""
    for segment, line in zip(record.segments, record.links, strict=True):
        begin, end = segment.source
        if begin <= record.answer[0] < end:
            sides = [
                [(found.start() + at, found.end() + at) for found in WORD.finditer(text)]
                for text, at in (
                    (record.source[begin:end], begin),
                    (record.target[slice(*segment.target)], segment.target[0]),
                )
            ]
            touched = [
                sides[1][j]
                for i, j in line
                if sides[0][i][0] < record.answer[1] and sides[0][i][1] > record.answer[0]
            ]
            return record.target[min(touched)[0] : max(touched)[1]] if touched else ""
    return ""


def relocated(record: Record, lexicon: Lexicon) -> Found:
    """Where the answer is found again."""
    return relocate(
        record.source, record.answer, record.target, record.segments, record.links, lexicon=lexicon
    )


def figures(records: Sequence[Record], lexicon: Lexicon) -> dict[str, Any]:
    """What is printed of a language."""
    scores: dict[str, list[float]] = {name: [] for name in LABELS}
    methods: dict[str, list[float]] = {}
    exact = same = 0
    peer = 0.0
    for record in records:
        found = relocated(record, lexicon)
        gold = record.target[slice(*record.gold)]
        text = record.target[found.start : found.end]
        score = token_f1(text, gold)
        scores[label(found.confidence, found.method)].append(score)
        methods.setdefault(found.method, []).append(score)
        exact += normalised(text) == normalised(gold)
        same += (found.start, found.end) == record.gold
        peer += token_f1(naive(record), gold)
    every = [score for found in scores.values() for score in found]
    return {
        "f1": round(sum(every) / len(records), 4),
        "em": round(exact / len(records), 4),
        "same_span": round(same / len(records), 4),
        "coverage": len(every) / len(records),
        "peer_f1": round(peer / len(records), 4),
        "labels": {name: told(scores[name], len(records)) for name in reversed(LABELS)},
        "methods": {name: told(found, len(records)) for name, found in methods.items()},
    }


def told(scores: Sequence[float], total: int) -> dict[str, float | None]:
    """Share of all records, mean F1, and share of these with F1 of RIGHT or more."""
    right = sum(score >= RIGHT for score in scores)
    return {
        "share": round(len(scores) / total, 4),
        "f1": round(sum(scores) / len(scores), 4) if scores else None,
        "right": round(right / len(scores), 4) if scores else None,
    }


def speed(records: Sequence[Record], lexicon: Lexicon, repeat: int = 3) -> float:
    """Relocations a CPU second in contexts of at least 2,000 characters: as many paragraphs as it takes in one."""
    long: list[Record] = []
    for number in range(len(records)):
        source, target, segments, links = "", "", [], []
        for other in [records[number], *records[number + 1 :]]:
            if other.source in source:
                continue
            at = len(source), len(target)
            segments += [
                Segment(
                    (one.source[0] + at[0], one.source[1] + at[0]),
                    (one.target[0] + at[1], one.target[1] + at[1]),
                )
                for one in other.segments
            ]
            links += other.links
            source, target = source + other.source + "\n", target + other.target + "\n"
            if len(source) >= 2000:
                break
        long.append(Record(source, records[number].answer, target, records[number].gold, segments, links))
    rates = []
    for _ in range(repeat):
        began = time.process_time()
        for record in long:
            relocated(record, lexicon)
        rates.append(len(long) / (time.process_time() - began))
    return sorted(rates)[repeat // 2]


# Fitting


@dataclass(frozen=True)
class Example:
    """A record's candidate spans, [spans] first and last, [spans, FEATURES], and each one's F1 with the marked one."""

    seen: Evidence
    inside: Array
    first: Array
    last: Array
    features: Array
    right: Array


def examples(records: Sequence[Record], lexicon: Lexicon) -> list[Example]:
    """The candidate spans of each record whose marked answer lies in the sentences that translate its own."""
    found = []
    for record in records:
        low, high = touched(record.source, record.answer, record.segments)
        held = record.segments[low : high + 1]
        source = (held[0].source[0], held[-1].source[1])
        target = (held[0].target[0], held[-1].target[1])
        if not (target[0] <= record.gold[0] and record.gold[1] <= target[1]):
            continue
        inside = (max(record.answer[0], source[0]) - source[0], min(record.answer[1], source[1]) - source[0])
        there = record.target[slice(*target)]
        lines = record.links[low : high + 1]
        known = gather(record.source[slice(*source)], inside, there, held, lines, None, lexicon)
        if known is None:
            continue
        gold = [
            number
            for number, (start, end) in enumerate(known.words)
            if start + target[0] < record.gold[1] and end + target[0] > record.gold[0]
        ]
        mine = np.array(known.inside)
        first, last = projection.candidates(len(known.words), len(mine))
        matrix = projection.features(known.seen, mine, first, last)
        right = projection.overlap(first, last, gold[0], gold[-1] + 1)
        found.append(Example(known.seen, mine, first, last, matrix, right))
    return found


def fit(given: Sequence[Example]) -> tuple[Array, Array]:
    """(WEIGHTS, CALIBRATION) that suit the examples.

    The weights make the marked span, or else those that overlap it most, the likeliest among the candidates (softmax of
    their scores); the calibration is a logistic regression of "F1 of RIGHT or more" on what `doubts` tells.
    """
    torch.manual_seed(0)
    matrix = torch.tensor(np.concatenate([one.features for one in given]), dtype=torch.float32)
    owner = torch.tensor(np.concatenate([np.full(len(one.first), n) for n, one in enumerate(given)]))
    worth = torch.tensor(np.concatenate([one.right for one in given]), dtype=torch.float32) ** SHARPNESS
    wanted = worth / torch.zeros(len(given)).index_add_(0, owner, worth).clamp_min(1e-9)[owner]
    spread = matrix.std(0) + 1e-6
    scaled = matrix / spread
    weights = torch.zeros(scaled.shape[1], requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=0.05)
    for _ in range(200):
        scores = scaled @ weights
        most = torch.full((len(given),), -1e9).scatter_reduce(0, owner, scores.detach(), "amax")
        total = torch.zeros(len(given)).index_add_(0, owner, (scores - most[owner]).exp()).log() + most
        loss = -(wanted * (scores - total[owner])).sum() / len(given) + 1e-4 * weights.square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = (weights / spread).detach().numpy().astype(float)
    noted = [
        projection.doubts(one.seen, one.inside, one.first, one.last, one.features @ found) for one in given
    ]
    right = torch.tensor(
        [float(one.right[best] >= RIGHT) for one, (best, _) in zip(given, noted, strict=True)]
    )
    told = torch.tensor(np.stack([values for _, values in noted]), dtype=torch.float32)
    certain = torch.zeros(told.shape[1], requires_grad=True)
    optimiser = torch.optim.Adam([certain], lr=0.05)
    for _ in range(2000):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(told @ certain, right)
        loss = loss + 1e-4 * certain.square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return found, certain.detach().numpy().astype(float)


def show(code: str, found: dict[str, Any]) -> None:
    """A language's row of the table, and those of its labels."""
    print(
        f"{code:4} F1 {found['f1']:.3f}  EM {found['em']:.3f}  same span {found['same_span']:.3f}"
        f"  coverage {found['coverage']:.2%}  peer's F1 {found['peer_f1']:.3f}"
    )
    for kind in ("labels", "methods"):
        for name, row in found[kind].items():
            if row["share"]:
                print(f"       {name:11} {row['share']:7.2%}  F1 {row['f1']:.3f}  right {row['right']:.3f}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--xquad", type=Path, required=True, help="folder of xquad.xx.json, xquad.en.json among them"
    )
    parser.add_argument("--languages", nargs="+", default=["ar", "hi", "es", "de", "el"], help="codes")
    parser.add_argument("--moses", type=Path, help="folder of further sentence pairs, xx-en.xx and xx-en.en")
    parser.add_argument("--fit", action="store_true", help="fit the constants anew and print them")
    given = parser.parse_args()
    data = {code: read(given.xquad, code, None) for code in given.languages}
    if given.fit:
        fitted = {code: examples(*data[code]) for code in given.languages}
        for code in given.languages if len(fitted) > 1 else ():
            rest = [one for other in given.languages if other != code for one in fitted[other]]
            projection.WEIGHTS, projection.CALIBRATION = map(tuple, fit(rest))
            print("constants fitted to the other languages:")
            show(code, figures(*data[code]))
        projection.WEIGHTS, projection.CALIBRATION = map(
            tuple, fit([one for some in fitted.values() for one in some])
        )
        for name, value in zip(projection.FEATURES, projection.WEIGHTS, strict=True):
            print(f"    {value:.4g},  # {name}")
        for value in projection.CALIBRATION:
            print(f"    {value:.4g},")
        print("constants fitted to all:")
    results = {}
    for code, (records, lexicon) in data.items():
        results[code] = figures(records, lexicon)
        show(code, results[code])
    more = {}
    if given.moses:
        for code in given.languages:
            more[code] = figures(*read(given.xquad, code, given.moses))
            print("with further sentence pairs:")
            show(code, more[code])
    code = given.languages[0]
    rate = speed(*data[code])
    print(f"{rate:.0f} relocations a second on one core in contexts of 2,000 characters and more ({code})")
    mean, peer = (sum(row[key] for row in results.values()) / len(results) for key in ("f1", "peer_f1"))
    summary = {
        "name": "relocation",
        "ours": round(mean, 4),
        "peer": round(peer, 4),
        "unit": "token F1",
        "ratio": round(mean / peer, 3),
        "languages": results,
        "with_moses": more,
        "relocations_per_second": round(rate),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    run(main)
