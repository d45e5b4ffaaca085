"""Are the neural linker's links those of awesome-align, and how fast is it beside it?

    python -m benchmarks.links --vocab vocab.txt --moses DIR [--dtype fp32|bf16] [--languages fr ro ja zh ko]
        [--pairs 2000] [--timed 300] [--runs 3]

An encoder of multilingual BERT's true shape with random weights is built from its vocabulary, and pairs of five
languages with English, no sentence twice (ours would encode it once), are linked by both programs: ours in the
precision asked for, the installed awesome-align in float32, the only one it has, with batches of 32, its default.  Each
has a process of its own with one thread; models are loaded before the clock starts.  Timed are reading, tokenising,
encoding, linking and writing, in CPU seconds; the runs of both alternate on the same pairs, and medians are compared.

Printed are pairs that are identical, the Jaccard index of all links, and the links that only one of both has, each with
what decides it: the highest, over its pieces, of the lower of both softmaxes, in float64, and its distance to the
threshold.  In fp32, a difference that is farther than 1e-6 from it makes the exit code 1.  awesome-align linked 3.9
pairs a CPU second when it was measured for the first time; where it does half of that or less, something else was
going on, and the ratio is void.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from argparse import Namespace
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from benchmarks.published import mbert
from workflow_scripts.align.neural import Linker
from workflow_scripts.cli import InputError, run
from workflow_scripts.files import each_line, read_lines, write_text
from workflow_scripts.pairs import Pair, each_pair, read_links, read_pairs, write_links
from workflow_scripts.training.device import mixed_precision, quiet
from workflow_scripts.words import words

LAYER, THRESHOLD, BATCH_PIECES = 8, 0.001, 4096
PUBLISHED = 3.9  # pairs a CPU second of awesome-align 0.1.7, as first measured
NEAR = 1e-6
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp64": torch.float64}


def read_moses(folder: Path, languages: list[str], count: int) -> list[Pair]:
    """The first `count` pairs, as many of each language, whose sides both have words and have not come before."""
    made: list[Pair] = []
    seen: set[str] = set()
    for code in languages:
        sides = (each_line(folder / f"{code}-en.{end}") for end in (code, "en"))
        wanted = len(made) + count // len(languages)
        for foreign, english in zip(*sides, strict=True):
            if len(made) == wanted:
                break
            if foreign in seen or english in seen:
                continue
            if (first := words(foreign)) and (second := words(english)):
                made.append((first, second))
                seen |= {foreign, english}
        if len(made) < wanted:
            raise InputError(f"{folder}: fewer than {count // len(languages)} pairs of {code}")
    return made


def build(folder: Path, vocabulary: Path) -> Path:
    """An encoder of mBERT's shape with random weights, in the forms that both programs read."""
    mbert(folder, read_lines(vocabulary))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    return folder


@cache
def linker(folder: Path, dtype: str) -> Linker:
    """Ours, loaded once in a process."""
    quiet()
    return Linker(folder, LAYER, THRESHOLD, DTYPES[dtype], BATCH_PIECES)


def link(folder: Path, dtype: str, pairs: Path, out: Path) -> float:
    """Link a file by ours; the CPU seconds that it took."""
    ours = linker(folder, dtype)
    began = time.process_time()
    write_links(out, (found.links for found in ours.link(each_pair(pairs))))
    return time.process_time() - began


@cache
def awesome(folder: Path) -> tuple[Any, Any]:
    """awesome-align's model and tokeniser, loaded once in a process as its command line does."""
    from awesome_align import modeling, run_align

    tokenizer = run_align.BertTokenizer.from_pretrained(str(folder))
    modeling.PAD_ID = tokenizer.pad_token_id
    modeling.CLS_ID = tokenizer.cls_token_id
    modeling.SEP_ID = tokenizer.sep_token_id
    config = run_align.BertConfig.from_pretrained(str(folder))
    return run_align.BertForMaskedLM.from_pretrained(str(folder), config=config), tokenizer


def link_awesome(folder: Path, pairs: Path, out: Path) -> float:
    """Link a file by awesome-align; the CPU seconds that it took."""
    from awesome_align import run_align

    model, tokenizer = awesome(folder)
    arguments = {"data_file": str(pairs), "output_file": str(out), "num_workers": 0, "batch_size": 32}
    arguments |= {"output_prob_file": None, "output_word_file": None, "device": torch.device("cpu")}
    arguments |= {"align_layer": LAYER, "extraction": "softmax", "softmax_threshold": THRESHOLD}
    began = time.process_time()
    run_align.word_align(Namespace(**arguments), model, tokenizer)
    return time.process_time() - began


@torch.inference_mode()
def deciding(exact: Linker, pair: Pair, link: tuple[int, int]) -> float:
    """The highest, over the pieces of two words, of the lower of both softmaxes; nan where a word has no piece."""
    sides = exact.pieces(pair)
    rows, first = exact.states(sides)
    states = [rows[start + 1 : start + 1 + len(side.words)] for start, side in zip(first, sides, strict=True)]
    alike = states[0] @ states[1].T
    lower = torch.minimum(alike.softmax(1), alike.softmax(0))
    rows, columns = (
        torch.from_numpy(side.words == word).nonzero()[:, 0] for side, word in zip(sides, link, strict=True)
    )
    cells = lower[rows][:, columns]
    return float(cells.max()) if cells.numel() else float("nan")


