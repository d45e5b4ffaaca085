"""Find an answer again in the translation of its context: exact offsets, a method and a confidence for each.

Where the translation of a sentence is the sentence itself, offsets carry over.  Elsewhere the answer is looked for in
the translation of its own sentence, never before or after:

  exact        the answer's own translation, or its text where names and numbers stay as they are, stands there
  normalised   it does, spelled or composed otherwise (see folding)
  inflected    it begins a word there that goes on with a suffix
  links        the words linked with the answer's words show where it is (see projection)
  sentence     nothing is known of any word of the sentence: the whole of it

Where it stands several times, links and then its place decide.  What is found by text and by links is sure; what only
one of them says, less.  MuCoT's published search (Kumar et al. 2022) takes the first exact match in a sentence that it
counts wrongly, and drops the record if there is none; nothing is dropped here.
"""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from workflow_scripts.augment.folding import Span, find, fold, unspaced, widened
from workflow_scripts.augment.projection import FAINT, Evidence, Lexicon, evidence, joined, project
from workflow_scripts.joined import NO_JOINS
from workflow_scripts.pairs import Links
from workflow_scripts.recipes.relocation import Label
from workflow_scripts.words import WORD

# How often what was found is right but for a word or two (F1 of 0.8 with the gold span).  In five languages, 0.96 of
# what text and links show; 22 of 23 of what text shows where links say otherwise, too few to be taken at their word.
AGREED, ALONE, ONLY_SENTENCE = 0.96, 0.8, 0.05
OPEN_EDGE = (
    0.75  # of that is left for each edge that no blank, sign or other script shows; measured without blanks
)
HIGH, MEDIUM = 0.86, 0.6
ALIKE = 0.6  # least share of characters that two spellings of a name have in common
SHORTEST = 3  # characters of an answer that is looked for at the beginning of words
NOTHING_KNOWN = Lexicon()


@dataclass(frozen=True)
class Segment:
    """A stretch of the source text and the stretch of the target text that translates it, in characters."""

    source: Span
    target: Span


@dataclass(frozen=True)
class Found:
    """Where an answer stands in the target text, how it was found, and the chance that this is right (0 to 1)."""

    start: int
    end: int
    method: str
    confidence: float


def label(confidence: float, method: str) -> Label:
    """In words, how sure a place is."""
    if method == "sentence":
        return "sentence"
    return "high" if confidence >= HIGH else "medium" if confidence >= MEDIUM else "low"


def relocate(
    source: str,
    answer: Span,
    target: str,
    segments: Sequence[Segment],
    links: Sequence[Links],
    translated: str | None = None,
    lexicon: Lexicon = NOTHING_KNOWN,
) -> Found:
    """Where the answer [start, end) of `source` stands in `target`.

    segments: in the order of both texts, disjoint; links: of each segment, (i, j) for word i of its source and word j
    of its target as `words` counts them, or empty; translated: the answer translated by itself, if it was; lexicon:
    what the links of the whole corpus say.

    Raises ValueError where the answer is not a span of the source with more than blanks in it, or the target is blank.
    """
    if not (0 <= answer[0] < answer[1] <= len(source) and source[slice(*answer)].strip()):
        raise ValueError(f"[{answer[0]}, {answer[1]}) is no answer in a text of {len(source)} characters")
    if not target.strip() or not segments:
        raise ValueError("there is no translation to look in")
    first, last = touched(source, answer, segments)
    begin, end = segments[first].source[0], segments[last].source[1]
    low, high = segments[first].target[0], segments[last].target[1]
    wanted, there = source[begin:end], target[low:high]
    if wanted == there and begin <= answer[0] and answer[1] <= end:
        return Found(low + answer[0] - begin, low + answer[1] - begin, "exact", 1.0)
    if not there.strip():
        low, high = _nearest(target, segments, first)
        return Found(*_trimmed(target, low, high), "sentence", ONLY_SENTENCE)
    inside = (max(answer[0], begin) - begin, min(answer[1], end) - begin)
    held = slice(first, last + 1)
    known = gather(wanted, inside, there, segments[held], links[held], translated, lexicon)
    projected = _project(known, there) if known else None
    place = sum(inside) / 2 / len(wanted)
    for method, text in _searches((translated or "").strip(), _travelling(wanted[slice(*inside)])):
        if found := find(there, text, method != "exact", method == "inflected"):
            off = [abs(sum(span) / 2 / len(there) - place) for span in found]
            span = min(zip(found, off, strict=True), key=lambda one: (-_common(one[0], projected), one[1]))[0]
            agreed = projected is not None and _common(span, projected) >= 0.5
            return Found(low + span[0], low + span[1], method, AGREED if agreed else ALONE)
    if projected is None:
        return Found(*_trimmed(target, low, high), "sentence", ONLY_SENTENCE)
    return Found(low + projected[0], low + projected[1], "links", projected[2])


def touched(source: str, answer: Span, segments: Sequence[Segment]) -> tuple[int, int]:
    """The first and the last segment that hold a character of the answer other than blanks; else the nearest one."""
    text = source[slice(*answer)]
    start = answer[0] + len(text) - len(text.lstrip())
    end = answer[1] - len(text) + len(text.rstrip())
    first = bisect.bisect_right(segments, start, key=lambda segment: segment.source[1])
    last = bisect.bisect_left(segments, end, key=lambda segment: segment.source[0]) - 1
    if first > last:  # between two segments
        first = last = min(max(last, 0), len(segments) - 1)
    return first, last


