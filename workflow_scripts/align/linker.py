"""Train an encoder on sentence pairs so that its hidden states link words, after awesome-align (Dou & Neubig 2021).

The objectives are explained in linker_losses.py.  The pairs of all languages are in one shuffled order.  With --links
the encoder learns given links (objective so) instead of those that it finds itself.  Sentences that are too long are
cut: to `max_pieces`, or to what the encoder reads, and to half of that where two of them stand in one text.  Lines that
are of no use are left out; dropped.jsonl in the result's folder says which, and why.

The result is an ordinary Hugging Face encoder with the same vocabulary, and with its masked-LM head if it had one:
`links: {linker: neural, encoder: …}` reads it like any other.

Two things differ from awesome-align's program: the second pass of tlm does not see the masks that the first one left,
and the output layer stays BERT's, which is its table of pieces, where the program trains a copy.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase, set_seed

from workflow_scripts.align.bitext import Ragged
from workflow_scripts.align.linker_losses import Trainee, linker_loss
from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.corpus import write_dropped
from workflow_scripts.files import atomic_folder
from workflow_scripts.pairs import Links, each_linked, each_pair_or_reason
from workflow_scripts.recipes.linker import LinkerTraining
from workflow_scripts.staleness import code_hash
from workflow_scripts.training.batch import Batch, padded
from workflow_scripts.training.device import quiet
from workflow_scripts.training.folders import load_encoder, load_tokenizer
from workflow_scripts.training.loop import fingerprint, finish, train
from workflow_scripts.training.masked import IGNORED, generator, hide
from workflow_scripts.training.order import Order
from workflow_scripts.training.work_folder import check_owned, locked

CHUNK = 256  # pairs that are cut into pieces together


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence's pieces, special ones included, and the word of each; −1 at special ones."""

    pieces: np.ndarray
    words: np.ndarray

    def cut(self, length: int) -> "Sentence":
        """The sentence in `length` pieces at most; the last one, which is special, stays."""
        if len(self.pieces) <= length:
            return self
        kept = [*range(length - 1), -1]
        return Sentence(self.pieces[kept], self.words[kept])


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences that are translations, and their given links, int64 [links, 2]; None where none are given."""

    first: Sentence
    second: Sentence
    links: np.ndarray | None


class Corpus:
    """Pairs behind one another in memory, so that a million take some hundred megabytes."""

    def __init__(self) -> None:
        self.pieces = Ragged(np.int32), Ragged(np.int32)
        self.words = Ragged(np.int16), Ragged(np.int16)
        self.links: Ragged | None = None

    def add(self, pair: Pair) -> None:
        """Add a pair; all or none of a corpus's have links."""
        for side, sentence in enumerate((pair.first, pair.second)):
            self.pieces[side].append(sentence.pieces)
            self.words[side].append(sentence.words)
        if pair.links is not None:
            self.links = self.links or Ragged(np.int16)
            self.links.append(pair.links)

    def __len__(self) -> int:
        return len(self.pieces[0])

    def __getitem__(self, row: int) -> Pair:
        first, second = (Sentence(self.pieces[side][row], self.words[side][row]) for side in (0, 1))
        return Pair(first, second, None if self.links is None else self.links[row].reshape(-1, 2))

    def lengths(self) -> np.ndarray:
        """Pieces of each pair, both sides together, int64 [pairs]."""
        return self.pieces[0].lengths() + self.pieces[1].lengths()


def encode(sentences: Sequence[list[str]], tokenizer: PreTrainedTokenizerBase) -> Iterator[Sentence]:
    """The pieces of sentences of words."""
    encoded = tokenizer(list(sentences), is_split_into_words=True)
    for row, ids in enumerate(encoded["input_ids"]):
        words = [-1 if word is None else word for word in encoded.word_ids(row)]
        yield Sentence(np.array(ids, np.int32), np.array(words, np.int32))


def read_language(
    language: str,
    pairs_file: str,
    links_file: str | None,
    tokenizer: PreTrainedTokenizerBase,
    longest: int,
    corpus: Corpus,
) -> list[tuple[str, str]]:
    """Add a language's pairs to a corpus; the lines of no use are returned with reasons, for dropped.jsonl."""
    source: Iterator[tuple[tuple[list[str], list[str]], Links | None] | str]
    if links_file is None:
        pairs = each_pair_or_reason(pairs_file)
        source = (pair if isinstance(pair, str) else (pair, None) for pair in pairs)
    else:
        source = each_linked(pairs_file, links_file)
    before, cut, number = len(corpus), 0, 0
    dropped: list[tuple[str, str]] = []
    while some := list(islice(source, CHUNK)):
        sides = [side for one in some if not isinstance(one, str) for side in one[0]]
        encoded = encode(sides, tokenizer) if sides else iter(())
        for one in some:
            number += 1
            if isinstance(one, str):
                dropped.append((f"{language} {number}", one))
                continue
            first, second = next(encoded), next(encoded)
            if min(len(first.pieces), len(second.pieces)) == 2:
                dropped.append((f"{language} {number}", "a sentence yields no piece"))
                continue
            cut += max(len(first.pieces), len(second.pieces)) > longest
            first, second = first.cut(longest), second.cut(longest)
            links = None
            if one[1] is not None:  # of the words that are still there
                there = [(i, j) for i, j in one[1] if i <= first.words.max() and j <= second.words.max()]
                links = np.array(there, np.int64).reshape(-1, 2)
            corpus.add(Pair(first, second, links))
    for where, reason in dropped[:10]:
        print(f"{where}: {reason}", file=sys.stderr)
    print(f"{language}: {len(corpus) - before} of {number} pairs, {cut} of them cut", file=sys.stderr)
    return dropped


