"""Align an encoder: draw linked words of parallel sentences together and keep every word near where it was.

aligned_qa (section 2), after Cao et al. 2020.  f(s_i) is the last hidden state of word i's last piece, f0 the encoder
before alignment, α the one-to-one links of a sentence pair (s, t):

    L = Σ_(s,t) Σ_(p,q)∈α ‖f(s_p) − f(t_q)‖²      R = Σ_(s,t) (Σ_i ‖f(s_i) − f0(s_i)‖² + Σ_i ‖f(t_i) − f0(t_i)‖²)

Both sides of L are live and both sides are held by R.  Every step sees a batch of every language; languages with fewer
pairs wrap around (Cao et al.'s code).  The result is an ordinary Hugging Face encoder with the same vocabulary.
"""

import json
import sys
from argparse import Namespace
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedTokenizerBase, set_seed

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.files import atomic_folder
from workflow_scripts.pairs import one_to_one, read_links, read_pairs
from workflow_scripts.recipes.alignment import Alignment
from workflow_scripts.staleness import code_hash
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import quiet
from workflow_scripts.training.folders import load_model, load_tokenizer
from workflow_scripts.training.loop import fingerprint, finish, locked, train
from workflow_scripts.training.order import Order


@dataclass(frozen=True)
class Sentence:
    """Pieces of a sentence, [CLS] and [SEP] included, and the position of each word's last piece."""

    pieces: np.ndarray
    words: np.ndarray


@dataclass(frozen=True)
class AlignedPair:
    """Two sentences and their one-to-one links, int64 [links, 2]."""

    foreign: Sentence
    english: Sentence
    links: np.ndarray


def encode(words: list[str], tokenizer: PreTrainedTokenizerBase) -> Sentence | None:
    """The sentence's pieces; None where a word yields no piece (it could have no vector)."""
    encoding = tokenizer(words, is_split_into_words=True, add_special_tokens=True)
    last = np.full(len(words), -1)
    for position, word in enumerate(encoding.word_ids()):
        if word is not None:
            last[word] = position
    return None if (last < 0).any() else Sentence(np.asarray(encoding["input_ids"]), last)


def read_language(
    language: str, pairs_file: str, links_file: str, tokenizer: PreTrainedTokenizerBase
) -> list[AlignedPair]:
    """A language's usable pairs; what is left out is counted by reason on stderr."""
    pairs = read_pairs(pairs_file)
    made, dropped = [], Counter[str]()
    for (foreign, english), links in zip(pairs, read_links(links_file, pairs), strict=True):
        kept = one_to_one(links)
        sides = [encode(side, tokenizer) for side in (foreign, english)]
        if not kept:
            dropped["without one-to-one links"] += 1
        elif sides[0] is None or sides[1] is None:
            dropped["with a word that yields no piece"] += 1
        elif max(len(side.pieces) for side in sides if side) > tokenizer.model_max_length:
            dropped["longer than the encoder reads"] += 1
        else:
            made.append(AlignedPair(sides[0], sides[1], np.array(kept)))
    reasons = "".join(f", {count} {reason}" for reason, count in dropped.items())
    print(f"{language}: {len(made)} of {len(pairs)} pairs{reasons}", file=sys.stderr)
    if not made:
        raise InputError(f"{pairs_file}: no usable pairs for {language}")
    return made


