"""Which part of an inflected form is the stem."""

import unicodedata


def divide(word: str, form: str) -> tuple[str, str, str]:
    """(before, stem, after) of a form: the word and its ending, or all of the form where they are fused.

    They are fused where the form does not begin with the word, and where the ending begins with a mark, such as a vowel
    sign: to cut there would tear a letter apart.
    """
    ending = form[len(word) :]
    if form.startswith(word) and not (ending and unicodedata.category(ending[0]).startswith("M")):
        return ("", word, ending)
    return ("", form, "")