class Collator:
    """Makes the tensors of a step from its pairs and its number."""

    def __init__(self, corpus: Corpus, tokenizer: PreTrainedTokenizerBase, recipe: LinkerTraining) -> None:
        self.corpus, self.tokenizer, self.recipe = corpus, tokenizer, recipe
        self.pad_id = tokenizer.pad_token_id

    def batch(self, rows: np.ndarray, step: int) -> Batch:
        """What `linker_loss` reads, for some rows of the corpus."""
        random = np.random.default_rng((self.recipe.seed, step))
        pairs = [self.corpus[row] for row in rows]
        sentences = [pair.first for pair in pairs] + [pair.second for pair in pairs]
        ids = padded([sentence.pieces for sentence in sentences], self.pad_id)
        words = padded([sentence.words for sentence in sentences], -1)
        arrays = {
            "input_ids": ids,
            "attention_mask": padded([np.ones(len(s.pieces)) for s in sentences], 0),
            "words": words,
        }
        if all(pair.links is not None for pair in pairs):
            arrays["linked"] = linked(pairs, words)
        if "mlm" in self.recipe.objectives:
            self._hide(arrays, "mlm", [s.pieces for s in sentences], words >= 0, step)
        if {"tlm", "tlm_full"} & set(self.recipe.objectives):
            self._beside(arrays, pairs, random, step)
        if "psi" in self.recipe.objectives:
            self._unrelated(arrays, rows, random)
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def _hide(
        self,
        arrays: dict[str, np.ndarray],
        name: str,
        texts: Sequence[np.ndarray],
        may: np.ndarray,
        step: int,
    ) -> None:
        """The texts with pieces hidden, none but those that `may` be."""
        whole = padded(texts, self.pad_id)
        source = generator((self.recipe.seed, step, ("mlm", "tlm").index(name)))
        ids, labels = hide(torch.from_numpy(whole), self.tokenizer, self.recipe.mask_share, source)
        arrays[f"{name}_ids"] = np.where(may, ids.numpy(), whole)
        arrays[f"{name}_labels"] = np.where(may, labels.numpy(), IGNORED)
        arrays[f"{name}_mask"] = padded([np.ones(len(text)) for text in texts], 0)

    def _beside(
        self, arrays: dict[str, np.ndarray], pairs: Sequence[Pair], random: np.random.Generator, step: int
    ) -> None:
        """Both sentences in one text, with masks in one of them."""
        texts, words = [], []
        for pair in pairs:
            orders = [(pair.first, pair.second), (pair.second, pair.first)]
            if "tlm_full" not in self.recipe.objectives:
                orders = [orders[random.integers(2)]]
            for one, other in orders:
                none, nowhere = np.full_like(one.words, -1), np.full_like(other.words, -1)
                texts += [np.concatenate([one.pieces, other.pieces])] * 2
                words += [np.concatenate([one.words, nowhere]), np.concatenate([none, other.words])]
        self._hide(arrays, "tlm", texts, padded(words, -1) >= 0, step)

    def _unrelated(
        self, arrays: dict[str, np.ndarray], rows: np.ndarray, random: np.random.Generator
    ) -> None:
        """For each pair another one, in either order (kind 1), and a sentence of each of the two (kind 0)."""
        texts = []
        for row in rows:
            far = int(random.integers(len(self.corpus) - 1))
            here, there = self.corpus[row], self.corpus[far + (far >= row)]
            mixed = [(here.first, there.second), (there.first, here.second)][random.integers(2)]
            for one, other in ((there.first, there.second), mixed):
                turned = (one, other) if random.integers(2) else (other, one)
                texts.append(np.concatenate([side.pieces for side in turned]))
        arrays["psi_ids"] = padded(texts, self.pad_id)
        arrays["psi_mask"] = padded([np.ones(len(text)) for text in texts], 0)
        arrays["psi_labels"] = np.tile(np.array([1, 0]), len(rows))


