"""How fast are the best answers read off the logits, beside the recipe of Hugging Face's run_qa?

    python -m benchmarks.spans --xquad DIR --vocab vocab.txt [--languages en hi ar] [--runs 5]

Windows of 384 pieces that overlap by 128 are cut from XQuAD's paragraphs for its questions; logits are drawn: flat
ones, of noise alone, and peaked ones, with an answer of a few pieces that stands out, as those of a trained model do.
Both programs get the same logits and find the 20 best spans of at most 30 pieces for each question, with texts, places
and probabilities.  The recipe is that of `postprocess_qa_predictions`, written out here as its documentation tells it:
the 20 best starts and ends of each window, all pairs of them that make a span, sorted, softmax.  Ours searches all
spans, so that its best is never lower; where the recipe's twenty starts and ends hold a question's 20 best spans,
scores are equal, which is counted, and so are the questions for which the recipe has no span and answers "empty".

Printed are windows a CPU second, in one thread, the best of several alternated runs: of ours from the logits to the
candidates' places, scores and probabilities in arrays, and to their texts in records, which is what the recipe makes.
The recipe did 5,000 windows a CPU second when it was measured for the first time; where it does half of that or less,
something else was going on, and the ratio is void.
"""

import argparse
import json
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.published import SMALL, mbert
from workflow_scripts.acquire.squad import read_squad
from workflow_scripts.cli import run
from workflow_scripts.corpus import Document, Question
from workflow_scripts.encoder.checkpoint import add_markers
from workflow_scripts.files import read_lines
from workflow_scripts.qa.answers import Candidates, candidates, n_best_line, passages_of
from workflow_scripts.qa.batches import Part
from workflow_scripts.qa.contexts import tokenise
from workflow_scripts.qa.features import load_tokenizer
from workflow_scripts.qa.spans import across_windows, best_spans, chances
from workflow_scripts.qa.windows import cut
from workflow_scripts.recipes.features import Features

PUBLISHED = 5000.0  # windows a CPU second of the recipe, as first measured
COUNT, LONGEST, WIDTH = 20, 30, 384
BATCH = 64


@dataclass(frozen=True)
class Task:
    """Windows with the logits of each, float32 [windows, 384], and what stands in them."""

    part: Part
    questions: list[Question]
    documents: dict[str, Document]
    start: np.ndarray
    end: np.ndarray


def read(
    folder: Path, languages: list[str], vocabulary: Path
) -> tuple[Part, list[Question], dict[str, Document]]:
    """XQuAD's questions, documents and windows with mBERT's pieces."""
    documents: dict[str, Document] = {}
    questions: list[Question] = []
    for code in languages:
        found, asked, _, _ = read_squad([str(folder / f"xquad.{code}.json")], code, code, [], None)
        documents |= {document.doc_id: document for document in found}
        questions += asked
    with tempfile.TemporaryDirectory() as name:
        folder = mbert(Path(name, "encoder"), read_lines(vocabulary), **SMALL)
        tokenizer = add_markers(load_tokenizer(folder / "tokenizer.json"))
    recipe = Features(max_length=WIDTH, stride=128, question_length=64)
    contexts = tokenise(list(documents.values()), tokenizer, recipe.max_passages)
    windows, _ = cut(questions, contexts, tokenizer, recipe)
    return Part(windows, contexts), questions, documents


def draw(part: Part, peaked: bool) -> tuple[np.ndarray, np.ndarray]:
    """Logits of every window: noise, or less noise and a hill around some place of the context."""
    random = np.random.default_rng(0)
    shape = (2, len(part.windows.first), WIDTH)
    if not peaked:
        flat = random.normal(size=shape).astype(np.float32)
        return flat[0], flat[1]
    logits = random.normal(scale=0.5, size=shape) - 6
    offsets, last = part.offsets(), part.lengths() - 2
    starts = random.integers(offsets, last + 1)
    place = np.arange(WIDTH)
    inside = (place >= offsets[:, None]) & (place <= last[:, None])
    for side, middle in enumerate((starts, np.minimum(starts + random.integers(0, 6, len(starts)), last))):
        logits[side] += 10 * inside * np.exp(-np.abs(place - middle[:, None]) / 10)
    peaks = logits.astype(np.float32)
    return peaks[0], peaks[1]


