"""Telugu: endings are written on the last word of a name or noun; ZWNJ sets them off from a final virama (డాక్టర్‌గా).

`pacc`, `pdat`  of persons, accusative -ను and dative -కు, after i and ai -ని and -కి: మహేష్‌ను, రవిని;
`acc`, `dat`    the same of nouns; but a final -ం becomes -ాన్ని, -ానికి (విమానాశ్రయాన్ని), and a plural takes its oblique
                (బూట్లను, బూట్లకు);
`obl`           of nouns before గురించి and పై: a plural's -లు becomes -ల (పక్షుల గురించి), a singular stays;
`adj`           a field as the first part of a compound: సాహిత్యం becomes సాహిత్య (పురస్కారం), క్రీడలు క్రీడా;
`m`, `f`        "as a …" of a man, of a woman: గాయకుడిగా, గాయనిగా; sentences write {f:[m|f]}; words not listed serve for both.
"""

from workflow_scripts.acquire.microworld.inflection.stem import divide

ZWNJ, VIRAMA = "\u200c", "్"
SINGULAR_IN_LU = {"తోలు"}
FEMININE = {
    "ఉపాధ్యాయుడు": "ఉపాధ్యాయురాలు",
    "వైద్యుడు": "వైద్యురాలు",
    "రచయిత": "రచయిత్రి",
    "పాత్రికేయుడు": "పాత్రికేయురాలు",
    "చిత్రకారుడు": "చిత్రకారిణి",
    "గాయకుడు": "గాయని",
    "అనువాదకుడు": "అనువాదకురాలు",
}
COMPOUND = {"కళలు": "కళా", "విద్య": "విద్యా", "క్రీడలు": "క్రీడా"}


def inflect(word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of the word's form; KeyError for an unknown code."""
    if code in ("m", "f"):
        person = FEMININE.get(word, word) if code == "f" else word
        return divide(person, attach(oblique_of_person(person), "గా"))
    forms = {
        "pacc": lambda: case(word, "న"),
        "pdat": lambda: case(word, "క"),
        "acc": lambda: word[:-1] + "ాన్ని" if word.endswith("ం") else case(oblique(word), "న"),
        "dat": lambda: word[:-1] + "ానికి" if word.endswith("ం") else case(oblique(word), "క"),
        "obl": lambda: oblique(word),
        "adj": lambda: COMPOUND.get(word, word.removesuffix("ం")),
    }
    return divide(word, forms[code]())


def oblique(noun: str) -> str:
    """What endings are written on."""
    return noun.removesuffix("ు") if noun.endswith("లు") and noun not in SINGULAR_IN_LU else noun


def oblique_of_person(noun: str) -> str:
    """What endings are written on, of a noun for a man or a woman."""
    for nominative, stem in (("ుడు", "ుడి"), ("ురాలు", "ురాలి")):
        if noun.endswith(nominative):
            return noun.removesuffix(nominative) + stem
    return noun


def case(word: str, consonant: str) -> str:
    """The word with an ending of this consonant and the vowel that agrees with the word's last."""
    return attach(word, consonant + ("ి" if word[-1] in "ిై" else "ు"))


def attach(word: str, suffix: str) -> str:
    """The word with a suffix that begins with a consonant."""
    return word + (ZWNJ if word.endswith(VIRAMA) else "") + suffix
