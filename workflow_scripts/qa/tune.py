"""Train the QA heads and the encoder under them on the windows of a training set.

A training set is a list of corpora; all their windows are one pool.  A window without the answer is trained on (as
"no answer" at the first piece) with probability `include_unknowns`, drawn once from the seed (TyDi QA baseline,
where the documented setting is 0.1).  Questions that the leakage guard left out are not trained on.

A step has `batch_size` windows, and its loss is their mean; or at most `batch_pieces` pieces, and its loss is the sum
of its windows' divided by how many a step has on average, so that every window of an epoch counts the same.

With `contrast`, MuCoT's contrastive term is added to the loss (see contrast.py); it needs --questions.

Training starts from an encoder with new heads, or from a tuned model with its own (MuCoT: SQuAD, then ChAII).  It ends
with the last weights; `qa.tune_selected` keeps those that do best on a development set, and tells in steps.jsonl what
each step scored, which is empty here.

`accelerate launch --multi_gpu -m workflow_scripts.qa.tune …` trains with several processes, `torchrun --standalone
--nproc_per_node 2 -m …` also where there are no GPUs: the same steps, shared out.
"""

import json
import math
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase, set_seed

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.files import atomic_folder, read_jsonl, write_jsonl
from workflow_scripts.qa.batches import Layout, Part, check_fits, collate, read_parts
from workflow_scripts.qa.contrast import Records, contrasting, pairing
from workflow_scripts.qa.features import NO, PASSAGE, YES
from workflow_scripts.qa.heads import (
    ANSWER_TYPE_FILE,
    QuestionAnswerer,
    from_encoder,
    load,
    question_answering,
)
from workflow_scripts.recipes.tuning import Tuning
from workflow_scripts.staleness import code_hash
from workflow_scripts.training import processes
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.choice import forget, measure, remembered
from workflow_scripts.training.device import mixed_precision, quiet
from workflow_scripts.training.folders import load_tokenizer
from workflow_scripts.training.loop import Loss, Selection, fingerprint, finish, say, train
from workflow_scripts.training.order import BudgetedOrder, Order, shares
from workflow_scripts.training.products import by_onednn
from workflow_scripts.training.work_folder import check_owned, locked

MEASURED = 4  # first steps by which `batching: auto` chooses


@dataclass(frozen=True)
class Selecting:
    """What selects weights: the files it reads, what else its choice depends on, and how it comes of a run's model.

    of: from the model, its tokeniser, its layout and how its windows are batched.
    """

    inputs: list[Path]
    told: str
    of: Callable[[QuestionAnswerer, PreTrainedTokenizerBase, Layout, str], Selection]


def choose(parts: list[Part], recipe: Tuning, seed: int) -> np.ndarray:
    """(part, window) of every window that is trained on, int64 [chosen, 2]."""
    random = np.random.default_rng(seed)
    chosen = []
    for number, part in enumerate(parts):
        kept = (part.windows.start >= 0) | (random.random(len(part.windows.start)) < recipe.include_unknowns)
        windows = np.flatnonzero(kept)
        chosen.append(np.column_stack([np.full_like(windows, number), windows]))
    return np.concatenate(chosen)


def without_yes_no(part: Part) -> Part:
    """The part with YES and NO turned into PASSAGE, as TyDi's published code (not its description) does."""
    kinds = np.where(np.isin(part.windows.answer_type, (YES, NO)), PASSAGE, part.windows.answer_type)
    return replace(part, windows=replace(part.windows, answer_type=kinds))


def read_left_out(file: Path, corpora: list[str]) -> list[set[str]]:
    """The ids of the questions of each corpus that a list of the leakage guard's, lines of {corpus, id}, leaves out.

    Raises InputError where the list names another corpus: it belongs to another training set.
    """
    ids: dict[str, set[str]] = {name: set() for name in corpora}
    for number, line in read_jsonl(file):
        if line["corpus"] not in ids:
            raise InputError(
                f"{file} line {number}: corpus {line['corpus']} is not one of --corpora, {', '.join(corpora)}"
            )
        ids[line["corpus"]].add(line["id"])
    return [ids[name] for name in corpora]


