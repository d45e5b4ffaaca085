"""The one training loop: every objective is a function from a batch to a loss.

`train(model, batch, loss, ...)` runs `steps` optimiser steps.  `batch(step)` makes the batch of a step from the step's
number alone, so a run that was killed continues with exactly the batches it would have seen.  It comes in parts, one or
several, whose losses add up: a step may be larger than what memory holds at once.  AdamW (no decay on biases
and layer norms), linear warm-up, clipping, bf16 autocast through accelerate.  A checkpoint (weights, optimiser, random
state) is written to the work folder every few minutes and on SIGTERM; it is used again only when recipe, code and data
are the same, which the fingerprint says.  The work folder has one owner, who asks whether it still is before it writes
(`training.work_folder`).  It holds one checkpoint, two while one is written, and with a selection the best weights,
those as of the checkpoint too if they have been surpassed since.  A run whose disk has no room for them does not begin;
one whose disk fills up goes on without checkpoints, but not without its best weights.

What lines of progress show is kept for TensorBoard, too: `tensorboard --logdir work`.

Under `accelerate launch`, several processes share the parts of every step (`training.processes`).
"""

import hashlib
import json
import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from workflow_scripts.cli import InputError, Progress
from workflow_scripts.files import atomic, sha256
from workflow_scripts.recipes.training import Optimisation
from workflow_scripts.training import processes, work_folder
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import device_name, mixed_precision
from workflow_scripts.training.events import Events
from workflow_scripts.training.optimisers import optimisers, rate_factor
from workflow_scripts.training.speed import Speed

Loss = Callable[[nn.Module, Batch], tuple[Tensor, dict[str, Tensor]]]
STOPPING = (signal.SIGTERM, signal.SIGUSR1)
CHECKPOINT_SECONDS = float(os.environ.get("XLQA_CHECKPOINT_SECONDS", "300"))  # changes no result
LOSSES = 200  # most losses that a summary has, however long the run was


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


class Scored(NamedTuple):
    """A figure of a model, higher is better, and what else is kept of it, as JSON has it, and changes no choice."""

    score: float
    details: dict[str, Any]


