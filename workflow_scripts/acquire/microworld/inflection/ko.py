"""Korean: a particle's form follows the last sound of the word.

은  topic 은/는          이  subject 이/가       을  object 을/를        과  "and, with" 과/와
로  "as, by" 으로/로 (로 also after ㄹ)
천  a number of thousands in full digits: 39 becomes 39,000 (Korean counts in ten thousands, not in thousands)
"""

# Each particle after a consonant and after a vowel.
FORMS = {"은": ("은", "는"), "이": ("이", "가"), "을": ("을", "를"), "과": ("과", "와"), "로": ("으로", "로")}
RIEUL = 8  # place of ㄹ among the 28 finals of a Hangul syllable; 0 is no final


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code, ValueError for a word not in Hangul."""
    if code == "천":
        return ("", f"{int(word):,},000", "")
    closed, opened = FORMS[code]
    if not "가" <= word[-1] <= "힣":
        raise ValueError(f"no Hangul syllable at the end: {word!r}")
    final = (ord(word[-1]) - ord("가")) % 28
    return ("", word, opened if final == 0 or (code == "로" and final == RIEUL) else closed)
