"""Answer questions with a model: the best spans of every question of a corpus.

Several processes each take a share of the forward passes, and all have the answers (`training.processes`).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from workflow_scripts.cli import InputError, Progress
from workflow_scripts.corpus import Document, Question, read_documents, read_questions
from workflow_scripts.qa.answers import Candidates, candidates, passages_of
from workflow_scripts.qa.batches import Layout, Part, collate
from workflow_scripts.qa.heads import QuestionAnswerer
from workflow_scripts.qa.spans import best_spans
from workflow_scripts.recipes.tuning import Prediction
from workflow_scripts.training import processes
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import mixed_precision
from workflow_scripts.training.order import cut


def logits(
    model: QuestionAnswerer, batch: Batch, precision: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start [rows, pieces], end [rows, pieces] and answer-type [rows, types] logits as float32."""
    device = next(model.parameters()).device
    batch = {name: tensor.to(device) for name, tensor in batch.items()}
    with (
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=mixed_precision(precision) == "bf16"),
    ):
        start, end, kind = model(batch)
    return start.float().cpu().numpy(), end.float().cpu().numpy(), kind.float().cpu().numpy()


def forward_passes(windows: np.ndarray, lengths: np.ndarray, recipe: Prediction) -> Iterator[np.ndarray]:
    """The windows of each forward pass, of windows in order of their lengths."""
    for at in range(0, len(windows), recipe.batch_size):
        some = slice(at, at + recipe.batch_size)
        stretches = [slice(None)] if recipe.batch_pieces is None else cut(lengths[some], recipe.batch_pieces)
        yield from (windows[some][stretch] for stretch in stretches)


def answer_windows(
    model: QuestionAnswerer,
    part: Part,
    layout: Layout,
    recipe: Prediction,
    hide: str,
    progress: Progress | None = None,
) -> list[Candidates]:
    """The best spans of every question of a corpus, one or as many as the recipe says.

    Raises InputError where the model's logits are not numbers.
    """
    windows, kept = len(part.windows.first), max(1, recipe.n_best)
    first, last = np.full((windows, kept), -1), np.full((windows, kept), -1)
    score, null = np.full((windows, kept), -np.inf), np.zeros(windows)
    kind = np.zeros(windows, dtype=np.int64)
    lengths, offsets = part.lengths(), part.offsets()
    by_length = np.argsort(lengths, kind="stable")
    done = []
    for rows in processes.mine(list(forward_passes(by_length, lengths[by_length], recipe))):
        batch = collate([part], [(0, int(row)) for row in rows], layout, hide, recipe.batching)
        start, end, kinds = logits(model, batch, recipe.precision)
        if not (np.isfinite(start).all() and np.isfinite(end).all()):
            raise InputError("the model's logits are not numbers; its training went wrong, so train it again")
        passages = passages_of(part, rows, offsets[rows], start.shape[1])
        best_first, best_last, score[rows] = best_spans(start, end, passages, recipe.max_answer_length, kept)
        shift = (part.windows.first[rows] - offsets[rows])[:, None]
        first[rows] = np.where(best_first >= 0, best_first + shift, -1)
        last[rows] = np.where(best_last >= 0, best_last + shift, -1)
        null[rows] = start[:, 0] + end[:, 0]
        kind[rows] = kinds.argmax(1)
        done.append(rows)
        if progress:
            progress.advance(len(rows) * processes.count())
    processes.completed(
        (first, last, score, null, kind), np.concatenate(done) if done else np.zeros(0, dtype=np.int64)
    )
    return candidates(part, first, last, score, kind, null, kept)


def paired(
    documents_file: Path, questions_file: Path, windows_file: Path, part: Part
) -> list[tuple[Question, Document]]:
    """The questions of a corpus with their documents.  Raises InputError where the files don't belong together."""
    documents = read_documents(documents_file)
    questions = read_questions(questions_file)
    if [question.question_id for question in questions] != part.windows.question_ids:
        raise InputError(f"{windows_file}: windows of other questions than {questions_file}")
    for question in questions:
        if question.doc_id not in documents:
            raise InputError(
                f"question {question.question_id}: its document {question.doc_id} is not in {documents_file}"
            )
    return [(question, documents[question.doc_id]) for question in questions]
