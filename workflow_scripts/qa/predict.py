"""Answer the questions of an evaluation and write TyDi prediction files, one for each question-context language pair.

Of all windows of a question the span with the best score wins; its passage is the passage answer and its score serves
both tasks (TyDi QA baseline).  Where that window's answer type is YES or NO, this is the minimal answer.  A question in
whose windows no span is possible gets an explicit null line.
"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from workflow_scripts.cli import InputError, Progress, named_files, parser, read_recipe, run
from workflow_scripts.corpus import Document, Question, example_id, read_documents, read_questions
from workflow_scripts.files import write_jsonl
from workflow_scripts.languages import language
from workflow_scripts.qa.batches import Layout, Part, check_fits, collate, read_parts
from workflow_scripts.qa.features import NO, YES
from workflow_scripts.qa.heads import QuestionAnswerer, load
from workflow_scripts.qa.spans import best_spans
from workflow_scripts.recipes.tuning import Prediction
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import mixed_precision, quiet
from workflow_scripts.training.folders import load_tokenizer
from workflow_scripts.training.order import cut

NULL_SCORE = -1e9  # below any score a span can have


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
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For every window: first and last piece of its best span (rows of the contexts file), score, answer type."""
    count = len(part.windows.first)
    first, last = np.full(count, -1), np.full(count, -1)
    score, kind = np.full(count, -np.inf), np.zeros(count, dtype=np.int64)
    lengths, offsets = part.lengths(), part.offsets()
    by_length = np.argsort(lengths, kind="stable")
    for rows in forward_passes(by_length, lengths[by_length], recipe):
        batch = collate([part], [(0, int(row)) for row in rows], layout, hide, recipe.batching)
        start, end, kinds = logits(model, batch, recipe.precision)
        passages = np.full(start.shape, -1, dtype=np.int64)
        for number, row in enumerate(rows):
            begin, length = part.windows.first[row], part.windows.length[row]
            span = slice(begin, begin + length)
            seen = np.where(part.contexts.starts[span] >= 0, part.contexts.passages[span], -1)
            passages[number, offsets[row] : offsets[row] + length] = seen
        best_first, best_last, best_score = best_spans(start, end, passages, recipe.max_answer_length)
        shift = part.windows.first[rows] - offsets[rows]
        found = best_first >= 0
        first[rows[found]] = (best_first + shift)[found]
        last[rows[found]] = (best_last + shift)[found]
        score[rows] = best_score
        kind[rows] = kinds.argmax(1)
        progress.advance(len(rows))
    return first, last, score, kind


def prediction(
    question: Question, document: Document, part: Part, best: tuple[int, int, float, int] | None
) -> dict[str, object]:
    """One line of a TyDi prediction file; `best` is (first piece, last piece, score, answer type) or None for null."""
    line: dict[str, object] = {
        "example_id": example_id(question.source_id),
        "language": language(document.language).tydi,
        "passage_answer_index": -1,
        "passage_answer_score": NULL_SCORE,
        "minimal_answer": {"start_byte_offset": -1, "end_byte_offset": -1},
        "minimal_answer_score": NULL_SCORE,
        "yes_no_answer": "NONE",
    }
    if best is None:
        return line
    first, last, score, kind = best
    line["passage_answer_index"] = int(part.contexts.passages[first])
    line["passage_answer_score"] = line["minimal_answer_score"] = float(score)
    if kind in (YES, NO):
        line["yes_no_answer"] = "YES" if kind == YES else "NO"
    else:
        start, end = int(part.contexts.starts[first]), int(part.contexts.ends[last])
        before = len(document.text[:start].encode())
        line["minimal_answer"] = {
            "start_byte_offset": before,
            "end_byte_offset": before + len(document.text[start:end].encode()),
        }
    return line


def answer_corpus(
    model: QuestionAnswerer, part: Part, layout: Layout, recipe: Prediction, arguments: Namespace, number: int
) -> Iterator[tuple[str, dict[str, object]]]:
    """(pair, prediction line) for every question of one corpus."""
    documents = read_documents(arguments.documents[number])
    questions = read_questions(arguments.questions[number])
    if [question.question_id for question in questions] != part.windows.question_ids:
        raise InputError(
            f"{arguments.windows[number]}: windows of other questions than {arguments.questions[number]}"
        )
    progress = Progress(
        f"{arguments.label} {arguments.questions[number].stem}", len(part.windows.first), "windows"
    )
    first, last, score, kind = answer_windows(model, part, layout, recipe, arguments.hide, progress)
    # Best window of each question: the last of its windows when sorted by question, then score.
    order = np.lexsort((score, part.windows.question))
    best_window = dict(zip(part.windows.question[order].tolist(), order.tolist(), strict=True))
    for row, question in enumerate(questions):
        document = documents.get(question.doc_id)
        if document is None:
            raise InputError(
                f"question {question.question_id}: its document {question.doc_id} is not in"
                f" {arguments.documents[number]}"
            )
        window = best_window.get(row)
        best = None
        if window is not None and first[window] >= 0:
            best = int(first[window]), int(last[window]), float(score[window]), int(kind[window])
        yield f"{question.language}-{document.language}", prediction(question, document, part, best)


def predict(arguments: Namespace, recipe: Prediction) -> None:
    """The whole step: read features, run the model, write a file for each pair."""
    outputs = named_files(arguments.pair, "--pair")
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
    for number, part in enumerate(parts):
        for pair, line in answer_corpus(model, part, layout, recipe, arguments, number):
            if pair not in lines:
                raise InputError(
                    f"{arguments.questions[number]}: questions of pair {pair}, but --pair names {', '.join(outputs)}"
                )
            lines[pair].append(line)
    for pair in outputs:
        if not lines[pair]:
            raise InputError(
                f"--pair {pair}: no such questions in {', '.join(map(str, arguments.questions))}"
            )
    for pair, path in outputs.items():
        write_jsonl(path, lines[pair])


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
        help="output of a question-context pair: en-ar=FILE",
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