@dataclass(frozen=True)
class Selection:
    """How the best weights of a run are found, on data that is neither trained on nor reported.

    `score` is asked of the model as it is every `every` steps and at the end.  Of equal scores the earlier counts.
    Training ends early after `patience` scores in a row that are no better; None: never.
    """

    score: Callable[[], Scored]
    every: int
    patience: int | None = None


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
    selection: Selection | None = None,
) -> dict[str, Any]:
    """Train `model` in place for `steps` steps and return a summary (seconds, pieces, last figures, device).

    `batch(step)` gives the parts of a step, CPU tensors, among them `attention_mask` [rows, pieces] whose sum counts
    pieces; `loss(model, part)` gives the scalar to minimise and figures to show, which are summed over the parts as the
    gradients are.  `identity` is the run's fingerprint.  With a `selection` the model ends with its best weights, and
    the summary has `scores` (step and score), their `details` in the same order, and `best_step`.  It always has
    `losses`, the course of the run as `thinned` has it.
    Raises InputError when the loss is no longer a number, or a step has fewer parts than there are processes;
    SystemExit(143) after saving on SIGTERM, SystemExit(138) on SIGUSR1, which SLURM's --signal may send before the end.
    """
    accelerator = Accelerator(mixed_precision=mixed_precision(recipe.precision))
    torch.manual_seed(seed + processes.rank())
    # evaluation_mode: no wrapper that takes means of gradients over processes; ours are sums
    objective = accelerator.prepare_model(Objective(model, loss), evaluation_mode=True)
    optimising = optimisers(model, recipe)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimiser, rate_factor(recipe, steps)) for optimiser in optimising
    ]
    model.train()
    check_room(model, optimising, work, label)
    checkpoint = work / "checkpoint.pt"
    start, pieces, seconds = 0, 0, 0.0
    scores: list[tuple[int, float]] = []
    details: list[dict[str, Any]] = []
    figures: dict[str, float] = {}
    losses: list[tuple[int, float]] = []
    speed = Speed(model, accelerator.device, accelerator.mixed_precision)
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        if state["identity"] == identity:
            model.load_state_dict(state["model"])
            for stepping, saved in zip([*optimising, *schedules], state["optimising"], strict=True):
                stepping.load_state_dict(saved)
            start, pieces, seconds = state["step"], state["pieces"], state["seconds"]
            scores = [(step, score) for step, score in state["scores"]]
            details = state["details"]
            figures = state["figures"]
            losses = [(step, loss) for step, loss in state["losses"]]
            set_random(state["random"], (seed, start), label)
            say(f"{label}: resumed at step {start}")
        else:
            say(f"{label}: the checkpoint in {work} is of another recipe, code or data; starting afresh")

    def save(step: int, needed: bool = False) -> None:
        """Write a checkpoint; where that fails, say so, or raise the error if the checkpoint is `needed`."""
        random = processes.gathered(random_state())
        if not processes.first():
            return
        state = {
            "identity": identity,
            "model": model.state_dict(),
            "optimising": [stepping.state_dict() for stepping in (*optimising, *schedules)],
            "random": random,
            "step": step,
            "pieces": pieces,
            "seconds": seconds + time.monotonic() - began,
            "scores": scores,
            "details": details,
            "figures": figures,
            "losses": losses,
        }
        try:
            write(state, checkpoint)
        except InputError as error:
            if needed:
                raise
            since = f"that of step {state_of[0]}" if state_of else "none at all"
            say(f"{label}: no checkpoint of step {step}; there is {since}: {error}")
            return
        state_of[:] = [step]
        secured[:] = [scores[first_best(scores)][0]] if scores else []
        keep_best(work, secured)
        events.flush()

    state_of: list[int] = [start] if start else []
    # The step of the best weights that the checkpoint speaks of: a run that resumes there may need them.
    secured: list[int] = [scores[first_best(scores)][0]] if scores else []

    def judge(step: int) -> None:
        """Score the model after a step, and keep its weights if they are the best."""
        assert selection is not None
        model.eval()
        score, told = selection.score()
        model.train()
        if (not scores or score > max(value for _, value in scores)) and processes.first():
            if not state_of:
                checkpoint.unlink(missing_ok=True)  # another run's, whose best weights go now
            keep_best(work, secured)
            write(model.state_dict(), best_weights(work, step))
        scores.append((step, score))
        details.append(told)
        events.write(step, {"score": score})
        say(f"{label}: {score:.6g} after step {step}, best {max(value for _, value in scores):.6g}")

    def given_up() -> bool:
        """Whether as many scores in a row as the selection's patience were no better."""
        if selection is None or selection.patience is None or not scores:
            return False
        return len(scores) - 1 - first_best(scores) >= selection.patience

    stopping: list[int] = []
    previous = {kind: signal.signal(kind, lambda number, frame: stopping.append(number)) for kind in STOPPING}
    began = saved = time.monotonic()
    progress = Progress(label, steps, "steps", start)
    events = Events(work / "events", start)
    step = start
    try:
        while step < steps and not given_up():
            parts = batch(step)
            if len(parts) < processes.count():
                raise InputError(
                    f"{label}: {len(parts)} parts in step {step} for {processes.count()} processes; take fewer"
                    " processes or smaller parts"
                )
            shown: dict[str, Tensor] = {}
            for part in processes.mine(parts):
                value, terms = objective(
                    {name: tensor.to(accelerator.device) for name, tensor in part.items()}
                )
                accelerator.backward(value)
                terms = {"loss": value.detach(), **terms}
                shown = {name: figure + shown[name] if shown else figure for name, figure in terms.items()}
            processes.add_up_gradients(model.parameters())
            norm = accelerator.clip_grad_norm_(model.parameters(), recipe.clip)
            for stepping in (*optimising, *schedules):
                stepping.step()
            objective.zero_grad(set_to_none=True)
            for part in parts:
                pieces += int(part["attention_mask"].sum())
                speed.count(part)
            if step % 20 == 0 or step == steps - 1:
                figures = {name: tensor.item() for name, tensor in processes.add_up(shown).items()}
                if not math.isfinite(figures["loss"]):
                    raise InputError(
                        f"{label}: the loss is {figures['loss']} at step {step}; lower learning_rate"
                    )
                figures["norm"] = float(norm)
                losses.append((step + 1, figures["loss"]))
            rate = pieces / max(seconds + time.monotonic() - began, 1e-9)
            told = {**figures, "pieces_per_second": rate, **speed.shown()}
            if step % 20 == 0 or step == steps - 1:
                events.write(step, {**told, "learning_rate": schedules[0].get_last_lr()[0]})
            step += 1
            work_folder.tell(work, f"{label}: step {step} of {steps}")
            if processes.first():
                progress.advance(1, **told)
            if selection and (step % selection.every == 0 or step == steps):
                judge(step)
            stop, due = processes.any_of(
                (bool(stopping), time.monotonic() - saved > CHECKPOINT_SECONDS), accelerator.device
            )
            if stop and step < steps and not given_up():
                save(step, needed=True)
                processes.wait()  # the launcher ends all soon after one has ended
                kind = signal.Signals(stopping[0] if stopping else signal.SIGTERM)
                say(f"{label}: stopped by {kind.name} at step {step}; run again to resume")
                raise SystemExit(128 + kind)
            if due:
                save(step)
                saved = time.monotonic()
        if any(processes.any_of([work_folder.awaited(work)], accelerator.device)):
            save(step)
    finally:
        for kind, handler in previous.items():
            signal.signal(kind, handler)
        events.close()
    if step < steps:
        say(f"{label}: no better in {selection and selection.patience} scores; stopped at step {step}")
    processes.wait()
    summary: dict[str, Any] = {"steps": step, "seconds": 0.0, "pieces": pieces, **figures}
    summary["losses"] = thinned(losses, LOSSES)
    if scores:
        best_step = scores[first_best(scores)][0]
        model.load_state_dict(
            torch.load(best_weights(work, best_step), map_location="cpu", weights_only=True)
        )
        summary |= {"scores": scores, "details": details, "best_step": best_step}
    model.eval()
    summary["seconds"] = round(seconds + time.monotonic() - began, 1)
    summary |= {"device": device_name(accelerator.device), "processes": processes.count()}
    return summary


