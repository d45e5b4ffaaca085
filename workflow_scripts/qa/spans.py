"""The best answer spans of a window, searched over all spans that an answer may have, and those of a question.

Spans are ordered by falling score; of equal ones the shorter comes first, then the one that begins earlier.  Between
the windows of a question, equal scores put the later window first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

TOGETHER = 64  # rows that are searched at a time, so that their arrays stay in the processor's cache


@dataclass(frozen=True)
class Ranked:
    """The best spans of every question, one after the other.

    bounds: int64 [questions + 1], where each one's begin.  By span, in falling order of score: first and last, int64,
    its pieces; score, float64; window, int64, the row of the window where it has this score.
    """

    bounds: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    score: NDArray[np.float64]
    window: NDArray[np.int64]


def best_spans(
    start: np.ndarray, end: np.ndarray, passages: np.ndarray, max_length: int, count: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best spans of each row: first and last position, int64 [rows, count], and score, float64 [rows, count].

    start, end: logits, float [rows, positions], position 0 the window's first piece.  passages: int [rows, positions],
    ascending: the passage of each piece that an answer may begin or end with, -1 elsewhere (question, markers,
    padding).  A span has at most `max_length` pieces and stays in one passage.  Its score is (start_i + end_j) -
    (start_0 + end_0), as in TyDi's baseline, which however looked only at the 30 best starts and ends.
    Where a row has fewer spans than `count`: (-1, -1, -inf).

    Exact: a span is among the `count` best only if its start is among the `count` best starts, each judged by the best
    span that begins there; so these are found first, by sliding maxima, and then all spans of theirs are looked at.
    """
    found = [
        _best_of_few(
            start[at : at + TOGETHER],
            end[at : at + TOGETHER],
            passages[at : at + TOGETHER],
            min(max_length, start.shape[1]),
            count,
        )
        for at in range(0, len(start), TOGETHER)
    ]
    if not found:
        nothing = np.full((0, count), -1)
        return nothing, nothing, np.empty((0, count))
    first, last, score = (np.concatenate(column) for column in zip(*found, strict=True))
    return first, last, score - (start[:, :1] + end[:, :1])


