"""Hindi: nouns change before a postposition, and some professions have a feminine.

`o`       oblique: ताँबा becomes ताँबे, a plural such as जूते becomes जूतों; words not listed do not change;
`m`, `f`  a profession for a man, for a woman: शिक्षक, शिक्षिका; sentences write {f:[m|f]}; words not
          listed serve for both.

Every ending is fused with its word, so the whole form is the stem.
"""

OBLIQUE = {
    "ताँबा": "ताँबे",
    "चमड़ा": "चमड़े",
    "जूते": "जूतों",
    "मसाले": "मसालों",
    "आभूषण": "आभूषणों",
    "पक्षी": "पक्षियों",
    "सितारे": "सितारों",
    "पहाड़": "पहाड़ों",
    "जंगल": "जंगलों",
    "नदियाँ": "नदियों",
    "हवाई अड्डा": "हवाई अड्डे",
}
FEMININE = {"शिक्षक": "शिक्षिका", "लेखक": "लेखिका", "गायक": "गायिका"}


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    forms = {"o": OBLIQUE, "m": {}, "f": FEMININE}[code]
    return ("", forms.get(word, word), "")
