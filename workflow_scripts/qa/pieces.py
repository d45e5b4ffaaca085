"""Text as pieces, each with the characters that it stands for; a word that comes again is not tokenised again.

Most tokenisers cut text at blanks before anything else, so that a word's pieces don't depend on its neighbours.  Words
of real text repeat: every distinct one is tokenised once, and the pieces of a text are gathered from those of its words
by index arithmetic.  Where a tokeniser does not cut at blanks, or where what stands at a blank might change with the
word beside it, whole texts are tokenised; the result is the same either way.
"""

import json
import sys
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
import regex
from tokenizers import Tokenizer

# How SentencePiece writes the blank before a word: a piece of its own where no piece of the word begins with it.
BLANK = "▁"
IS_BLANK = np.array([chr(code).isspace() for code in range(0x3002)])  # there are none behind
# What is composed with the letter before it, or dropped behind it: marks, joiners, conjoining Hangul, halfwidth kana's
# voicing marks and halfwidth Hangul.
MARKS = regex.compile(r"[\p{M}\u200c\u200d\u1160-\u11ff\ud7b0-\ud7ff\uff9e-\uffdc]+")
UNSEEN = 2
SEEN = np.full(
    sys.maxunicode + 1, UNSEEN, dtype=np.int8
)  # by character, whether it is one: 0, 1, or not asked yet
# What a blank forms a grapheme cluster with, which normalisers may take as one: a mark behind it, a sign before it.
CLINGS = regex.compile(
    r"(?:^| )[\p{M}\p{Grapheme_Cluster_Break=Extend}\p{Grapheme_Cluster_Break=ZWJ}\uff9e-\uffdc]"
    r"|\p{Grapheme_Cluster_Break=Prepend}(?: |$)"
)
TOGETHER = 4096  # characters of new words that are tokenised as one text; it takes longer with longer and shorter ones
# Words and pieces that are remembered; with more, all are forgotten, so that memory does not grow with the text.
MOST_WORDS, MOST_PIECES = 2**19, 2**22
# Normalisers that leave blanks where they are and look at nothing across one.
NORMALIZERS = {"NFC", "NFD", "NFKC", "NFKD", "BertNormalizer", "Lowercase", "StripAccents", "Precompiled"}
PATTERNS = ("[\u2581\u200b]", " {2,}")  # of Replace: signs that become blanks, blanks that become one


def code_points(text: str) -> np.ndarray:
    """The number of every character, uint32 [characters]."""
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)


def is_mark(codes: np.ndarray) -> np.ndarray:
    """Whether characters, given by their numbers, are among MARKS."""
    new = np.unique(codes[SEEN[codes] == UNSEEN])
    SEEN[new] = [MARKS.match(chr(code)) is not None for code in new.tolist()]
    return SEEN[codes] == 1


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


def with_marks(offsets: np.ndarray, text: str) -> np.ndarray:
    """Offsets int32 [pieces, 2] whose ends take in the marks that belong to a piece's last letter.

    A tokeniser that composes "e" + U+0301 to "é" reports the place of the letter alone.
    """
    mark = is_mark(code_points(text))
    reach = np.arange(len(text) + 1, dtype=np.int32)
    reach[:-1][mark] = len(text)
    # where the run of marks that begins at or before a character ends
    reach = np.minimum.accumulate(reach[::-1])[::-1]
    after = np.append(offsets[1:, 0], len(text))
    offsets[:, 1] = np.minimum(reach[offsets[:, 1]], np.maximum(after, offsets[:, 1]))
    return offsets


def characters(ids: np.ndarray, offsets: np.ndarray, text: str, blank: int | None) -> np.ndarray:
    """The characters of `text` that each piece stands for, int32 [pieces, 2]; -1, -1 where it stands for none.

    ids, offsets: int32 [pieces] and [pieces, 2] as the tokeniser gives them.  blank: the piece of a lone "▁", which the
    tokeniser puts where the word's first character is; None where the vocabulary has none, and then no piece has
    blanks in it.
    """
    if blank is None:
        return with_marks(offsets, text)
    exact = with_marks(without_blanks(offsets, text), text)
    exact[(ids == blank) | (exact[:, 0] == exact[:, 1])] = -1
    return exact