def _best_of_few(
    start: np.ndarray, end: np.ndarray, passages: np.ndarray, max_length: int, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`best_spans` of a few rows, scores without what the first piece has."""
    rows, positions = start.shape
    allowed = passages >= 0
    start = np.where(allowed, start, -np.inf)
    # Behind the last position there is room for spans that would leave the row.
    ends = np.full((rows, positions + max_length), -np.inf, dtype=end.dtype)
    np.copyto(ends[:, :positions], end, where=allowed)
    passage = _passage_of_all(passages, allowed, max_length)
    best = start + _best_ends(ends, passage, positions, max_length)

    chosen = _highest(best, min(count, positions))
    everyone = np.arange(rows)[:, None]
    sums = sliding_window_view(ends, max_length, axis=1)[everyone, chosen]
    sums += np.take_along_axis(start, chosen, 1)[:, :, None]
    if passage is not None:
        own = np.take_along_axis(passage, chosen, 1)
        sums[sliding_window_view(passage, max_length, axis=1)[everyone, chosen] != own[:, :, None]] = -np.inf
    # As [rows, lengths, starts], so that a row's spans stand in the order in which equal ones are taken.
    sums = sums.swapaxes(1, 2).reshape(rows, -1)

    few = min(count, sums.shape[1])
    least = np.partition(sums, sums.shape[1] - few, axis=1)[:, sums.shape[1] - few]
    # The lowest number there is keeps out spans that are none, whose sum is -inf.
    least = np.maximum(least, np.finfo(sums.dtype).min)
    cells = np.flatnonzero(sums >= least[:, None])
    row = cells // sums.shape[1]
    number = np.bincount(row, minlength=rows)
    column = np.arange(len(cells)) - (np.cumsum(number) - number)[row]
    width = max(count, int(number.max(initial=0)))
    score = np.full((rows, width), -np.inf)
    score[row, column] = sums.ravel()[cells]
    cell = np.full((rows, width), -1)
    cell[row, column] = cells % sums.shape[1]

    order = np.argsort(-score, axis=1, kind="stable")[:, :count]
    score, cell = np.take_along_axis(score, order, 1), np.take_along_axis(cell, order, 1)
    length, which = np.divmod(np.maximum(cell, 0), chosen.shape[1])
    first = np.take_along_axis(chosen, which, 1)
    there = cell >= 0
    return np.where(there, first, -1), np.where(there, first + length, -1), score


def _passage_of_all(passages: np.ndarray, allowed: np.ndarray, room: int) -> np.ndarray | None:
    """The passage of every position, of those too where no answer begins or ends: that of the one before.

    int [rows, positions + room]; None where all rows have the same passage, which then needs no looking at.
    """
    highest = passages.max(initial=-1)
    if not (allowed & (passages != highest)).any():
        return None
    wide = np.full((len(passages), passages.shape[1] + room), highest, dtype=passages.dtype)
    np.maximum.accumulate(passages, axis=1, out=wide[:, : passages.shape[1]])
    return wide


def _best_ends(ends: np.ndarray, passage: np.ndarray | None, positions: int, max_length: int) -> np.ndarray:
    """The highest end, for every position, among the `max_length` places from it on within its passage."""
    best = ends.copy()
    reach = 1  # places that `best` looks at
    while reach < max_length:
        step = min(reach, max_length - reach)
        ahead = best[:, step:]
        if passage is not None:
            # Passages ascend: where the place ahead is in another one, this one ends before it.
            ahead = np.where(passage[:, step:] == passage[:, :-step], ahead, -np.inf)
        best = np.concatenate([np.maximum(best[:, :-step], ahead), best[:, -step:]], axis=1)
        reach += step
    return best[:, :positions]


def _highest(values: np.ndarray, count: int) -> np.ndarray:
    """Columns of the `count` highest values of each row, ascending, int64 [rows, count]; of more, if some are equal."""
    rows, positions = values.shape
    least = np.partition(values, positions - count, axis=1)[:, positions - count :][:, :1]
    high = values >= least
    number = high.sum(1)
    if (number == count).all():
        return (np.flatnonzero(high) % positions).reshape(rows, count)
    # Equal values, or rows that have fewer values than `count` and -inf instead.
    width = max(count, int(number[least[:, 0] > -np.inf].max(initial=0)))
    chosen = np.argpartition(values, positions - width, axis=1)[:, positions - width :]
    return np.sort(chosen, axis=1)


def across_windows(
    question: np.ndarray, first: np.ndarray, last: np.ndarray, score: np.ndarray, questions: int, count: int
) -> Ranked:
    """The `count` best spans of each question over all its windows; one that several windows have counts once.

    question: int [windows], ascending.  first, last, score: [windows, spans] as `best_spans` gives them, but with
    pieces that mean the same in all windows.  Of a span in several windows the better score is kept.
    """
    there = first >= 0
    window = np.nonzero(there)[0]
    first, last, score = first[there], last[there], score[there]
    asked = question[window]
    # Only where a question has several windows is there anything to put in order.
    windows = np.bincount(question, minlength=questions)
    several = windows[asked] > 1
    if several.any():
        mixed = np.flatnonzero(several)
        by_span = mixed[np.lexsort((-window[mixed], -score[mixed], last[mixed], first[mixed], asked[mixed]))]
        again = np.zeros(len(by_span), dtype=bool)
        again[1:] = True
        for column in (asked, first, last):
            again[1:] &= column[by_span[1:]] == column[by_span[:-1]]
        kept = by_span[~again]
        kept = kept[
            np.lexsort((first[kept], last[kept] - first[kept], -window[kept], -score[kept], asked[kept]))
        ]
        order = np.concatenate([np.flatnonzero(~several), kept])
        order = order[np.argsort(asked[order], kind="stable")]
    else:
        order = np.arange(len(asked))
    number = np.bincount(asked[order], minlength=questions)
    begins = np.cumsum(number) - number
    rank = np.arange(len(order)) - begins[asked[order]]
    order = order[rank < count]
    bounds = np.concatenate([[0], np.cumsum(np.minimum(number, count))])
    return Ranked(bounds, first[order], last[order], score[order], window[order])


def chances(ranked: Ranked) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """n-best probabilities: of every span, and of "no answer", whose score is 0, for every question.

    They are the softmax over a question's spans and null.
    """
    questions = len(ranked.bounds) - 1
    asked = np.repeat(np.arange(questions), np.diff(ranked.bounds))
    highest = np.zeros(questions)
    some = np.diff(ranked.bounds) > 0
    highest[some] = np.maximum(ranked.score[ranked.bounds[:-1][some]], 0)
    weight = np.exp(ranked.score - highest[asked])
    null = np.exp(-highest)
    total = null + np.bincount(asked, weight, questions)
    return weight / total[asked], null / total
