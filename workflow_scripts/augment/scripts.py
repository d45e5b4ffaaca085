"""One word from one script into another: indic-transliteration's tables, with what they lack or get wrong set right.

The package (https://github.com/indic-transliteration/indic_transliteration_py) names every sign by its Devanagari
counterpart and maps a script's signs to another script's of the same name.  Taken as they are, its tables

- read Tamil's one letter for four sounds as the last of them, so that த becomes dha; here it is the first, ta;
- leave signs that the target has no counterpart of in the source's script, in the middle of the word; here each has a
  stand-in (a nukta is left out, the short e of Dravidian scripts is written with e, …);
- write apostrophes and superscripts into Tamil words, and pairs of braces for zero-width joiners; here nothing but the
  letters of the target's script is written, and joiners, which only say how a script joins letters, are left out;
- know neither Malayalam's chillu letters nor some other signs of today's texts, nor how the halves of a decomposed
  nukta letter belong together unless they stand in one form; here words are respelled with known signs, in NFC;
- read ISO 15919's anusvara as chandrabindu.
"""

import functools
import unicodedata
from dataclasses import dataclass

import regex
from indic_transliteration.sanscript import SCHEMES, SchemeMap, transliterate

LATIN = "Latin"
SCRIPTS = {
    "Devanagari": "devanagari",
    "Bengali": "bengali",
    "Tamil": "tamil",
    "Malayalam": "malayalam",
    "Telugu": "telugu",
    LATIN: "iso",
}
GROUPS = ("vowels", "vowel_marks", "yogavaahas", "consonants", "extra_consonants", "symbols")
DIGITS = "०१२३४५६७८९"

# What a sign is written with in a script that has none of its own, by the Devanagari names of both.
STAND_INS = (
    {"क़": "क", "ख़": "ख", "ग़": "ग", "ज़": "ज", "ड़": "ड", "ढ़": "ढ", "फ़": "फ", "य़": "य"}
    | {"ऱ": "र", "ऩ": "न", "ऴ": "ळ", "ळ": "ल", "ँ": "ं"}
    | {"ऎ": "ए", "ऒ": "ओ", "ऍ": "ए", "ऑ": "ओ", "ॆ": "े", "ॊ": "ो", "ॅ": "े", "ॉ": "ो"}
)
# Signs that the package gives a script, but that nobody who writes it would read as what they stand for.
UNREADABLE = {"Tamil": ("य़",), "Bengali": ("ऱ", "ऴ", "ळ")}
# Tamil's vocalic r and l without the package's apostrophes.
BETTER = {"Tamil": {"ऋ": "ரு", "ॠ": "ரூ", "ऌ": "லு", "ॡ": "லூ", "ृ": "்ரு", "ॄ": "்ரூ", "ॢ": "்லு", "ॣ": "்லூ"}}
# Names whose sign stands for something else when it is read: m without a vowel, o and m.
NOT_READ = {"Tamil": ("ं",), "Bengali": ("ॐ",), "Malayalam": ("ॐ",), "Telugu": ("ॐ",), LATIN: ("ॐ",)}
# Signs that the package does not know, by signs of the same script that it does.
RESPELLED = {
    "Devanagari": str.maketrans({"ॲ": "ऍ", "ऄ": "ऎ"}),
    "Bengali": str.maketrans({"ৱ": "ব", "ৗ": "ৌ"}),
    "Tamil": str.maketrans({"ஂ": "ம்", "ௗ": "ௌ"}),
    "Malayalam": str.maketrans(
        {"ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്", "ൔ": "മ്", "ൎ": "ര്"}
        | {"ൗ": "ൌ", "ഩ": "ന", "ഺ": "റ"}
    ),
    "Telugu": str.maketrans({"ౘ": "చ", "ౙ": "జ"}),
}
# Tamil has no anusvara; before a consonant it writes the nasal of the same place, elsewhere m.
NASALS = {"कखगघ": "ङ", "चछजझ": "ञ", "टठडढ": "ण", "तथदध": "न"}
CHILLU = {"ന": "ൻ", "ണ": "ൺ", "ല": "ൽ", "ള": "ൾ", "ര": "ർ", "മ": "ം"}
# Consonants that Malayalam writes with letters of their own where no vowel and no consonant follows; r before most.
UNJOINED = regex.compile(r"(?<=[\p{L}\p{M}])(?:([നണലളമ])്(?!\p{L})|(ര)്(?![യര]))")
JOINERS = str.maketrans("", "", "\u200c\u200d")
MARKS = regex.compile(r"\p{M}")