def linked(pairs: Sequence[Pair], words: np.ndarray) -> np.ndarray:
    """Which pieces' words are linked by given links, bool [pairs, pieces, pieces]; `words` as in a batch."""
    found = np.zeros((len(pairs), words.shape[1], words.shape[1]), bool)
    for number, pair in enumerate(pairs):
        assert pair.links is not None
        one, other = words[number], words[len(pairs) + number]
        for i, j in pair.links:
            found[number] |= (one == i)[:, None] & (other == j)[None, :]
    return found


def check(model: nn.Module, headed: bool, recipe: LinkerTraining, folder: Path) -> None:
    """Raise InputError where an encoder cannot learn a recipe's objectives."""
    encoder = model.base_model
    blocks = getattr(getattr(encoder, "encoder", None), "layer", None)
    if not isinstance(blocks, nn.ModuleList):
        raise InputError(f"{folder}: a {type(encoder).__name__}, but links need an encoder of BERT's kind")
    if recipe.blocks() > len(blocks):
        named = "psi reads" if "psi" in recipe.objectives else "links are read from"
        raise InputError(
            f"{folder}: {named} block {recipe.blocks()} where layer is {recipe.layer}, but it has {len(blocks)}; lower"
            " layer"
        )
    predicting = [name for name in recipe.objectives if name in ("mlm", "tlm", "tlm_full")]
    if predicting and not (headed and (hasattr(model, "cls") or hasattr(model, "lm_head"))):
        raise InputError(
            f"{folder}: objective {predicting[0]} needs a masked-LM head, which it does not have; leave"
            f" {', '.join(predicting)} out, or give an encoder as pre-training or encoder.checkpoint wrote it from one"
            " with a head"
        )


def train_linker(arguments: Namespace, recipe: LinkerTraining) -> None:
    """The whole step: read the pairs, train, write the encoder."""
    pairs_files = named_files(arguments.pairs, "--pairs")
    links_files = named_files(arguments.links, "--links")
    if links_files and pairs_files.keys() != links_files.keys():
        raise InputError(f"--pairs names {', '.join(pairs_files)}, but --links {', '.join(links_files)}")
    if links_files and "so" not in recipe.objectives:
        raise InputError("--links: only objective so learns given links; add so to objectives")
    tokenizer = load_tokenizer(arguments.encoder)
    set_seed(recipe.seed)  # of heads that are new
    model, headed = load_encoder(arguments.encoder, recipe.attention)
    check(model, headed, recipe, arguments.encoder)
    beside = {"tlm", "tlm_full", "psi"} & set(recipe.objectives)
    longest = min(recipe.max_pieces, tokenizer.model_max_length // (2 if beside else 1))
    corpus, dropped, counts = Corpus(), [], {}
    for language, file in pairs_files.items():
        before = len(corpus)
        dropped += read_language(language, file, links_files.get(language), tokenizer, longest, corpus)
        counts[language] = len(corpus) - before
    if len(corpus) < 2:
        raise InputError(f"--pairs: {len(corpus)} usable sentence pairs; give at least some hundreds")
    order = Order(corpus.lengths(), recipe.batch_size, recipe.seed)
    collator = Collator(corpus, tokenizer, recipe)
    trainee = Trainee(model)
    weights = [arguments.encoder / name for name in ("config.json", "model.safetensors")]
    inputs = [*pairs_files.values(), *links_files.values(), *weights]
    summary = train(
        trainee,
        lambda step: [collator.batch(order.rows(step), step)],
        partial(linker_loss, recipe=recipe),
        steps=recipe.steps,
        recipe=recipe,
        seed=recipe.seed,
        work=arguments.work,
        identity=fingerprint(recipe.model_dump_json(), code_hash(__spec__.name), inputs),
        label="train linker",
    )
    check_owned(arguments.work)
    with atomic_folder(arguments.out, last="model.safetensors") as folder:
        trainee.model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_dropped(folder / "dropped.jsonl", dropped)
        (folder / "training.json").write_text(
            json.dumps({**summary, "pairs": counts, "recipe": recipe.model_dump()}, indent=1) + "\n"
        )
    finish(arguments.work)


def main() -> None:
    arguments_parser = parser(__doc__, LinkerTraining)
    arguments_parser.add_argument(
        "--encoder", type=Path, required=True, help="folder of the encoder to train"
    )
    arguments_parser.add_argument(
        "--pairs", nargs="+", required=True, metavar="LANGUAGE=FILE", help="'foreign ||| English'"
    )
    arguments_parser.add_argument(
        "--links", nargs="+", default=[], metavar="LANGUAGE=FILE", help="given links of these pairs, to learn"
    )
    arguments_parser.add_argument(
        "--work", type=Path, required=True, help="folder for checkpoints of this run"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="folder of the trained encoder")
    arguments = arguments_parser.parse_args()
    recipe = read_recipe(arguments.recipe, LinkerTraining)
    with locked(arguments.work) as arguments.work:
        train_linker(arguments, recipe)


if __name__ == "__main__":
    quiet()
    run(main)
