"""Words of scripts without blanks, put together again from the characters that `words` takes them apart into.

A character of Thai says as little of what a word means as a letter of English.  Which characters belong together shows
in the text itself: a unigram model (Kudo 2018) of the characters' runs, as sentencepiece learns it, cuts them into
pieces that come again and again.  No dictionary is needed, and a cut that is no word's costs little: pieces are counted
and linked, and answers cut, where words of other scripts are.
"""

import functools
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

import regex
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from workflow_scripts.words import ALONE

RUN = regex.compile(rf"(?V1)[{ALONE}]\p{{M}}*")
LEAST = 4000  # characters of such scripts from which pieces are learned; with fewer, each stands for itself
MOST = 1_000_000  # characters that are learned from
PER_PIECE = 60  # characters of text for each piece of the vocabulary


class Joins:
    """Which characters of a text belong together; without a model, none do."""

    def __init__(self, model: bytes | None = None) -> None:
        self._model = SentencePieceProcessor(model_proto=model) if model else None
        self._ends = functools.lru_cache(maxsize=1 << 14)(self._cut)

    def groups(self, words: Sequence[str]) -> list[range]:
        """The numbers of the words that belong together, in order; every word is in one group."""
        if self._model is None:
            return [range(number, number + 1) for number in range(len(words))]
        found: list[range] = []
        for first, last in _runs(words):
            if last - first == 1:
                found.append(range(first, last))
                continue
            run = words[first:last]
            starts = dict(zip(itertools.accumulate(map(len, run), initial=0), itertools.count(first)))
            begin = first
            for end in self._ends("".join(run)):
                if end in starts:  # not between a letter and its mark
                    found.append(range(begin, starts[end]))
                    begin = starts[end]
        return found

    def _cut(self, run: str) -> list[int]:
        """Where the pieces of a run end."""
        assert self._model is not None
        return list(itertools.accumulate(len(piece) for piece in self._model.encode(run, out_type=str)))


NO_JOINS = Joins()


def _runs(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """[first, last) of the words that are characters of scripts without blanks, in runs, and of each other word."""
    at = 0
    for alone, run in itertools.groupby(words, key=lambda word: RUN.fullmatch(word) is not None):
        size = sum(1 for _ in run)
        if alone:
            yield at, at + size
        else:
            yield from ((number, number + 1) for number in range(at, at + size))
        at += size


def learn_joins(sides: Iterable[Sequence[str]]) -> Joins:
    """What belongs together in these lists of words."""
    runs = ["".join(words[first:last]) for words in sides for first, last in _runs(words) if last - first > 1]
    reached = list(itertools.accumulate(map(len, runs)))
    if not runs or reached[-1] < LEAST:
        return NO_JOINS
    runs = [run for run, length in zip(runs, reached, strict=True) if length <= MOST]
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(runs),
        model_writer=written,
        model_type="unigram",
        vocab_size=len(set().union(*runs)) + 3 + sum(map(len, runs)) // PER_PIECE,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        split_by_unicode_script=False,
        max_sentencepiece_length=12,
        max_sentence_length=2**30,
        num_threads=1,  # sums of fractions depend on how many share the work
        minloglevel=2,
    )
    return Joins(written.getvalue())
