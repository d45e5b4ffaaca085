"""Cut contexts into windows for every question, and mark where the answer stands in each.

A window is `[CLS] [Q] question [SEP] context pieces [SEP]`, in the encoder's own pieces for [CLS] and [SEP] (XLM-R's
are `<s>` and `</s>`).  Of several annotations one is trained on: the first by passage index that has a span, else the
first that has a passage (TyDi QA baseline).  A window is positive when it holds the whole answer.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.corpus import Annotation, Question, each_question
from workflow_scripts.markers import QUESTION
from workflow_scripts.qa.features import (
    NO,
    NO_ANSWER,
    PASSAGE,
    SPAN,
    WINDOW_ARRAYS,
    YES,
    Contexts,
    Windows,
    header,
    load_contexts,
    load_tokenizer,
    piece_id,
    release,
    vocabulary_digest,
    writing,
)
from workflow_scripts.qa.pieces import Pieces
from workflow_scripts.recipes.features import Features

# [CLS], [SEP], [SEP].  One [SEP] between question and context for every encoder, as in aligned_qa's code, although the
# authors of XLM-R write two between the parts of a pair.
SPECIAL_PIECES = 3
TOGETHER = 1024  # questions whose windows are cut at a time
TABLE = ("question", "first", "length", "answer_type", "start", "end")  # columns of a block's table


def annotation_to_learn(question: Question, max_passages: int) -> Annotation | None:
    """The annotation that is trained on, or None where no annotator found an answer in the passages that are seen."""
    seen = sorted((a for a in question.annotations if 0 <= a.passage < max_passages), key=lambda a: a.passage)
    return next((a for a in seen if a.start >= 0), next(iter(seen), None))


def answer_type(annotation: Annotation | None) -> int:
    """What kind of answer it is; NO_ANSWER where there is none."""
    if annotation is None:
        return NO_ANSWER
    return SPAN if annotation.start >= 0 else {"YES": YES, "NO": NO, "NONE": PASSAGE}[annotation.yes_no]


def pieces_of(
    annotation: Annotation, starts: np.ndarray, ends: np.ndarray, passages: np.ndarray
) -> tuple[int, int]:
    """First and last piece that overlap an answer, which is its passage where it has no span; (-1, -1) where none does.

    starts, ends, passages: those of `Contexts`, of one document.
    """
    if annotation.start >= 0:
        here = (starts < annotation.end) & (ends > annotation.start)
    else:
        here = passages == annotation.passage
    inside = np.flatnonzero(here & (starts >= 0))
    return (int(inside[0]), int(inside[-1])) if len(inside) else (-1, -1)


def window_starts(
    lengths: np.ndarray, capacities: np.ndarray, recipe: Features
) -> tuple[np.ndarray, np.ndarray]:
    """(number of the context, piece that it begins at) of every window, int64; a context's last one reaches its end.

    lengths: pieces of each context, capacities: those that a window of it holds, int64.
    """
    step = recipe.step if recipe.step is not None else capacities - (recipe.stride or 0)
    count = 1 + np.maximum(0, -(-(lengths - capacities) // step))
    number = np.repeat(np.arange(len(lengths)), count)
    ordinal = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return number, ordinal * np.broadcast_to(step, lengths.shape)[number]


def check_vocabulary(contexts: Contexts, vocabulary: str) -> None:
    """Raise InputError where the contexts are of another vocabulary than that with this digest."""
    if contexts.vocabulary != vocabulary:
        raise InputError(
            "the contexts were made with another tokenizer; give the one that they were made with"
        )


class Block(NamedTuple):
    """The windows of some questions.

    lengths [questions] pieces of each question in pieces; table [windows, 6] the columns of `Windows`, question first,
    which counts from 0; lost: ids of questions whose answer no piece of the context overlaps; split: questions whose
    answer no window holds whole.
    """

    question_ids: list[str]
    lengths: np.ndarray
    pieces: np.ndarray
    table: np.ndarray
    lost: list[str]
    split: int


def blocks(
    questions: Iterable[Question],
    contexts: Contexts,
    tokenizer: Tokenizer,
    recipe: Features,
) -> Iterator[Block]:
    """All windows of `questions`, in their order.

    Raises InputError where a question's document is not among the contexts.
    """
    row_of = {doc_id: row for row, doc_id in enumerate(contexts.doc_ids)}
    marker = piece_id(tokenizer, QUESTION)
    memory = Pieces(tokenizer)
    remaining = iter(questions)
    while some := list(islice(remaining, TOGETHER)):
        pieces, _, _, counts = memory.cut(
            [question.text for question in some], [0] * len(some), [marker] * len(some)
        )
        lengths = np.minimum(counts, recipe.question_length)
        # The last pieces of each question.
        kept = np.repeat(np.cumsum(counts) - np.cumsum(lengths), lengths) + np.arange(int(lengths.sum()))
        rows = np.empty(len(some), dtype=np.int64)
        answers = np.empty(
            (len(some), 3), dtype=np.int64
        )  # type, first and last piece, counted in its context
        lost = []
        for number, question in enumerate(some):
            row = row_of.get(question.doc_id)
            if row is None:
                raise InputError(
                    f"question {question.question_id}: document {question.doc_id} is not among the contexts"
                )
            rows[number] = row
            annotation = annotation_to_learn(question, recipe.max_passages)
            first, last = -1, -1
            if annotation is not None:
                own = slice(contexts.bounds[row], contexts.bounds[row + 1])
                first, last = pieces_of(
                    annotation, contexts.starts[own], contexts.ends[own], contexts.passages[own]
                )
                if first < 0:
                    lost.append(question.question_id)
            answers[number] = answer_type(annotation), first, last
        begin, end = contexts.bounds[rows], contexts.bounds[rows + 1]
        capacity = recipe.max_length - SPECIAL_PIECES - lengths
        number_of, at = window_starts(end - begin, capacity, recipe)
        length = np.minimum(capacity[number_of], (end - begin)[number_of] - at)
        kinds, firsts, lasts = answers[number_of].T
        holds = (firsts >= at) & (lasts < at + length) & (firsts >= 0)
        table = np.column_stack(
            [
                number_of,
                begin[number_of] + at,
                length,
                np.where(holds, kinds, NO_ANSWER),
                np.where(holds, firsts - at, -1),
                np.where(holds, lasts - at, -1),
            ]
        )
        split = int((answers[:, 1] >= 0).sum()) - len(np.unique(number_of[holds]))
        ids = [question.question_id for question in some]
        yield Block(ids, lengths, pieces[kept], table, lost, split)


def cut(
    questions: list[Question],
    contexts: Contexts,
    tokenizer: Tokenizer,
    recipe: Features,
) -> tuple[Windows, list[str]]:
    """The windows of `blocks` in memory, and the ids of questions whose answer no piece of the context overlaps."""
    check_vocabulary(contexts, vocabulary_digest(tokenizer))
    made = list(blocks(questions, contexts, tokenizer, recipe))
    for number, block in enumerate(made):
        block.table[:, 0] += number * TOGETHER
    lengths = np.concatenate([np.zeros(1, dtype=np.int64), *(block.lengths for block in made)])
    table = np.concatenate([np.empty((0, len(TABLE)), dtype=np.int64), *(block.table for block in made)])
    pieces = np.concatenate([np.empty(0, dtype=np.int32), *(block.pieces for block in made)])
    ids = [question.question_id for question in questions]
    lost = [question_id for block in made for question_id in block.lost]
    return Windows(ids, contexts.vocabulary, np.cumsum(lengths), pieces, *table.T), lost


def write(
    out: Path,
    questions: Path,
    contexts: Contexts,
    tokenizer: Tokenizer,
    recipe: Features,
) -> None:
    """Write the windows of a questions table, block by block."""
    question_ids: list[str] = []
    about: dict[str, str] = {}
    reached = windows = positive = split = 0
    with writing(out, WINDOW_ARRAYS, about) as arrays:
        arrays.append(question_bounds=np.zeros(1))
        for block in blocks(each_question(questions), contexts, tokenizer, recipe):
            block.table[:, 0] += len(question_ids)
            arrays.append(
                question_bounds=reached + np.cumsum(block.lengths),
                question_pieces=block.pieces,
                **dict(zip(TABLE, block.table.T, strict=True)),
            )
            question_ids += block.question_ids
            reached += len(block.pieces)
            windows += len(block.table)
            positive += int((block.table[:, TABLE.index("start")] >= 0).sum())
            split += block.split
            release(contexts)
            for question_id in block.lost:
                print(
                    f"question {question_id}: no piece of its context overlaps its answer; its windows count as"
                    " unanswered"
                )
        about |= header(contexts.vocabulary, "question_ids", question_ids, {"recipe": recipe.model_dump()})
    if split:
        print(
            f"{split} of {len(question_ids)} questions have an answer that no window holds whole; their windows count"
            " as unanswered: raise max_length or stride if these are many"
        )
    print(f"{len(question_ids)} questions, {windows} windows, {positive} with the whole answer")


def main() -> None:
    arguments_parser = parser(__doc__, Features)
    arguments_parser.add_argument("--questions", type=Path, required=True, help="questions table (Parquet)")
    arguments_parser.add_argument(
        "--contexts", type=Path, required=True, help="the documents of these questions, tokenised"
    )
    arguments_parser.add_argument(
        "--tokenizer", type=Path, required=True, help="tokenizer.json of the encoder"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="safetensors file of windows")
    arguments = arguments_parser.parse_args()
    recipe = read_recipe(arguments.recipe, Features)
    contexts, tokenizer = load_contexts(arguments.contexts), load_tokenizer(arguments.tokenizer)
    check_vocabulary(contexts, vocabulary_digest(tokenizer))
    write(arguments.out, arguments.questions, contexts, tokenizer, recipe)


if __name__ == "__main__":
    run(main)
