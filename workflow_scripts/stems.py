"""Forms of words in which statistical aligners count them: inflected forms of a word should count as one.

A few thousand sentences show most inflected forms of a word once or never.  Cut to its first letters, without case and
without the signs that a script may leave out, a word is seen often enough to be linked.  Words of scripts without
blanks (see joined) and Vietnamese syllables are kept whole.
"""

import functools
import unicodedata

import regex

from workflow_scripts.words import ALONE

LETTERS = 4  # of a word that are kept; chosen before any projection was scored, three to five do alike
JAMO = 6  # of a Korean word: two syllables or three
ARABIC = regex.compile(r"\p{Arabic}")
HANGUL = regex.compile(r"\p{Hangul}")
# Characters without blanks between words, and Vietnamese, whose blanks part syllables: neither inflects.
WHOLE = regex.compile(rf"[{ALONE}ơưđ\u1ea0-\u1ef9]")
# Signs that Arabic and Hebrew leave out at will, and the stroke that only stretches a word.
OPTIONAL = regex.compile(r"[\u0591-\u05C7\u0610-\u061A\u0640\u064B-\u065F\u0670]")
ARABIC_ALIKE = str.maketrans("أإآٱىةیک", "ااااىهىك".replace("ى", "ي"))
CONFUSED = str.maketrans(
    {"\u0307": "", "ı": "i", "ё": "е"}
)  # İ and I, whose small letters differ in Turkish; yo
# Arabic writes "and", "in", "to", "the" and the like onto the next word.
CLITICS = ("وال", "بال", "كال", "فال", "لل", "ال", "و", "ب", "ل", "ف")


@functools.lru_cache(maxsize=1 << 18)
def stem(word: str) -> str:
    """The form under which a word is counted; a word with a digit, or of signs only, keeps all its characters."""
    folded = "".join(
        unicodedata.normalize("NFKC", word).lower().split()
    )  # a sign may become a blank and a mark
    folded = folded.translate(CONFUSED)
    if any(sign.isdigit() for sign in folded):
        return "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in folded)
    if ARABIC.match(folded):
        folded = OPTIONAL.sub("", folded).translate(ARABIC_ALIKE)
        prefix = next((p for p in CLITICS if folded.startswith(p) and len(folded) - len(p) >= 3), "")
        return folded[len(prefix) :][:LETTERS] or word
    if HANGUL.match(folded):
        return unicodedata.normalize("NFD", folded)[:JAMO]
    if WHOLE.search(folded):
        return folded
    return OPTIONAL.sub("", folded)[:LETTERS] or word
