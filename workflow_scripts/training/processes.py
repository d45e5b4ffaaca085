"""Several processes that train one model, each on its share of every step's parts (`accelerate launch`).

Each process computes the losses of its parts; gradients, which add up over parts, are added up over processes, too.
Weights and optimisers are therefore the same everywhere, to the bit, and equal a single process's to rounding.  Only
the first process writes files.
"""

import os
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import Tensor, nn

Thing = TypeVar("Thing")
BUCKET = 1 << 26  # bytes of gradients that are added up together


def count() -> int:
    """How many processes train together; accelerate's launcher says so in the environment."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """This process's number, from 0."""
    return int(os.environ.get("RANK", "0"))


def first() -> bool:
    """Whether this is the process that writes."""
    return rank() == 0


def mine(parts: Sequence[Thing]) -> Sequence[Thing]:
    """This process's share of a step's parts."""
    return parts[rank() :: count()]


def join() -> torch.device:
    """Join the other processes, if there are any; the device of this one."""
    if count() > 1:
        device: torch.device = PartialState().device
        return device
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def wait() -> None:
    """Go on when all processes have come here."""
    if count() > 1:
        dist.barrier()


def add_up_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its sum over processes; one that only others have counts as zero here."""
    if count() == 1:
        return
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    # what no process has a gradient of stays without: with zeros, it would be decayed
    have = any_of([parameter.grad is not None for parameter in trained], trained[0].device)
    bucket: list[nn.Parameter] = []
    size = 0
    for parameter, some in zip(trained, have, strict=True):
        if not some:
            continue
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        bucket.append(parameter)
        size += parameter.grad.numel() * parameter.grad.element_size()
        if size > BUCKET:
            _add_up(bucket)
            bucket, size = [], 0
    if bucket:
        _add_up(bucket)


def _add_up(parameters: Sequence[nn.Parameter]) -> None:
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def add_up(figures: dict[str, Tensor]) -> dict[str, Tensor]:
    """Figures summed over processes, which must all have the same ones."""
    if count() == 1:
        return figures
    values = torch.stack([value.float() for value in figures.values()])
    dist.all_reduce(values)
    return dict(zip(figures, values.unbind(), strict=True))


def any_of(flags: Sequence[bool], device: torch.device) -> list[bool]:
    """For each flag whether any process has it set."""
    if count() == 1:
        return list(flags)
    values = torch.tensor(flags, dtype=torch.int32, device=device)
    dist.all_reduce(values, op=dist.ReduceOp.MAX)
    return [bool(value) for value in values.tolist()]


def gathered(thing: Thing) -> list[Thing]:
    """The thing of every process, in the order of their numbers."""
    if count() == 1:
        return [thing]
    things: list[Thing] = [thing] * count()
    dist.all_gather_object(things, thing)
    return things


def completed(arrays: Sequence[np.ndarray], rows: np.ndarray) -> None:
    """Fill the rows of these arrays that other processes have computed; `rows` are those of this process."""
    if count() == 1:
        return
    for theirs, values in gathered((rows, [array[rows] for array in arrays])):
        for array, value in zip(arrays, values, strict=True):
            array[theirs] = value
