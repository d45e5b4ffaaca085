"""Names in ten languages from one phonemic form.

Phonemic alphabet (ASCII; words separated by blanks):
  vowels      a i u (short)   aa ii uu e o (long)   ai au (diphthongs)
  consonants  k g j t d n p b m y r l v sh s h f    (t d dental; "sh" is always one sound; a word is C?V(C?CV)*C?)
  A vowel stands first in the word or after a consonant (write "iya", not "ia"); no short vowel ends a word.
  A syllable inside the word may end in r, l or n before the consonants listed in CLUSTERS, a word in one of FINALS.
  y stands before a vowel other than i, ii, and not after a consonant.
Latin marks no length.  Arabic writes every vowel but short a, and has one letter each for p b, for v f.  Tamil doubles
a voiceless stop inside a word.  Bengali writes non-Sanskrit names with short i and u signs only.  Hangul has no length,
and gives every final consonant but n, m, l a syllable of its own.  So `render` alone may merge names; `invent` never
does, and looks at all ten languages whichever are written, so that one more language renames nobody.
"""

# ruff: noqa: SIM905  (an alphabet reads better as one line of text)

import functools
import itertools
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Letter = TypeVar("Letter")

VOWELS = "a aa i ii u uu e o ai au".split()
CONSONANTS = "k g j t d n p b m y r l v sh s h f".split()
CLUSTERS = {
    "r": "k g j t d n p b m l v sh s f".split(),
    "l": "k g j t d n p b m v sh s f".split(),
    "n": "j s h".split(),
}
FINALS = "n m l r s sh k t d b f".split()
TOKEN = re.compile("|".join(sorted(VOWELS + CONSONANTS, key=len, reverse=True)))
Syllable = tuple[str, str, str]  # onset (empty only at the start of a word), vowel, coda


@functools.cache
def syllables(word: str) -> tuple[Syllable, ...]:
    """The syllables of a phonemic word; ValueError where the alphabet does not allow it."""
    tokens = TOKEN.findall(word)
    shape = "".join("V" if t in VOWELS else "C" for t in tokens)
    if "".join(tokens) != word or not re.fullmatch("C?V(C?CV)*C?", shape):
        raise ValueError(f"not in the phonemic alphabet: {word!r}")
    out: list[Syllable] = []
    for m in re.finditer("C?V(?:C(?!V))?", shape):
        part = tokens[m.start() : m.end()]
        vowel = shape[m.start() :].index("V")
        out.append(("".join(part[:vowel]), part[vowel], "".join(part[vowel + 1 :])))
    for (_, _, coda), (onset, _, _) in itertools.pairwise(out):
        if coda and onset not in CLUSTERS.get(coda, []):
            raise ValueError(f"no {coda} before {onset}: {word!r}")
    if out[-1][2] not in ["", *FINALS] or out[-1][1:] in [("a", ""), ("i", ""), ("u", "")]:
        raise ValueError(f"no word ends so: {word!r}")
    if any(onset == "y" and vowel in ("i", "ii") for onset, vowel, _ in out):
        raise ValueError(f"no y before i: {word!r}")
    return tuple(out)


def table(phonemes: Sequence[str], letters: Sequence[Letter]) -> dict[str, Letter]:
    """What each phoneme becomes."""
    return dict(zip(phonemes, letters, strict=True))


@dataclass(frozen=True)
class Brahmic:
    """One Brahmic script.

    `special` holds what a letter becomes at a place: first, after (a coda), inside, coda, coda before (an onset), or
    last (coda or vowel).
    """

    letters: str  # in the order of CONSONANTS
    initial: str  # vowels at the start of a word, in the order of VOWELS
    signs: str  # vowels after a consonant, in the order of VOWELS without a (which is inherent)
    virama: str
    bare_end: bool = False  # a final consonant goes without virama
    special: dict[tuple[str, str], str] = field(default_factory=dict)

    def word(self, word: str) -> str:
        """The phonemic word in this script."""
        letter = table(CONSONANTS, self.letters.split())
        initial = table(VOWELS, self.initial.split())
        sign = table(VOWELS, ["", *self.signs.split()])
        parts, out = syllables(word), ""
        for i, (onset, vowel, coda) in enumerate(parts):
            last = i == len(parts) - 1
            places = ("first",) if i == 0 else ("after", "inside") if parts[i - 1][2] else ("inside",)
            if onset:
                out += next(
                    (self.special[place, onset] for place in places if (place, onset) in self.special),
                    letter[onset],
                )
                out += self.special.get(("last", vowel), sign[vowel]) if last and not coda else sign[vowel]
            else:
                out += initial[vowel]
            if coda:
                plain = letter[coda] + ("" if last and self.bare_end else self.virama)
                place = "last" if last else f"coda before {parts[i + 1][0]}"
                out += self.special.get((place, coda), self.special.get(("coda", coda), plain))
        return out