@functools.cache
def words(script: str) -> regex.Pattern[str]:
    """What finds the words of a script: its letters, digits and marks, with the marks that any script may use."""
    own = rf"[\p{{Script={script}}}--[\p{{P}}\p{{S}}]]"
    return regex.compile(rf"(?:{own}[\p{{Script=Inherited}}\p{{Mn}}]*)+", regex.VERSION1)


def nfc(text: str) -> str:
    """The text in Unicode's normal form C."""
    return unicodedata.normalize("NFC", text)


@functools.cache
def counterpart(name: str, script: str) -> str | None:
    """The sign of a script for a Devanagari name, or that of its stand-in; None where there is neither."""
    if name in UNREADABLE.get(script, ()):
        found = ""
    else:
        tables = [SCHEMES[SCRIPTS[script]].get(group, {}) for group in GROUPS]
        found = next((nfc(sign) for table in tables for key, sign in table.items() if nfc(key) == name), "")
        found = BETTER.get(script, {}).get(name, found)
    if found and (script == LATIN or regex.fullmatch(rf"[\p{{Script={script}}}।॥]+", found)):
        return found
    return counterpart(STAND_INS[name], script) if name in STAND_INS else None


@functools.cache
def scheme_map(source: str, target: str, digits: bool) -> SchemeMap:
    """The package's map between two scripts, with every sign of the source set to its counterpart.

    Without `digits` the source's digits stand for themselves.
    """
    scheme = SCHEMES[SCRIPTS[source]]
    made = SchemeMap(scheme, SCHEMES[SCRIPTS[target]])
    for signs in (made.vowels, made.vowel_marks, made.consonants, made.non_marks_viraama):
        signs.clear()
    others = {nfc(sign): map(nfc, also) for sign, also in scheme.get("alternates", {}).items()}
    for group in GROUPS:
        for key, given in scheme.get(group, {}).items():
            name, sign = nfc(key), nfc(given)
            if not sign or name in NOT_READ.get(source, ()):
                continue
            into = counterpart(name, target)
            if into is None or (name in DIGITS and (source == LATIN or not digits)):
                into = sign
            # Of several names for one sign the first is meant, and what is also written so comes after them all.
            for written in (sign, *others.get(sign, ())):
                if group == "vowel_marks":
                    made.vowel_marks.setdefault(written, into)
                    continue
                made.non_marks_viraama.setdefault(written, into)
                if group == "vowels":
                    made.vowels.setdefault(written, into)
                elif group.endswith("consonants"):
                    made.consonants.setdefault(written, into)
    made.max_key_length_from_scheme = max(map(len, made.non_marks_viraama))
    return made


@functools.cache
def nasals(source: str) -> list[tuple[regex.Pattern[str], str]]:
    """What finds a script's anusvara and chandrabindu before consonants of one place, and the nasal of that place."""
    virama = SCHEMES[SCRIPTS[source]]["virama"]["्"]
    return [
        (
            regex.compile(
                rf"[{counterpart('ं', source)}{counterpart('ँ', source)}]"
                rf"(?=[{''.join(counterpart(name, source) or '' for name in place)}])"
            ),
            f"{counterpart(nasal, source)}{virama}",
        )
        for place, nasal in NASALS.items()
    ]


@dataclass(frozen=True)
class Direction:
    """From one script to another (names as in resources/languages.tsv); `latin` and `digits` as in the recipe."""

    source: str
    target: str
    latin: str = "iso"
    digits: str = "target"


@functools.lru_cache(maxsize=1_000_000)
def transliterated(word: str, way: Direction) -> str:
    """A word of the source's script (see `words`) in the target's, in NFC.

    A word stays as it is where both scripts are the same.  Signs without a counterpart stay, too.
    """
    if way.source == way.target:
        return word
    known = nfc(word).translate(JOINERS).translate(RESPELLED.get(way.source, {}))
    if way.target == "Tamil" and way.source != LATIN:
        for found, nasal in nasals(way.source):
            known = found.sub(nasal, known)
    table = scheme_map(way.source, way.target, way.digits == "target")
    written = nfc(transliterate(known, scheme_map=table))
    if way.target == "Malayalam":
        written = UNJOINED.sub(lambda found: CHILLU[found[1] or found[2]], written)
    if way.target == LATIN and way.latin == "plain":
        written = nfc(MARKS.sub("", unicodedata.normalize("NFD", written)))
    return written