def without(part: Part, ids: set[str]) -> Part:
    """The part without the windows of these questions."""
    windows = part.windows
    kept = np.array([name not in ids for name in windows.question_ids], dtype=bool)[windows.question]
    rows = {
        name: getattr(windows, name)[kept]
        for name in ("question", "first", "length", "answer_type", "start", "end")
    }
    return replace(part, windows=replace(windows, **rows))


def schedule(
    recipe: Tuning, lengths: np.ndarray, seed: int
) -> tuple[int, Callable[[int], np.ndarray], Callable[[np.ndarray], float]]:
    """How many steps there are, the rows of a step, and what a step's mean loss is multiplied by.

    lengths: int64 [rows], pieces.  With `batch_pieces`, steps have different numbers of rows; a row counts the same
    whichever it is in.
    """
    if recipe.batch_pieces is None:
        assert recipe.batch_size is not None
        order = Order(lengths, recipe.batch_size, seed)
        epoch = len(lengths) / order.batch_size
        chosen, share = order.rows, lambda rows: 1.0
    else:
        budgeted = BudgetedOrder(lengths, recipe.batch_pieces, seed)
        epoch = budgeted.batches_per_epoch
        chosen, share = budgeted.rows, budgeted.share
    return recipe.steps if recipe.epochs is None else math.ceil(recipe.epochs * epoch), chosen, share


def tune(arguments: Namespace, recipe: Tuning, step: str, selecting: Selecting | None = None) -> None:
    """The whole step: read features, train, write the model.

    step: the module that is run, whose code the result is of; selecting: what selects weights.
    """
    processes.join()
    parts = read_parts(arguments.contexts, arguments.windows)
    inputs = [*arguments.contexts, *arguments.windows]
    inputs += [arguments.encoder / name for name in ("model.safetensors", "config.json")]
    if arguments.left_out:
        left_out = read_left_out(arguments.left_out, arguments.corpora)
        parts = [without(part, ids) if ids else part for part, ids in zip(parts, left_out, strict=True)]
        inputs.append(arguments.left_out)
    if selecting is not None:
        inputs += selecting.inputs
    if recipe.yes_no == "baseline":
        parts = [without_yes_no(part) for part in parts]
    tokenizer = load_tokenizer(arguments.encoder)
    set_seed(arguments.seed)
    if (arguments.encoder / ANSWER_TYPE_FILE).is_file():
        model = load(arguments.encoder, recipe.attention)
        inputs.append(arguments.encoder / ANSWER_TYPE_FILE)
    else:
        model = from_encoder(arguments.encoder, recipe.attention)
    check_fits(parts, tokenizer)
    records: Records | None = None
    loss: Loss = question_answering
    if recipe.contrast is not None and recipe.contrast.weight:
        records, loss = contrasting(model, parts, arguments.questions, recipe.contrast)
        inputs += arguments.questions
    layout = Layout.of(tokenizer, model.span)
    rows = choose(parts, recipe, arguments.seed)
    positive = sum(int((part.windows.start >= 0).sum()) for part in parts)
    if not positive:
        raise InputError(f"{arguments.windows[0]}: no window holds an answer; check the training set")
    say(f"{len(rows)} windows, {positive} with an answer")
    lengths = np.concatenate(
        [part.lengths()[rows[rows[:, 0] == number, 1]] for number, part in enumerate(parts)]
    )
    steps, chosen, share = schedule(recipe, lengths, arguments.seed)

    def batch(step: int, batching: str) -> list[Batch]:
        picked = chosen(step)
        stretches = [slice(None)]
        if recipe.part_pieces or processes.count() > 1:
            picked = picked[np.argsort(lengths[picked], kind="stable")]
            stretches = shares(lengths[picked], recipe.part_pieces, processes.count())
        partners = None if records is None else records.draw(rows[picked], arguments.seed, step)
        made = []
        for stretch in stretches:
            some = picked[stretch]
            part = collate(parts, rows[some], layout, recipe.hide, batching)
            part["share"] = torch.tensor(share(picked) * len(some) / len(picked))
            if records is not None and partners is not None:
                part |= pairing(
                    records, rows[picked], partners, stretch, share(picked), layout, recipe.hide, batching
                )
            made.append(part)
        return made

    told = f"{recipe.model_dump_json()} seed {arguments.seed}"
    if selecting is not None:
        told += selecting.told
    identity = fingerprint(told, code_hash(step), inputs)
    if mixed_precision(recipe.precision) == "no":
        by_onednn(model)
    batching: str = recipe.batching
    measured: dict[str, float] | None = None
    if batching == "auto":
        ways = {
            way: (
                partial(model.use, way, recipe.attention),
                [batch(step, way)[0] for step in range(MEASURED)],
            )
            for way in ("padded", "packed")
        }
        measured = remembered(arguments.work, identity, lambda: measure(model, ways, loss, recipe.precision))
        measured = processes.gathered(measured)[0]
        batching = min(measured, key=measured.__getitem__)
        told = ", ".join(f"{way} {spent}" for way, spent in measured.items())
        say(f"{arguments.label}: batching {batching} (microseconds a piece: {told})")
    model.use(batching, recipe.attention)
    selection = None
    if selecting is not None:
        selection = selecting.of(model, tokenizer, layout, batching)
    summary = train(
        model,
        lambda step: batch(step, batching),
        loss,
        steps=steps,
        recipe=recipe,
        seed=arguments.seed,
        work=arguments.work,
        identity=identity,
        label=arguments.label,
        selection=selection,
    )
    if not processes.first():
        return
    scored = zip(summary.get("scores", []), summary.pop("details", []), strict=True)
    lines = [{"step": step, "score": score, **details} for (step, score), details in scored]
    check_owned(arguments.work)
    with atomic_folder(arguments.out, last="model.safetensors") as folder:
        write_jsonl(folder / "steps.jsonl", lines)
        model.save(folder)
        tokenizer.save_pretrained(folder)
        facts = {**summary, "seed": arguments.seed, "windows": len(rows), "recipe": recipe.model_dump()}
        facts |= {"batching": batching} | ({"microseconds_a_piece": measured} if measured else {})
        (folder / "training.json").write_text(json.dumps(facts, indent=1) + "\n")
    finish(arguments.work)
    forget(arguments.work)