def collate(pairs: list[AlignedPair], pad_id: int) -> Batch:
    """One tensor batch: all foreign sentences, then all English ones.

    input_ids, attention_mask [2·pairs, pieces]; words [words, 2] (row, position) of every word's last piece; links
    [links, 2], indices into `words`.
    """
    sentences = [pair.foreign for pair in pairs] + [pair.english for pair in pairs]
    ids = np.full((len(sentences), max(len(s.pieces) for s in sentences)), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, sentence in enumerate(sentences):
        ids[row, : len(sentence.pieces)] = sentence.pieces
        mask[row, : len(sentence.pieces)] = 1
    words = np.concatenate(
        [np.stack([np.full_like(s.words, row), s.words], 1) for row, s in enumerate(sentences)]
    )
    first = np.concatenate([[0], np.cumsum([len(s.words) for s in sentences])])
    links = np.concatenate(
        [pair.links + np.array([first[row], first[row + len(pairs)]]) for row, pair in enumerate(pairs)]
    )
    arrays = {"input_ids": ids, "attention_mask": mask, "words": words, "links": links}
    return {name: torch.from_numpy(array.astype(np.int64)) for name, array in arrays.items()}


class Reference(nn.Module):
    """The encoder being aligned beside its frozen original, so that a checkpoint holds only the former."""

    def __init__(self, encoder: nn.Module, original: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.original = [original.eval().requires_grad_(False)]  # in a list: neither trained nor saved


def word_vectors(encoder: nn.Module, batch: Batch) -> Tensor:
    """Last hidden state of every word's last piece, float32 [words, width]."""
    hidden_states = encoder(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    return hidden_states[batch["words"][:, 0], batch["words"][:, 1]].float()


def alignment_loss(model: Reference, batch: Batch, regulariser: float) -> tuple[Tensor, dict[str, Tensor]]:
    """L + regulariser · R as sums over the batch, and both terms."""
    vectors = word_vectors(model.encoder, batch)
    original = model.original[0]
    if next(original.parameters()).device != vectors.device:
        original.to(vectors.device)
    with torch.no_grad():
        before = word_vectors(original, batch)
    drawn = (vectors[batch["links"][:, 0]] - vectors[batch["links"][:, 1]]).square().sum()
    held = (vectors - before).square().sum()
    return drawn + regulariser * held, {"L": drawn, "R": held}


def finetune(arguments: Namespace, recipe: Alignment) -> None:
    """The whole step: read pairs and links, train, write the encoder."""
    tokenizer = load_tokenizer(arguments.encoder)
    pairs_files = named_files(arguments.pairs, "--pairs")
    links_files = named_files(arguments.links, "--links")
    if pairs_files.keys() != links_files.keys():
        raise InputError(f"--pairs names {', '.join(pairs_files)}, but --links {', '.join(links_files)}")
    corpora = {
        language: read_language(language, pairs_files[language], links_files[language], tokenizer)
        for language in pairs_files
    }
    orders = {
        language: Order(
            np.array([len(p.foreign.pieces) + len(p.english.pieces) for p in corpus]),
            recipe.batch_size,
            recipe.seed,
        )
        for language, corpus in corpora.items()
    }

    def batch(step: int) -> Batch:
        chosen = [corpora[name][row] for name, order in orders.items() for row in order.rows(step)]
        return collate(chosen, tokenizer.pad_token_id)

    # The pooler takes no part; encoders pretrained here have none, and get a random one, the same every time.
    set_seed(recipe.seed)
    encoder, original = (
        load_model(AutoModel, arguments.encoder, recipe.attention, new=("pooler.",)) for _ in range(2)
    )
    model = Reference(encoder, original)
    inputs = [*pairs_files.values(), *links_files.values(), arguments.encoder / "model.safetensors"]
    summary = train(
        model,
        batch,
        lambda model, batch: alignment_loss(model, batch, recipe.regulariser),
        steps=recipe.epochs * max(order.batches_per_epoch for order in orders.values()),
        recipe=recipe,
        seed=recipe.seed,
        work=arguments.work,
        identity=fingerprint(recipe.model_dump_json(), code_hash(__spec__.name), inputs),
        label="align",
    )
    with atomic_folder(arguments.out, last="model.safetensors") as folder:
        model.encoder.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        counts = {language: len(corpus) for language, corpus in corpora.items()}
        (folder / "training.json").write_text(
            json.dumps({**summary, "pairs": counts, "recipe": recipe.model_dump()}, indent=1) + "\n"
        )
    finish(arguments.work)


def main() -> None:
    arguments_parser = parser(__doc__, Alignment)
    arguments_parser.add_argument(
        "--encoder", type=Path, required=True, help="folder of the encoder to align"
    )
    arguments_parser.add_argument(
        "--pairs", nargs="+", required=True, metavar="LANGUAGE=FILE", help="'foreign ||| English'"
    )
    arguments_parser.add_argument(
        "--links", nargs="+", required=True, metavar="LANGUAGE=FILE", help="links of these pairs"
    )
    arguments_parser.add_argument(
        "--work", type=Path, required=True, help="folder for checkpoints of this run"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="folder of the aligned encoder")
    arguments = arguments_parser.parse_args()
    recipe = read_recipe(arguments.recipe, Alignment)
    with locked(arguments.work):
        finetune(arguments, recipe)


if __name__ == "__main__":
    quiet()
    run(main)
