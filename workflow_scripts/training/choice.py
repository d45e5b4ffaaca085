"""`batching: auto`: which of several ways to train is faster here, measured once and kept beside the checkpoint.

Time decides, so that two runs may choose differently; a run that was killed keeps its choice, and resumes to the bit.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from workflow_scripts.files import write_text
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import mixed_precision
from workflow_scripts.training.loop import Loss
from workflow_scripts.training.work_folder import awaited

FILE = "batching.json"


def seconds() -> float:
    """Seconds that this process has computed; on a GPU, of the clock when it is done with what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def measure(
    model: nn.Module,
    ways: Mapping[str, tuple[Callable[[], None], Sequence[Batch]]],
    loss: Loss,
    precision: str,
) -> dict[str, float]:
    """Microseconds a piece, forward and backward, of each way: what sets the model up for it, and batches.

    The ways take turns, batch by batch, and the first turn doesn't count.  The model keeps its weights and gets no
    gradients.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    spent, pieces = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0)
    for turn in range(len(next(iter(ways.values()))[1])):
        for name, (set_up, batches) in ways.items():
            set_up()
            batch = {key: tensor.to(device) for key, tensor in batches[turn].items()}
            began = seconds()
            with torch.autocast(device.type, torch.bfloat16, enabled=mixed_precision(precision) == "bf16"):
                value, _ = loss(model, batch)
            value.backward()
            model.zero_grad(set_to_none=True)
            if turn:
                spent[name] += seconds() - began
                pieces[name] += int(batch["attention_mask"].sum())
    return {name: round(1e6 * spent[name] / pieces[name], 3) for name in ways}


def remembered(work: Path, identity: str, measuring: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What was measured for the run of this identity: now, or before it was killed."""
    if (work / FILE).is_file():
        known = json.loads((work / FILE).read_text("utf-8"))
        if known["identity"] == identity:
            measured: dict[str, float] = known["measured"]
            return measured
    measured = measuring()
    write_text(work / FILE, json.dumps({"identity": identity, "measured": measured}) + "\n")
    return measured


def forget(work: Path) -> None:
    """Remove what a run whose result has been written had measured; not if another, which must choose alike, waits."""
    if awaited(work):
        return
    (work / FILE).unlink(missing_ok=True)
