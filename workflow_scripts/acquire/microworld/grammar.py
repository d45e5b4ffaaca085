"""A language's sentences: templates and lexicon from resources/microworld, filled with the values of a fact.

A template is a row of tokens; `{slot}` takes a value, `{slot:code}` its inflected form, `[m|f]` follows the gender of
the person in slot p, and `word~N` expresses concept N, which links it to the words of the same concept in another
language (resources/microworld/README.md describes the tables).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from workflow_scripts.acquire.microworld.inflection import INFLECT
from workflow_scripts.acquire.microworld.names import gender, render
from workflow_scripts.words import words

TABLES = Path(__file__).parents[3] / "resources" / "microworld"

# What fills a slot: a phonemic name (slots p q c r k), a number (y n), or a row of the lexicon (f s x t b w).
Value = str | int

NAMES, NUMBERS = "pqcrk", "yn"
# Languages that write numbers in digits of their own: the code point of zero.
ZERO = {"bn": 0x9E6, "mr": 0x966}
# Signs written without a blank before them.
SIGNS = frozenset(".?,؟।،")


class Token(NamedTuple):
    """One blank-separated piece of a template: what stands around its slot (if it has one), and its concept (or 0)."""

    before: str
    slot: str
    code: str
    after: str
    concept: int


class Piece(NamedTuple):
    """A token of a filled sentence, in characters of its text; the stem is the slot's value (start = end: no slot)."""

    start: int
    end: int
    slot: str
    stem_start: int
    stem_end: int
    concept: int


class Sentence(NamedTuple):
    """A filled template."""

    text: str
    pieces: list[Piece]

    def piece(self, slot: str) -> Piece:
        """The token that holds a slot."""
        return next(piece for piece in self.pieces if piece.slot == slot)


@dataclass(frozen=True)
class Grammar:
    """The tables of one language: key -> phrasings -> tokens for a man and for a woman in slot p; kind -> words."""

    language: str
    phrasings: dict[str, list[tuple[list[Token], list[Token]]]]
    lexicon: dict[str, list[str]]
    forms: dict[tuple[str, str, Value], tuple[str, str, str]] = field(default_factory=dict)


def read_table(path: Path) -> dict[str, str]:
    """The `key: rest` or `key<TAB>rest` lines of a table, in NFC."""
    lines = unicodedata.normalize("NFC", path.read_text("utf-8")).splitlines()
    return dict(re.split(r": |\t", line, maxsplit=1) for line in lines)


def read_grammar(language: str, tables: Path = TABLES) -> Grammar:
    """The grammar of a language that has tables."""
    phrasings = {
        key: [(compile_template(one, False), compile_template(one, True)) for one in rest.split(" | ")]
        for key, rest in read_table(tables / f"{language}.txt").items()
    }
    lexicon = {
        kind: [word.replace("_", " ") for word in rest.split()]
        for kind, rest in read_table(tables / f"lexicon_{language}.tsv").items()
    }
    return Grammar(language, phrasings, lexicon)


def compile_template(template: str, female: bool) -> list[Token]:
    """The tokens of a template where slot p holds a man or a woman."""
    chosen = re.sub(r"\[([^|\]]*)\|([^\]]*)\]", lambda both: both.group(2 if female else 1), template)
    tokens = []
    for token in chosen.split():
        text, _, concept = token.partition("~")
        slot = re.fullmatch(r"([^{}]*)\{(\w)(?::([^}]+))?\}([^{}]*)", text)
        before, name, code, after = slot.groups("") if slot else (text, "", "", "")
        tokens.append(Token(before, name, code, after, int(concept or 0)))
    return tokens


def surface(grammar: Grammar, slot: str, value: Value) -> str:
    """A value as the language writes it, uninflected."""
    if slot in NAMES:
        return render(str(value), grammar.language)
    if slot in NUMBERS:
        zero = ZERO.get(grammar.language, ord("0"))
        return "".join(chr(zero + int(digit)) for digit in str(value))
    return grammar.lexicon[slot][int(value)]


def form(grammar: Grammar, slot: str, code: str, value: Value) -> tuple[str, str, str]:
    """(before, stem, after) of a value inflected by `code` ("" for none)."""
    key = (slot, code, value)
    if key not in grammar.forms:
        grammar.forms[key] = inflected(grammar, surface(grammar, slot, value), code)
    return grammar.forms[key]


def inflected(grammar: Grammar, word: str, code: str) -> tuple[str, str, str]:
    """(before, stem, after) of a written word inflected by `code` ("" for none)."""
    return INFLECT[grammar.language](word, code) if code else ("", word, "")


def fill(
    grammar: Grammar,
    key: str,
    phrasing: int,
    values: Mapping[str, Value],
    spelled: Mapping[Value, str] = MappingProxyType({}),
) -> Sentence:
    """The sentence for `key` in wording `phrasing` (from 1) with the slots' values.

    `spelled` holds the written forms of names that are to be written otherwise than the language would.
    """
    female = "p" in values and gender(str(values["p"])) == "f"
    text, pieces = "", []
    for token in grammar.phrasings[key][phrasing - 1][female]:
        if text and token.before not in SIGNS:
            text += " "
        start = len(text)
        if token.slot:
            value = values[token.slot]
            if value in spelled:
                before, stem, after = inflected(grammar, spelled[value], token.code)
            else:
                before, stem, after = form(grammar, token.slot, token.code, value)
            stem_start = start + len(token.before) + len(before)
            text += token.before + before + stem + after + token.after
            piece = Piece(start, len(text), token.slot, stem_start, stem_start + len(stem), token.concept)
        else:
            text += token.before
            piece = Piece(start, len(text), "", start, start, token.concept)
        pieces.append(piece)
    return Sentence(text, pieces)


def links(source: Sentence, target: Sentence) -> list[tuple[int, int]]:
    """Gold links between `words` of two renderings of one fact, as sorted (source index, target index).

    Slots link word by word, or all with all where the languages use different numbers of words; so do the words of one
    concept.  The last sign links to the last sign, and commas to commas in their order.
    """
    found: set[tuple[int, int]] = set()
    units, other_units = _units(source), _units(target)
    for unit in units.keys() & other_units.keys():
        mine, theirs = units[unit], other_units[unit]
        if len(mine) == len(theirs) and not unit.isdigit():
            found.update(zip(mine, theirs, strict=True))
        else:
            found.update((i, j) for i in mine for j in theirs)
    return sorted(found)


def _units(sentence: Sentence) -> dict[str, list[int]]:
    """Word indices of each slot (its letter), each concept (its number), the last sign ("end") and commas (",1" …)."""
    spans, position = [], 0
    for word in words(sentence.text):
        start = sentence.text.index(word, position)
        position = start + len(word)
        spans.append((start, position))

    def covered(start: int, end: int) -> list[int]:
        return [index for index, span in enumerate(spans) if span[0] < end and start < span[1]]

    units: dict[str, list[int]] = {}
    for piece in sentence.pieces:
        if piece.slot:
            units[piece.slot] = covered(piece.stem_start, piece.stem_end)
        if piece.concept:
            units.setdefault(str(piece.concept), []).extend(covered(piece.start, piece.end))
    signs = [index for index, (start, end) in enumerate(spans) if sentence.text[start:end] in SIGNS]
    units.update({f",{number}": [index] for number, index in enumerate(signs[:-1], 1)}, end=signs[-1:])
    return units
