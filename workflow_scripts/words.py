"""Words as the word aligner counts them: runs of letters, marks and digits; every other visible sign stands alone.

So does every character, with its marks, of a script that writes no blanks between words (Han, kana, Thai, Lao, Khmer,
Burmese): a word aligner can join several, but not take one apart.
"""

import regex

ALONE = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
# U+200C and U+200D belong inside Indic words; ' ’ . , - join what stands on both sides ("l'eau", "1,000").
INSIDE = rf"[[\w\u200c\u200d]--{ALONE}]"
WORD = regex.compile(rf"(?V1){ALONE}\p{{M}}*|{INSIDE}+(?:['’.,\-](?={INSIDE}){INSIDE}+)*|[^\w\s\p{{C}}]")


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    return WORD.findall(text)
