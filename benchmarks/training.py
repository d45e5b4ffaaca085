"""How fast is QA tuning beside the Hugging Face recipe for it?

    python -m benchmarks.training --vocab vocab.txt --xquad DIR [--shape mbert|minilm] [--dtype bf16|fp32]
        [--dropout 0] [--peer-dropout 0.1] [--languages en hi ar] [--steps 4] [--runs 3]

Ours is the training loop with packed batches.  The peer is the recipe of transformers' run_qa example as its
documentation gives it for SQuAD, written out: windows padded to 384 pieces, 12 a step, learning rate 3e-5 with linear
decay, gradients clipped to 1, and what its Trainer and models do by themselves: fused AdamW, torch's attention, dropout
0.1.  A plain loop stands in for the Trainer, whose own cost would come on top.

Both train an encoder of the true shape with random weights (mbert: 12 blocks of 768; minilm: 6 of 384; both with
multilingual BERT's vocabulary) on the same windows of XQuAD, 12 a step, in the same precision.  Each has a process of
its own with one thread; models are loaded and a first step is done before the clock starts.  Counted are pieces that
are not padding, by the CPU second, over whole steps: batches, forward, backward, clipping, optimiser.  The runs of both
alternate on the same windows, and medians are compared.

`--dropout` and `--peer-dropout` are attention's only: dropout on attention's weights costs much on processors, and who
leaves it away trains much the same model.  Other dropout is 0.1 on both sides.  Where the peer does half of PUBLISHED
or less, its rate when it was measured for the first time, something else was going on, and the ratio is void.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import pad
from transformers import AutoModel, AutoModelForQuestionAnswering, AutoTokenizer, get_scheduler

from benchmarks.published import mbert
from workflow_scripts.acquire.squad import read_squad
from workflow_scripts.cli import run
from workflow_scripts.encoder.checkpoint import complete
from workflow_scripts.files import read_lines
from workflow_scripts.qa.batches import Layout, Part, check_fits, collate, read_parts
from workflow_scripts.qa.contexts import tokenise
from workflow_scripts.qa.features import save
from workflow_scripts.qa.heads import from_encoder, question_answering
from workflow_scripts.qa.windows import cut
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.tuning import Tuning
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import mixed_precision, quiet
from workflow_scripts.training.folders import load_tokenizer
from workflow_scripts.training.loop import train
from workflow_scripts.training.products import by_onednn

LENGTH, OVERLAP, ROWS = 384, 128, 12  # run_qa's --max_seq_length, --doc_stride, --per_device_train_batch_size
RATE = 3e-5
SHAPES: dict[str, dict[str, int]] = {
    "mbert": {},
    "minilm": {
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
    },
}
# real pieces a CPU second of the recipe, as first measured
PUBLISHED = {"mbert bf16": 161.0, "mbert fp32": 76.5, "minilm bf16": 747.0, "minilm fp32": 438.0}


def build(folder: Path, vocabulary: Path, shape: str) -> Path:
    """An encoder with random weights and the markers of QA inputs."""
    source = mbert(folder.with_suffix(".source"), read_lines(vocabulary), **SHAPES[shape])
    tokenizer = complete(AutoTokenizer.from_pretrained(source))
    AutoModel.from_pretrained(source).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def features(folder: Path, xquad: Path, languages: list[str], encoder: Path) -> int:
    """Write contexts and windows of each language, named by their place; the number of windows."""
    tokenizer = load_tokenizer(encoder).backend_tokenizer
    tokenizer.no_padding()
    recipe = Features(max_length=LENGTH, stride=OVERLAP)
    count = 0
    for number, code in enumerate(languages):
        documents, questions, _, _ = read_squad([str(xquad / f"xquad.{code}.json")], code, code, [], None)
        contexts = tokenise(documents, tokenizer, recipe.max_passages)
        windows, _ = cut(questions, contexts, tokenizer, recipe)
        save(folder / f"{number}.contexts", contexts, "doc_ids", {})
        save(folder / f"{number}.windows", windows, "question_ids", {})
        count += len(windows.first)
    return count


@cache
def windows_of(folder: Path) -> tuple[list[Part], np.ndarray]:
    """The features in a folder, and (part, window) of all windows in a shuffled order, int64 [windows, 2]."""
    names = sorted(folder.glob("*.contexts"))
    parts = read_parts(names, [name.with_suffix(".windows") for name in names])
    all_of_them = [
        (number, row) for number, part in enumerate(parts) for row in range(len(part.windows.first))
    ]
    return parts, np.random.default_rng(0).permutation(np.array(all_of_them))


@cache
def ours(encoder: Path, dtype: str, dropout: float) -> Any:
    """Our model, loaded once in a process as qa.tune does."""
    quiet()
    torch.manual_seed(0)
    model = from_encoder(encoder, "sdpa")
    for module in model.modules():
        if type(module).__name__ == "BertSelfAttention":
            module.dropout.p = dropout
    if dtype == "fp32":
        by_onednn(model)
    model.use("packed", "sdpa")
    return model


def train_ours(
    encoder: Path, folder: Path, dtype: str, dropout: float, first: int, steps: int
) -> tuple[float, float]:
    """Real pieces a CPU second of some steps, and the last loss.

    The loop makes an optimiser anew and measures the processor whenever it begins, which a real run does once in
    thousands of steps; so a further step goes before the clock starts, as it does with the peer, which keeps its own.
    """
    model = ours(encoder, dtype, dropout)
    parts, rows = windows_of(folder)
    tokenizer = load_tokenizer(encoder)
    check_fits(parts, tokenizer)
    layout = Layout.of(tokenizer, model.span)
    recipe = Tuning(
        learning_rate=RATE,
        warmup=0.0,
        weight_decay=0.0,
        beta2=0.999,
        epsilon=1e-8,
        precision=dtype,
    )
    began, pieces = 0.0, 0

    def batches(step: int) -> list[Batch]:
        nonlocal began, pieces
        if step == 1:
            began = time.process_time()
        batch = collate(parts, rows[(first + step - 1) * ROWS :][:ROWS], layout, "nothing", "packed")
        pieces += int(batch["attention_mask"].sum()) if step else 0
        return [batch]

    summary = train(
        model,
        batches,
        question_answering,
        steps=steps + 1,
        recipe=recipe,
        seed=0,
        work=folder,
        identity="",
        label="ours",
    )
    return pieces / (time.process_time() - began), summary["loss"]


@cache
def theirs(encoder: Path, dropout: float) -> Any:
    """The recipe's model and its optimiser, made once in a process."""
    quiet()
    torch.manual_seed(0)
    model = AutoModelForQuestionAnswering.from_pretrained(
        encoder, attention_probs_dropout_prob=dropout
    ).train()
    return model, torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0, fused=True)


