"""Text as pieces, each with the characters that it stands for; a word that comes again is not tokenised again.

Most tokenisers cut text at blanks, BERT's at punctuation and ideographs too, before anything else, so that a word's
pieces don't depend on its neighbours.  Words of real text repeat: texts are cut where the tokeniser cuts them, every
distinct stretch is tokenised once, and the pieces of a text are gathered from those of its stretches by index
arithmetic.  Where a tokeniser is not known to cut anywhere, whole texts are tokenised; the result is the same either
way.
"""

import json
import sys
from collections.abc import Sequence
from itertools import chain, pairwise, repeat
from typing import Any

import numpy as np
import pyarrow as pa
import regex
from tokenizers import Tokenizer, pre_tokenizers

# How SentencePiece writes the blank before a word: a piece of its own where no piece of the word begins with it.
BLANK = "▁"
BERT = "BertPreTokenizer"
IS_BLANK = np.array([chr(code).isspace() for code in range(0x3002)])  # there are none behind
# What is composed with the letter before it, or dropped behind it: marks, joiners, conjoining Hangul, halfwidth kana's
# voicing marks and halfwidth Hangul.
MARKS = regex.compile(r"[\p{M}\u200c\u200d\u1160-\u11ff\ud7b0-\ud7ff\uff9e-\uffdc]+")
# What else normalisers may take as one with the character before it, as a grapheme cluster, or with the one behind it.
EXTENDS = regex.compile(
    r"[\p{Grapheme_Cluster_Break=Extend}\p{Grapheme_Cluster_Break=SpacingMark}\p{Grapheme_Cluster_Break=ZWJ}]"
)
PREPENDS = regex.compile(r"\p{Grapheme_Cluster_Break=Prepend}")
# What is known of a character, by its number; 0 where it was not asked yet.
KNOWN, MARK, BACKWARD, FORWARD, SEPARATE, CHANGED = 1, 2, 4, 8, 16, 32
TOGETHER = 1024  # characters of new words that are tokenised as one text; it takes longer with longer and shorter ones
# Words and pieces that are remembered; with more, all are forgotten, so that memory does not grow with the text.
MOST_WORDS, MOST_PIECES = 2**18, 2**21
# Normalisers that leave blanks where they are and look at nothing across one.
NORMALIZERS = {"NFC", "NFD", "NFKC", "NFKD", "BertNormalizer", "Lowercase", "StripAccents", "Precompiled"}
PATTERNS = ("[\u2581\u200b]", " {2,}")  # of Replace: signs that become blanks, blanks that become one


def code_points(text: str) -> np.ndarray:
    """The number of every character, uint32 [characters]."""
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)


