"""How else a name is written: by someone who spells it in another way, and by a machine that heard it wrong.

Both begin with the phonemic form and exchange a sound for a neighbour, so that one table serves every script; whether
that can be seen is up to the script, and only what can be seen counts.  `LETTERS` adds what writers of one script do
(a nukta left out, a stop doubled, a vowel letter left out).  Translation systems vary so when they translate sentence
by sentence (Kumar et al. 2022, section 4), recognisers when they meet a name that they don't know (Faisal et al. 2021).
"""

import functools
import random
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from workflow_scripts.acquire.microworld.grammar import NAMES, Value
from workflow_scripts.acquire.microworld.names import TOKEN, render, syllables

Alike = Mapping[str, Sequence[str]]


def alike(groups: str) -> Alike:
    """Each sound's neighbours, from groups such as "s/sh"."""
    found: dict[str, list[str]] = {}
    for group in groups.split():
        sounds = group.split("/")
        for sound in sounds:
            found.setdefault(sound, []).extend(other for other in sounds if other != sound)
    return found


SPELT_ALIKE = alike("a/aa i/ii u/uu e/i e/ii o/u o/uu e/ai o/au b/v s/sh f/p")
HEARD_ALIKE = alike("k/g/h t/d p/b/f/v s/sh/j m/n r/l a/aa/e aa/o i/ii/e u/uu/o ai/e au/o")

# What one writer puts for what another writes, as (regular expression, letters), after the first letter of a word ("":
# the letter is left out).  Korean letters are those inside a syllable: ㄱ ㄷ ㅂ ㅅ ㅈ at its beginning, ㅏ ㅐ ㅔ ㅗ.
LETTERS: dict[str, list[tuple[str, str]]] = {
    "en": [("a", "aa"), ("i", "ee"), ("u", "oo"), ("k", "c"), ("f", "ph"), ("v", "w")],
    "sw": [("a", "aa"), ("i", "ii"), ("u", "uu"), ("v", "w")],
    "ar": [("ا", ""), ("و", ""), ("ي", ""), ("ت", "ط"), ("س", "ص"), ("ك", "ق"), ("غ", "ج")],
    "hi": [("\u093c", ""), ("न्", "ं"), ("ं", "न्"), ("ज", "ज\u093c")],
    "mr": [("न्", "ं"), ("ं", "न्"), ("ज", "झ")],
    "bn": [("ি", "ী"), ("ু", "ূ"), ("ন", "ণ"), ("জ", "য")],
    "ta": [("க்க", "க"), ("த்த", "த"), ("ப்ப", "ப"), ("ர", "ற"), ("ன", "ண"), ("ல", "ள")],
    "te": [("(?<!్)క(?!్)", "క్క"), ("(?<!్)త(?!్)", "త్త"), ("న", "ణ"), ("ల", "ళ"), ("స", "శ")],
    "ml": [("(?<!്)ക(?!്)", "ക്ക"), ("(?<!്)ത(?!്)", "ത്ത"), ("ര", "റ"), ("ന", "ണ"), ("ല", "ള")],
    "ko": [
        *(("\u1100", "\u110f"), ("\u1103", "\u1110"), ("\u1107", "\u1111"), ("\u1109", "\u110a")),
        *(("\u110f", "\u1100"), ("\u1110", "\u1103"), ("\u1111", "\u1107"), ("\u110c", "\u110e")),
        *(("\u1161", "\u1165"), ("\u1162", "\u1166"), ("\u1166", "\u1162"), ("\u1169", "\u1165")),
    ],
}
TWO_SOUNDS = 0.4  # share of the misheard words in which two sounds are mistaken, not one
CUT_IN_TWO = 0.2  # share of the misheard words that come out as two words


def exchanges(word: str, neighbours: Alike, rng: random.Random | None = None) -> Iterator[str]:
    """The phonemic words that differ from `word` in one sound, by one of its neighbours; with `rng` in random order."""
    sounds = TOKEN.findall(word)
    places = [(place, other) for place, sound in enumerate(sounds) for other in neighbours.get(sound, ())]
    if rng:
        rng.shuffle(places)
    for place, other in places:
        changed = "".join([*sounds[:place], other, *sounds[place + 1 :]])
        try:
            syllables(changed)
        except ValueError:
            continue
        yield changed


@functools.cache
def spellings(word: str, language: str) -> tuple[str, ...]:
    """The other plausible written forms of a phonemic word, sorted."""
    plain = render(word, language)
    found = {render(other, language) for other in exchanges(word, SPELT_ALIKE)}
    # Only Korean is written in signs that hold several letters.
    written = unicodedata.normalize("NFD" if language == "ko" else "NFC", plain)
    for pattern, others in LETTERS[language]:
        for match in re.compile(pattern).finditer(written, 1):
            changed = written[: match.start()] + others + written[match.end() :]
            found.add(unicodedata.normalize("NFC", changed))
    return tuple(sorted(found - {plain}))


def respell(phonemic: str, language: str, rng: random.Random) -> str:
    """A name as `language` might write it as well: one of its words in another of its `spellings`.

    As it is always written, where it has no other.
    """
    words = phonemic.split()
    written = [render(word, language) for word in words]
    places = [place for place, word in enumerate(words) if spellings(word, language)]
    if places:
        place = rng.choice(places)
        written[place] = rng.choice(spellings(words[place], language))
    return " ".join(written)


def respelled(
    values: Mapping[str, Value], language: str, rng: random.Random, chance: float
) -> dict[Value, str]:
    """The names among the values of slots that are written otherwise, each with a chance, and how."""
    return {
        value: respell(str(value), language, rng)
        for slot, value in values.items()
        if slot in NAMES and rng.random() < chance
    }


def mishear(word: str, language: str, rng: random.Random) -> str:
    """What a recogniser writes for a phonemic word that it does not know: other sounds, or two words; small letters."""
    if rng.random() < CUT_IN_TWO and len(syllables(word)) > 1:
        return " ".join(render(part, language) for part in cut(word, rng)).lower()
    plain, heard = render(word, language), word
    for _ in range(2 if rng.random() < TWO_SOUNDS else 1):
        others = exchanges(heard, HEARD_ALIKE, rng)
        heard = next((other for other in others if render(other, language) != plain), heard)
    return render(heard, language).lower()


def cut(word: str, rng: random.Random) -> tuple[str, str]:
    """A phonemic word of several syllables in two; a short vowel that comes to stand last becomes long."""
    parts = syllables(word)
    place = rng.randrange(1, len(parts))
    first, second = ("".join(map("".join, some)) for some in (parts[:place], parts[place:]))
    _, vowel, coda = parts[place - 1]
    return first + (vowel if not coda and vowel in ("a", "i", "u") else ""), second