def options(description: str | None) -> ArgumentParser:
    """The command line of tuning."""
    arguments_parser = parser(description, Tuning)
    arguments_parser.add_argument(
        "--encoder",
        type=Path,
        required=True,
        help="folder of the encoder to start from, or of a model that this step wrote",
    )
    arguments_parser.add_argument(
        "--contexts", type=Path, nargs="+", required=True, help="contexts of each corpus"
    )
    arguments_parser.add_argument(
        "--windows", type=Path, nargs="+", required=True, help="windows of each corpus, same order"
    )
    arguments_parser.add_argument(
        "--questions",
        type=Path,
        nargs="+",
        default=[],
        help="with contrast in the recipe: questions table of each corpus, same order",
    )
    arguments_parser.add_argument(
        "--left-out", type=Path, help="questions not to train on, a list of the leakage guard's (.jsonl)"
    )
    arguments_parser.add_argument(
        "--corpora", nargs="+", default=[], help="with --left-out: the names of the corpora in it, same order"
    )
    arguments_parser.add_argument(
        "--seed", type=int, default=0, help="of heads, order, windows left out and dropout"
    )
    arguments_parser.add_argument("--label", default="tune", help="name in progress lines")
    arguments_parser.add_argument(
        "--work", type=Path, required=True, help="folder for checkpoints of this run"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    return arguments_parser


def read_options(arguments_parser: ArgumentParser) -> tuple[Namespace, Tuning]:
    """What the command line says.  Raises InputError where that cannot be."""
    arguments = arguments_parser.parse_args()
    recipe = read_recipe(arguments.recipe, Tuning)
    if arguments.left_out and len(arguments.corpora) != len(arguments.windows):
        raise InputError(
            f"--corpora names {len(arguments.corpora)}, --windows {len(arguments.windows)}; give one for one"
        )
    if arguments.seed < 0:
        raise InputError(f"--seed is {arguments.seed}; seeds count from 0")
    return arguments, recipe


def main() -> None:
    arguments, recipe = read_options(options(__doc__))
    if recipe.selection is not None:
        raise InputError(
            "--recipe has selection; run workflow_scripts.qa.tune_selected, which takes questions to select on"
        )
    with locked(arguments.work) as arguments.work:
        tune(arguments, recipe, __spec__.name)


if __name__ == "__main__":
    quiet()
    run(main)
