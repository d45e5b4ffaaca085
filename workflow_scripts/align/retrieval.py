"""Measure how well words and sentences of two languages find one another in encoders: before alignment, and after.

Sentence pairs that no encoder was aligned on, with their links, of which those one to one count.  For every encoder and
language, from its words to English ones and back, as shares of 1 beside what chance would find:

    within     for each linked word: is the nearest word of the parallel sentence the one that it is linked with?
    words      for each word that occurs linked: is the nearest of all those of the other language a translation?
    sentences  for each sentence: is the nearest of all those of the other language a translation?

Nearest is by cosine within a sentence and by CSLS elsewhere (see neighbours.py); `sentences_cosine` is `sentences` by
cosine.  A word's vector is the hidden state of its last piece (or first, or their mean), a sentence's the mean of its
words'.

`words` asks for types, not occurrences.  Cao et al. (2020) look for the very occurrence; but where words come again and
again, other occurrences of the right word are as near, and that figure says how often words repeat, not how well
languages are aligned.  Counting each occurrence, right if the word is, would mostly measure a few frequent words, and a
word's own copies would fill its k neighbours.  So a word, whatever its capitals, is one point, the mean of its linked
occurrences (the anchors of Schuster et al. 2019), and every word that it is linked with is right.  Sentences that occur
twice are one point, too.  Within a sentence, where words hardly repeat, it is the occurrence that counts.
"""

import json
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModel

from workflow_scripts.align.neighbours import found, unit, within
from workflow_scripts.cli import InputError, Progress, named_files, parser, read_recipe, run
from workflow_scripts.files import write_text
from workflow_scripts.pairs import Links, Pair, one_to_one, read_links, read_pairs
from workflow_scripts.recipes.retrieval import Retrieval
from workflow_scripts.training.device import mixed_precision, quiet
from workflow_scripts.training.folders import load_model, load_tokenizer

CHUNK = 60_000  # pieces whose hidden states are in memory at once


@dataclass(frozen=True)
class Sentence:
    """A sentence in pieces, special ones included: ids and the word of each piece (-1: of none), int64 [pieces]."""

    ids: np.ndarray
    words: np.ndarray
    length: int


@dataclass(frozen=True)
class Case:
    """A pair that can be measured: both sentences in pieces, its words, and its one-to-one links, int64 [links, 2]."""

    sides: tuple[Sentence, Sentence]
    pair: Pair
    links: np.ndarray


