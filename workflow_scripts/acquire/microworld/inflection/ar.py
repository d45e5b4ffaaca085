"""Arabic: indefinite nouns carry the accusative's tanwin where the spelling shows it.

`a`   accusative indefinite: متحف becomes متحفًا; مكتبة, مستشفى and محطة قطارات stay (a construct has no tanwin);
`am`  the same for a profession, masculine: معلم becomes معلمًا, محامٍ becomes محاميًا, أمين مكتبة stays;
`af`  accusative indefinite of a profession's feminine: معلمة, محامية, أمينة مكتبة; sentences write {f:a[m|f]};
`h`   with the possessive of a feminine owner ("its"): متحفها, مكتبتها, مستشفاها, محطة قطاراتها.

Every ending is fused with its word, so the whole form is the stem.
"""


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    if code == "h":
        # The suffix goes on the last noun of a construct; ة and ى change before it.
        return ("", word[:-1] + {"ة": "ت", "ى": "ا"}.get(word[-1], word[-1]) + "ها", "")
    if code not in ("a", "am", "af"):
        raise KeyError(code)
    head, blank, rest = word.partition(" ")
    if head.endswith("ٍ"):
        head = head[:-1] + "ي"  # a defective noun's last letter returns
    if code == "af":
        head += "ة"
    elif not rest and head[-1] not in "ةى":
        head += "ًا"
    return ("", head + blank + rest, "")
