"""Swahili: what follows a building agrees with the noun class of its first word.

`a`    genitive connective after the whole phrase: soko la, uwanja wa ndege wa;
`ake`  possessive "its" after the first word: soko lake, uwanja wake wa ndege.  It stands inside the phrase, so the stem
       is all of it.
"""

CONCORD = {
    "maktaba": "y",
    "makumbusho": "y",
    "soko": "l",
    "uwanja": "w",
    "hospitali": "y",
    "ukumbi": "w",
    "shule": "y",
    "kituo": "ch",
    "bustani": "y",
}


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the phrase's form; KeyError for an unknown code or a building without a noun class."""
    head, *rest = word.split()
    if code == "a":
        return ("", word, f" {CONCORD[head]}a")
    if code == "ake":
        return ("", " ".join([head, CONCORD[head] + "ake", *rest]), "")
    raise KeyError(code)
