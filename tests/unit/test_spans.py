"""The banded span search against every span tried one by one."""

import numpy as np
import pytest

from workflow_scripts.qa.spans import best_spans


def slow_best(start, end, passages, max_length):
    best = (-1, -1, -np.inf)
    for i in range(len(start)):
        for j in range(i, min(i + max_length, len(start))):
            same = passages[i] >= 0 and (passages[i : j + 1] == passages[i]).all()
            score = start[i] + end[j] - (start[0] + end[0])
            if same and score > best[2]:
                best = (i, j, score)
    return best


@pytest.mark.parametrize("seed", range(20))
def test_equals_trying_every_span(seed):
    random = np.random.default_rng(seed)
    rows, positions = 5, int(random.integers(2, 30))
    start, end = random.normal(size=(2, rows, positions))
    # Passages ascend and are separated by a marker, as in a window; row 0 has no place for an answer.
    passages = np.sort(random.integers(0, 4, (rows, positions)), axis=1)
    passages[:, 1:][np.diff(passages, axis=1) > 0] = -1
    passages[:, 0] = -1
    passages[0] = -1
    max_length = int(random.integers(1, 8))
    first, last, score = best_spans(start, end, passages, max_length)
    for row in range(rows):
        expected = slow_best(start[row], end[row], passages[row], max_length)
        assert (first[row], last[row]) == expected[:2]
        assert score[row] == pytest.approx(expected[2])


def test_no_span_is_told():
    first, last, score = best_spans(np.ones((1, 3)), np.ones((1, 3)), np.full((1, 3), -1), 10)
    assert (first[0], last[0], score[0]) == (-1, -1, -np.inf)