class Characters:
    """What a tokeniser makes of characters, each asked once.

    MARK: it belongs to the letter before it (see MARKS).  BACKWARD, FORWARD: it may change what the character before
    it, behind it is.  SEPARATE: the tokeniser cuts text before and behind it, unless one of these is beside it.
    CHANGED: the normaliser does not leave it as it is, or might not beside another.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.normalizer = tokenizer.normalizer
        cuts = [step["type"] for step in steps(tokenizer.pre_tokenizer, "pretokenizers")]
        # Special pieces, where they are looked for in texts, are so before these are cut.
        is_bert = cuts[:1] == [BERT] and tokenizer.encode_special_tokens
        self.bert = pre_tokenizers.BertPreTokenizer() if is_bert else None
        self.known = np.zeros(sys.maxunicode + 1, dtype=np.uint8)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """What is known of each character, uint8 [characters], bits as above."""
        kinds = self.known[codes]
        if len(kinds) and not kinds.min():
            new = np.unique(codes[kinds == 0])
            self.known[new] = [self.ask(chr(code)) for code in new.tolist()]
            kinds = self.known[codes]
        return kinds

    def ask(self, character: str) -> int:
        """The bits of one character."""
        between = f"a{character}b"
        normal = self.normalizer.normalize_str(between) if self.normalizer else between
        mark = MARKS.match(character) is not None
        # What is dropped brings together what stands on either side.
        backward = mark or EXTENDS.match(character) is not None or normal == "ab"
        separate = character == " "
        if self.bert and not separate:
            words = [word for word, _ in self.bert.pre_tokenize_str(normal)]
            separate = words[:1] == ["a"] and words[-1:] == ["b"]
        forward = PREPENDS.match(character) is not None
        separate &= not (backward or forward)
        changed = backward or forward or normal != between
        kinds = (
            (MARK, mark),
            (BACKWARD, backward),
            (FORWARD, forward),
            (SEPARATE, separate),
            (CHANGED, changed),
        )
        return KNOWN | sum(bit for bit, holds in kinds if holds)


def without_blanks(offsets: np.ndarray, text: str) -> np.ndarray:
    """Offsets int32 [pieces, 2] that neither begin nor end with blanks; equal ones where a piece is blanks only."""
    blank = IS_BLANK[np.minimum(code_points(text), len(IS_BLANK) - 1)]
    place = np.arange(len(text) + 1, dtype=np.int32)
    # By character, where the next one stands that is no blank, and where the one before it ends.
    following, preceding = place.copy(), place.copy()
    following[:-1][blank] = len(text)
    following = np.minimum.accumulate(following[::-1])[::-1]
    preceding[1:][blank] = 0
    preceding = np.maximum.accumulate(preceding)
    starts = following[offsets[:, 0]]
    return np.column_stack([starts, np.maximum(preceding[offsets[:, 1]], starts)])


def with_marks(offsets: np.ndarray, mark: np.ndarray) -> np.ndarray:
    """Offsets int32 [pieces, 2] whose ends take in the marks that belong to a piece's last letter.

    mark: bool [characters].  A tokeniser that composes "e" + U+0301 to "é" reports the place of the letter alone.
    """
    reach = np.arange(len(mark) + 1, dtype=np.int32)
    reach[:-1][mark] = len(mark)
    # where the run of marks that begins at or before a character ends
    reach = np.minimum.accumulate(reach[::-1])[::-1]
    after = np.append(offsets[1:, 0], len(mark))
    offsets[:, 1] = np.minimum(reach[offsets[:, 1]], np.maximum(after, offsets[:, 1]))
    return offsets


def exactly(
    ids: np.ndarray, offsets: np.ndarray, text: str, mark: np.ndarray, blank: int | None
) -> np.ndarray:
    """The characters of `text` that each piece stands for, int32 [pieces, 2]; -1, -1 where it stands for none.

    ids, offsets: int32 [pieces] and [pieces, 2] as the tokeniser gives them.  mark: bool [characters], those that
    belong to the letter before them.  blank: the piece of a lone "▁", which the tokeniser puts where the word's first
    character is; None where the vocabulary has none, and then no piece has blanks in it.
    """
    if blank is None:
        return with_marks(offsets, mark)
    exact = with_marks(without_blanks(offsets, text), mark)
    exact[(ids == blank) | (exact[:, 0] == exact[:, 1])] = -1
    return exact


def cuts_at_blanks(tokenizer: Tokenizer) -> bool:
    """Whether the tokeniser is known to cut text at every blank (U+0020) before it looks at words."""
    if any(not token.special for token in tokenizer.get_added_tokens_decoder().values()):
        return False  # these are looked for in the text as it is, and may take in blanks
    cuts = steps(tokenizer.pre_tokenizer, "pretokenizers")
    if not cuts or cuts[0]["type"] not in (BERT, "WhitespaceSplit"):
        return False
    if any(step.get("prepend_scheme") == "first" for step in cuts):
        return False  # the first word of a text is told from the others
    return all(map(keeps_blanks, steps(tokenizer.normalizer, "normalizers")))


def steps(component: Any, inside: str) -> list[dict[str, Any]]:
    """The steps of a normaliser or pre-tokeniser as tokenizer.json holds them, sequences opened; [] for None."""

    def opened(part: dict[str, Any]) -> list[dict[str, Any]]:
        return (
            [step for inner in part[inside] for step in opened(inner)]
            if part["type"] == "Sequence"
            else [part]
        )

    return opened(json.loads(component.__getstate__())) if component else []


def keeps_blanks(normalizer: dict[str, Any]) -> bool:
    """Whether a normaliser leaves blanks where they are, and looks at nothing across one."""
    if normalizer["type"] == "Replace":
        return normalizer["pattern"].get("Regex") in PATTERNS and normalizer["content"] == " "
    return normalizer["type"] in NORMALIZERS


def grown(array: np.ndarray, length: int) -> np.ndarray:
    """The array, or a longer one that begins like it, with room for so many elements and half as many to come."""
    if len(array) >= length:
        return array
    longer = np.empty(length + length // 2, dtype=array.dtype)
    longer[: len(array)] = array
    return longer


def without_normalizer(tokenizer: Tokenizer) -> Tokenizer:
    """What gives the same pieces for units that the normaliser does not change, in less time; the model is shared."""
    if not tokenizer.encode_special_tokens:
        return tokenizer  # special pieces are looked for in the text
    plain = Tokenizer(tokenizer.model)
    plain.pre_tokenizer = tokenizer.pre_tokenizer
    if [step["type"] for step in steps(tokenizer.pre_tokenizer, "pretokenizers")] == [BERT]:
        plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # units are cut at all other places
    return plain


def encode(tokenizer: Tokenizer, texts: list[str], at: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Pieces, int32 [pieces], and their offsets, those of each text counted from its `at`, int32 [pieces, 2]."""
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    rows = [encoding.ids for encoding in encodings]
    counts = np.array(list(map(len, rows)), dtype=np.int64)
    total = int(counts.sum())
    ids = np.fromiter(chain.from_iterable(rows), np.int32, total)
    both = chain.from_iterable(chain.from_iterable(encoding.offsets for encoding in encodings))
    offsets = np.fromiter(both, np.int32, 2 * total).reshape(total, 2)
    return ids, offsets + np.repeat(np.array(at, dtype=np.int32), counts)[:, None]