DEVA_LETTERS, DEVA_INITIAL, DEVA_SIGNS = "क ग ज त द न प ब म य र ल व श स ह ", "अ आ इ ई उ ऊ ए ओ ", "ा ि ी ु ू े ो "
BRAHMIC = {
    "hi": Brahmic(
        DEVA_LETTERS + "फ\u093c",
        DEVA_INITIAL + "आइ आउ",
        DEVA_SIGNS + "ाइ ाउ",
        "्",
        bare_end=True,
        special={
            ("last", "ai"): "ाई",
            ("last", "au"): "ाऊ",
            ("coda before j", "n"): "ं",
            ("coda before s", "n"): "ं",
        },
    ),
    "mr": Brahmic(
        DEVA_LETTERS + "फ",
        DEVA_INITIAL + "ऐ औ",
        DEVA_SIGNS + "ै ौ",
        "्",
        bare_end=True,
        special={("coda before j", "n"): "ं"},
    ),
    "bn": Brahmic(
        "ক গ জ ত দ ন প ব ম য\u09bc র ল ভ শ স হ ফ",
        "অ আ ই ই উ উ এ ও আই আউ",
        "া ি ি ু ু ে ো াই াউ",
        "্",
        bare_end=True,
        special={("first", "y"): "ইয\u09bc", ("coda", "l"): "ল", ("coda", "n"): "ন"},
    ),
    "ta": Brahmic(
        "க க ஜ த த ன ப ப ம ய ர ல வ ஷ ச ஹ ஃப",
        "அ ஆ இ ஈ உ ஊ ஏ ஓ ஐ ஔ",
        "ா ி ீ ு ூ ே ோ ை ௌ",
        "்",
        special={
            ("first", "n"): "ந",
            ("inside", "k"): "க்க",
            ("inside", "t"): "த்த",
            ("inside", "p"): "ப்ப",
            ("coda", "s"): "ஸ்",
            ("last", "ii"): "ி",
            ("last", "uu"): "ு",
        },
    ),
    "te": Brahmic(
        "క గ జ త ద న ప బ మ య ర ల వ ష స హ ఫ",
        "అ ఆ ఇ ఈ ఉ ఊ ఏ ఓ ఐ ఔ",
        "ా ి ీ ు ూ ే ో ై ౌ",
        "్",
        special={
            ("last", "m"): "ం",
            ("last", "ii"): "ి",
            ("last", "uu"): "ు",
            ("coda before j", "n"): "ం",
        },
    ),
    "ml": Brahmic(
        "ക ഗ ജ ത ദ ന പ ബ മ യ ര ല വ ഷ സ ഹ ഫ",
        "അ ആ ഇ ഈ ഉ ഊ ഏ ഓ ഐ ഔ",
        "ാ ി ീ ു ൂ േ ോ ൈ ൗ",
        "്",
        special={
            ("after", "k"): "ക്ക",
            ("after", "t"): "ത്ത",
            ("after", "p"): "പ്പ",
            ("coda", "n"): "ൻ",
            ("coda", "r"): "ർ",
            ("coda", "l"): "ൽ",
            ("last", "m"): "ം",
            ("last", "aa"): "",
            ("last", "ii"): "ി",
            ("last", "uu"): "ു",
            ("last", "e"): "െ",
        },
    ),
}
ARABIC = table(CONSONANTS, "ك غ ج ت د ن ب ب م ي ر ل ف ش س ه ف".split()) | {"": ""}
ARABIC_INITIAL = table(VOWELS, "أ آ إي إي أو أو إي أو آي آو".split())
ARABIC_INSIDE = table(VOWELS, ["", *"ا ي ي و و ي و اي او".split()])
HANGUL_ONSET = table(CONSONANTS, (15, 0, 12, 16, 3, 2, 17, 7, 6, 11, 5, 5, 7, 9, 9, 18, 17)) | {"": 11}
HANGUL_VOWEL = table(VOWELS, (0, 0, 20, 20, 13, 13, 5, 8, 0, 0))
HANGUL_GLIDE = table(VOWELS, (2, 2, 20, 20, 17, 17, 7, 12, 2, 2))  # after y and sh
HANGUL_OFFGLIDE = {"ai": "이", "au": "우"}
HANGUL_CODA = {"n": 4, "m": 16, "l": 8}
HANGUL_OWN = {"r": "르", "s": "스", "sh": "시", "k": "크", "t": "트", "d": "드", "b": "브", "f": "프"}


def latin_word(word: str) -> str:
    """A phonemic word in Latin letters, first letter large."""
    return "".join(
        o + {"aa": "a", "ii": "i", "uu": "u"}.get(v, v) + c for o, v, c in syllables(word)
    ).capitalize()


def arabic_word(word: str) -> str:
    """A phonemic word in Arabic letters, without vowel marks."""
    letters = (
        (ARABIC[o] + ARABIC_INSIDE[v] if o else ARABIC_INITIAL[v]) + ARABIC[c] for o, v, c in syllables(word)
    )
    return "".join(letters).replace("يي", "ي")  # iy and ye take one letter


