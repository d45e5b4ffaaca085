"""The one training loop: every objective is a function from a batch to a loss.

`train(model, batch, loss, ...)` runs `steps` optimiser steps.  `batch(step)` makes the batch of a step from the step's
number alone, so a run that was killed continues with exactly the batches it would have seen.  It comes in parts, one or
several, whose losses add up: a step may be larger than what memory holds at once.  AdamW (no decay on biases
and layer norms), linear warm-up, clipping, bf16 autocast through accelerate.  A checkpoint (weights, optimiser, random
state) is written to the work folder every few minutes and on SIGTERM; it is used again only when recipe, code and data
are the same, which the fingerprint says.  The work folder is locked: two processes never train in it at once.
"""

import fcntl
import hashlib
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from workflow_scripts.cli import InputError, Progress
from workflow_scripts.files import atomic, sha256
from workflow_scripts.recipes.training import Optimisation
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import mixed_precision

Loss = Callable[[nn.Module, Batch], tuple[Tensor, dict[str, Tensor]]]
CHECKPOINT_SECONDS = float(os.environ.get("XLQA_CHECKPOINT_SECONDS", "300"))  # changes no result


class Objective(nn.Module):
    """A model and its loss as one module, so that accelerate casts and wraps all of it."""

    def __init__(self, model: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        return self.loss(self.model, batch)


def fingerprint(recipe: str, code: str, inputs: Sequence[Path | str]) -> str:
    """A digest of what a training run is a function of: its recipe, its code's digest, its inputs' content."""
    parts = [recipe, code, *(sha256(path) for path in inputs)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@contextmanager
def locked(work: Path) -> Iterator[None]:
    """Hold the work folder; InputError when another process holds it, or the file system has no locks."""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise InputError(
                f"{work}: another process trains here ({owner}); wait for it or stop it"
            ) from None
        except OSError as error:
            raise InputError(
                f"{work}: cannot be locked ({error.strerror}); give a --work folder on a file system with locks"
            ) from None
        for partial in work.glob(".checkpoint.pt.*"):  # of a run that was killed while writing
            partial.unlink()
        file.truncate(0)
        file.write(f"process {os.getpid()} on {os.uname().nodename}\n")
        file.flush()
        yield


def optimisers(model: nn.Module, recipe: Optimisation) -> list[torch.optim.Optimizer]:
    """AdamW, and Muon for the weight matrices inside blocks where the recipe gives it a rate.

    Biases and norms don't decay.  Muon orthogonalises each matrix's update, which takes a small encoder off the plateau
    of unigram statistics in a third of the steps; its steps are scaled to the size of AdamW's.
    """
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    matrices = [p for name, p in trained if recipe.matrix_rate and p.ndim == 2 and ".layer." in name]
    taken = {id(parameter) for parameter in matrices}
    groups = [
        {
            "params": [p for _, p in trained if (p.ndim > 1) == decays and id(p) not in taken],
            "weight_decay": decay,
        }
        for decays, decay in ((True, recipe.weight_decay), (False, 0.0))
    ]
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=recipe.learning_rate,
            betas=(0.9, recipe.beta2),
            eps=recipe.epsilon,
            fused=True,
        )
    ]
    if matrices:
        made.append(
            torch.optim.Muon(
                matrices,
                lr=recipe.matrix_rate,
                weight_decay=recipe.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    return made


def rate_factor(recipe: Optimisation, steps: int) -> Callable[[int], float]:
    """Factor on the learning rate at a step: linear warm-up, then linear to 0 or constant."""
    warmup = max(1, round(recipe.warmup * steps))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (steps - step) / max(1, steps - warmup)) if recipe.schedule == "linear" else 1.0

    return factor


def train(
    model: nn.Module,
    batch: Callable[[int], Sequence[Batch]],
    loss: Loss,
    *,
    steps: int,
    recipe: Optimisation,
    seed: int,
    work: Path,
    identity: str,
    label: str,
) -> dict[str, Any]:
    """Train `model` in place for `steps` steps and return a summary (seconds, pieces, last figures).

    `batch(step)` gives the parts of a step, CPU tensors, among them `attention_mask` [rows, pieces] whose sum counts
    pieces; `loss(model, part)` gives the scalar to minimise and figures to show, which are summed over the parts as the
    gradients are.  `identity` is the run's fingerprint.
    Raises InputError when the loss is no longer a number; SystemExit(143) after saving on SIGTERM.
    """
    accelerator = Accelerator(mixed_precision=mixed_precision(recipe.precision))
    torch.manual_seed(seed)
    optimising = optimisers(model, recipe)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimiser, rate_factor(recipe, steps)) for optimiser in optimising
    ]
    objective, *optimising = accelerator.prepare(Objective(model, loss), *optimising)
    model.train()
    checkpoint = work / "checkpoint.pt"
    start, pieces, seconds = 0, 0, 0.0
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        if state["identity"] == identity:
            model.load_state_dict(state["model"])
            for stepping, saved in zip([*optimising, *schedules], state["optimising"], strict=True):
                stepping.load_state_dict(saved)
            torch.set_rng_state(state["random"])
            if torch.cuda.is_available() and state["cuda_random"] is not None:
                torch.cuda.set_rng_state(state["cuda_random"])
            start, pieces, seconds = state["step"], state["pieces"], state["seconds"]
            print(f"{label}: resumed at step {start}", file=sys.stderr)
        else:
            print(
                f"{label}: the checkpoint in {work} is of another recipe, code or data; starting afresh",
                file=sys.stderr,
            )

    def save(step: int) -> None:
        with atomic(checkpoint) as temporary, open(temporary, "wb") as file:
            torch.save(
                {
                    "identity": identity,
                    "model": model.state_dict(),
                    "optimising": [stepping.state_dict() for stepping in (*optimising, *schedules)],
                    "random": torch.get_rng_state(),
                    "cuda_random": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
                    "step": step,
                    "pieces": pieces,
                    "seconds": seconds + time.monotonic() - began,
                },
                file,
            )
            file.flush()
            os.fsync(file.fileno())  # a machine that dies later finds it whole

    stopping: list[int] = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    began = saved = time.monotonic()
    progress = Progress(label, steps, "steps", start)
    figures: dict[str, float] = {}
    try:
        for step in range(start, steps):
            shown: dict[str, Tensor] = {}
            for part in batch(step):
                pieces += int(part["attention_mask"].sum())
                value, told = objective(
                    {name: tensor.to(accelerator.device) for name, tensor in part.items()}
                )
                accelerator.backward(value)
                told = {"loss": value.detach(), **told}
                shown = {name: figure + shown[name] if shown else figure for name, figure in told.items()}
            norm = accelerator.clip_grad_norm_(model.parameters(), recipe.clip)
            for stepping in (*optimising, *schedules):
                stepping.step()
            objective.zero_grad(set_to_none=True)
            if step % 20 == 0 or step == steps - 1:
                figures = {name: tensor.item() for name, tensor in shown.items()}
                if not math.isfinite(figures["loss"]):
                    raise InputError(
                        f"{label}: the loss is {figures['loss']} at step {step}; lower learning_rate"
                    )
                figures["norm"] = float(norm)
            rate = pieces / max(seconds + time.monotonic() - began, 1e-9)
            progress.advance(1, **figures, pieces_per_second=rate)
            if stopping:
                save(step + 1)
                print(f"{label}: stopped by SIGTERM at step {step + 1}; run again to resume", file=sys.stderr)
                raise SystemExit(143)
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                save(step + 1)
                saved = time.monotonic()
    finally:
        signal.signal(signal.SIGTERM, previous)
    model.eval()
    seconds += time.monotonic() - began
    return {"steps": steps, "seconds": round(seconds, 1), "pieces": pieces, **figures}


def finish(work: Path) -> None:
    """Remove the checkpoint of a run whose result has been written."""
    (work / "checkpoint.pt").unlink(missing_ok=True)