def compare(pairs: list[Pair], ours: Path, theirs: Path, exact: Linker) -> dict[str, Any]:
    """Identical pairs, the Jaccard index of all links, and every link that one side alone has."""
    found = [[set(line) for line in read_links(file, pairs)] for file in (ours, theirs)]
    common = sum(len(one & other) for one, other in zip(*found, strict=True))
    union = sum(len(one | other) for one, other in zip(*found, strict=True))
    differences = []
    for number, (one, other) in enumerate(zip(*found, strict=True)):
        for link in sorted(one ^ other):
            probability = deciding(exact, pairs[number], link)
            differences.append(
                {
                    "pair": number + 1,
                    "link": "{}-{}".format(*link),
                    "only": "ours" if link in one else "peer",
                    "probability": probability,
                    "distance": abs(probability - THRESHOLD),
                }
            )
    return {
        "pairs": len(pairs),
        "identical": sum(one == other for one, other in zip(*found, strict=True)),
        "links": sum(map(len, found[0])),
        "jaccard": round(common / max(union, 1), 6),
        "different_links": len(differences),
        "near_threshold": sum(entry["distance"] <= NEAR for entry in differences),
        "differences": differences,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vocab", type=Path, required=True, help="vocab.txt of bert-base-multilingual-cased")
    parser.add_argument("--moses", type=Path, required=True, help="folder of xx-en.xx and xx-en.en")
    parser.add_argument("--languages", nargs="+", default=["fr", "ro", "ja", "zh", "ko"])
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32", help="what ours computes in")
    parser.add_argument("--pairs", type=int, default=2000, help="pairs whose links are compared")
    parser.add_argument("--timed", type=int, default=300, help="pairs a run that is timed")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program")
    given = parser.parse_args()
    # read by the processes that are started below
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    context = get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as name,
        ProcessPoolExecutor(1, context) as ours,
        ProcessPoolExecutor(1, context) as peer,
    ):
        folder = Path(name)
        for part, count in (("timed", given.timed), ("pairs", given.pairs)):
            made = read_moses(given.moses, given.languages, count)
            text = "".join(f"{' '.join(first)} ||| {' '.join(second)}\n" for first, second in made)
            write_text(folder / part, text)
        encoder = build(folder / "encoder", given.vocab)

        def both(part: str) -> tuple[float, float]:
            """CPU seconds of ours and of the peer, one after the other."""
            seconds: list[float] = []
            for start in (
                lambda: ours.submit(link, encoder, given.dtype, folder / part, folder / f"{part}.ours"),
                lambda: peer.submit(link_awesome, encoder, folder / part, folder / f"{part}.peer"),
            ):
                future: Future[float] = start()
                seconds.append(future.result())
            return seconds[0], seconds[1]

        rates: dict[str, list[float]] = {"ours": [], "peer": []}
        for number in range(1, given.runs + 1):
            for side, seconds in zip(rates, both("timed"), strict=True):
                rates[side].append(round(given.timed / seconds, 3))
            shown = ", ".join(f"{side} {rates[side][-1]:.2f}" for side in rates)
            print(f"run {number}: pairs a CPU second: {shown}", file=sys.stderr, flush=True)
        both("pairs")
        pairs = read_pairs(folder / "pairs")
        compared = compare(pairs, folder / "pairs.ours", folder / "pairs.peer", linker(encoder, "fp64"))
    show(given, rates, compared)


def show(given: Namespace, rates: dict[str, list[float]], compared: dict[str, Any]) -> None:
    """Print differences and figures; exit code 1 where fp32 differs far from the threshold."""
    medians = {side: statistics.median(values) for side, values in rates.items()}
    differences = compared.pop("differences")
    for entry in differences if given.dtype == "fp32" else differences[:20]:
        print(
            f"pair {entry['pair']} link {entry['link']}: {entry['only']} only, probability"
            f" {entry['probability']:.9f}, {entry['distance']:.2e} from the threshold"
        )
    print(f"{compared['identical']} of {compared['pairs']} pairs identical, Jaccard {compared['jaccard']}")
    print(
        f"pairs a CPU second: ours {medians['ours']:.2f}, awesome-align {medians['peer']:.2f}"
        f" ({PUBLISHED} when first measured)"
    )
    void = medians["peer"] < PUBLISHED / 2
    summary = {
        "name": "links",
        "ours": round(medians["ours"], 2),
        "peer": round(medians["peer"], 2),
        "unit": "pairs per CPU second",
        "ratio": round(medians["ours"] / medians["peer"], 2),
        "void": "the peer did less than half of its published figure" if void else None,
        "peer_published": PUBLISHED,
        "dtype": given.dtype,
        "bf16_in_hardware": mixed_precision("auto") == "bf16",
        "languages": given.languages,
        "timed_pairs": given.timed,
        "rates": rates,
        **compared,
        "farthest": max((entry["distance"] for entry in differences), default=0.0),
    }
    print(json.dumps(summary))
    if given.dtype == "fp32" and compared["near_threshold"] < compared["different_links"]:
        sys.exit(1)


if __name__ == "__main__":
    run(main)