def hangul_word(word: str) -> str:
    """A phonemic word in Hangul syllables."""
    out: list[str] = []

    def close(final: int) -> None:
        # A final consonant joins an open syllable.
        if (ord(out[-1]) - 0xAC00) % 28 == 0:
            out[-1] = chr(ord(out[-1]) + final)

    for onset, vowel, coda in syllables(word):
        if onset == "l" and out:
            close(HANGUL_CODA["l"])  # l between vowels is double, r single
        nucleus = (HANGUL_GLIDE if onset in ("y", "sh") else HANGUL_VOWEL)[vowel]
        out.append(chr(0xAC00 + (HANGUL_ONSET[onset] * 21 + nucleus) * 28))
        if vowel in HANGUL_OFFGLIDE:
            out.append(HANGUL_OFFGLIDE[vowel])
        if coda in HANGUL_CODA:
            close(HANGUL_CODA[coda])
        elif coda:
            out.append(HANGUL_OWN[coda])
    return "".join(out)


WRITERS: dict[str, Callable[[str], str]] = {
    "en": latin_word,
    "sw": latin_word,
    "ar": arabic_word,
    "ko": hangul_word,
    **{k: b.word for k, b in BRAHMIC.items()},
}


def render(phonemic: str, language: str) -> str:
    """The name as `language` writes it; several words stay several words."""
    return " ".join(written(word, language) for word in phonemic.split())


@functools.cache
def written(word: str, language: str) -> str:
    """A phonemic word as `language` writes it."""
    return WRITERS[language](word)


# First names by gender, three of each from each of ten cultures.
FIRST_NAMES: dict[str, Sequence[str]] = {
    "m": (
        "kariim samiir yaasiin ruubel sohel raasel juumaa baaraakaa baakaarii miinho haajuun suuho raajesh mohan "
        "ramesh saagar kedaar niilesh kaartik raaman mugilan raajuu naagesh mahesh shaajii bijuu saajan robin aadam "
        "kevin"
    ).split(),
    "f": (
        "mariyam iimaan riimaa ruunaa shaahaanaa taaniyaa rehemaa johaarii furaahaa yuunaa boraa daasom aashaa nehaa "
        "kaajal saayalii maanasii maayaa malar amudaa taamarai sarojaa jamunaa nirmalaa shainii shiijaa sujaa noraa "
        "lauraa helen"
    ).split(),
}


def gender(person: str) -> str:
    """m or f, from the phonemic first name."""
    return "m" if person.split()[0] in FIRST_NAMES["m"] else "f"


# What an invented name is built of.  No short a: Bengali reads it o, Arabic omits it.
ONSETS = CONSONANTS + "k t d n m b r l s".split()
NUCLEI = [*"aa aa aa aa aa ii ii ii uu uu e e e o o o i u".split() * 2, "ai", "au"]
ENDINGS = {
    "surname": ["", "", "n", "r", "l", "m", "s"],
    "city": ["", "", "", "n", "r", "l"],
    "river": [""],
    "company": ["", "s", "n", "m", "l", "k"],
}
# Not to occur in the Latin form of an invented name.
RUDE = (
    "shit fuk puk kok dik kum kus pis tit nig nik fag sex rape nazi nude anal anus laud lanj magi hij gud sun kun mair "
    "tiz mavi tako shoga malaya puta boji jaji sibal nimi"
).split()


def invent(
    rng: random.Random, count: int, apart_from: Mapping[str, Sequence[str]] | None = None
) -> dict[str, list[str]]:
    """`count` phonemic names of each kind in ENDINGS; no two are written alike in any language.

    Nor is one written like a first name or like a name in `apart_from` (kind -> phonemic names).
    """
    taken = [name for names in (*FIRST_NAMES.values(), *(apart_from or {}).values()) for name in names]
    seen = {language: {render(name, language) for name in taken} for language in WRITERS}
    made: dict[str, list[str]] = {kind: [] for kind in ENDINGS}
    for kind, endings in ENDINGS.items():
        while len(made[kind]) < count:
            size, onsets = rng.choice((2, 3, 3)), rng.sample(ONSETS, 3)
            if len(set(onsets)) < 3:
                continue
            if rng.random() < 0.12:
                onsets[0] = ""
            parts = [onset + rng.choice(NUCLEI) for onset in onsets[:size]]
            parts[0] += rng.choice(["", "", "", "r", "l", "n"])
            name = "".join(parts) + rng.choice(endings)
            try:
                forms = {language: render(name, language) for language in WRITERS}
            except ValueError:
                continue
            if len(forms["ko"]) < 3 or len(forms["ar"]) < 4:
                continue  # very short names are too often real words
            if any(form in seen[language] for language, form in forms.items()):
                continue
            if any(word in forms["en"].lower() for word in RUDE):
                continue
            made[kind].append(name)
            for language, form in forms.items():
                seen[language].add(form)
    return made
