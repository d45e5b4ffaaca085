"""Cut a text that is too long for a translator into parts, where it hurts least."""

from collections.abc import Callable

import regex

# Ever worse places to cut at; a match ends where the next part begins.
BOUNDARIES = tuple(
    regex.compile(pattern)
    for pattern in (
        r"\n+\s*",
        r"[.!?…।॥؟۔。！？]+[\p{Pe}\p{Pf}\"']*\s+|[。！？]+[\p{Pe}\p{Pf}]*",
        r"[,;:،؛、，；：–—]+\s+|[、，；：]+",
        r"\s+",
        r"\X",  # between two grapheme clusters
    )
)


def between_clusters(text: str, place: int) -> bool:
    """Whether a grapheme cluster ends at the place (a combining mark may follow a blank or full stop, too)."""
    found = regex.match(r"\X", text, pos=place - 1)
    return found is not None and found.end() == place


def cut(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Parts that joined give the text again, each of which `fits`, or is one grapheme cluster.

    A text is halved at a line break, else after a sentence, else after a clause, else at a blank, else between grapheme
    clusters: whichever comes first has a place in its middle half, and the place next to the middle is taken.
    """
    if fits(text):
        return [text]
    middle = len(text) // 2
    for boundary in BOUNDARIES:
        last = boundary is BOUNDARIES[-1]
        first, end = (0, len(text)) if last else (len(text) // 4, len(text) - len(text) // 4)
        places = [found.end() for found in boundary.finditer(text, first, end)]
        places = [place for place in places if place < len(text) and between_clusters(text, place)]
        if places:
            place = min(places, key=lambda place: abs(place - middle))
            return cut(text[:place], fits) + cut(text[place:], fits)
    return [text]