def train_theirs(
    encoder: Path, folder: Path, dtype: str, dropout: float, first: int, steps: int
) -> tuple[float, float]:
    """The same of the recipe."""
    model, optimiser = theirs(encoder, dropout)
    parts, rows = windows_of(folder)
    layout = Layout.of(load_tokenizer(encoder), model)
    scheduler = get_scheduler("linear", optimiser, 0, steps)
    pieces, loss = 0, torch.zeros(())
    began = time.process_time()
    for step in range(first, first + steps):
        batch = collate(parts, rows[step * ROWS :][:ROWS], layout, "nothing")
        pieces += int(batch["attention_mask"].sum())
        inputs = {
            name: pad(batch[name], (0, LENGTH - batch[name].shape[1]))
            for name in ("input_ids", "attention_mask", "token_type_ids")
        }
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bf16"):
            loss = model(**inputs, start_positions=batch["start"], end_positions=batch["end"]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        scheduler.step()
        optimiser.zero_grad()
    return pieces / (time.process_time() - began), loss.item()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vocab", type=Path, required=True, help="vocab.txt of bert-base-multilingual-cased")
    parser.add_argument("--xquad", type=Path, required=True, help="folder of xquad.xx.json")
    parser.add_argument("--shape", choices=SHAPES, default="mbert", help="what the encoder is like")
    parser.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16", help="precision of both")
    parser.add_argument("--dropout", type=float, default=0.1, help="on our attention's weights")
    parser.add_argument("--peer-dropout", type=float, default=0.1, help="on the peer's; 0.1 is its default")
    parser.add_argument("--languages", nargs="+", default=["en", "hi", "ar"])
    parser.add_argument("--steps", type=int, default=4, help="steps a run")
    parser.add_argument("--runs", type=int, default=3, help="runs of each")
    given = parser.parse_args()
    # read by the processes that are started below
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    context = get_context("spawn")
    rates: dict[str, list[float]] = {"ours": [], "peer": []}
    losses = {"ours": 0.0, "peer": 0.0}
    with (
        tempfile.TemporaryDirectory() as name,
        ProcessPoolExecutor(1, context) as our_process,
        ProcessPoolExecutor(1, context) as peer_process,
    ):
        folder = Path(name)
        encoder = build(folder / "encoder", given.vocab, given.shape)
        windows = features(folder, given.xquad, given.languages, encoder)
        sides = {
            "ours": (our_process, train_ours, given.dropout),
            "peer": (peer_process, train_theirs, given.peer_dropout),
        }
        for number in range(given.runs + 1):
            first, steps = ((number - 1) * given.steps + 1, given.steps) if number else (0, 1)
            for side, (process, training, dropout) in sides.items():
                future: Future[tuple[float, float]] = process.submit(
                    training, encoder, folder, given.dtype, dropout, first, steps
                )
                rate, losses[side] = future.result()
                if number:
                    rates[side].append(round(rate, 1))
            if number:
                shown = ", ".join(f"{side} {values[-1]:.0f}" for side, values in rates.items())
                print(f"run {number}: real pieces a CPU second: {shown}", file=sys.stderr, flush=True)
    show(given, windows, rates, losses)


def show(
    given: argparse.Namespace, windows: int, rates: dict[str, list[float]], losses: dict[str, float]
) -> None:
    """Print the figures."""
    medians = {side: statistics.median(values) for side, values in rates.items()}
    published = PUBLISHED[f"{given.shape} {given.dtype}"]
    ratio = medians["ours"] / medians["peer"]
    print(f"{given.shape} {given.dtype}, {windows} windows of {', '.join(given.languages)}")
    print(f"{'':8}{'attention dropout':>18}{'real pieces a CPU second':>26}")
    for side, dropout in (("ours", given.dropout), ("run_qa", given.peer_dropout)):
        print(f"{side:8}{dropout:>18}{medians['ours' if side == 'ours' else 'peer']:>26.0f}")
    print(f"ratio {ratio:.2f} (the recipe's rate when first measured: {published:.0f})")
    void = medians["peer"] < published / 2
    summary = {
        "name": "training",
        "ours": round(medians["ours"], 1),
        "peer": round(medians["peer"], 1),
        "unit": "real pieces per CPU second",
        "ratio": round(ratio, 2),
        "void": "the peer did less than half of its published figure" if void else None,
        "peer_published": published,
        "shape": given.shape,
        "dtype": given.dtype,
        "bf16_in_hardware": mixed_precision("auto") == "bf16",
        "dropout": {"ours": given.dropout, "peer": given.peer_dropout},
        "languages": given.languages,
        "windows": windows,
        "steps": given.steps,
        "rates": rates,
        "last_losses": {side: round(loss, 4) for side, loss in losses.items()},
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    run(main)