def cuts_at_blanks(tokenizer: Tokenizer) -> bool:
    """Whether the tokeniser is known to cut text at every blank (U+0020) before it looks at words."""
    if any(not token.special for token in tokenizer.get_added_tokens_decoder().values()):
        return False  # these are looked for in the text as it is, and may take in blanks
    first = steps(tokenizer.pre_tokenizer, "pretokenizers")[:1]
    return all(map(keeps_blanks, steps(tokenizer.normalizer, "normalizers"))) and bool(
        first and first[0]["type"] in ("BertPreTokenizer", "WhitespaceSplit")
    )


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
        return normalizer["pattern"].get("Regex") in PATTERNS
    return normalizer["type"] in NORMALIZERS


class Numbers(dict[str, int]):
    """Numbers of words; a word that is looked up for the first time gets the next one, and stands in `new`."""

    def __init__(self) -> None:
        self.new: list[str] = []
        self.next = 0

    def __missing__(self, word: str) -> int:
        number = self[word] = self.next
        self.next += 1
        self.new.append(word)
        return number


class Pieces:
    """A tokeniser with a memory.

    Units, numbered as they come, are words, whole texts and single pieces that are put in front of texts; `length`,
    `first` and `count` [units] say how many characters a unit has and where its pieces stand in `ids`, `starts` and
    `ends` [pieces], which are characters of the unit; `apart` [units] marks words that may not stand alone.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.by_word = cuts_at_blanks(tokenizer)
        self.blank = tokenizer.token_to_id(BLANK)
        self.forget()

    def forget(self) -> None:
        """Start again without any unit."""
        self.numbers = Numbers()
        self.length = self.count = self.first = np.empty(0, dtype=np.int64)
        self.apart = np.empty(0, dtype=bool)
        self.ids = self.starts = self.ends = np.empty(0, dtype=np.int32)

    def cut(
        self, texts: list[str], at: Sequence[int], heads: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Pieces of texts, one after another: ids, first and last character, int32 [pieces]; how many, int64 [texts].

        The pieces of `texts[n]` begin with the piece `heads[n]`, which stands for no character (-1); characters are
        counted from `at[n]`.
        """
        if len(self.count) > MOST_WORDS or len(self.ids) > MOST_PIECES:
            self.forget()
        # A head goes by a name that no word or text has, because half a surrogate pair is in it.
        names = [f"\ud800{head}" for head in heads]
        self.learn_heads(dict(zip(names, heads, strict=True)))
        units, numbers = self.look_up(texts, names)
        lengths = self.length[numbers]
        begins = np.cumsum(units) - units
        # Where each unit begins, in characters, if those of all texts were joined by blanks, heads among them …
        place = np.cumsum(lengths + 1) - (lengths + 1)
        # … and where it does with each text counted from its own `at`.
        place += np.repeat(np.asarray(at, dtype=np.int64) - place[begins] - lengths[begins] - 1, units)
        count = self.count[numbers]
        ends = np.cumsum(count)
        index = np.arange(int(count.sum())) + np.repeat(self.first[numbers] - (ends - count), count)
        shift = np.repeat(place, count).astype(np.int32)
        starts, stops = self.starts[index], self.ends[index]
        none = starts < 0
        starts += shift
        stops += shift
        starts[none] = stops[none] = -1
        return self.ids[index], starts, stops, np.add.reduceat(count, begins) if len(units) else count

    def look_up(self, texts: list[str], names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """How many units each text has, its head the first, int64 [texts], and the number of each, int64 [units]."""
        rows = [
            [name, *text.split(" ")] if self.by_word else [name, text]
            for name, text in zip(names, texts, strict=True)
        ]
        counts = np.fromiter(map(len, rows), np.int64, len(rows))
        look_up = map(self.numbers.__getitem__, chain.from_iterable(rows))
        numbers = np.fromiter(look_up, np.int64, int(counts.sum()))
        if new := self.numbers.new:
            self.learn_words(new) if self.by_word else self.learn_texts(new)
            self.numbers.new = []
        if not self.apart[numbers].any():
            return counts, numbers
        # Texts with words that may not stand alone become units of their own.
        begins = np.cumsum(counts) - counts
        apart = np.flatnonzero(np.logical_or.reduceat(self.apart[numbers], begins)).tolist()
        first = self.numbers.next
        self.numbers.next += len(apart)
        self.learn_texts([texts[row] for row in apart])
        parts = np.split(numbers, begins[1:])
        for number, row in enumerate(apart, first):
            parts[row] = np.array([parts[row][0], number])
        return np.array(list(map(len, parts)), dtype=np.int64), np.concatenate(parts)

    def learn_heads(self, heads: dict[str, int]) -> None:
        """Remember single pieces by the names given, as units of the length of these."""
        new = [name for name in heads if name not in self.numbers]
        for name in new:
            self.numbers[name]
        self.numbers.new = []
        ids = np.array([heads[name] for name in new], dtype=np.int32)
        none = np.full((len(new), 2), -1, dtype=np.int32)
        self.add(list(map(len, new)), np.ones(len(new), dtype=np.int64), ids, none)

    def learn_words(self, words: list[str]) -> None:
        """Tokenise words, joined by blanks to texts, but for those that may not stand alone."""
        joined = " ".join(words)
        apart = np.zeros(len(words), dtype=bool)
        if CLINGS.search(joined):
            apart[:] = [CLINGS.search(word) is not None for word in words]
            words = ["" if alone else word for word, alone in zip(words, apart, strict=True)]
            joined = " ".join(words)
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        begins = np.cumsum(lengths + 1) - (lengths + 1)
        cuts = np.searchsorted(begins, np.arange(TOGETHER, len(joined), TOGETHER))
        edges = [0, *dict.fromkeys(begins[cuts[cuts < len(begins)]].tolist()), len(joined) + 1]
        spans = [(begin, end - 1) for begin, end in pairwise(edges) if end - 1 > begin]
        ids, offsets, _ = self.encode([joined[a:b] for a, b in spans], [a for a, _ in spans])
        word = np.searchsorted(begins, offsets[:, 0], side="right") - 1
        place = characters(ids, offsets, joined, self.blank)
        place = np.where(place < 0, -1, place - begins[word, None])
        self.add(lengths, np.bincount(word, minlength=len(words)), ids, place, apart)

    def learn_texts(self, texts: list[str]) -> None:
        """Tokenise whole texts."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        begins = np.cumsum(lengths + 1) - (lengths + 1)
        ids, offsets, count = self.encode(texts, begins.tolist())
        place = characters(ids, offsets, " ".join(texts), self.blank)
        place = np.where(place < 0, -1, place - np.repeat(begins, count)[:, None])
        self.add(lengths, count, ids, place)

    def encode(self, texts: list[str], at: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pieces, int32 [pieces], offsets counted from `at`, int32 [pieces, 2], and how many of each, int64 [texts]."""
        encodings = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        rows = [encoding.ids for encoding in encodings]
        counts = np.array(list(map(len, rows)), dtype=np.int64)
        total = int(counts.sum())
        ids = np.fromiter(chain.from_iterable(rows), np.int32, total)
        both = chain.from_iterable(chain.from_iterable(encoding.offsets for encoding in encodings))
        offsets = np.fromiter(both, np.int32, 2 * total).reshape(total, 2)
        return ids, offsets + np.repeat(np.array(at, dtype=np.int32), counts)[:, None], counts

    def add(
        self,
        length: Sequence[int] | np.ndarray,
        count: np.ndarray,
        ids: np.ndarray,
        place: np.ndarray,
        apart: np.ndarray | None = None,
    ) -> None:
        """Remember units, which have the next numbers: characters, number of pieces, these and their characters."""
        self.first = np.append(self.first, len(self.ids) + np.cumsum(count) - count)
        self.count = np.append(self.count, count)
        self.length = np.append(self.length, np.asarray(length, dtype=np.int64))
        self.apart = np.append(self.apart, np.zeros(len(count), dtype=bool) if apart is None else apart)
        self.ids = np.append(self.ids, ids)
        self.starts = np.append(self.starts, place[:, 0].astype(np.int32))
        self.ends = np.append(self.ends, place[:, 1].astype(np.int32))