def _nearest(target: str, segments: Sequence[Segment], number: int) -> Span:
    """The stretch of target text nearest to a segment whose own is blank."""
    order = sorted(range(len(segments)), key=lambda other: abs(other - number))
    spans = (segments[other].target for other in order)
    return next((span for span in spans if target[slice(*span)].strip()), (0, len(target)))


def _trimmed(target: str, low: int, high: int) -> Span:
    text = target[low:high]
    return low + len(text) - len(text.lstrip()), high - len(text) + len(text.rstrip())


def _travelling(text: str) -> str | None:
    """The answer's own text where it may stand in a translation as it is: with a digit, or a name with a capital."""
    text = text.strip()
    return text if len(text) > 1 and any(sign.isdigit() or sign.isupper() for sign in text) else None


def _searches(translated: str, travelling: str | None) -> Iterator[tuple[str, str]]:
    """(method, text) of what to look for, the surest first."""
    texts = [text for text in dict.fromkeys((translated, travelling)) if text]
    yield from ((method, text) for text in texts for method in ("exact", "normalised"))
    if len(translated) >= SHORTEST:
        yield "inflected", translated


def _common(span: Span, projected: tuple[int, int, float] | None) -> float:
    """F1 of two spans in characters; 0 without a second one."""
    if projected is None:
        return 0.0
    common = max(0, min(span[1], projected[1]) - max(span[0], projected[0]))
    return 2 * common / (span[1] - span[0] + projected[1] - projected[0])


@dataclass(frozen=True)
class Known:
    """Evidence of the words of a stretch of text, the numbers of the answer's, and the target's words in characters."""

    seen: Evidence
    inside: list[int]
    words: list[Span]


def gather(
    wanted: str,
    inside: Span,
    there: str,
    segments: Sequence[Segment],
    links: Sequence[Links],
    translated: str | None,
    lexicon: Lexicon,
) -> Known | None:
    """What is known of the words of `wanted`, the answer's `inside` it, and of `there`; None if nothing."""
    sides, lines = _words(wanted, there, segments, links, lexicon)
    mine = [number for number, (start, end) in enumerate(sides[0]) if start < inside[1] and end > inside[0]]
    if not mine or not sides[1]:
        return None
    words = [there[start:end] for start, end in sides[1]]
    seen = evidence([wanted[start:end] for start, end in sides[0]], words, lines, lexicon)
    if translated:
        _add_translation(seen, mine, words, translated)
    return Known(seen, mine, sides[1]) if (seen.evident > FAINT).any() else None


def _project(known: Known, there: str) -> tuple[int, int, float]:
    """[start, end) in characters of `there`, and the confidence."""
    best = project(known.seen, np.array(known.inside))
    span = widened(there, known.words[best.first][0], known.words[best.last - 1][1])
    unsure = sum(unspaced(there, place) for place in span)
    return *span, best.confidence * OPEN_EDGE**unsure


def _words(
    wanted: str, there: str, segments: Sequence[Segment], links: Sequence[Links], lexicon: Lexicon
) -> tuple[list[list[Span]], Links]:
    """The words of several segments in characters of `wanted` and `there`, and their links counted in all of these.

    Words are those of each segment, as its links count them, since two segments may touch where one longer word would
    be read; characters that belong together are one.
    """
    sides: list[list[Span]] = [[], []]
    found: Links = []
    unjoined = all(joins is NO_JOINS for joins in lexicon.joins)
    for segment, line in zip(segments, links, strict=True):
        before = [len(side) for side in sides]
        groups: list[list[range]] = []
        for side, text, span, origin, joins in (
            (sides[0], wanted, segment.source, segments[0].source[0], lexicon.joins[0]),
            (sides[1], there, segment.target, segments[0].target[0], lexicon.joins[1]),
        ):
            words = [word.span() for word in WORD.finditer(text, span[0] - origin, span[1] - origin)]
            if unjoined:
                side += words
                continue
            groups.append(joins.groups([text[start:end] for start, end in words]))
            side += [(words[one.start][0], words[one.stop - 1][1]) for one in groups[-1]]
        found += [(before[0] + i, before[1] + j) for i, j in (line if unjoined else joined(line, groups))]
    return sides, found


def _add_translation(seen: Evidence, mine: Sequence[int], words: Sequence[str], translated: str) -> None:
    """Note which words of the target are, or are spelled like, words of the answer's own translation.

    Each counts as evidence for the answer's word at the same place: which word translates which is not known.
    """
    known = [word for word in WORD.findall(translated) if any(sign.isalnum() for sign in word)]
    if not known:
        return
    told, there = ([fold(word)[0] for word in some] for some in (known, words))
    alike = process.cdist(told, there, scorer=Levenshtein.normalized_similarity, score_cutoff=ALIKE)
    alike[:, seen.signs[1] > 0] = 0
    for number, row in enumerate(alike):
        i = mine[min(number * len(mine) // len(known), len(mine) - 1)]
        np.maximum(seen.evident[i], row, out=seen.evident[i])
