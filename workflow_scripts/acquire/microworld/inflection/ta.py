"""Tamil: endings are written on the last word of a name or noun.

`pgen`, `pdat`  of persons, genitive and dative: ரவி, ரவியின், ரவிக்கு; அனில், அனிலின், அனிலுக்கு; a name in -ம் keeps it
                (கரீமின்);
`gen`           genitive of nouns: நூலகம் becomes நூலகத்தின், பள்ளி பள்ளியின், பூங்கா பூங்காவின்;
`dat`           dative of nouns: பட்டு becomes பட்டுக்கு, காகிதம் காகிதத்திற்கு, தேன் தேனுக்கு;
`ben`           "for the sake of", -க்காக: பட்டுக்காக;
`adj`           "which is for", -க்கான: இலக்கியத்திற்கான;
`adv`           "as", -ஆக: ஆசிரியராக, விவசாயியாக;
`obj`           object: a plural takes -ஐ (நகைகள், நகைகளை), a name of a substance none.
"""

from workflow_scripts.acquire.microworld.inflection.stem import divide


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    forms = {
        "pgen": lambda: add_vowel(word, "ி", person=True) + "ன்",
        "pdat": lambda: dative(word, person=True),
        "gen": lambda: word[:-2] + "த்தின்" if word.endswith("ம்") else add_vowel(word, "ி") + "ன்",
        "dat": lambda: dative(word),
        "ben": lambda: dative(word)[:-1] + "ாக",
        "adj": lambda: dative(word)[:-1] + "ான",
        "adv": lambda: add_vowel(word, "ா") + "க",
        "obj": lambda: add_vowel(word, "ை") if word.endswith("கள்") else word,
    }
    return divide(word, forms[code]())


def add_vowel(word: str, sign: str, *, person: bool = False) -> str:
    """The word with a suffix that begins with a vowel.

    A final short உ falls before it, but not that of a person's name.  The glide is ய after front vowels, வ after
    others.
    """
    last = word[-1]
    if last == "்" or (last == "ு" and not person):
        return word[:-1] + sign
    return word + ("ய" if last in "ிீேை" else "வ") + sign


def dative(word: str, *, person: bool = False) -> str:
    """The dative of a noun or of a person's name."""
    if word.endswith("ம்") and not person:
        return word[:-2] + "த்திற்கு"
    if word[-1] in "ிீை" or (word[-1] == "ு" and not person) or word.endswith("ய்"):
        return word + "க்கு"
    if word[-1] == "ே":
        return word + "வுக்கு"
    return add_vowel(word, "ு", person=person) + "க்கு"
