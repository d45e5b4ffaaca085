"""Sentence pairs and their links as an encoder reads them: pieces, the pieces of each word, links between words.

A language's corpus is a few flat arrays, so that a million pairs take some hundred megabytes, not gigabytes.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from transformers import PreTrainedTokenizerBase

from workflow_scripts.pairs import Links, Pair, one_to_one
from workflow_scripts.recipes.alignment import Alignment

AT_ONCE = 1000  # pairs that are cut into pieces together


class Ragged:
    """Rows of different lengths behind one another in memory."""

    def __init__(self, dtype: type[np.integer]) -> None:
        self.dtype = np.dtype(dtype)
        self.values = bytearray()
        self.first = array("q", [0])  # row n is values first[n] to first[n + 1]

    def append(self, row: np.ndarray) -> None:
        """Add a row."""
        self.values += row.astype(self.dtype).tobytes()
        self.first.append(self.first[-1] + row.size)

    def __getitem__(self, row: int) -> np.ndarray:
        count = self.first[row + 1] - self.first[row]
        return np.frombuffer(self.values, self.dtype, count, self.first[row] * self.dtype.itemsize)

    def __len__(self) -> int:
        return len(self.first) - 1

    def lengths(self) -> np.ndarray:
        """The number of values of each row, int64 [rows]."""
        return np.diff(np.array(self.first))


@dataclass(frozen=True)
class Sentence:
    """pieces [pieces], [CLS] and [SEP] included; words [words, 2]: where each word's first and last piece stand."""

    pieces: np.ndarray
    words: np.ndarray


@dataclass(frozen=True)
class EncodedPair:
    """A pair and its links, int [links, 2]."""

    foreign: Sentence
    english: Sentence
    links: np.ndarray


@dataclass(frozen=True)
class Corpus:
    """The usable pairs of a language."""

    pieces: tuple[Ragged, Ragged]  # foreign, English
    words: tuple[Ragged, Ragged]
    links: Ragged

    def __len__(self) -> int:
        return len(self.links)

    def lengths(self) -> np.ndarray:
        """Pieces of each pair, both sides together, int64 [pairs]."""
        return self.pieces[0].lengths() + self.pieces[1].lengths()

    def pair(self, row: int) -> EncodedPair:
        """One pair."""
        foreign, english = (
            Sentence(self.pieces[side][row], self.words[side][row].reshape(-1, 2)) for side in (0, 1)
        )
        return EncodedPair(foreign, english, self.links[row].reshape(-1, 2))


def encode(
    sentences: Sequence[Sequence[str]], tokenizer: PreTrainedTokenizerBase, longest: int
) -> Iterator[Sentence | None]:
    """The pieces of each sentence, cut after the last word that fits into `longest` pieces.

    None where a word yields no piece (it could have no vector).
    """
    encoding = tokenizer([list(words) for words in sentences], is_split_into_words=True)
    for row, words in enumerate(sentences):
        pieces = np.array(encoding["input_ids"][row], np.int32)
        of = np.array([-1 if word is None else word for word in encoding.word_ids(row)])
        positions = np.flatnonzero(of >= 0)
        found, first = np.unique(of[positions], return_index=True)
        if len(found) != len(words):
            yield None
            continue
        first = positions[first]
        last = np.append(first[1:] - 1, positions[-1])
        if len(pieces) > longest:
            kept = last < longest - 1
            first, last = first[kept], last[kept]
            pieces = np.append(pieces[: last[-1] + 1 if kept.any() else 1], pieces[-1])
        yield Sentence(pieces, np.stack([first, last], 1))


def kept_links(pair: Pair, links: Links, recipe: Alignment) -> Links:
    """The links that the recipe aligns; identical words go before links are counted, as in Wu & Dredze's code."""
    if recipe.drop_identical:
        links = [(i, j) for i, j in links if pair[0][i] != pair[1][j]]
    return one_to_one(links) if recipe.links == "one_to_one" else links


def usable(
    pairs: Iterable[tuple[Pair, Links] | str], tokenizer: PreTrainedTokenizerBase, recipe: Alignment
) -> Iterator[EncodedPair | str]:
    """Each pair as the encoder reads it, or why it is of no use; reasons that are given keep their place."""
    longest = min(recipe.max_pieces or tokenizer.model_max_length, tokenizer.model_max_length)
    source = iter(pairs)
    while some := list(islice(source, AT_ONCE)):
        sides = [side for one in some if not isinstance(one, str) for side in one[0]]
        encoded = encode(sides, tokenizer, longest) if sides else iter(())
        for one in some:
            if isinstance(one, str):
                yield one
                continue
            foreign, english = next(encoded), next(encoded)
            yield whole(foreign, english, kept_links(*one, recipe), recipe.special_pieces)


def whole(
    foreign: Sentence | None, english: Sentence | None, links: Links, special: bool
) -> EncodedPair | str:
    """A pair whose links reach no word that was cut off; [CLS] and [SEP] are words if `special`."""
    if foreign is None or english is None:
        return "a word yields no piece"
    links = [(i, j) for i, j in links if i < len(foreign.words) and j < len(english.words)]
    if not links:
        return "no links that can be used"
    if special:
        ends = len(foreign.words) + 1, len(english.words) + 1
        links = [(0, 0), *((i + 1, j + 1) for i, j in links), ends]
        foreign, english = with_ends(foreign), with_ends(english)
    return EncodedPair(foreign, english, np.array(links))


def with_ends(sentence: Sentence) -> Sentence:
    """The sentence with [CLS] and [SEP] as its first and last word."""
    end = len(sentence.pieces) - 1
    return Sentence(sentence.pieces, np.concatenate([[[0, 0]], sentence.words, [[end, end]]]))


def corpus(found: Iterable[EncodedPair]) -> Corpus:
    """The pairs as flat arrays."""
    pieces, words, links = (
        (Ragged(np.int32), Ragged(np.int32)),
        (Ragged(np.int16), Ragged(np.int16)),
        Ragged(np.int16),
    )
    for pair in found:
        for side, sentence in enumerate((pair.foreign, pair.english)):
            pieces[side].append(sentence.pieces)
            words[side].append(sentence.words)
        links.append(pair.links)
    return Corpus(pieces, words, links)


def parts(
    chosen: Sequence[tuple[int, EncodedPair]], pieces: int | None
) -> list[list[tuple[int, EncodedPair]]]:
    """A step's pairs, with the numbers of their languages, in parts that are no more than `pieces` when padded.

    Pairs of like length share a part, so that little is padding; a pair that is longer has one of its own.  None: one.
    """
    if pieces is None:
        return [list(chosen)]
    longest = [max(len(pair.foreign.pieces), len(pair.english.pieces)) for _, pair in chosen]
    made: list[list[tuple[int, EncodedPair]]] = []
    for number in sorted(range(len(chosen)), key=lambda number: longest[number]):
        if not made or 2 * longest[number] * (len(made[-1]) + 1) > pieces:
            made.append([])
        made[-1].append(chosen[number])
    return made
