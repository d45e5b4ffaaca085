"""English: what stands before a noun.

`a`    the indefinite article: a teacher, an engineer;
`the`  the definite article where the noun wants one: the sea, but birds.
"""

UNIQUE = {"sea"}  # things there is one of, among the topics


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    if code == "the":
        return ("the " if word in UNIQUE else "", word, "")
    if code != "a":
        raise KeyError(code)
    return ("an " if word[0].lower() in "aeiou" else "a ", word, "")
