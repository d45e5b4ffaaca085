"""Search that looks through spelling: a text in a plain form, and where each of its characters came from.

Left out: how characters are composed (NFKD), nuktas, vowel points and strokes that a script may leave out, zero-width
joiners and other format characters, case, runs of blanks.  Made alike: digits of all scripts, with or without commas,
the forms of Arabic alef, yeh, kaf and heh, i with and without a dot, Russian's e, Romanian's comma below and cedilla,
quotation marks, dashes, full stops and dandas.
"""

import functools
import unicodedata
from collections.abc import Iterator

import regex

from workflow_scripts.words import SINGLE

CLUSTER = regex.compile(r"\X")
OPTIONAL = regex.compile(
    r"[\p{Cf}\u0591-\u05C7\u0610-\u061A\u0640\u064B-\u065F\u0670\u093C\u09BC\u0A3C\u0ABC\u0B3C\u0CBC]"
)
ALIKE = {
    **dict.fromkeys("أإآٱ", "ا"),
    **dict.fromkeys("یىئ", "ي"),
    **dict.fromkeys("ةہھ", "ه"),
    "ک": "ك",
    **dict.fromkeys("‘’‚‛`´ʼ′", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒–—−", "-"),
    **dict.fromkeys("।॥。۔።", "."),
    **dict.fromkeys("،、٬", ","),
    **dict.fromkeys("İIı", "i"),  # Turkish has two, whose capitals other languages' rules confuse
    **dict.fromkeys("Ёё", "е"),  # as most Russian texts write it
    "\u0326": "\u0327",  # Romanian's comma below, for which a cedilla stands in older texts
    "؛": ";",
    "؟": "?",
}
Span = tuple[int, int]


class _Plain(dict[str, str]):
    """What each character becomes, possibly nothing or several; worked out when first asked for."""

    def __missing__(self, sign: str) -> str:
        if sign.isspace():
            self[sign] = " "
        elif (value := unicodedata.digit(sign, None)) is not None:
            self[sign] = str(value)
        else:
            parts = unicodedata.normalize("NFKD", ALIKE.get(sign, sign)).casefold()
            self[sign] = "".join(ALIKE.get(part, part) for part in parts if not OPTIONAL.match(part))
        return self[sign]


PLAIN = _Plain()
DOTTED = {"\u0307": "i", "\u0308": "е"}  # marks, and the letters that are the same without them, as in ALIKE
GAPS = str.maketrans("", "", " ," + "".join(DOTTED))


def _rough(text: str) -> str:
    """The plain form less blanks, commas and dots, which is quickly made: what is not in it need not be looked for."""
    return "".join(map(PLAIN.__getitem__, text)).translate(GAPS)


@functools.lru_cache(maxsize=1 << 8)
def fold(text: str) -> tuple[str, tuple[int, ...]]:
    """The plain form of a text, and for each of its characters the number of the one in `text` that it comes from."""
    signs: list[str] = []
    origins: list[int] = []
    for at, sign in enumerate(text):
        parts = PLAIN[sign]
        if parts == " " and signs and signs[-1] == " ":
            continue
        if parts == "," and 0 < at < len(text) - 1 and text[at - 1].isdigit() and text[at + 1].isdigit():
            continue
        if parts in DOTTED and signs and signs[-1] == DOTTED[parts]:
            continue
        signs += parts
        origins += [at] * len(parts)
    return "".join(signs), tuple(origins)


def find(text: str, wanted: str, folded: bool, inflected: bool = False) -> list[Span]:
    """Where `wanted` stands in `text` between word edges, in characters, in order.

    `folded`: in their plain forms; `inflected`: it begins with a word, but may end within one, before a suffix.

    A span never begins or ends inside what a reader takes for one character (a grapheme cluster).
    """
    if not folded:
        whole, origins = text, None
    elif _rough(wanted) not in _rough(text):
        return []
    else:
        whole, origins = fold(text)
        wanted = fold(wanted)[0].strip()
    if not wanted:
        return []
    borders: set[int] | None = None
    found = []
    for at in _occurrences(whole, wanted):
        start, end = at, at + len(wanted)
        if origins is not None:
            start, end = origins[at], origins[end - 1] + 1
        if borders is None:
            borders = {0, *(cluster.end() for cluster in CLUSTER.finditer(text))}
        if origins is not None:
            while end not in borders:  # a sign that the plain form leaves out belongs to the last character
                end += 1
        if start in borders and end in borders and edge(text, start) and (inflected or edge(text, end)):
            found.append((start, end))
    return found


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)


def edge(text: str, place: int) -> bool:
    """Whether a word may begin or end at a place: not between two letters, digits or marks of a script with blanks."""
    if not 0 < place < len(text):
        return True
    before, after = text[place - 1], text[place]
    if SINGLE.match(before) or SINGLE.match(after):
        return True
    return not (_inside(before) and _inside(after))


def unspaced(text: str, place: int) -> bool:
    """Whether a place is between two characters of scripts without blanks, where nothing shows a word's edge."""
    return 0 < place < len(text) and all(map(SINGLE.match, text[place - 1 : place + 1]))


def _inside(sign: str) -> bool:
    return sign.isalnum() or unicodedata.category(sign)[0] == "M" or sign in "\u200c\u200d"


def widened(text: str, start: int, end: int) -> Span:
    """A span widened to whole grapheme clusters."""
    while 0 < start < len(text) and not _border(text, start):
        start -= 1
    while 0 < end < len(text) and not _border(text, end):
        end += 1
    return start, end


def _border(text: str, place: int) -> bool:
    """Whether two clusters meet at a place inside a text; what decides stands within 32 characters before it."""
    before, after = text[place - 1], text[place]
    if max(before, after) < "\u0d00" and " " in (before, after) and (before.isalnum() or after.isalnum()):
        return True  # most are; some letters of later scripts join a blank
    begin = max(0, place - 32)
    return any(cluster.end() == place - begin for cluster in CLUSTER.finditer(text[begin : place + 1]))
