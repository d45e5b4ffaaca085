"""What does MuCoT's contrastive term cost in training?

    python -m benchmarks.contrast --vocab vocab.txt --xquad DIR [--shape mbert|minilm] [--dtype bf16|fp32]
        [--batching packed|padded] [--layer 3] [--languages en hi ar] [--steps 4] [--runs 5]

An encoder of the true shape with random weights (mbert: 12 blocks of 768; minilm: 6 of 384; both with multilingual
BERT's vocabulary) is trained on windows of XQuAD, 12 a step, by the training loop: with the term in every step, where
every window has a partner in another of the languages, and without it.  Counted are windows that are trained on,
partners not among them, by the CPU second, over whole steps: batches, forward, backward, clipping, optimiser.  The runs
of both alternate on the same windows, in one process with one thread; the clock starts with the second step of a run,
and medians are compared.

A partner costs `layer` of the encoder's blocks, so that 12 blocks and layer 3 leave at most 12 / (12 + 3) = 0.8 of the
rate, where partners are as long as their windows.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

from benchmarks.training import RATE, ROWS, SHAPES, build, features, windows_of
from workflow_scripts.acquire.squad import read_squad
from workflow_scripts.cli import run
from workflow_scripts.corpus import write_questions
from workflow_scripts.qa.batches import Layout, collate
from workflow_scripts.qa.contrast import contrasting, pairing
from workflow_scripts.qa.heads import from_encoder, question_answering
from workflow_scripts.recipes.contrast import Contrast
from workflow_scripts.recipes.tuning import Tuning
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import mixed_precision, quiet
from workflow_scripts.training.folders import load_tokenizer
from workflow_scripts.training.loop import train
from workflow_scripts.training.products import by_onednn


def tables(folder: Path, xquad: Path, languages: list[str]) -> list[Path]:
    """The questions table of each language: the same questions, under the same ids, in all of them."""
    made = []
    for number, code in enumerate(languages):
        documents, questions, _, _ = read_squad([str(xquad / f"xquad.{code}.json")], code, code, [], None)
        made.append(folder / f"{number}.parquet")
        write_questions(made[-1], questions, {d.doc_id: d for d in documents})
    return made


def measure(given: argparse.Namespace, folder: Path) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Windows a CPU second of every run, with and without; pieces of the windows that were timed, and of partners."""
    encoder = build(folder / "encoder", given.vocab, given.shape)
    features(folder, given.xquad, given.languages, encoder)
    parts, rows = windows_of(folder)
    torch.manual_seed(0)
    model = from_encoder(encoder, "sdpa")
    if given.dtype == "fp32":
        by_onednn(model)
    recipe = Contrast(schedule="always", layer=given.layer)
    records, contrasted = contrasting(model, parts, tables(folder, given.xquad, given.languages), recipe)
    model.use(given.batching, "sdpa")
    layout = Layout.of(load_tokenizer(encoder), model.span)
    tuning = Tuning(
        learning_rate=RATE, warmup=0.0, weight_decay=0.0, beta2=0.999, epsilon=1e-8, precision=given.dtype
    )
    pieces = {"windows": 0, "partners": 0}
    began = 0.0

    def batch(contrasts: bool, first: int, step: int) -> list[Batch]:
        nonlocal began
        if step == 1:
            began = time.process_time()
        chosen = rows[(first + step) * ROWS :][:ROWS]
        made = collate(parts, chosen, layout, "nothing", given.batching)
        if contrasts:
            partners = records.draw(chosen, 0, first + step)
            made |= pairing(records, chosen, partners, slice(None), 1.0, layout, "nothing", given.batching)
            if step:
                pieces["windows"] += int(made["attention_mask"].sum())
                pieces["partners"] += int(made["partner_attention_mask"].sum())
        return [made]

    sides = {"without": question_answering, "with": contrasted}
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(given.runs):
        for side, loss in sides.items():
            train(
                model,
                partial(batch, side == "with", number * (given.steps + 1)),
                loss,
                steps=given.steps + 1,
                recipe=tuning,
                seed=0,
                work=folder,
                identity="",
                label=side,
            )
            rates[side].append(round(given.steps * ROWS / (time.process_time() - began), 3))
        shown = ", ".join(f"{side} {values[-1]:.2f}" for side, values in rates.items())
        print(f"run {number + 1}: windows a CPU second: {shown}", file=sys.stderr, flush=True)
    return rates, pieces


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vocab", type=Path, required=True, help="vocab.txt of bert-base-multilingual-cased")
    parser.add_argument("--xquad", type=Path, required=True, help="folder of xquad.xx.json")
    parser.add_argument("--shape", choices=SHAPES, default="mbert", help="what the encoder is like")
    parser.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16", help="precision")
    parser.add_argument("--batching", choices=["packed", "padded"], default="packed")
    parser.add_argument("--layer", type=int, default=3, help="block whose hidden states are compared")
    parser.add_argument("--languages", nargs="+", default=["en", "hi", "ar"])
    parser.add_argument("--steps", type=int, default=4, help="steps a run that are timed")
    parser.add_argument("--runs", type=int, default=5, help="runs of each")
    given = parser.parse_args()
    torch.set_num_threads(1)
    os.environ.update(TOKENIZERS_PARALLELISM="false", CUDA_VISIBLE_DEVICES="")
    quiet()
    with tempfile.TemporaryDirectory() as name:
        rates, pieces = measure(given, Path(name))
    medians = {side: round(statistics.median(values), 3) for side, values in rates.items()}
    ratio = medians["with"] / medians["without"]
    print(f"{given.shape} {given.dtype}, {given.batching}, layer {given.layer}, {ROWS} windows a step")
    for side, rate in medians.items():
        print(f"{side:8} {rate:6.2f} windows a CPU second")
    share = pieces["partners"] / pieces["windows"]
    print(f"ratio {ratio:.2f}; partners have {share:.2f} times the pieces of the windows")
    summary = {
        "name": "contrast",
        "with": medians["with"],
        "without": medians["without"],
        "unit": "windows per CPU second",
        "ratio": round(ratio, 3),
        "shape": given.shape,
        "dtype": given.dtype,
        "bf16_in_hardware": mixed_precision("auto") == "bf16",
        "batching": given.batching,
        "layer": given.layer,
        "languages": given.languages,
        "steps": given.steps,
        "rates": rates,
        "pieces": pieces,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    run(main)
