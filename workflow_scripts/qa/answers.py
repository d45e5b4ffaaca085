"""What is written of a question's best spans: TyDi's prediction line, SQuAD's text and null odds, and all candidates.

A span's score is what it has over the first piece of its window (TyDi QA baseline), so that of "no answer" is 0, and a
question's n-best probabilities are the softmax over the scores of its candidates and 0.
"""

from typing import Any, NamedTuple

import numpy as np

from workflow_scripts.corpus import Document, Question, example_id
from workflow_scripts.languages import language
from workflow_scripts.qa.batches import Part
from workflow_scripts.qa.features import NO, YES
from workflow_scripts.qa.spans import across_windows, chances

NULL_SCORE = -1e9  # below any score a span can have


class Candidates(NamedTuple):
    """The best spans of one question, best first: characters of its document, score and probability, a list each.

    passage: that of the best; kind: the answer type of its window; null_score: the lowest, over the question's windows,
    of the first piece's start and end logits together (SQuAD 2.0's); null_probability: that there is no answer.
    """

    start: list[int]
    end: list[int]
    score: list[float]
    probability: list[float]
    passage: int
    kind: int
    null_score: float
    null_probability: float

    @property
    def yes_no(self) -> str:
        """YES or NO where that is the answer, else NONE."""
        return {YES: "YES", NO: "NO"}.get(self.kind, "NONE") if self.start else "NONE"


def passages_of(part: Part, rows: np.ndarray, offsets: np.ndarray, width: int) -> np.ndarray:
    """The passage of each position of these windows' inputs, int16 [rows, width], as `best_spans` wants them.

    offsets: int64 [rows], the position of each window's first context piece.
    """
    passages, starts = (
        np.full((len(rows), width), -1, dtype=np.int16),
        np.full((len(rows), width), -1, np.int32),
    )
    columns = (offsets, part.windows.first[rows], part.windows.length[rows])
    for row, (at, first, length) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        passages[row, at : at + length] = part.contexts.passages[first : first + length]
        starts[row, at : at + length] = part.contexts.starts[first : first + length]
    passages[starts < 0] = -1
    return passages


def candidates(
    part: Part,
    first: np.ndarray,
    last: np.ndarray,
    score: np.ndarray,
    kind: np.ndarray,
    null: np.ndarray,
    count: int,
) -> list[Candidates]:
    """The `count` best spans of every question of a corpus.

    By window: first, last (pieces of the contexts file) and score, [windows, spans], as `best_spans` gives them; kind,
    the answer type, and null, start and end logit of the first piece together, [windows].
    """
    questions = len(part.windows.question_ids)
    ranked = across_windows(part.windows.question, first, last, score, questions, count)
    probability, null_probability = chances(ranked)
    lowest = np.full(questions, np.inf)
    np.minimum.at(lowest, part.windows.question, null)
    some = np.diff(ranked.bounds) > 0
    best = ranked.bounds[:-1][some]
    passage, kinds = np.full(questions, -1), np.zeros(questions, dtype=np.int64)
    passage[some] = part.contexts.passages[ranked.first[best]]
    kinds[some] = kind[ranked.window[best]]
    # Lists of Python's numbers, which are cut and written many times faster than arrays are.
    start, end = part.contexts.starts[ranked.first].tolist(), part.contexts.ends[ranked.last].tolist()
    scores, chance, bounds = ranked.score.tolist(), probability.tolist(), ranked.bounds.tolist()
    rest = (column.tolist() for column in (passage, kinds, lowest, null_probability))
    return [
        Candidates(start[at:to], end[at:to], scores[at:to], chance[at:to], *others)
        for at, to, *others in zip(bounds, bounds[1:], *rest, strict=False)
    ]


def tydi_line(question: Question, document: Document, found: Candidates) -> dict[str, Any]:
    """A line of a TyDi prediction file; where no span is possible, an explicit null."""
    line: dict[str, Any] = {
        "example_id": example_id(question.source_id),
        "language": language(document.language).tydi,
        "passage_answer_index": found.passage,
        "passage_answer_score": NULL_SCORE,
        "minimal_answer": {"start_byte_offset": -1, "end_byte_offset": -1},
        "minimal_answer_score": NULL_SCORE,
        "yes_no_answer": found.yes_no,
    }
    if found.start:
        line["passage_answer_score"] = line["minimal_answer_score"] = found.score[0]
        if found.yes_no == "NONE":
            before = len(document.text[: found.start[0]].encode())
            length = len(document.text[found.start[0] : found.end[0]].encode())
            line["minimal_answer"] = {"start_byte_offset": before, "end_byte_offset": before + length}
    return line


def squad_text(document: Document, found: Candidates) -> str:
    """The answer in SQuAD's form: the best span's text, "yes" or "no", and "" where no span is possible."""
    if found.yes_no != "NONE":
        return found.yes_no.lower()
    return document.text[found.start[0] : found.end[0]] if found.start else ""


def null_odds(found: Candidates) -> float:
    """What "no answer" scores over the best span, which SQuAD 2.0's threshold is for."""
    return -(found.score[0] if found.start else NULL_SCORE)


def n_best_line(question: Question, document: Document, found: Candidates) -> dict[str, Any]:
    """A line of an n-best file; offsets are characters of the document."""
    return {
        "id": question.source_id,
        "example_id": example_id(question.source_id),
        "yes_no": found.yes_no,
        "null_score": found.null_score,
        "null_probability": found.null_probability,
        "candidates": [
            {
                "text": document.text[start:end],
                "start": start,
                "end": end,
                "score": score,
                "probability": probability,
            }
            for start, end, score, probability in zip(
                found.start, found.end, found.score, found.probability, strict=True
            )
        ],
    }
