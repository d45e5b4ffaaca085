"""How long a unit of work takes: seconds of processor time of each step, fitted to what jobs took, and time on a GPU.

A job takes `fixed` seconds, most of them for starting Python and torch, and so many more for each unit of its work
(`cluster.work`).  Steps that ask for a GPU load torch and an encoder first, and start alike.  These rates are not
negative, and are least squares over a run's jobs, each weighed by one over its time; a run has few jobs of some steps,
all alike, so rates that were known before count as much as one job.

resources/throughput.json was measured on the machine that it names; `python -m workflow_scripts.cluster.calibrate`
writes one for yours.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field, ValidationError
from scipy.optimize import nnls

from workflow_scripts.cli import InputError, explain
from workflow_scripts.cluster.work import Work
from workflow_scripts.files import read_text
from workflow_scripts.recipes.base import Recipe

SHIPPED = Path(__file__).parents[2] / "resources" / "throughput.json"
# Snakemake looks at a job's processor time when it begins, every half second for a quarter of a minute, then every 30.
SOON, LATER, CHANGE = 0.5, 30.0, 15.5
START = 0.4  # seconds of a job that does next to nothing: Python and what our modules import


class Step(Recipe):
    """What jobs of a step took."""

    jobs: int = Field(ge=1, description="jobs that were measured")
    seconds: dict[str, float] = Field(
        description="seconds of processor time: fixed, and for each unit of work"
    )
    memory_mb: float = Field(ge=0, description="most memory that a job had")


class Gpu(Recipe):
    """How fast GPUs are; seconds of a job are start + work."""

    measured: bool = Field(False, description="false: assumed, until somebody calibrates on GPUs")
    seconds: dict[str, float] = Field(
        {"fixed": 20.0, "flops": 0.025, "steps": 15.0},
        description="seconds: fixed, for 10^12 operations, for 1,000 steps",
    )


class Throughput(Recipe):
    """What a machine does in a second."""

    machine: str = Field(description="where it was measured")
    steps: dict[str, Step] = Field(description="by step")
    gpu: Gpu = Field(Gpu(), description="steps that have a GPU")

    def processor_seconds(self, work: Work) -> float:
        """Seconds of one processor that a job takes; of a step that was never measured, those of starting."""
        known = self.steps.get(work.step)
        return _seconds(known.seconds, work) if known else START

    def gpu_seconds(self, work: Work) -> float:
        """Seconds that a job takes on a GPU."""
        return _seconds(self.gpu.seconds, work)


def _seconds(rates: Mapping[str, float], work: Work) -> float:
    return rates.get("fixed", 0.0) + sum(
        rates.get(name, 0.0) * amount for name, amount in work.amounts.items()
    )


def read_throughput(path: Path = SHIPPED) -> Throughput:
    """The rates in a file.  Raises InputError where it is absent or not of this form."""
    try:
        return Throughput.model_validate_json(read_text(path))
    except ValidationError as error:
        raise InputError(explain(error, str(path))) from None


@dataclass(frozen=True)
class Cost:
    """What a job took: seconds on the clock, of processor time, and megabytes of memory."""

    wall: float
    processor: float
    memory: float


def read_cost(file: Path) -> Cost | None:
    """What a job took by the file that Snakemake's `benchmark` writes; None where it is absent or not whole."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            row = next(csv.DictReader(lines, delimiter="\t"), None)
    except FileNotFoundError:
        return None
    if row is None or not row.get("s"):
        return None
    wall, seen = _number(row["s"]), _number(row.get("cpu_time"))
    return Cost(wall, processor_time(wall, seen), _number(row.get("max_rss")))


def processor_time(wall: float, seen: float) -> float:
    """The processor time of a job that took `wall` seconds and had taken `seen` when Snakemake last looked.

    It is taken to have gone on as it had until then.  Quick jobs end before the first look that finds them at work, and
    count with the clock.  Steps run one thread each, so that none takes more than that.
    """
    late = CHANGE + LATER * int((wall - CHANGE) / LATER)
    looked = SOON * int(wall / SOON) if wall <= CHANGE else late
    return min(seen * wall / looked, wall) if looked and seen else wall


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:  # "NA" of a job that was too quick to be looked at
        return 0.0


Observed = Sequence[tuple[Mapping[str, float], float]]  # (work, seconds) of some jobs


def fit(jobs: Observed, before: Mapping[str, float] | None) -> dict[str, float]:
    """Rates from what some jobs of a step took, and those that were known before, if any were."""
    return fit_together({"step": jobs}, {"step": before} if before else {})["step"]


def fit_together(
    steps: Mapping[str, Observed], before: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Rates of several steps that start alike: `fixed` is the same for all of them."""
    names = {
        step: sorted({name for amounts, _ in jobs for name, amount in amounts.items() if amount})
        for step, jobs in steps.items()
    }
    columns = [(step, name) for step in steps for name in names[step]]
    place = {column: number for number, column in enumerate(columns, 1)}
    rows, wanted = [], []
    every = [seconds for jobs in steps.values() for _, seconds in jobs]
    starts = [START]
    for step, jobs in steps.items():
        known = before.get(step, {})
        mean = {name: sum(of.get(name, 0.0) for of, _ in jobs) / len(jobs) for name in names[step]}
        typical = sum(seconds for _, seconds in jobs) / len(jobs)
        if any(known.get(name) for name in names[step]):
            guess = {name: known.get(name, 0.0) for name in ("fixed", *names[step])}
            said = guess["fixed"] + sum(guess[name] * mean[name] for name in names[step])
            guess = {name: rate * typical / said for name, rate in guess.items()}
            starts.append(guess["fixed"])
        else:
            # nothing is known: a start, and the rest in equal parts for all kinds of work
            rest = max(typical - START, 0.0) / max(len(names[step]), 1)
            guess = {name: rest / mean[name] for name in names[step]}
        for of, seconds in jobs:
            weight = max(seconds, 0.01) ** -0.5
            row = np.zeros(len(columns) + 1)
            row[0] = 1
            for name in names[step]:
                row[place[step, name]] = of.get(name, 0.0)
            rows.append(row * weight)
            wanted.append(max(seconds, 0.01) * weight)
        for name in names[step]:  # what was known, as one more job
            row = np.zeros(len(columns) + 1)
            row[place[step, name]] = mean[name] * typical**-0.5
            rows.append(row)
            wanted.append(guess[name] * mean[name] * typical**-0.5)
    start = np.zeros(len(columns) + 1)
    start[0] = max(sum(every) / len(every), 0.01) ** -0.5
    rows.append(start)
    wanted.append(float(np.median(starts[1:] or starts)) * start[0])
    found, _ = nnls(np.array(rows), np.array(wanted))
    return {
        step: {"fixed": round(float(found[0]), 6)}
        | {name: round(float(found[place[step, name]]), 6) for name in names[step]}
        for step in steps
    }
