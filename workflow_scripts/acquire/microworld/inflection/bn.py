"""Bengali: case endings are written on the last word of the name.

`r`   genitive: -র after a vowel sign (চিনি, চিনির), -ের after a consonant (কাগজ, কাগজের), -য়ের after an independent vowel
      (বই, বইয়ের) and after a one-syllable word in -া (চা, চায়ের);
`ke`  objective of persons: -কে after vowels and consonants alike.
"""

VOWEL_SIGNS = "ািীুূৃেৈোৌ"
INDEPENDENT_VOWELS = "অআইঈউঊঋএঐওঔ"
YA = "য\u09bc"  # two code points: NFC keeps this letter decomposed


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    if code == "ke":
        return ("", word, "কে")
    if code != "r":
        raise KeyError(code)
    last = word.split()[-1]
    if last[-1] in INDEPENDENT_VOWELS or (last[-1] == "া" and len(last) == 2):
        return ("", word, YA + "ের")
    return ("", word, "র" if last[-1] in VOWEL_SIGNS else "ের")
