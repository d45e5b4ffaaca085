"""Which examples make up the batch of a step: shuffled epochs, batches of similar length, known from the step alone."""

import functools
from collections.abc import Callable

import numpy as np

from workflow_scripts.cli import InputError

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


class BudgetedOrder:
    """Rows of each batch of at most `budget` pieces: a new permutation every epoch, each row once.

    All epochs have the same number of batches, so that the step's number tells the batch.  Sorted by length in pools as
    in Order, an epoch is cut after equal numbers of pieces; a row belongs to the batch in which it begins.  The batches
    are therefore smaller than the budget by less than one longest row.  How many rows a batch has differs: `share` says
    by what the mean loss of a batch's rows is to be multiplied for each row of an epoch to count the same.
    """

    def __init__(self, lengths: np.ndarray, budget: int, seed: int) -> None:
        """Raises InputError where the budget is below three of the longest rows: a batch could then be empty."""
        self.lengths, self.seed = lengths, seed
        longest, self.pieces = int(lengths.max()), int(lengths.sum())
        if budget < 3 * longest:
            raise InputError(
                f"batch_pieces is {budget}, but the longest window has {longest} pieces; give at least {3 * longest}"
            )
        fits = self.pieces <= budget
        self.batches_per_epoch = 1 if fits else -(-self.pieces // (budget - longest + 1))
        self._epoch = functools.lru_cache(maxsize=2)(self._make)

    def _make(self, epoch: int) -> list[np.ndarray]:
        random = np.random.default_rng((self.seed, epoch))
        count = self.batches_per_epoch
        rows = random.permutation(len(self.lengths))
        pool = POOL * -(-len(rows) // count)
        pools = np.split(rows, range(pool, len(rows), pool))
        rows = np.concatenate([part[np.argsort(self.lengths[part], kind="stable")] for part in pools])
        lengths = self.lengths[rows].astype(np.int64)
        number = (np.cumsum(lengths) - lengths) * count // self.pieces
        batches = np.split(rows, np.searchsorted(number, np.arange(1, count)))
        return [batches[place] for place in random.permutation(count)]

    def rows(self, step: int) -> np.ndarray:
        """Row numbers of the batch of a step, in order of length."""
        epoch, batch = divmod(step, self.batches_per_epoch)
        return self._epoch(epoch)[batch]

    def share(self, rows: np.ndarray) -> float:
        """How many rows there are, as a share of a batch's mean."""
        return len(rows) * self.batches_per_epoch / len(self.lengths)


def shares(lengths: np.ndarray, budget: int | None, processes: int) -> list[slice]:
    """Rows of ascending `lengths` in stretches of which every process gets equally many, of like numbers of pieces.

    A stretch takes at most `budget` pieces when padded, or holds one row; null: any number.  Rows that are fewer than
    `processes` give fewer stretches.
    """
    padded = int(lengths.max()) * len(lengths)
    most = padded if budget is None else budget
    if processes == 1:
        return cut(lengths, most)
    wanted = min(len(lengths), processes * -(-len(cut(lengths, most)) // processes))
    low, high = 1, most  # the smallest budget that needs no more stretches
    while low < high:
        middle = (low + high) // 2
        if len(cut(lengths, middle)) <= wanted:
            high = middle
        else:
            low = middle + 1
    found = cut(lengths, high)
    while len(found) < wanted:  # rows of one length come in leaps
        largest = max(range(len(found)), key=lambda number: found[number].stop - found[number].start)
        start, stop = found[largest].start, found[largest].stop
        middle = (start + stop) // 2
        found[largest : largest + 1] = [slice(start, middle), slice(middle, stop)]
    return found


def cut(lengths: np.ndarray, budget: int) -> list[slice]:
    """Rows of ascending `lengths` in stretches that take at most `budget` pieces when padded, or hold one row."""
    stretches: list[slice] = []
    at = 0
    for row, length in enumerate(lengths):
        if row > at and (row + 1 - at) * length > budget:
            stretches.append(slice(at, row))
            at = row
    return [*stretches, slice(at, len(lengths))] if len(lengths) else []


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