def search(task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First and last piece and score of the best spans of each window, by the batch as `qa.predict` does."""
    windows = len(task.start)
    first, last = np.empty((2, windows, COUNT), dtype=np.int64)
    score, offsets = np.empty((windows, COUNT)), task.part.offsets()
    for at in range(0, windows, BATCH):
        rows = np.arange(at, min(at + BATCH, windows))
        passages = passages_of(task.part, rows, offsets[rows], WIDTH)
        *places, score[rows] = best_spans(task.start[rows], task.end[rows], passages, LONGEST, COUNT)
        shift = (task.part.windows.first[rows] - offsets[rows])[:, None]
        first[rows], last[rows] = (np.where(place >= 0, place + shift, -1) for place in places)
    return first, last, score


def arrays(task: Task) -> list[np.ndarray]:
    """Characters, scores and probabilities of the best spans of each question."""
    ranked = across_windows(task.part.windows.question, *search(task), len(task.questions), COUNT)
    contexts = task.part.contexts
    return [contexts.starts[ranked.first], contexts.ends[ranked.last], ranked.score, *chances(ranked)]


def ours(task: Task) -> list[Candidates]:
    """The same as `qa.predict` goes on with it."""
    null = task.start[:, 0] + task.end[:, 0]
    return candidates(task.part, *search(task), np.ones(len(null), dtype=np.int64), null, COUNT)


def told(task: Task, found: list[Candidates]) -> list[dict[str, Any]]:
    """The records of an n-best file."""
    return [
        n_best_line(question, task.documents[question.doc_id], spans)
        for question, spans in zip(task.questions, found, strict=True)
    ]


Offsets = list[list[tuple[int, int] | None]]


def offset_mapping(part: Part) -> Offsets:
    """What the recipe gets with its features: the characters of each piece, None outside the context."""
    made: Offsets = []
    for first, length, before in zip(part.windows.first, part.windows.length, part.offsets(), strict=True):
        span = slice(first, first + length)
        places = zip(part.contexts.starts[span].tolist(), part.contexts.ends[span].tolist(), strict=True)
        context: list[tuple[int, int] | None] = [place if place[0] >= 0 else None for place in places]
        made.append([*[None] * int(before), *context, None])
    return made


def recipe(task: Task, offsets: Offsets, windows_of: list[list[int]]) -> list[list[dict[str, Any]]]:
    """run_qa's candidates of each question, in order; none where it would answer "empty"."""
    made = []
    for question, windows in zip(task.questions, windows_of, strict=True):
        context = task.documents[question.doc_id].text
        spans: list[dict[str, Any]] = []
        for window in windows:
            start, end, places = task.start[window], task.end[window], offsets[window]
            firsts = np.argsort(start)[-1 : -COUNT - 1 : -1].tolist()
            lasts = np.argsort(end)[-1 : -COUNT - 1 : -1].tolist()
            for i in firsts:
                for j in lasts:
                    if i >= len(places) or j >= len(places) or places[i] is None or places[j] is None:
                        continue
                    if j < i or j - i + 1 > LONGEST:
                        continue
                    spans.append(
                        {
                            "offsets": (places[i][0], places[j][1]),
                            "score": start[i] + end[j],
                            "start_logit": start[i],
                            "end_logit": end[j],
                        }
                    )
        best = sorted(spans, key=lambda span: span["score"], reverse=True)[:COUNT]
        for span in best:
            at = span.pop("offsets")
            span["text"] = context[at[0] : at[1]]
        if best:
            scores = np.array([span["score"] for span in best])
            weights = np.exp(scores - np.max(scores))
            for span, probability in zip(best, weights / weights.sum(), strict=True):
                span["probability"] = probability
        made.append(
            [
                {key: value if isinstance(value, str) else float(value) for key, value in span.items()}
                for span in best
            ]
        )
    return made


def seconds(work: Callable[[Task], Any], task: Task) -> float:
    """CPU seconds that a call takes."""
    began = time.process_time()
    work(task)
    return time.process_time() - began


def compared(task: Task, found: list[Candidates], peer: list[list[dict[str, Any]]]) -> dict[str, int]:
    """How many questions have the same scores, a higher score of ours somewhere, and no span by the recipe.

    Only questions with one window: ours ranks the spans of several by what they have over their window's first piece.
    """
    windows = np.bincount(task.part.windows.question, minlength=len(task.questions))
    null = np.zeros(len(task.questions))
    null[task.part.windows.question] = task.start[:, 0] + task.end[:, 0]
    counts = {"one_window": int((windows == 1).sum()), "same_scores": 0, "better": 0, "worse": 0}
    counts["recipe_empty"] = sum(not spans for spans in peer)
    counts["ours_empty"] = sum(not spans.start for spans in found)
    for row in np.flatnonzero(windows == 1):
        mine = np.array(found[row].score) + null[row]
        theirs = np.full(len(mine), -np.inf)
        theirs[: len(peer[row])] = [span["score"] for span in peer[row]]
        same = np.allclose(mine, theirs, atol=1e-5)
        counts["same_scores"] += same
        counts["better"] += bool(not same and (mine > theirs - 1e-5).all())
        counts["worse"] += bool((mine < theirs - 1e-5).any())
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--xquad", type=Path, required=True, help="folder of xquad.xx.json")
    parser.add_argument("--vocab", type=Path, required=True, help="vocab.txt of bert-base-multilingual-cased")
    parser.add_argument("--languages", nargs="+", default=["en", "hi", "ar"])
    parser.add_argument("--runs", type=int, default=5, help="runs of each program")
    given = parser.parse_args()
    part, questions, documents = read(given.xquad, given.languages, given.vocab)
    windows = len(part.windows.first)
    offsets = offset_mapping(part)
    windows_of: list[list[int]] = [[] for _ in questions]
    for window, question in enumerate(part.windows.question.tolist()):
        windows_of[question].append(window)
    figures = {}
    for name in ("flat", "peaked"):
        task = Task(part, questions, documents, *draw(part, name == "peaked"))
        found = ours(task)
        counts = compared(task, found, recipe(task, offsets, windows_of))
        times: dict[str, list[float]] = {"search": [], "records": [], "recipe": []}
        for _ in range(given.runs):
            times["search"].append(seconds(arrays, task))
            times["records"].append(seconds(lambda of: told(of, ours(of)), task))
            times["recipe"].append(seconds(lambda of: recipe(of, offsets, windows_of), task))
        figures[name] = {side: round(windows / min(values)) for side, values in times.items()} | counts
        print(f"{name} logits, windows a CPU second: {figures[name]}", file=sys.stderr, flush=True)
    show(given, windows, len(questions), figures)


def show(given: Namespace, windows: int, questions: int, figures: dict[str, dict[str, int]]) -> None:
    """Print the table and the line for programs."""
    print(f"{windows} windows of {questions} questions, windows a CPU second:")
    print(f"{'logits':8s} {'ours, arrays':>14s} {'ours, records':>14s} {'run_qa recipe':>14s} {'ratio':>6s}")
    for name, of in figures.items():
        ratio = of["records"] / of["recipe"]
        print(f"{name:8s} {of['search']:>14,} {of['records']:>14,} {of['recipe']:>14,} {ratio:>6.1f}")
    for name, of in figures.items():
        print(
            f"{name}: of {of['one_window']} questions with one window, scores are the same in {of['same_scores']}, ours"
            f" are better in {of['better']} and worse in {of['worse']}; no span: ours {of['ours_empty']}, the recipe"
            f" {of['recipe_empty']}"
        )
    peaked = figures["peaked"]
    void = min(of["recipe"] for of in figures.values()) < PUBLISHED / 2
    summary = {
        "name": "spans",
        "ours": peaked["records"],
        "peer": peaked["recipe"],
        "unit": "windows per CPU second",
        "ratio": round(peaked["records"] / peaked["recipe"], 2),
        "search": peaked["search"],
        "void": "the peer did less than half of its published figure" if void else None,
        "peer_published": PUBLISHED,
        "windows": windows,
        "questions": questions,
        "languages": given.languages,
        **figures,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    run(main)
