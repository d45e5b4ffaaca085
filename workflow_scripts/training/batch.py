"""What a batch is, for models and for the loop that feeds them."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

Batch = dict[str, Tensor]  # tensors by name, rows first; the loop counts pieces by `attention_mask`


def padded(rows: Sequence[np.ndarray], filler: int) -> np.ndarray:
    """Ragged rows as one array, int64 [rows, longest], with `filler` behind the shorter ones."""
    array = np.full((len(rows), max(map(len, rows))), filler, np.int64)
    for number, row in enumerate(rows):
        array[number, : len(row)] = row
    return array
