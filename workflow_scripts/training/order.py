"""Which examples make up the batch of a step: shuffled epochs, batches of similar length, known from the step alone."""

import functools
from collections.abc import Callable

import numpy as np

POOL = 50  # batches that are sorted by length together


class Order:
    """Rows of each batch for `lengths` [rows] (pieces): a new permutation every epoch.

    Within a pool of 50 batches rows are sorted by length, so that little is padding; the batches are then shuffled.
    The last rows of an epoch that don't fill a batch are completed with its first rows.  `draw(epoch, random)` may say
    which rows an epoch has, always the same number of them, in random order; when left out, each row once.
    """

    def __init__(
        self,
        lengths: np.ndarray,
        batch_size: int,
        seed: int,
        draw: Callable[[int, np.random.Generator], np.ndarray] | None = None,
    ) -> None:
        self.lengths, self.batch_size, self.seed = lengths, min(batch_size, len(lengths)), seed
        self.draw = draw or (lambda epoch, random: random.permutation(len(lengths)))
        self.batches_per_epoch = -(-len(lengths) // self.batch_size)
        self._epoch = functools.lru_cache(maxsize=2)(self._make)

    def _make(self, epoch: int) -> np.ndarray:
        random = np.random.default_rng((self.seed, epoch))
        rows = self.draw(epoch, random)
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


def tempered(
    sizes: np.ndarray, temperature: float, seed: int
) -> Callable[[int, np.random.Generator], np.ndarray]:
    """A `draw` for rows that belong to groups of `sizes` [groups], one group after the other.

    An epoch has as many rows as there are; a group of n rows gets a share of them in proportion to n ** (1 /
    temperature) (Conneau et al. 2020 write the exponent as alpha).  A group whose share is more than it has comes round
    again, in a new order; one whose share is less goes on in the next epoch where it stopped.
    """
    shares = sizes ** (1 / temperature)
    exact = sizes.sum() * shares / shares.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: sizes.sum() - counts.sum()]] += 1
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])

    def draw(epoch: int, random: np.random.Generator) -> np.ndarray:
        drawn = []
        for group, (start, size, count) in enumerate(zip(first, sizes, counts, strict=True)):
            begin, end = epoch * count, (epoch + 1) * count
            rounds = [
                np.random.default_rng((seed, group, turn)).permutation(size)
                for turn in range(begin // size, -(-end // size))
            ]
            if rounds:
                drawn.append(start + np.concatenate(rounds)[begin % size :][:count])
        return random.permutation(np.concatenate(drawn))

    return draw