def write(state: Any, path: Path) -> None:
    """Write what torch can save; a machine that dies later finds it whole.

    Raises InputError where that fails, LostError where the folder is another run's by now.
    """
    work_folder.check_owned(path.parent)
    try:
        with atomic(path) as temporary, open(temporary, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:  # torch makes a RuntimeError of what its file raises
        raise InputError(f"{path}: cannot be written ({error}); make room on its disk") from error


def check_room(model: nn.Module, optimising: Sequence[torch.optim.Optimizer], work: Path, label: str) -> None:
    """Raise InputError where the work folder's disk has no room for two checkpoints and two copies of the weights."""
    work.mkdir(parents=True, exist_ok=True)
    weights = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    moments = sum(
        len(group.get("betas", (0,)))
        * parameter.numel()
        * parameter.element_size()  # AdamW keeps two, Muon one
        for optimiser in optimising
        for group in optimiser.param_groups
        for parameter in group["params"]
    )
    there = sum(file.stat().st_size for file in work.glob("*.pt"))
    needed, free = 2 * (weights + moments) + 2 * weights, shutil.disk_usage(work).free + there
    if needed > free:
        raise InputError(
            f"{label}: checkpoints take up to {needed / 1e9:.1f} GB in {work}, whose disk has {free / 1e9:.1f} GB free;"
            " make room, or give a --work folder on another disk"
        )


def first_best(scores: Sequence[tuple[int, float]]) -> int:
    """The index of the highest score, the first of equal ones."""
    return max(range(len(scores)), key=lambda number: (scores[number][1], -number))


def thinned(losses: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """At most so many points of a curve (step, counted from 1, and loss): means of neighbours, at the last step."""
    size = max(1, math.ceil(len(losses) / most))
    stretches = [losses[at : at + size] for at in range(0, len(losses), size)]
    return [(some[-1][0], float(f"{fmean(loss for _, loss in some):.5g}")) for some in stretches]


def best_weights(work: Path, step: int) -> Path:
    """The file of the weights after a step that were the best then."""
    return work / f"best.{step}.pt"


def keep_best(work: Path, steps: Sequence[int]) -> None:
    """Remove all best weights but those after these steps."""
    kept = {best_weights(work, step) for step in steps}
    for file in work.glob("best.*pt"):
        if file not in kept:
            file.unlink()


def say(sentence: str) -> None:
    """A line in the log, from one of all processes."""
    if processes.first():
        print(sentence, file=sys.stderr, flush=True)


def random_state() -> tuple[Tensor, Tensor | None]:
    """torch's random state, and that of this process's GPU."""
    return torch.get_rng_state(), torch.cuda.get_rng_state() if torch.cuda.is_available() else None


def set_random(states: Sequence[tuple[Tensor, Tensor | None]], seed: Sequence[int], label: str) -> None:
    """Go on from the random states of a checkpoint; from `seed` where it is of another number of processes."""
    if len(states) != processes.count():
        torch.manual_seed(int(np.random.SeedSequence((*seed, processes.rank())).generate_state(1)[0]))
        say(
            f"{label}: the checkpoint is of {len(states)} processes, not {processes.count()}; dropout goes its own way"
        )
        return
    random, cuda_random = states[processes.rank()]
    torch.set_rng_state(random)
    if torch.cuda.is_available() and cuda_random is not None:
        torch.cuda.set_rng_state(cuda_random)


def finish(work: Path) -> None:
    """Remove what a run has left in its work folder, when its result has been written; not if another waits for it."""
    if work_folder.awaited(work):
        return
    (work / "checkpoint.pt").unlink(missing_ok=True)
    keep_best(work, [])
