"""Align an encoder: draw linked words of parallel sentences together and keep every word near where it was.

aligned_qa (section 2), after Cao et al. 2020.  f(s_i) is the hidden state of word i's last piece, f0 the encoder before
alignment, α the one-to-one links of a sentence pair (s, t):

    L = Σ_(s,t) Σ_(p,q)∈α ‖f(s_p) − f(t_q)‖²      R = Σ_(s,t) (Σ_i ‖f(s_i) − f0(s_i)‖² + Σ_i ‖f(t_i) − f0(t_i)‖²)

That is `preset: paper`, and what stands when no preset is named, but for the optimiser.  `cao` is Cao et al.'s code:
foreign words are drawn to where English ones were, only the English side is held, and both terms are means over words
and dimensions.  (Their code takes means of four pairs at a time and adds them; ours are of all of a language's pairs in
a step.)  `wu_dredze` is the L2 objective of Wu & Dredze 2020, whose R is the distance of the parameters.

`task: masked_lm` is the control: the same sentences in the same steps, but masked pieces are to be predicted, so that a
gain can be credited to aligning rather than to reading more text.

The result is an ordinary Hugging Face encoder with the same vocabulary.  training.json tells for each language, in ten
parts of the run, the mean squared distance of linked words (L) and of words from where they were (R); dropped.jsonl
tells which pairs were of no use.
"""

import json
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import nn
from transformers import AutoModel, AutoModelForMaskedLM, PreTrainedTokenizerBase, set_seed

from workflow_scripts.align.bitext import NO_LINKS, NO_PIECE, Corpus, EncodedPair, corpus, usable
from workflow_scripts.align.control import masked_loss, masked_parts
from workflow_scripts.align.objective import Aligned, alignment_loss, collate
from workflow_scripts.cli import InputError, Progress, named_files, parser, read_recipe, run
from workflow_scripts.corpus import write_dropped
from workflow_scripts.files import atomic_folder, each_line_or_none
from workflow_scripts.pairs import each_linked
from workflow_scripts.recipes.alignment import Alignment
from workflow_scripts.staleness import code_hash
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import quiet
from workflow_scripts.training.folders import load_model, load_tokenizer
from workflow_scripts.training.loop import Loss, fingerprint, finish, train
from workflow_scripts.training.order import Order, tempered
from workflow_scripts.training.work_folder import check_owned, locked


def read_language(
    language: str,
    pairs_file: str,
    links_file: str,
    tokenizer: PreTrainedTokenizerBase,
    recipe: Alignment,
) -> tuple[Corpus, list[tuple[str, str]]]:
    """A language's usable pairs, and the lines that are of no use with reasons, for dropped.jsonl.

    Raises InputError where no pair is of use, or where links seem to count from one.
    """
    dropped: list[tuple[str, str]] = []
    total = sum(1 for _ in each_line_or_none(pairs_file))
    progress = Progress(f"read {language}", total, "pairs")

    def kept() -> Iterator[EncodedPair]:
        for number, found in enumerate(usable(each_linked(pairs_file, links_file), tokenizer, recipe), 1):
            if isinstance(found, str):
                dropped.append((f"{language} {number}", found))
            else:
                yield found
            progress.advance()

    made = corpus(kept())
    counts = Counter(reason if reason in (NO_PIECE, NO_LINKS) else "malformed" for _, reason in dropped)
    reasons = "".join(f", {count} left out ({reason})" for reason, count in counts.items())
    print(f"{language}: {len(made)} of {total} pairs{reasons}", file=sys.stderr)
    if not len(made):
        raise InputError(f"{pairs_file}: no usable pairs for {language}{reasons}")
    return made, dropped


class Sampler:
    """Which pairs a step sees, as (language, row); see `sampling` in the recipe."""

    def __init__(self, corpora: Sequence[Corpus], recipe: Alignment) -> None:
        lengths = [one.lengths() for one in corpora]
        self.sizes = np.array([len(one) for one in lengths])
        self.cyclic = recipe.sampling == "cyclic"
        if self.cyclic:
            self.orders = [Order(one, recipe.batch_size, recipe.seed) for one in lengths]
        else:
            temperature = recipe.temperature if recipe.sampling == "temperature" else 1.0
            draw = tempered(self.sizes, temperature, recipe.seed)
            self.orders = [Order(np.concatenate(lengths), recipe.batch_size, recipe.seed, draw)]
        self.first = np.concatenate([[0], np.cumsum(self.sizes)])
        self.steps_per_epoch = max(order.batches_per_epoch for order in self.orders)

    def pairs(self, step: int) -> list[tuple[int, int]]:
        """The pairs of a step, language by language if cyclic."""
        if self.cyclic:
            return [
                (number, int(row)) for number, order in enumerate(self.orders) for row in order.rows(step)
            ]
        rows = self.orders[0].rows(step)
        numbers = np.searchsorted(self.first, rows, side="right") - 1
        return [
            (int(number), int(row - self.first[number])) for number, row in zip(numbers, rows, strict=True)
        ]


