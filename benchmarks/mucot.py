"""How MuCoT's published code finds an answer again in a translated context (Kumar et al. 2022), as its notebook does.

It adds up the lengths of the sentences, which it has stripped, until they exceed the answer's start, and looks for the
translated answer, lower-cased, in the translation of that one sentence.  Where it is not there, the record is lost, or
keeps what is left of the answer when all but its English nouns are taken out; that second try is not counted here.
"""

from collections.abc import Sequence


def published_search(
    sentences: Sequence[str], translations: Sequence[str], answer: str, start: int
) -> tuple[int, int] | None:
    """(number of the sentence, character of its translation) where `answer`, the translated one, is found.

    `start` is where the untranslated answer begins, in characters of the context.  None where the record is lost.
    """
    length = 0
    for number, (sentence, translation) in enumerate(zip(sentences, translations, strict=True)):
        length += len(sentence)
        if length > start:
            place = translation.lower().find(answer.lower())
            return (number, place) if place >= 0 else None
    return None
