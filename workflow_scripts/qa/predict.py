"""Answer the questions of an evaluation and write prediction files, one for each question-context language pair.

Of all windows of a question the span with the best score wins; its passage is the passage answer and its score serves
both tasks (TyDi QA baseline).  Where that window's answer type is YES or NO, this is the minimal answer.  A question in
whose windows no span is possible gets an explicit null line.

On request, the same answers in SQuAD's format (`--squad`: {id: text}, "" where no span is possible; `--odds`: {id: what
"no answer" scores over the best span}), and the best spans of each question with their probabilities (`--nbest`, JSON
lines), as many as the recipe says.
"""

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from workflow_scripts.cli import InputError, Progress, named_files, parser, read_recipe, run
from workflow_scripts.corpus import Document, Question, read_documents, read_questions
from workflow_scripts.files import write_jsonl, write_text
from workflow_scripts.qa.answers import (
    Candidates,
    candidates,
    n_best_line,
    null_odds,
    passages_of,
    squad_text,
    tydi_line,
)
from workflow_scripts.qa.batches import Layout, Part, check_fits, collate, read_parts
from workflow_scripts.qa.heads import QuestionAnswerer, load
from workflow_scripts.qa.spans import best_spans
from workflow_scripts.recipes.tuning import Prediction
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import mixed_precision, quiet
from workflow_scripts.training.folders import load_tokenizer
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
    model: QuestionAnswerer, part: Part, layout: Layout, recipe: Prediction, hide: str, progress: Progress
) -> list[Candidates]:
    """The best spans of every question of a corpus, one or as many as the recipe says."""
    windows, kept = len(part.windows.first), max(1, recipe.n_best)
    first, last = np.full((windows, kept), -1), np.full((windows, kept), -1)
    score, null = np.full((windows, kept), -np.inf), np.zeros(windows)
    kind = np.zeros(windows, dtype=np.int64)
    lengths, offsets = part.lengths(), part.offsets()
    by_length = np.argsort(lengths, kind="stable")
    for rows in forward_passes(by_length, lengths[by_length], recipe):
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
        progress.advance(len(rows))
    return candidates(part, first, last, score, kind, null, kept)


def answer_corpus(
    model: QuestionAnswerer, part: Part, layout: Layout, recipe: Prediction, arguments: Namespace, number: int
) -> Iterator[tuple[Question, Document, Candidates]]:
    """Every question of one corpus, its document and its best spans."""
    documents = read_documents(arguments.documents[number])
    questions = read_questions(arguments.questions[number])
    if [question.question_id for question in questions] != part.windows.question_ids:
        raise InputError(
            f"{arguments.windows[number]}: windows of other questions than {arguments.questions[number]}"
        )
    progress = Progress(
        f"{arguments.label} {arguments.questions[number].stem}", len(part.windows.first), "windows"
    )
    answered = answer_windows(model, part, layout, recipe, arguments.hide, progress)
    for question, found in zip(questions, answered, strict=True):
        document = documents.get(question.doc_id)
        if document is None:
            raise InputError(
                f"question {question.question_id}: its document {question.doc_id} is not in"
                f" {arguments.documents[number]}"
            )
        yield question, document, found


def predict(arguments: Namespace, recipe: Prediction) -> None:
    """The whole step: read features, run the model, write the files of each pair."""
    outputs = named_files(arguments.pair, "--pair")
    others = {name: named_files(getattr(arguments, name), f"--{name}") for name in ("squad", "odds", "nbest")}
    for name, files in others.items():
        if files and files.keys() != outputs.keys():
            raise InputError(
                f"--{name} names {', '.join(files)}, but --pair names {', '.join(outputs)}; give the same pairs"
            )
    if others["nbest"] and not recipe.n_best:
        raise InputError("--nbest: n_best is 0 in --recipe; say how many candidates of a question are wanted")
    if not len(arguments.documents) == len(arguments.questions) == len(arguments.windows):
        raise InputError(
            f"--documents names {len(arguments.documents)} files, --questions {len(arguments.questions)}, --windows"
            f" {len(arguments.windows)}; give one of each for every corpus"
        )
    tokenizer = load_tokenizer(arguments.model)
    model = load(arguments.model, recipe.attention).eval().to("cuda" if torch.cuda.is_available() else "cpu")
    model.use(recipe.batching, recipe.attention)
    parts = read_parts(arguments.contexts, arguments.windows)
    check_fits(parts, tokenizer)
    layout = Layout.of(tokenizer, model.span)
    lines: dict[str, list[dict[str, object]]] = {pair: [] for pair in outputs}
    listed: dict[str, list[dict[str, object]]] = {pair: [] for pair in outputs}
    texts: dict[str, dict[str, str]] = {pair: {} for pair in outputs}
    odds: dict[str, dict[str, float]] = {pair: {} for pair in outputs}
    for number, part in enumerate(parts):
        for question, document, found in answer_corpus(model, part, layout, recipe, arguments, number):
            pair = f"{question.language}-{document.language}"
            if pair not in lines:
                raise InputError(
                    f"{arguments.questions[number]}: questions of pair {pair}, but --pair names {', '.join(outputs)}"
                )
            lines[pair].append(tydi_line(question, document, found))
            texts[pair][question.source_id] = squad_text(document, found)
            odds[pair][question.source_id] = null_odds(found)
            if others["nbest"]:
                listed[pair].append(n_best_line(question, document, found))
    for pair in outputs:
        if not lines[pair]:
            raise InputError(
                f"--pair {pair}: no such questions in {', '.join(map(str, arguments.questions))}"
            )
    for pair, path in outputs.items():
        write_jsonl(path, lines[pair])
    for pair, path in others["nbest"].items():
        write_jsonl(path, listed[pair])
    for name, content in (("squad", texts), ("odds", odds)):
        for pair, path in others[name].items():
            write_text(path, json.dumps(content[pair], ensure_ascii=False, indent=1) + "\n")


def main() -> None:
    arguments_parser = parser(__doc__, Prediction)
    arguments_parser.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    for name, content in (
        ("documents", "documents table of each corpus"),
        ("questions", "questions table of each corpus, same order"),
        ("contexts", "contexts of each corpus, same order"),
        ("windows", "windows of each corpus, same order"),
    ):
        arguments_parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help=content)
    arguments_parser.add_argument(
        "--pair",
        nargs="+",
        required=True,
        metavar="LANGUAGES=FILE",
        help="output of a question-context pair in TyDi's format: en-ar=FILE",
    )
    for name, content in (
        ("squad", "answers in SQuAD's format"),
        ("odds", "null odds in SQuAD 2.0's format"),
        ("nbest", "best spans of each question, as many as n_best of the recipe says"),
    ):
        arguments_parser.add_argument(
            f"--{name}",
            nargs="+",
            default=[],
            metavar="LANGUAGES=FILE",
            help=f"also write, for each pair, {content}",
        )
    arguments_parser.add_argument(
        "--hide",
        choices=("nothing", "question", "context"),
        default="nothing",
        help="control: as in the model's training",
    )
    arguments_parser.add_argument("--label", default="predict", help="name in progress lines")
    arguments = arguments_parser.parse_args()
    predict(arguments, read_recipe(arguments.recipe, Prediction))


if __name__ == "__main__":
    quiet()
    run(main)
