"""Which examples make up the batch of a step: shuffled epochs, batches of similar length, known from the step alone."""

import functools

import numpy as np

POOL = 50  # batches that are sorted by length together


class Order:
    """Rows of each batch for `lengths` [rows] (pieces): a new permutation every epoch.

    Within a pool of 50 batches rows are sorted by length, so that little is padding; the batches are then shuffled.
    The last rows of an epoch that don't fill a batch are completed with its first rows.
    """

    def __init__(self, lengths: np.ndarray, batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed = lengths, min(batch_size, len(lengths)), seed
        self.batches_per_epoch = -(-len(lengths) // self.batch_size)
        self._epoch = functools.lru_cache(maxsize=2)(self._make)

    def _make(self, epoch: int) -> np.ndarray:
        random = np.random.default_rng((self.seed, epoch))
        rows = random.permutation(len(self.lengths))
        rows = np.concatenate([rows, rows[: self.batches_per_epoch * self.batch_size - len(rows)]])
        pool = POOL * self.batch_size
        rows = np.concatenate(
            [
                part[np.argsort(self.lengths[part], kind="stable")]
                for part in np.split(rows, range(pool, len(rows), pool))
            ]
        )
        return rows.reshape(-1, self.batch_size)[random.permutation(self.batches_per_epoch)]

    def rows(self, step: int) -> np.ndarray:
        """Row numbers of the batch of a step, int64 [batch_size]."""
        epoch, batch = divmod(step, self.batches_per_epoch)
        return self._epoch(epoch)[batch]
