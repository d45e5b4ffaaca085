"""Cut contexts into windows for every question, and mark where the answer stands in each.

A window is `[CLS] [Q] question [SEP] context pieces [SEP]`, in the encoder's own pieces for [CLS] and [SEP] (XLM-R's
are `<s>` and `</s>`).  Of several annotations one is trained on: the first by passage index that has a span, else the
first that has a passage (TyDi QA baseline).  A window is positive when it holds the whole answer.
"""

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.corpus import Annotation, Document, Question, read_documents, read_questions
from workflow_scripts.markers import QUESTION
from workflow_scripts.qa.features import (
    NO,
    NO_ANSWER,
    PASSAGE,
    SPAN,
    YES,
    Contexts,
    Windows,
    load_contexts,
    load_tokenizer,
    piece_id,
    ragged,
    save,
    vocabulary_digest,
)
from workflow_scripts.recipes.features import Features

# [CLS], [SEP], [SEP].  One [SEP] between question and context for every encoder, as in aligned_qa's code, although the
# authors of XLM-R write two between the parts of a pair.
SPECIAL_PIECES = 3


def annotation_to_learn(question: Question, max_passages: int) -> Annotation | None:
    """The annotation that is trained on, or None where no annotator found an answer in the passages that are seen."""
    seen = sorted((a for a in question.annotations if 0 <= a.passage < max_passages), key=lambda a: a.passage)
    return next((a for a in seen if a.start >= 0), next(iter(seen), None))


def answer(annotation: Annotation | None, document: Document) -> tuple[int, int, int]:
    """(answer type, start, end) in characters; a yes/no or passage answer spans its passage, no answer is -1, -1."""
    if annotation is None:
        return NO_ANSWER, -1, -1
    if annotation.start >= 0:
        return SPAN, annotation.start, annotation.end
    kind = {"YES": YES, "NO": NO, "NONE": PASSAGE}[annotation.yes_no]
    return kind, *document.passages[annotation.passage]


def pieces_of(start: int, end: int, starts: np.ndarray, ends: np.ndarray) -> tuple[int, int]:
    """First and last piece that overlap the characters [start, end); (-1, -1) where none does.

    starts, ends: int32 [pieces] of one document, ascending, -1 where a piece stands for no character.
    """
    inside = np.flatnonzero((starts >= 0) & (starts < end) & (ends > start))
    return (int(inside[0]), int(inside[-1])) if len(inside) else (-1, -1)


def window_starts(length: int, capacity: int, recipe: Features) -> np.ndarray:
    """Where windows of `capacity` pieces begin in a context of `length` pieces, int64; the last one reaches the end."""
    step = recipe.step if recipe.step is not None else capacity - (recipe.stride or 0)
    count = 1 + max(0, -(-(length - capacity) // step))
    return np.arange(count, dtype=np.int64) * step


def cut(
    questions: list[Question],
    documents: dict[str, Document],
    contexts: Contexts,
    tokenizer: Tokenizer,
    recipe: Features,
) -> tuple[Windows, list[str]]:
    """All windows of `questions`, and the ids of questions whose answer no piece of the context overlaps.

    Raises InputError where a question's document is not among the contexts, or these are of another vocabulary.
    """
    vocabulary = vocabulary_digest(tokenizer)
    if contexts.vocabulary != vocabulary:
        raise InputError(
            "the contexts were made with another tokenizer; give the one that they were made with"
        )
    row_of = {doc_id: row for row, doc_id in enumerate(contexts.doc_ids)}
    marker = piece_id(tokenizer, QUESTION)
    encodings = tokenizer.encode_batch([question.text for question in questions], add_special_tokens=False)
    asked = [[marker, *encoding.ids][-recipe.question_length :] for encoding in encodings]
    question_pieces, question_bounds = ragged(asked)
    columns: list[np.ndarray] = []
    lost = []
    for number, question in enumerate(questions):
        if question.doc_id not in row_of:
            raise InputError(
                f"question {question.question_id}: document {question.doc_id} is not among the contexts"
            )
        row = row_of[question.doc_id]
        begin, end = int(contexts.bounds[row]), int(contexts.bounds[row + 1])
        kind, first_char, last_char = answer(
            annotation_to_learn(question, recipe.max_passages), documents[question.doc_id]
        )
        first, last = -1, -1
        if kind != NO_ANSWER:
            first, last = pieces_of(
                first_char, last_char, contexts.starts[begin:end], contexts.ends[begin:end]
            )
            if first < 0:
                lost.append(question.question_id)
        capacity = recipe.max_length - SPECIAL_PIECES - len(asked[number])
        at = window_starts(end - begin, capacity, recipe)
        length = np.minimum(capacity, end - begin - at)
        holds = (first >= at) & (last < at + length) & (first >= 0)
        columns.append(
            np.column_stack(
                [
                    np.full_like(at, number),
                    begin + at,
                    length,
                    np.where(holds, kind, NO_ANSWER),
                    np.where(holds, first - at, -1),
                    np.where(holds, last - at, -1),
                ]
            )
        )
    table = np.concatenate(columns) if columns else np.empty((0, 6), dtype=np.int64)
    ids = [question.question_id for question in questions]
    return Windows(ids, vocabulary, question_bounds, question_pieces, *table.T), lost


def main() -> None:
    arguments_parser = parser(__doc__, Features)
    arguments_parser.add_argument("--questions", type=Path, required=True, help="questions table (Parquet)")
    arguments_parser.add_argument(
        "--documents", type=Path, required=True, help="its documents table (Parquet)"
    )
    arguments_parser.add_argument("--contexts", type=Path, required=True, help="these documents, tokenised")
    arguments_parser.add_argument(
        "--tokenizer", type=Path, required=True, help="tokenizer.json of the encoder"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="safetensors file of windows")
    arguments = arguments_parser.parse_args()
    recipe = read_recipe(arguments.recipe, Features)
    windows, lost = cut(
        read_questions(arguments.questions),
        read_documents(arguments.documents),
        load_contexts(arguments.contexts),
        load_tokenizer(arguments.tokenizer),
        recipe,
    )
    save(arguments.out, windows, "question_ids", {"recipe": recipe.model_dump()})
    positive = int((windows.start >= 0).sum())
    print(
        f"{len(windows.question_ids)} questions, {len(windows.first)} windows, {positive} with the whole answer"
    )
    for question_id in lost:
        print(
            f"question {question_id}: no piece of its context overlaps its answer; its windows count as unanswered"
        )


if __name__ == "__main__":
    run(main)
