"""Nearest neighbours: which share of queries finds what is right for it, by cosine or by CSLS.

CSLS (Conneau et al. 2018) lowers the similarity of what is near to everything:

    csls(x, y) = 2 cos(x, y) − r(x) − r(y),      r(x) = mean cosine of x and its k nearest neighbours on the other side

Where several candidates are equally near, the hit is shared among them: an encoder that gives every word the same
vector scores as chance does, whatever the order.  Similarities are made block by block and never held together.
"""

import numpy as np
import torch
from torch import Tensor

CELLS = 1 << 22  # similarities in memory at once
TIE = 1e-6  # similarities that differ by less are equal: float32 knows cosines no better


def unit(vectors: Tensor) -> Tensor:
    """Each row divided by its own norm (Cao et al.'s code divides by the whole matrix's); zero rows stay zero."""
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp_min(1e-12)


def hits(scores: Tensor, rows: Tensor, columns: Tensor) -> float:
    """Sum over cells (row, column): 1 / number of the row's best where the cell is among these, else 0."""
    best = scores >= scores.amax(1, keepdim=True) - TIE
    return float((best[rows, columns].double() / best.sum(1)[rows]).sum())


def density(points: Tensor, others: Tensor, k: int) -> Tensor:
    """r of each point: the mean cosine of its k nearest others (of all, where there are fewer), unit rows given."""
    k = min(k, len(others))
    step = max(1, CELLS // len(others))
    return torch.cat([(block @ others.T).topk(k, 1).values.mean(1) for block in points.split(step)])


def found(queries: Tensor, candidates: Tensor, right: np.ndarray, neighbours: int | None) -> float:
    """The share of queries whose nearest candidate is right, by CSLS with so many neighbours; None: by cosine.

    Both [n, width] in unit rows; `right` are distinct (query, candidate), int64 [m, 2], every query in one at least.
    """
    right = right[np.argsort(right[:, 0], kind="stable")]
    # r(x) is the same for all of x's candidates: it changes no order
    spread = 0.0 if neighbours is None else density(candidates, queries, neighbours)
    step = max(1, CELLS // len(candidates))
    total = 0.0
    for start in range(0, len(queries), step):
        scores = 2 * (queries[start : start + step] @ candidates.T) - spread
        first, last = np.searchsorted(right[:, 0], [start, start + step])
        rows, columns = torch.from_numpy(right[first:last]).to(scores.device).unbind(1)
        total += hits(scores, rows - start, columns)
    return total / len(queries)


def within(vectors: Tensor, sides: np.ndarray, links: list[np.ndarray]) -> tuple[float, float]:
    """Sums over links of the hits of either word among the words of the other sentence: (to second, to first).

    `vectors` are unit rows, [words, width]; `sides` int64 [pairs, 2, 2]: of both sentences of a pair, the first row and
    how many follow; `links` of each pair (word, word), int64 [m, 2].
    """
    sizes = sides[:, :, 1]
    order = np.lexsort((sizes[:, 1], sizes[:, 0]))
    totals = [0.0, 0.0]
    at = 0
    while at < len(order):
        # pairs of like sizes, together no more cells and no more numbers in vectors than allowed
        until, widest = at, np.zeros(2, np.int64)
        while until < len(order):
            grown = np.maximum(widest, sizes[order[until]])
            if until > at and max(grown.prod(), grown.sum() * vectors.shape[1]) * (until + 1 - at) > CELLS:
                break
            widest, until = grown, until + 1
        rows = order[at:until]
        cells = np.concatenate(
            [np.column_stack([np.full(len(links[row]), n), links[row]]) for n, row in enumerate(rows)]
        )
        if len(cells):
            places = [
                np.where(
                    np.arange(widest[side]) < sizes[rows, side, None],
                    sides[rows, side, :1] + np.arange(widest[side]),
                    -1,
                )
                for side in (0, 1)
            ]
            first, second = (torch.from_numpy(place).to(vectors.device) for place in places)
            alike = torch.bmm(vectors[first], vectors[second].transpose(1, 2))
            pair, i, j = torch.from_numpy(cells).to(vectors.device).unbind(1)
            nowhere = float("-inf")
            number = torch.arange(len(cells), device=vectors.device)
            totals[0] += hits(alike[pair, i].masked_fill(second[pair] < 0, nowhere), number, j)
            totals[1] += hits(alike[pair, :, j].masked_fill(first[pair] < 0, nowhere), number, i)
        at = until
    return totals[0], totals[1]
