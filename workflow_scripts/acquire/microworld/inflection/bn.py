"""Bengali: case endings are written on the last word of the name.

`r`   genitive: -র after a vowel sign (চিনি, চিনির), -ের after a consonant (কাগজ, কাগজের), -য়ের after an independent vowel
      (বই, বইয়ের) and after a one-syllable word in -া (চা, চায়ের);
`ke`  objective of persons: -কে after vowels and consonants alike.
"""

from workflow_scripts.acquire.microworld.inflection.stem import divide

VOWEL_SIGNS = "ািীুূৃেৈোৌ"
INDEPENDENT_VOWELS = "অআইঈউঊঋএঐওঔ"
YA = "য\u09bc"  # two code points: NFC keeps this letter decomposed


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    return divide(word, word + ending(word, code))


def ending(word: str, code: str) -> str:
    """The case ending that the word takes."""
    if code == "ke":
        return "কে"
    if code != "r":
        raise KeyError(code)
    last = word.split()[-1]
    if last[-1] in INDEPENDENT_VOWELS or (last[-1] == "া" and len(last) == 2):
        return YA + "ের"
    return "র" if last[-1] in VOWEL_SIGNS else "ের"