def finetune(arguments: Namespace, recipe: Alignment) -> None:
    """The whole step: read pairs and links, train, write the encoder."""
    tokenizer = load_tokenizer(arguments.encoder)
    pairs_files = named_files(arguments.pairs, "--pairs")
    links_files = named_files(arguments.links, "--links")
    if pairs_files.keys() != links_files.keys():
        raise InputError(f"--pairs names {', '.join(pairs_files)}, but --links {', '.join(links_files)}")
    languages = list(pairs_files)
    corpora, dropped = [], []
    for language in languages:
        made, out = read_language(language, pairs_files[language], links_files[language], tokenizer, recipe)
        corpora.append(made)
        dropped += out
    sampler = Sampler(corpora, recipe)
    steps = recipe.steps or recipe.epochs * sampler.steps_per_epoch

    # What an encoder lacks and has no part in this, its pooler, is random, and the same every time.
    set_seed(recipe.seed)
    model, make, loss = (masked_control if recipe.task == "masked_lm" else alignment)(
        arguments.encoder, tokenizer, recipe, len(languages), steps
    )
    weights = [arguments.encoder / name for name in ("config.json", "model.safetensors")]
    inputs = [*pairs_files.values(), *links_files.values(), *weights]
    summary = train(
        model,
        lambda step: make(step, [(number, corpora[number].pair(row)) for number, row in sampler.pairs(step)]),
        loss,
        steps=steps,
        recipe=recipe,
        seed=recipe.seed,
        work=arguments.work,
        identity=fingerprint(recipe.model_dump_json(), code_hash(__spec__.name), inputs),
        label="align" if recipe.task == "align" else "masked_lm",
    )
    told = {**summary, "pairs": dict(zip(languages, map(len, corpora), strict=True))}
    if isinstance(model, Aligned):
        told["curves"] = curves = model.curves(languages)
        for language, of in curves.items():
            ends = ", ".join(f"{name} {terms[0]} to {terms[-1]}" for name, terms in of.items())
            print(f"{language}: mean squared distances from the first to the last tenth: {ends}")
    check_owned(arguments.work)
    with atomic_folder(arguments.out, last="model.safetensors") as folder:
        (model.encoder if isinstance(model, Aligned) else model).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_dropped(folder / "dropped.jsonl", dropped)
        (folder / "training.json").write_text(
            json.dumps({**told, "recipe": recipe.model_dump()}, indent=1) + "\n"
        )
    finish(arguments.work)


Task = tuple[nn.Module, Callable[[int, Sequence[tuple[int, EncodedPair]]], list[Batch]], Loss]


def alignment(
    folder: Path, tokenizer: PreTrainedTokenizerBase, recipe: Alignment, languages: int, steps: int
) -> Task:
    """The model of a run that aligns, what makes its batches, and its loss."""
    encoder, original = (load_model(AutoModel, folder, recipe.attention, new=("pooler.",)) for _ in range(2))
    blocks = encoder.config.num_hidden_layers
    if recipe.layer > blocks:
        raise InputError(f"{folder}: layer is {recipe.layer}, but the encoder has {blocks} blocks")
    model = Aligned(encoder, original, languages, steps)
    width = encoder.config.hidden_size
    return (
        model,
        lambda step, chosen: collate(chosen, tokenizer.pad_token_id, width, recipe),
        lambda model, batch: alignment_loss(model, batch, recipe),
    )


def masked_control(
    folder: Path, tokenizer: PreTrainedTokenizerBase, recipe: Alignment, languages: int, steps: int
) -> Task:
    """The same of the control.  Raises InputError where the folder has no output layer for masked pieces."""
    model = load_model(AutoModelForMaskedLM, folder, recipe.attention, new=())
    return (
        model,
        lambda step, chosen: masked_parts(chosen, tokenizer, recipe, (recipe.seed, step)),
        masked_loss,
    )


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
    with locked(arguments.work) as arguments.work:
        finetune(arguments, recipe)


if __name__ == "__main__":
    quiet()
    run(main)
