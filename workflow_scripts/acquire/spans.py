"""A context as a document of one passage, and answers in it: where they are said to stand, or found again.

Where the text at the stated place is not the answer, the answer is looked for in the whole context, whatever blanks
stand between its words, however its characters are composed, and with or without invisible ones; it is taken if it
begins at the stated place or is there exactly once.  Files whose places are known to be shifted a little, or whose
answers are in small letters, are looked through with these in mind.
"""

import hashlib
import unicodedata
from collections.abc import Iterator

from workflow_scripts.corpus import Annotation, Document


def context_document(context: str, language: str, title: str = "") -> Document:
    """A context, of which the whole is one passage, named by the digest of its text; `language` is its code."""
    name = hashlib.sha256(context.encode("utf-8")).hexdigest()[:16]
    return Document(name, language, title, "", context, ((0, len(context)),), name)


def annotate(
    context: str, answer: str, start: int, any_case: bool = False, near: int = 0
) -> Annotation | str:
    """The annotation of an answer said to begin at a character of its context, or the reason why there is none.

    With `any_case`, capital and small letters are the same; of several places, the only one that begins within `near`
    characters of what is said is taken.
    """
    span = locate(context, answer, start, any_case, near)
    if isinstance(span, str):
        return span
    return Annotation(passage=0, start=span[0], end=span[1], text=context[slice(*span)])


def locate(
    context: str, answer: str, start: int, any_case: bool = False, near: int = 0
) -> tuple[int, int] | str:
    """[start, end) of an answer in characters of its context, or the reason why it has no place there."""
    if answer.strip() and start >= 0 and context.startswith(answer, start):
        return start, start + len(answer)
    wanted = fold(answer.strip(), any_case)[0]
    if not wanted:
        return "the answer is empty"
    text, origins = fold(context, any_case)
    found = [
        (origins[at], origins[at + len(wanted) - 1] + 1)
        for at in _occurrences(text, wanted)
        # what begins or ends inside a composed character is not the answer
        if (at == 0 or origins[at - 1] < origins[at])
        and (at + len(wanted) == len(text) or origins[at + len(wanted) - 1] < origins[at + len(wanted)])
    ]
    # Blanks at the edge of the answer are no reason to look elsewhere.
    there = start
    while 0 <= there < len(context) and fold(context[there])[0] in ("", " "):
        there += 1
    for span in found:
        if span[0] == there:
            return span
    close = [span for span in found if abs(span[0] - start) <= near]
    for candidates in (close, found):
        if len(candidates) == 1:
            return candidates[0]
    occurs = f"it occurs {len(found)} times" if found else "it occurs nowhere"
    return f"the answer {answer!r} does not stand at character {start} and {occurs} in the context"


def fold(text: str, any_case: bool = False) -> tuple[str, list[int]]:
    """A text without what copies of it differ in, and which character of it each character left comes from.

    Runs of blanks become one blank, composed characters are taken apart (NFD), invisible format characters (Cf) go;
    with `any_case`, capital letters become small ones.
    """
    signs: list[str] = []
    origins: list[int] = []
    for at, sign in enumerate(text):
        if sign.isspace():
            parts = "" if signs and signs[-1] == " " else " "
        else:
            parts = "" if unicodedata.category(sign) == "Cf" else unicodedata.normalize("NFD", sign)
            parts = parts.casefold() if any_case else parts
        signs += parts
        origins += [at] * len(parts)
    return "".join(signs), origins


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    """Where `wanted` begins in `text`; occurrences may overlap ("aa" in "aaa")."""
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)