class Reader:
    """An encoder that reads sentences of words."""

    def __init__(self, folder: Path, recipe: Retrieval) -> None:
        """Load a folder.  Raises InputError where the encoder has no such layer."""
        self.tokenizer = load_tokenizer(folder)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if mixed_precision(recipe.precision) == "bf16" else torch.float32
        model = load_model(AutoModel, folder, "sdpa", new=("pooler.",))
        self.model = model.to(self.device, dtype).eval()
        self.recipe = recipe
        blocks = self.model.config.num_hidden_layers
        if not -blocks - 1 <= recipe.layer <= blocks:
            raise InputError(f"{folder}: an encoder of {blocks} blocks, but layer is {recipe.layer}")
        self.last = recipe.layer % (blocks + 1) == blocks

    def cut(self, sentences: Sequence[Sequence[str]]) -> list[Sentence]:
        """Sentences of words in pieces."""
        encoded = self.tokenizer([list(words) for words in sentences], is_split_into_words=True)
        return [
            Sentence(
                np.array(ids, np.int64),
                np.array([-1 if word is None else word for word in encoded.word_ids(row)], np.int64),
                len(words),
            )
            for row, (ids, words) in enumerate(zip(encoded["input_ids"], sentences, strict=True))
        ]

    @torch.inference_mode()
    def states(self, sentences: Sequence[Sentence]) -> Tensor:
        """Hidden states of all pieces, one sentence after the other, float32 [pieces, width].

        Sentences of as many pieces share a batch, so that nothing is padded.
        """
        lengths = np.array([len(sentence.ids) for sentence in sentences])
        first = np.cumsum(lengths) - lengths
        order = np.argsort(lengths, kind="stable")
        made: Tensor | None = None
        at = 0
        while at < len(order):
            length = int(lengths[order[at]])
            same = int(np.searchsorted(lengths[order], length, side="right"))
            until = min(same, at + max(1, self.recipe.batch_pieces // length))
            rows = order[at:until]
            ids = torch.from_numpy(np.stack([sentences[row].ids for row in rows])).to(self.device)
            output = self.model(ids, output_hidden_states=not self.last)
            hidden = output.last_hidden_state if self.last else output.hidden_states[self.recipe.layer]
            if made is None:
                made = hidden.new_empty((int(lengths.sum()), hidden.shape[-1]), dtype=torch.float32)
            places = torch.from_numpy(first[rows][:, None] + np.arange(length)).to(self.device)
            made[places] = hidden.float()
            at = until
        assert made is not None
        return made

    def words(self, sentences: Sequence[Sentence]) -> Tensor:
        """The vectors of all words, one sentence after the other, float32 [words, width]; every word has a piece."""
        states = self.states(sentences)
        sizes = np.array([sentence.length for sentence in sentences])
        first = np.cumsum(sizes) - sizes
        of_piece = np.concatenate(
            [
                np.where(sentence.words < 0, -1, sentence.words + start)
                for sentence, start in zip(sentences, first, strict=True)
            ]
        )
        pieces = np.flatnonzero(of_piece >= 0)
        words = of_piece[pieces]
        if self.recipe.pool == "mean":
            total = states.new_zeros((int(sizes.sum()), states.shape[1]))
            given = torch.from_numpy(words).to(self.device)
            total.index_add_(0, given, states[torch.from_numpy(pieces).to(self.device)])
            return total / given.bincount()[:, None]
        if self.recipe.pool == "first":
            pieces, words = pieces[::-1], words[::-1]
        place = np.empty(int(sizes.sum()), np.int64)
        place[words] = pieces  # of several, the last one stays
        return states[torch.from_numpy(place).to(self.device)]


class Points:
    """Distinct words or sentences of one side, each the mean of its occurrences' vectors."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}
        self.total: Tensor | None = None

    def number_of(self, text: str) -> int:
        """The number of a text; capitals don't matter."""
        return self.number.setdefault(text.casefold(), len(self.number))

    def add(self, numbers: Sequence[int], vectors: Tensor) -> None:
        """Count the vectors of occurrences, [occurrences, width], when all texts have their numbers."""
        if self.total is None:
            self.total = vectors.new_zeros((len(self.number), vectors.shape[1]))
        self.total.index_add_(0, torch.tensor(numbers, device=vectors.device, dtype=torch.int64), vectors)

    def rows(self) -> Tensor:
        """Unit vectors, [distinct, width]; a mean's direction is its sum's."""
        assert self.total is not None
        return unit(self.total)


def cases(reader: Reader, pairs: Sequence[Pair], links: Sequence[Links]) -> tuple[list[Case], dict[str, int]]:
    """The pairs that an encoder can read, and how many it cannot, by reason."""
    made, left_out = [], Counter[str]()
    for start in range(0, len(pairs), 256):
        some = pairs[start : start + 256]
        cut = reader.cut([sentence for pair in some for sentence in pair])
        for n, (first, second) in enumerate(zip(cut[::2], cut[1::2], strict=True)):
            if max(len(first.ids), len(second.ids)) > reader.tokenizer.model_max_length:
                left_out["longer than the encoder reads"] += 1
            elif any(len(np.unique(side.words[side.words >= 0])) < side.length for side in (first, second)):
                left_out["with a word that yields no piece"] += 1
            else:
                kept = np.array(one_to_one(links[start + n]), np.int64).reshape(-1, 2)
                made.append(Case((first, second), some[n], kept))
    return made, dict(left_out)


def chunks(given: Sequence[Case]) -> Iterator[slice]:
    """Stretches of cases, each of about CHUNK pieces."""
    first = size = 0
    for number, case in enumerate(given, 1):
        size += sum(len(side.ids) for side in case.sides)
        if size >= CHUNK or number == len(given):
            yield slice(first, number)
            first, size = number, 0


@torch.inference_mode()
def measure(reader: Reader, pairs: Sequence[Pair], links: Sequence[Links], label: str) -> dict[str, Any]:
    """All figures of one language: shares to English, from English, and chance's of both; None where nothing counts."""
    given, left_out = cases(reader, pairs, links)
    words, sentences = (Points(), Points()), (Points(), Points())
    # of each case and side: the number of the sentence, and those of its linked words
    sentence_numbers = [
        [sentences[side].number_of(" ".join(case.pair[side])) for side in (0, 1)] for case in given
    ]
    word_numbers = [
        [[words[side].number_of(case.pair[side][place]) for place in case.links[:, side]] for side in (0, 1)]
        for case in given
    ]
    near = np.zeros(2)
    progress = Progress(label, len(given), "pairs")
    for stretch in chunks(given):
        chunk = given[stretch]
        vectors = reader.words([side for case in chunk for side in case.sides])
        sizes = np.array([side.length for case in chunk for side in case.sides])
        first = np.cumsum(sizes) - sizes
        spans = np.stack([first, sizes], 1).reshape(-1, 2, 2)
        near += within(unit(vectors), spans, [case.links for case in chunk])
        sentence = torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)).to(vectors.device)
        means = vectors.new_zeros((len(sizes), vectors.shape[1])).index_add_(0, sentence, vectors)
        means = means / torch.from_numpy(sizes).to(vectors.device)[:, None]
        for side in (0, 1):
            sentences[side].add([numbers[side] for numbers in sentence_numbers[stretch]], means[side::2])
            places = [start + case.links[:, side] for case, start in zip(chunk, first[side::2], strict=True)]
            words[side].add(
                [number for numbers in word_numbers[stretch] for number in numbers[side]],
                vectors[torch.from_numpy(np.concatenate(places)).to(vectors.device)],
            )
        progress.advance(len(chunk))
    linked = sum(len(case.links) for case in given)
    chance = [sum(len(case.links) / case.sides[side].length for case in given) for side in (1, 0)]
    translations = distinct(both for numbers in word_numbers for both in zip(*numbers, strict=True))
    sentence_pairs = distinct(sentence_numbers)
    k = reader.recipe.neighbours
    return {
        "pairs": len(given),
        "left_out": left_out,
        "links": linked,
        "words": [len(side.number) for side in words],
        "sentences": [len(side.number) for side in sentences],
        "scores": {
            "within": figures(*(near / linked), *(of / linked for of in chance)) if linked else None,
            "words": compared(words, translations, k),
            "sentences": compared(sentences, sentence_pairs, k),
            "sentences_cosine": compared(sentences, sentence_pairs, None),
        },
    }


