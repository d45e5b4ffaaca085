"""The best answer span of a window, searched over all spans that an answer may have."""

import numpy as np


def best_spans(
    start: np.ndarray, end: np.ndarray, passages: np.ndarray, max_length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best span of each row: first and last position, int64 [rows], and score, float [rows].

    start, end: logits, float [rows, positions], position 0 the window's first piece.  passages: int [rows, positions],
    the passage of each piece that an answer may contain, -1 elsewhere (question, markers, padding).  A span has at most
    `max_length` pieces and stays in one passage.  Its score is (start_i + end_j) - (start_0 + end_0), as in TyDi's
    baseline, which however looked only at the 30 best starts and ends.  Rows without any span: (-1, -1, -inf).

    Exact; a band of `max_length` diagonals, O(rows · positions · max_length).
    """
    rows, positions = start.shape
    first = np.full(rows, -1)
    last = np.full(rows, -1)
    score = np.full(rows, -np.inf)
    everyone = np.arange(rows)
    for length in range(min(max_length, positions)):
        stop = positions - length
        allowed = (passages[:, :stop] >= 0) & (passages[:, :stop] == passages[:, length:])
        sums = np.where(allowed, start[:, :stop] + end[:, length:], -np.inf)
        best = sums.argmax(1)
        value = sums[everyone, best]
        better = value > score
        first[better], last[better], score[better] = best[better], best[better] + length, value[better]
    return first, last, score - (start[:, 0] + end[:, 0])
