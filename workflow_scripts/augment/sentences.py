"""Sentences as intervals of a text, so that what is made of each can be put together again without losing a character.

Translators take sentences; answers are marked in characters of the whole text.  Therefore nothing is stripped or joined
here: `split` tells where sentences begin and end.  Blanks between sentences belong to none, and every other character
to exactly one.

A sentence ends at a line break; after a stop of its own script (। 。 ؟ ۔ ። ។ …) and after . ! ? before a blank, unless
the stop belongs to an abbreviation, an initial or an ordinal, or a lower-case letter follows.  Closing quotes, brackets
and footnote marks ("…war.[3]") stay with it.  Where these rules are in doubt, they do not cut: two sentences in one
translate well, half a one does not.
"""

import bisect
import itertools
import re
import unicodedata

import regex

from workflow_scripts.augment.abbreviations import ABBREVIATIONS, LATIN, ORDINAL_STOPS
from workflow_scripts.corpus import Document

Span = tuple[int, int]  # characters, end exclusive

LONGEST = 2000  # characters; what translators take at once is limited, by 512 pieces or so
_LINE = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_AFTER = r"""["'”“’»›)\]}」』】〉》）｣\u200e\u200f]*(?:\[[^\[\]\s]{1,12}\])*"""
_STOPS = "。！？｡．।॥؟۔։׃܀܁܂።፧፨။។៕᠃᠉꓿\u037e\U00011fff"
_ENDS = (
    rf"(?P<line>[{_LINE}]+)|(?P<own>[{_STOPS}]+[{_STOPS}.!?…]*{_AFTER})|(?P<stop>[.!?…MORE]+{_AFTER})(?=\s|$)"
)
ENDS = re.compile(_ENDS.replace("MORE", ""))
GREEK_ENDS = re.compile(_ENDS.replace("MORE", ";"))  # a Greek question ends so
NEXT = re.compile(r"""[\s"'“‘«‹(\[{„‚¿¡\-–—]*(.?)""")
# "J", "U.S", "ई.पू"; a Han character or a Hangul syllable is no initial
INITIAL = regex.compile(
    r"(?:.*[.\-])?(?![\p{Han}\p{Hangul}\p{Hiragana}\p{Katakana}])\p{L}\p{M}*(?:\u200d|\u200c)?"
)
ROMAN = re.compile(r"[IVXLC]+")
CLAUSE = re.compile(r"[,;:،؛、，；：၊፣፤፥](?=\s)|[、，；：]|\s[–—](?=\s)")
CLUSTER = regex.compile(r"\X")


def split(text: str, language: str, longest: int = LONGEST) -> list[Span]:
    """The sentences of a text in a language (its code), in order; none is longer than `longest` characters.

    A longer one is cut after a comma or the like in its last half, else at a blank, else between two characters that a
    reader sees as such.
    """
    spans: list[Span] = []
    start = 0
    for found in (GREEK_ENDS if language == "el" else ENDS).finditer(text):
        if not found["line"] and not _ends(text, start, found, language):
            continue
        _add(spans, text, start, found.end(), longest)
        start = found.end()
    _add(spans, text, start, len(text), longest)
    return spans


def sentences(document: Document) -> list[Span]:
    """The sentences of a document's text, none of which crosses the border of a passage."""
    borders = sorted(
        {0, len(document.text), *(border for passage in document.passages for border in passage)}
    )
    return [
        (begin + start, begin + end)
        for begin, until in itertools.pairwise(borders)
        for start, end in split(document.text[begin:until], document.language)
    ]


def touched(spans: list[Span], span: Span) -> range:
    """Which of some sorted, disjoint spans share a character with `span`."""
    first = bisect.bisect_right(spans, span[0], key=lambda one: one[1])
    return range(first, max(first, bisect.bisect_left(spans, span[1], key=lambda one: one[0])))


def _ends(text: str, start: int, found: re.Match[str], language: str) -> bool:
    """Whether a stop ends the sentence that begins at `start`."""
    if found["own"]:
        # not before a mark that belongs to it, and not where a quotation ends inside a sentence
        after = text[found.end() : found.end() + 1]
        inside = after and not after.isspace() and found["own"][-1] in "\"'”“’»」』)）"
        return not inside and unicodedata.category(after or " ") not in ("Mn", "Mc", "Me", "Cf")
    following = NEXT.match(text, found.end())
    if following is not None and following[1].islower():
        return False
    if found["stop"][0] != "." or found["stop"].startswith(".."):
        return True
    near = text[max(start, found.start() - 40) : found.start()].rsplit(None, 1)
    word = near[-1].lstrip("\"'“‘«‹([{„‚¿¡") if near else ""
    if not word:
        return True
    if word.isdecimal():
        first = len(near) == 1 or not text[start : found.start() - len(word)].strip()
        return not (first or (language in ORDINAL_STOPS and len(word) <= 2))
    if INITIAL.fullmatch(word) or word.casefold() in ABBREVIATIONS.get(language, LATIN):
        return False
    return not (language in ORDINAL_STOPS and ROMAN.fullmatch(word))


def _add(spans: list[Span], text: str, start: int, end: int, longest: int) -> None:
    """Add what stands between two places to `spans`, without the blanks around it and in parts where it is too long."""
    while start < end:
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        until = end if end - start <= longest else _cut(text, start, start + longest)
        if start < until:
            part = until
            while text[part - 1].isspace():
                part -= 1
            spans.append((start, part))
        start = until


def _cut(text: str, start: int, latest: int) -> int:
    """Where to cut a sentence that goes on after `latest`."""
    middle = (start + latest) // 2
    clauses = [found.end() for found in CLAUSE.finditer(text, middle, latest)]
    if clauses:
        return clauses[-1]
    for place in range(latest, middle, -1):
        if text[place - 1].isspace():
            return place
    # the last border between characters as a reader sees them; a single one that is longer than that is cut
    edges = [found.start() for found in CLUSTER.finditer(text, middle, min(latest + 100, len(text)))]
    return max((edge for edge in edges if middle < edge <= latest), default=latest)