class Pieces:
    """A tokeniser with a memory.

    Units, numbered as they come, are stretches of text between two places where the tokeniser cuts any text, or whole
    texts where none are known.  `first` and `count` [units] say where a unit's pieces stand in `ids`, `starts` and
    `ends` [pieces], which are characters of the unit; all of these arrays have room for more.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.characters = Characters(tokenizer)
        self.by_word = cuts_at_blanks(tokenizer)
        self.blank = tokenizer.token_to_id(BLANK)
        self.plain = without_normalizer(tokenizer)
        self.forget()

    def forget(self) -> None:
        """Start again without any unit."""
        self.numbers: dict[str, int] = {}
        self.first = self.count = np.empty(0, dtype=np.int64)
        self.pieces = 0
        self.ids = self.starts = self.ends = np.empty(0, dtype=np.int32)

    def cut(
        self, texts: list[str], at: Sequence[int], heads: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Pieces of texts, one after another: ids, first and last character, int32 [pieces]; how many, int64 [texts].

        The pieces of `texts[n]` begin with the piece `heads[n]`, which stands for no character (-1); characters are
        counted from `at[n]`.
        """
        if len(self.numbers) > MOST_WORDS or self.pieces > MOST_PIECES:
            self.forget()
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        begins = np.cumsum(lengths + 1) - (lengths + 1)  # with a blank between one text and the next
        units, place = (
            self.units_by_word(texts, begins) if self.by_word else self.units_by_text(texts, begins)
        )
        count = self.count[units]
        ends = np.cumsum(count)
        total = int(ends[-1]) if len(ends) else 0
        # Where the units and the pieces of each text begin.
        unit = np.searchsorted(place, begins)
        reached = np.concatenate([np.zeros(1, dtype=np.int64), ends])[np.append(unit, len(units))]
        index = np.arange(total) + np.repeat(self.first[units] - (ends - count), count)
        place += np.repeat(np.asarray(at, dtype=np.int64) - begins, np.diff(unit, append=len(units)))
        shift = np.repeat(place.astype(np.int32), count)
        starts, stops = self.starts[index], self.ends[index]
        if self.blank is not None:
            shift[starts < 0] = 0
        # Pieces stand behind the heads of their text and of those before it.
        head = reached[:-1] + np.arange(len(texts))
        text = np.ones(total + len(texts), dtype=bool)
        text[head] = False
        made = np.full((3, len(text)), -1, dtype=np.int32)
        made[0, head] = heads
        for row, values in zip(made, (self.ids[index], starts + shift, stops + shift), strict=True):
            row[text] = values
        return *made, np.diff(reached) + 1

    def units_by_text(self, texts: list[str], begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The number of each text as a unit, and where it begins: int64 [texts] both."""
        distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        rows = np.fromiter(map(distinct.__getitem__, texts), np.int64, len(texts))
        return self.look_up(list(distinct))[rows], begins.copy()

    def units_by_word(self, texts: list[str], begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The units of all texts that have pieces, one text after another: number, and first character, int64 [units].

        Characters are counted as if the texts were joined by blanks.
        """
        joined = " ".join(texts)
        codes = code_points(joined)
        kinds = self.characters(codes)
        cut = np.zeros(len(codes) + 1, dtype=bool)
        separate = (kinds & SEPARATE) > 0
        separate[:-1] &= (kinds[1:] & BACKWARD) == 0
        separate[1:] &= (kinds[:-1] & FORWARD) == 0
        np.logical_or(separate[1:], separate[:-1], out=cut[1:-1])
        cut[begins] = cut[begins[1:] - 1] = cut[-1] = True
        edges = np.flatnonzero(cut)
        # Arrow finds the distinct ones; it wants them in UTF-8, and where each begins in bytes.
        octets = np.zeros(len(codes) + 1, dtype=np.int64)
        wide = (codes > 0x7F).view(np.uint8) + (codes > 0x7FF) + (codes > 0xFFFF)
        np.cumsum(wide, out=octets[1:])
        buffers = [None, pa.py_buffer(octets[edges] + edges), pa.py_buffer(joined.encode())]
        found = pa.Array.from_buffers(pa.large_utf8(), len(edges) - 1, buffers).dictionary_encode()
        words = found.dictionary.to_numpy(zero_copy_only=False).tolist()
        units = self.look_up(words)[found.indices.to_numpy()]
        seen = np.flatnonzero(self.count[units])
        return units[seen], edges[seen]

    def look_up(self, units: list[str]) -> np.ndarray:
        """The numbers of distinct units, int64; those that are new are tokenised."""
        numbers = np.fromiter(map(self.numbers.get, units, repeat(-1)), np.int64, len(units))
        new = np.flatnonzero(numbers < 0)
        if len(new):
            words = list(map(units.__getitem__, new.tolist()))
            numbers[new] = self.learn(words)
            self.numbers.update(zip(words, numbers[new].tolist(), strict=True))
        return numbers

    def learn(self, units: list[str]) -> np.ndarray:
        """Tokenise units; the number of each, int64.

        They are joined by blanks to texts: first those that no normaliser changes, then others, but for those whose
        ends might cling to a blank, which come last, each alone.
        """
        lengths = np.fromiter(map(len, units), np.int64, len(units))
        joined = " ".join(units)
        ways = self.ways(joined, lengths)
        order = np.argsort(ways, kind="stable")
        units = list(map(units.__getitem__, order.tolist()))
        lengths, joined = lengths[order], " ".join(units)
        begins = np.cumsum(lengths + 1) - (lengths + 1)
        plain, together = np.searchsorted(ways[order], (1, 2)).tolist()
        cuts = np.searchsorted(begins[:together], np.arange(TOGETHER, len(joined), TOGETHER))
        places = np.unique([0, plain, *cuts[cuts < together].tolist(), *range(together, len(units))])
        edges = [*begins[places[places < len(units)]].tolist(), len(joined) + 1]
        texts = [joined[a : b - 1] for a, b in pairwise(edges)]
        number = int(np.searchsorted(places, plain))
        ids, offsets = map(
            np.concatenate,
            zip(
                encode(self.plain, texts[:number], edges[:number]),
                encode(self.tokenizer, texts[number:], edges[number:-1]),
                strict=True,
            ),
        )
        unit = np.searchsorted(begins, offsets[:, 0], side="right") - 1
        mark = (self.characters(code_points(joined)) & MARK) > 0
        place = exactly(ids, offsets, joined, mark, self.blank)
        place = np.where(place < 0, -1, place - begins[unit, None])
        numbers = np.empty(len(units), dtype=np.int64)
        numbers[order] = self.add(np.bincount(unit, minlength=len(units)), ids, place)
        return numbers

    def ways(self, joined: str, lengths: np.ndarray) -> np.ndarray:
        """0 for units that no normaliser changes, 2 for those that what is around them might change, 1 for others.

        joined: all of them, with blanks between; lengths: int64 [units].
        """
        if not self.by_word:
            return np.full(len(lengths), 2)
        codes = code_points(joined)
        kinds = self.characters(codes)
        after = np.cumsum(lengths + 1)
        begins, ends = after - (lengths + 1), after - 1
        blanks, changed = (
            np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(some)])
            for some in (codes == ord(" "), (kinds & CHANGED) > 0)
        )
        clings = ((kinds[begins] & BACKWARD) > 0) | ((kinds[ends - 1] & FORWARD) > 0)
        alone = clings | (blanks[ends] > blanks[begins])
        return np.where(alone, 2, changed[ends] > changed[begins])

    def add(self, count: np.ndarray, ids: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Remember units: how many pieces each has, these and their characters.  The numbers that they get, int64."""
        units, pieces = len(self.numbers), self.pieces
        numbers = np.arange(units, units + len(count))
        self.pieces += len(ids)
        self.first, self.count = (grown(array, units + len(count)) for array in (self.first, self.count))
        self.first[numbers] = pieces + np.cumsum(count) - count
        self.count[numbers] = count
        self.ids, self.starts, self.ends = (
            grown(array, self.pieces) for array in (self.ids, self.starts, self.ends)
        )
        for array, values in ((self.ids, ids), (self.starts, place[:, 0]), (self.ends, place[:, 1])):
            array[pieces : self.pieces] = values
        return numbers
