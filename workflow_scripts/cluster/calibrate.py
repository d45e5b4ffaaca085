"""Measure how fast this machine is: from what the jobs of a finished run took, write what `make plan` counts with.

    python -m workflow_scripts.cluster.calibrate --config config.yaml

Read are the run's logs/costs, which Snakemake writes for every job, and its configuration, which says how much work
each job was; the run need not be complete.  Steps that it did not have keep the rates of resources/throughput.json.
"""

import json
import os
import platform
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.cluster.graph import Graph, Job, loaded
from workflow_scripts.cluster.throughput import (
    SHIPPED,
    Cost,
    Gpu,
    Step,
    Throughput,
    fit,
    fit_together,
    read_cost,
    read_throughput,
)
from workflow_scripts.cluster.work import Estimator, Work
from workflow_scripts.files import write_text


def measured(jobs: Sequence[Job], cost_of: Callable[[str], Cost | None]) -> dict[Job, Cost]:
    """What each job took, of those of which that is known."""
    found = {}
    for job in jobs:
        if job.costs is not None and (cost := cost_of(job.costs)) is not None:
            found[job] = cost
    return found


def calibrated(
    costs: Mapping[Job, Cost],
    work: Callable[[Job], Work],
    before: Throughput | None,
    machine: str,
    on_gpus: bool = False,
) -> Throughput:
    """Rates from what jobs took.  With `on_gpus`, those that ask for a GPU say how fast GPUs are, by the clock."""
    steps: dict[str, list[tuple[Mapping[str, float], Cost]]] = defaultdict(list)
    fast: list[tuple[Mapping[str, float], float]] = []
    loading = set()  # steps that load an encoder
    for job, cost in costs.items():
        of = work(job)
        if job.resources.get("gpu"):
            loading.add(of.step)
        if on_gpus and job.resources.get("gpu"):
            fast.append(({name: of.amounts.get(name, 0.0) for name in ("flops", "steps")}, cost.wall))
        else:
            steps[of.step].append((of.amounts, cost))
    known = dict(before.steps) if before else {}
    seconds = {
        step: [(amounts, cost.processor) for amounts, cost in jobs] for step, jobs in sorted(steps.items())
    }
    rated = {step: of.seconds for step, of in known.items()}
    learned = {step: jobs for step, jobs in seconds.items() if step in loading}
    rates = fit_together(learned, rated) if learned else {}
    rates |= {step: fit(jobs, rated.get(step)) for step, jobs in seconds.items() if step not in loading}
    for step, jobs in steps.items():
        memory = max(cost.memory for _, cost in jobs)
        known[step] = Step(jobs=len(jobs), seconds=rates[step], memory_mb=round(memory))
    gpu = before.gpu if before else Gpu()
    if fast:
        gpu = Gpu(measured=True, seconds=fit(fast, gpu.seconds))
    return Throughput(machine=machine, steps=dict(sorted(known.items())), gpu=gpu)


def this_machine() -> str:
    """What the file says of where it was measured."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        named = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text("utf-8").splitlines()
            if "model name" in line
        ]
        model = named[0] if named else model
    return f"{model}, {os.cpu_count()} processors"


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--config", type=Path, help="the run's configuration; without it: config.yaml")
    arguments.add_argument(
        "--run", type=Path, default=Path(), help="folder that the run's logs/ lies in; default: here"
    )
    arguments.add_argument(
        "--targets", nargs="*", default=[], help="what the run was asked for; default: all"
    )
    arguments.add_argument("--gpu", action="store_true", help="the run's steps that ask for a GPU had one")
    arguments.add_argument("--machine", help="what the machine is called; default: its processor")
    arguments.add_argument(
        "--out", type=Path, default=SHIPPED, help="the file of rates (resources/throughput.json)"
    )
    given = arguments.parse_args(argv)
    before = read_throughput(given.out if given.out.is_file() else SHIPPED) if SHIPPED.is_file() else None
    with loaded(given.config) as workflow:
        graph = Graph(workflow, given.targets)
        estimate = Estimator(workflow.settings)
        costs = measured(graph.jobs, lambda file: read_cost(given.run / file))
        if not costs:
            raise InputError(
                f"{given.run / 'logs/costs'}: no job of this configuration has left there what it took; run some of it"
                " first"
            )
        made = calibrated(costs, estimate.of, before, given.machine or this_machine(), given.gpu)
    write_text(given.out, json.dumps(made.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n")
    predicted = sum(made.processor_seconds(estimate.of(job)) for job in costs)
    print(
        f"{given.out}: {len(costs):,} jobs of {len({estimate.of(job).step for job in costs})} steps, which took"
        f" {sum(cost.processor for cost in costs.values()):,.0f} seconds of processor time; these rates say"
        f" {predicted:,.0f}"
    )


if __name__ == "__main__":
    run(main)