def distinct(couples: Iterable[Sequence[int]]) -> np.ndarray:
    """Couples of numbers, each once, int64 [couples, 2]."""
    return np.array(sorted({(first, second) for first, second in couples}), np.int64).reshape(-1, 2)


def compared(
    sides: tuple[Points, Points], right: np.ndarray, neighbours: int | None
) -> dict[str, float] | None:
    """How often points find one another, both ways; None where there are none."""
    if not len(right):
        return None
    first, second = (side.rows() for side in sides)
    return figures(
        found(first, second, right, neighbours),
        found(second, first, right[:, ::-1].copy(), neighbours),
        *([len(right) / (len(first) * len(second))] * 2),
    )


def figures(to_english: float, from_english: float, chance: float, chance_back: float) -> dict[str, float]:
    """One measure's entry in the file."""
    return {
        "to_english": to_english,
        "from_english": from_english,
        "chance_to_english": chance,
        "chance_from_english": chance_back,
    }


def evaluate(arguments: Namespace, recipe: Retrieval) -> dict[str, Any]:
    """Encoder -> language -> what `measure` returns."""
    encoders = named_files(arguments.encoder, "--encoder")
    pairs_files = named_files(arguments.pairs, "--pairs")
    links_files = named_files(arguments.links, "--links")
    if pairs_files.keys() != links_files.keys():
        raise InputError(f"--pairs names {', '.join(pairs_files)}, but --links {', '.join(links_files)}")
    corpora = {language: read_pairs(file) for language, file in pairs_files.items()}
    links = {language: read_links(links_files[language], corpora[language]) for language in corpora}
    for language, file in pairs_files.items():
        if not corpora[language]:
            raise InputError(f"{file}: no sentence pairs; there must be one to be measured")
    made: dict[str, Any] = {}
    for label, folder in encoders.items():
        reader = Reader(Path(folder), recipe)
        made[label] = {
            language: measure(reader, corpora[language], links[language], f"{label} {language}")
            for language in corpora
        }
        for language, told in made[label].items():
            reasons = "".join(f", {count} {reason}" for reason, count in told["left_out"].items())
            print(
                f"{label} {language}: {told['pairs']} of {len(corpora[language])} pairs{reasons}",
                file=sys.stderr,
            )
    return {"recipe": recipe.model_dump(), "encoders": made}


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    quiet()
    arguments_parser = parser(__doc__, Retrieval)
    arguments_parser.add_argument(
        "--encoder", nargs="+", required=True, metavar="LABEL=FOLDER", help="encoders to compare"
    )
    arguments_parser.add_argument(
        "--pairs", nargs="+", required=True, metavar="LANGUAGE=FILE", help="'foreign ||| English'"
    )
    arguments_parser.add_argument(
        "--links", nargs="+", required=True, metavar="LANGUAGE=FILE", help="links of these pairs"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="the figures (JSON)")
    arguments = arguments_parser.parse_args(argv)
    made = evaluate(arguments, read_recipe(arguments.recipe, Retrieval))
    write_text(arguments.out, json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    run(main)
