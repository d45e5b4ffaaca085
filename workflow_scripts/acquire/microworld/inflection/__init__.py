"""What a slot's value becomes inside a sentence, one module per language.

Each module has `inflect(word, code)`, which gives the form in three parts `(before, stem, after)`: the stem is what
an annotator would mark as the answer, and what the partner of the slot in another language is linked to.
Particles, case endings and articles stand outside the stem; where word and ending are fused, all of it is the stem.
"""

from collections.abc import Callable

from workflow_scripts.acquire.microworld.inflection import ar, bn, en, hi, ko, ml, mr, sw, ta, te

INFLECT: dict[str, Callable[[str, str], tuple[str, str, str]]] = {
    "ar": ar.inflect,
    "bn": bn.inflect,
    "en": en.inflect,
    "hi": hi.inflect,
    "ko": ko.inflect,
    "ml": ml.inflect,
    "mr": mr.inflect,
    "sw": sw.inflect,
    "ta": ta.inflect,
    "te": te.inflect,
}
