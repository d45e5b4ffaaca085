"""Words as the word aligner counts them: runs of letters, marks and digits; every other visible sign stands alone.

So does every character, with its marks, of a script that writes no blanks between words (Han, kana, Thai, Lao, Khmer,
Burmese): a word aligner can join several, but not take one apart.
"""

import regex

# Thai, Lao, Burmese, Khmer; kana; Han, also beyond the first plane.  Ranges are matched faster than script names.
ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# U+200C and U+200D belong inside Indic words; ' ’ . , - join what stands on both sides ("l'eau", "1,000").
INSIDE = rf"[[\w\u200c\u200d]--[{ALONE}]]"
WORD = regex.compile(rf"(?V1){INSIDE}+(?:['’.,\-]{INSIDE}+)*|[{ALONE}]\p{{M}}*|[^\w\s\p{{C}}]")

SINGLE = regex.compile(rf"[{ALONE}]\p{{M}}*")


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    return WORD.findall(text)


def single(word: str) -> bool:
    """Whether a word is one character, with its marks, of a script without blanks."""
    return bool(SINGLE.fullmatch(word))
