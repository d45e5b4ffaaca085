"""English: `a` puts the indefinite article before the word."""


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    if code != "a":
        raise KeyError(code)
    return ("an " if word[0].lower() in "aeiou" else "a ", word, "")
