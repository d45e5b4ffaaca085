"""Malayalam: endings are written on the last word of a name or noun.

`pgen`, `pdat`, `pacc`  of persons, genitive, dative and accusative: രവിയുടെ, രവിക്ക്, രവിയെ; ഹസന്റെ, ഹസന്, ഹസനെ; അനിലിന്റെ,
                        അനിലിന്, അനിലിനെ;
`gen`, `acc`, `loc`     of nouns, genitive, accusative, locative: പട്ടിന്റെ, കൃഷിയെ, ചരിത്രത്തിൽ;
`adj`                   "which is for": സാഹിത്യത്തിനുള്ള, കലയ്ക്കുള്ള;
`m`, `f`                "as a …" of a man, of a woman: ഗായകനായി, ഗായികയായി; sentences write {f:[m|f]}; words not
                        listed serve for both.

A final chillu, virama or anusvara returns to its consonant before an ending (a noun's anusvara to ത്ത); of the vowels, u
and au take the glide വ before it, the others യ.
"""

from workflow_scripts.acquire.microworld.inflection.stem import divide

FEMININE = {
    "അധ്യാപകൻ": "അധ്യാപിക",
    "അഭിഭാഷകൻ": "അഭിഭാഷക",
    "എഴുത്തുകാരൻ": "എഴുത്തുകാരി",
    "കർഷകൻ": "കർഷക",
    "പത്രപ്രവർത്തകൻ": "പത്രപ്രവർത്തക",
    "ചിത്രകാരൻ": "ചിത്രകാരി",
    "ഗായകൻ": "ഗായിക",
    "മരപ്പണിക്കാരൻ": "മരപ്പണിക്കാരി",
    "വിവർത്തകൻ": "വിവർത്തക",
}
# Final letters that an ending turns back into their consonants; a virama only falls.
CONSONANT = {"ൻ": "ന", "ർ": "റ", "ൽ": "ല", "ൾ": "ള", "ം": "മ", "്": ""}
# Each ending in place of -ം and of a plural's ൾ, on another consonant, and on a vowel.
NOUN = {
    "gen": ("ത്തിന്റെ", "ളുടെ", "ിന്റെ", "യുടെ"),
    "acc": ("ത്തെ", "ളെ", "ിനെ", "യെ"),
    "loc": ("ത്തിൽ", "ളിൽ", "ിൽ", "യിൽ"),
    "adj": ("ത്തിനുള്ള", "ൾക്കുള്ള", "ിനുള്ള", "യ്ക്കുള്ള"),
}
# Each ending on n, on other consonants and u, on i and ai, and on other vowels.
PERSON = {
    "pgen": ("ന്റെ", "ിന്റെ", "യുടെ", "യുടെ"),
    "pdat": ("ന്", "ിന്", "ക്ക്", "യ്ക്ക്"),
    "pacc": ("നെ", "ിനെ", "യെ", "യെ"),
}


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    if code in ("m", "f"):
        person = FEMININE.get(word, word) if code == "f" else word
        return divide(person, to_consonant(person) + "ായി" if person[-1] in CONSONANT else person + "യായി")
    return divide(word, of_person(word, PERSON[code]) if code in PERSON else of_noun(word, *NOUN[code]))


def to_consonant(word: str) -> str:
    """The word as a suffix that begins with a vowel is written on it."""
    return word[:-1] + CONSONANT[word[-1]]


def of_person(name: str, endings: tuple[str, str, str, str]) -> str:
    """A person's name with a case ending."""
    on_n, on_consonant, on_i, on_vowel = endings
    if name[-1] == "ൻ":
        return name[:-1] + on_n
    if name[-1] in CONSONANT:
        return to_consonant(name) + on_consonant
    if name[-1] in "ുൗ":
        return name + "വ" + on_consonant
    return name + (on_i if name[-1] in "ിൈ" else on_vowel)


def of_noun(noun: str, for_m: str, for_plural: str, on_consonant: str, on_vowel: str) -> str:
    """A common noun with a case ending."""
    if noun[-1] in "ംൾ":
        return noun[:-1] + (for_m if noun[-1] == "ം" else for_plural)
    return to_consonant(noun) + on_consonant if noun[-1] in CONSONANT else noun + on_vowel
