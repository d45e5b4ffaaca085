"""Words as the word aligner counts them: runs of letters, marks and digits; every other visible sign stands alone."""

import regex

# U+200C and U+200D belong inside Indic words; ' ’ . , - join what stands on both sides ("l'eau", "1,000").
WORD = regex.compile(r"[\w\u200c\u200d]+(?:['’.,\-](?=\w)[\w\u200c\u200d]+)*|[^\w\s\p{C}]")


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    return WORD.findall(text)
