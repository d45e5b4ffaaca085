"""Marathi: case endings stand on the oblique of the noun, and some professions have a feminine.

`साठी`     "for": चहा becomes चहासाठी, रेशीम रेशमासाठी, साखर साखरेसाठी, बूट (plural) बुटांसाठी;
`मुळे`     "because of", likewise;
`चे`      genitive before a neuter noun: ग्रंथालय becomes ग्रंथालयाचे, शाळा शाळेचे;
`m`, `f`  a profession for a man, for a woman: लेखक, लेखिका; sentences write {f:[m|f]}; words not listed serve for both.
"""

from workflow_scripts.acquire.microworld.inflection.stem import divide

# Of the nouns that do not simply add -ा to a final consonant; loans that have not settled take endings as they are.
OBLIQUE = {
    "रेशीम": "रेशमा",
    "तांबे": "तांब्या",
    "साखर": "साखरे",
    "बूट": "बुटां",
    "काच": "काचे",
    "फर्निचर": "फर्निचर",
    "मीठ": "मिठा",
    "तांदूळ": "तांदळा",
    "कापूस": "कापसा",
    "लोकर": "लोकरी",
    "चामडे": "चामड्या",
    "मसाले": "मसाल्यां",
    "दागिने": "दागिन्यां",
    "स्टेडियम": "स्टेडियम",
    "शाळा": "शाळे",
}
FEMININE = {"शिक्षक": "शिक्षिका", "लेखक": "लेखिका", "परिचारक": "परिचारिका", "गायक": "गायिका"}
VOWEL_SIGNS = "ािीुूेैोौ"


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    if code in ("m", "f"):
        return ("", FEMININE.get(word, word) if code == "f" else word, "")
    if code not in ("साठी", "मुळे", "चे"):
        raise KeyError(code)
    return divide(word, oblique(word) + code)


def oblique(word: str) -> str:
    """What a case ending is written on."""
    return OBLIQUE.get(word, word if word[-1] in VOWEL_SIGNS else word + "ा")
