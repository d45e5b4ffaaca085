"""The span search against every span tried one by one, and against the search for one span that went before it."""

import numpy as np
import pytest

from workflow_scripts.qa.spans import across_windows, best_spans


def every_span(start, end, passages, max_length, count):
    """(score, first, last) of the best spans, by trying all; equal scores: the shorter, then the earlier."""
    found = []
    for i in range(len(start)):
        for j in range(i, min(i + max_length, len(start))):
            between = passages[i : j + 1]
            if passages[i] >= 0 and passages[j] == passages[i] and set(between) <= {passages[i], -1}:
                found.append((start[i] + end[j], i, j))
    found.sort(key=lambda span: (-span[0], span[2] - span[1], span[1]))
    return [(float(score) - float(start[0] + end[0]), i, j) for score, i, j in found[:count]]


def one_by_band(start, end, passages, max_length):
    """The search for the best span alone as it was before there were several: a band of diagonals."""
    rows, positions = start.shape
    first, last, score = np.full(rows, -1), np.full(rows, -1), np.full(rows, -np.inf)
    for length in range(min(max_length, positions)):
        stop = positions - length
        allowed = (passages[:, :stop] >= 0) & (passages[:, :stop] == passages[:, length:])
        sums = np.where(allowed, start[:, :stop] + end[:, length:], -np.inf)
        best = sums.argmax(1)
        value = sums[np.arange(rows), best]
        better = value > score
        first[better], last[better], score[better] = best[better], best[better] + length, value[better]
    return first, last, score - (start[:, 0] + end[:, 0])


def windows(seed, rows, positions):
    """Logits and passages as windows have them; every third time logits are coarse, so that many scores are equal."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(2, rows, positions)).astype(np.float32)
    if seed % 3 == 0:
        logits = np.round(2 * logits)
    passages = np.sort(random.integers(0, 1 if seed % 5 == 0 else 4, (rows, positions)), axis=1)
    passages[:, 1:][np.diff(passages, axis=1) > 0] = -1  # markers
    passages[random.random(passages.shape) < 0.1] = -1  # pieces that stand for no character
    passages[:, 0] = -1
    passages[0] = -1  # a row without a place for an answer
    return (*logits, passages.astype(np.int16))


@pytest.mark.parametrize("seed", range(30))
def test_equals_trying_every_span(seed):
    random = np.random.default_rng(seed + 1000)
    positions, max_length, count = (int(random.integers(*span)) for span in ((2, 30), (1, 12), (1, 25)))
    start, end, passages = windows(seed, 70, positions)  # more rows than are searched together
    first, last, score = best_spans(start, end, passages, max_length, count)
    assert first.shape == last.shape == score.shape == (70, count)
    for row in range(len(start)):
        expected = every_span(start[row], end[row], passages[row], max_length, count)
        expected += [(-np.inf, -1, -1)] * (count - len(expected))
        assert list(zip(score[row], first[row], last[row], strict=True)) == expected


@pytest.mark.parametrize("seed", range(6))
def test_the_first_is_what_it_was_to_the_bit(seed):
    start, end, passages = windows(seed, 40, 200)
    for count in (1, 20):
        found = best_spans(start, end, passages, 100, count)
        for column, before in zip(found, one_by_band(start, end, passages, 100), strict=True):
            assert column[:, 0].tobytes() == before.tobytes()


def test_no_span_is_told():
    logits = np.ones((1, 3), dtype=np.float32)
    first, last, score = best_spans(logits, logits, np.full((1, 3), -1), 10)
    assert (first[0, 0], last[0, 0], score[0, 0]) == (-1, -1, -np.inf)
    assert best_spans(logits[:0], logits[:0], np.zeros((0, 3), int), 10, 4)[0].shape == (0, 4)


@pytest.mark.parametrize("seed", range(10))
def test_the_spans_of_a_question_are_those_of_its_windows(seed):
    """A span that several windows have counts once, with its better score; equal scores: the later window first."""
    random = np.random.default_rng(seed)
    question = np.sort(random.integers(0, 12, 20))
    first = random.integers(0, 4, (20, 6))
    last = first + random.integers(0, 3, (20, 6))
    score = -np.sort(-random.integers(0, 5, (20, 6)).astype(float), axis=1)
    for row in range(20):  # a window has a span once, and equal scores in order
        spans = {(f, e): s for f, e, s in zip(first[row], last[row], score[row], strict=True)}
        rows = sorted(spans.items(), key=lambda span: (-span[1], span[0][1] - span[0][0], span[0][0]))
        rows += [((-1, -1), -np.inf)] * (6 - len(rows))
        first[row], last[row] = zip(*(span for span, _ in rows), strict=True)
        score[row] = [value for _, value in rows]
    ranked = across_windows(question, first, last, score, 12, 5)
    for number in range(12):
        best = {}
        for window in np.flatnonzero(question == number):
            for f, e, s in zip(first[window], last[window], score[window], strict=True):
                if f >= 0 and (s, window) >= best.get((f, e), (-np.inf, -1)):
                    best[f, e] = (s, window)
        expected = sorted(
            ((-s, -w, e - f, f, e) for (f, e), (s, w) in best.items()),
        )[:5]
        span = slice(ranked.bounds[number], ranked.bounds[number + 1])
        columns = (ranked.score[span], ranked.window[span], ranked.first[span], ranked.last[span])
        assert list(zip(*columns, strict=True)) == [(-s, -w, f, e) for s, w, _, f, e in expected]
