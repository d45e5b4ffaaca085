"""What a run will take, before anything of it runs: jobs, disk, processor and GPU hours, the longest chain, money.

    python -m workflow_scripts.cluster.plan [--config FILE] [--cores 2] [--gpus 0] [TARGET …]

Jobs come from the workflow's rules; how much work each is, from the configuration (`cluster.work`); how long that
takes, from what jobs took on a machine (resources/throughput.json, or yours: `cluster.calibrate`).  Where results are
there already, Snakemake says what it would still run; where there are too many files for that, what has no file counts.
"""

import heapq
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.cluster.graph import Graph, Job, Workflow, asked, left, loaded, missing
from workflow_scripts.cluster.throughput import SHIPPED, Throughput, read_throughput
from workflow_scripts.cluster.work import Estimator, Work
from workflow_scripts.config import Config, GoogleTranslations

PROFILE = Path("profiles/slurm/config.yaml")
MANY = 100_000  # files that jobs read, from which on Snakemake would take minutes to look at them


@dataclass(frozen=True)
class Estimate:
    """What one job takes: seconds of its processor, or of its GPU if it has one; work and where it is done."""

    work: Work
    seconds: float
    on_gpu: bool


def estimates(
    jobs: Sequence[Job], work: Callable[[Job], Work], rates: Throughput, gpus: int
) -> dict[Job, Estimate]:
    """What each job takes, where there are so many GPUs."""
    found = {}
    for job in jobs:
        of = work(job)
        on_gpu = gpus > 0 and job.resources.get("gpu", 0) > 0
        found[job] = Estimate(of, rates.gpu_seconds(of) if on_gpu else rates.processor_seconds(of), on_gpu)
    return found


def longest_chain(jobs: Sequence[Job], seconds: Mapping[Job, float]) -> list[Job]:
    """The jobs that must come one after another and take longest, of jobs that stand in the order of their needs."""
    best: dict[Job, tuple[float, Job | None]] = {}
    for job in jobs:
        before = max(
            (need for need in job.needs if need in best), key=lambda need: best[need][0], default=None
        )
        best[job] = (seconds[job] + (best[before][0] if before else 0.0), before)
    chain = []
    last = max(best, key=lambda job: best[job][0], default=None)
    while last is not None:
        chain.append(last)
        last = best[last][1]
    return chain[::-1]


def clock(
    jobs: Sequence[Job], seconds: Mapping[Job, float], on_gpu: Collection[Job], cores: int, gpus: int
) -> float:
    """Seconds until all is done where so many processors and GPUs are free and idle ones take what waits.

    Of what waits, that goes first on which the longest chain depends.  A job that has a GPU keeps a processor as well.
    """
    ahead: dict[Job, float] = {}
    after: dict[Job, list[Job]] = defaultdict(list)
    for job in jobs:
        for need in job.needs:
            after[need].append(job)
    for job in reversed(jobs):
        ahead[job] = seconds[job] + max((ahead[later] for later in after[job] if later in ahead), default=0.0)
    there = set(jobs)
    waiting = {job: sum(need in there for need in job.needs) for job in jobs}
    order = {job: number for number, job in enumerate(jobs)}
    ready: dict[bool, list[tuple[float, int, Job]]] = {True: [], False: []}

    def enter(job: Job) -> None:
        heapq.heappush(ready[job in on_gpu], (-ahead[job], order[job], job))

    for job in jobs:
        if not waiting[job]:
            enter(job)
    running: list[tuple[float, int, int, Job]] = []
    now, free, idle = 0.0, cores, gpus
    while running or ready[True] or ready[False]:
        for needs_gpu in (True, False):
            while ready[needs_gpu] and (idle > 0 or not needs_gpu):
                job = ready[needs_gpu][0][2]
                taken = min(job.threads, cores)
                if taken > free:
                    break
                heapq.heappop(ready[needs_gpu])
                free, idle = free - taken, idle - needs_gpu
                heapq.heappush(running, (now + seconds[job], order[job], taken, job))
        now, _, taken, job = heapq.heappop(running)
        free += taken
        idle += job in on_gpu
        for later in after[job]:
            if later in waiting:
                waiting[later] -= 1
                if not waiting[later]:
                    enter(later)
    return now


def submitted(jobs: Sequence[Job], components: Mapping[str, int]) -> int:
    """How many jobs a cluster is given: of a group, jobs that hang together are one, and so are several such."""
    grouped = [job for job in jobs if job.group]
    alone = sum(not job.local and not job.group for job in jobs)
    root: dict[Job, Job] = {job: job for job in grouped}

    def top(job: Job) -> Job:
        while root[job] is not job:
            root[job] = root[root[job]]
            job = root[job]
        return job

    for job in grouped:
        for need in job.needs:
            if need in root and need.group == job.group:
                root[top(need)] = top(job)
    chains = Counter(job.group for job in grouped if top(job) is job)
    return alone + sum(-(-count // components.get(str(group), 1)) for group, count in chains.items())


def group_components(profile: Path = PROFILE) -> dict[str, int]:
    """Group -> chains of jobs that the profile submits as one."""
    try:
        read = yaml.safe_load(profile.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise InputError(f"{profile}: not YAML ({' '.join(str(error).split())})") from None
    given = read.get("group-components", {}) if isinstance(read, dict) else {}
    return {str(group): int(count) for group, count in given.items()}


@dataclass(frozen=True)
class Bill:
    """What a paid translator is given: characters, of which some are in cache/ already, and what the rest costs."""

    translations: str
    characters: float
    price: float  # of a million characters
    limit: int | None

    @property
    def money(self) -> float:
        """In the price's currency."""
        return self.characters / 1e6 * self.price


def bills(config: Config, estimate: Estimator, jobs: Collection[Job]) -> list[Bill]:
    """What the paid translators of these jobs cost.  Texts that cache/ holds are not paid again, and count here."""
    pairs: dict[str, dict[str, None]] = defaultdict(dict)
    for job in jobs:
        if job.rule == "translate_by_service":
            pairs[job.wildcards["translations"]][job.wildcards["pair"]] = None
    found = []
    for name, wanted in pairs.items():
        entry = config.translations[name]
        assert isinstance(entry, GoogleTranslations)
        characters = sum(estimate.characters(name, pair) for pair in wanted)
        found.append(Bill(name, characters, entry.price_per_million_characters, entry.max_characters))
    return found


@dataclass(frozen=True)
class Plan:
    """All that is told of a run."""

    configuration: str
    steps: list[dict[str, Any]]  # by step: jobs left and done, hours, memory
    jobs: int
    done: int
    exact: bool
    submitted: int
    processor_hours: float
    gpu_hours: float
    cores: int
    gpus: int
    wall_hours: float
    chain: list[dict[str, Any]]
    chain_hours: float
    disk: dict[str, float]  # bytes by kind of thing
    checkpoint: float  # bytes of the largest in work/, while its job runs
    memory_mb: int
    memory_job: str
    bills: list[dict[str, Any]]
    unknown: list[str]
    missing: list[str]
    machine: str
    gpu_measured: bool


def plan(
    workflow: Workflow,
    targets: Sequence[str],
    rates: Throughput,
    cores: int,
    gpus: int,
    name: str = "config.yaml",
    ask: bool = True,
) -> Plan:
    """What a run of these targets takes.  Without `ask`, what is there counts as done, stale or not."""
    graph = Graph(workflow, targets)
    estimate = Estimator(workflow.settings)
    to_do = left(graph.jobs, os.path.exists)
    exact = len(to_do) == len(graph.jobs)
    if not exact and ask and sum(len(job.inputs) for job in graph.jobs) <= MANY:
        said = asked(workflow, targets)
        by_file = {job.outputs[0]: job for job in graph.jobs if job.outputs}
        to_do = {by_file[file] for file, begun in said.items() if begun.why and file in by_file}
        exact = True
    real = [job for job in graph.jobs if job.outputs]  # not `all` and the like
    jobs = [job for job in real if job in to_do]
    taken = estimates(real, estimate.of, rates, gpus)
    seconds = {job: taken[job].seconds for job in jobs}
    on_gpu = {job for job in jobs if taken[job].on_gpu}
    chain = longest_chain(jobs, seconds)
    disk: Counter[str] = Counter()
    for job in real:
        disk.update(taken[job].work.bytes)
    asks_most = max(jobs, key=lambda job: job.resources.get("mem_mb", 0), default=None)
    return Plan(
        configuration=name,
        steps=by_step(real, set(jobs), taken, rates),
        jobs=len(jobs),
        done=len(real) - len(jobs),
        exact=exact,
        submitted=submitted(jobs, group_components()),
        processor_hours=sum(seconds[job] for job in jobs if job not in on_gpu) / 3600,
        gpu_hours=sum(seconds[job] for job in on_gpu) / 3600,
        cores=cores,
        gpus=gpus,
        wall_hours=clock(jobs, seconds, on_gpu, cores, gpus) / 3600,
        chain=[{"job": job.name, "hours": seconds[job] / 3600} for job in chain],
        chain_hours=sum(seconds[job] for job in chain) / 3600,
        disk=dict(disk.most_common()),
        checkpoint=max((taken[job].work.checkpoint for job in jobs), default=0.0),
        memory_mb=asks_most.resources.get("mem_mb", 0) if asks_most else 0,
        memory_job=asks_most.rule if asks_most else "",
        bills=[
            {
                "translations": bill.translations,
                "characters": bill.characters,
                "money": bill.money,
                "limit": bill.limit,
            }
            for bill in bills(workflow.settings, estimate, jobs)
        ],
        unknown=[*estimate.sizes.unknown],
        missing=missing(graph),
        machine=rates.machine,
        gpu_measured=rates.gpu.measured,
    )


def by_step(
    jobs: Sequence[Job], to_do: Collection[Job], taken: Mapping[Job, Estimate], rates: Throughput
) -> list[dict[str, Any]]:
    """Jobs, hours and memory of each step, those that take most first."""
    steps: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        steps[taken[job].work.step].append(job)
    rows = []
    for step, of in steps.items():
        these = [job for job in of if job in to_do]
        rows.append(
            {
                "step": step,
                "left": len(these),
                "done": len(of) - len(these),
                "processor_hours": sum(taken[job].seconds for job in these if not taken[job].on_gpu) / 3600,
                "gpu_hours": sum(taken[job].seconds for job in these if taken[job].on_gpu) / 3600,
                "memory_mb": max((job.resources.get("mem_mb", 0) for job in of), default=0),
                "measured_mb": rates.steps[step].memory_mb if step in rates.steps else None,
            }
        )
    return sorted(rows, key=lambda row: -(row["processor_hours"] + row["gpu_hours"]))


def hours(of: float) -> str:
    """Hours as people say them: 3 min, 2:05 h, 4.2 days."""
    if of * 60 < 1:
        return f"{of * 3600:.0f} s"
    if of < 1:
        return f"{of * 60:.0f} min"
    if of < 48:
        return f"{int(of)}:{int(of * 60) % 60:02d} h"
    return f"{of / 24:.1f} days"


def size(of: float) -> str:
    """Bytes as people say them."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if of < 1000:
            return f"{of:.0f} {unit}" if of >= 10 or unit == "bytes" else f"{of:.1f} {unit}"
        of /= 1000
    return f"{of:.1f} TB"


def told(of: Plan) -> str:
    """A plan as text."""
    lines = [f"{of.configuration}: {of.jobs:,} jobs to do, {of.done:,} done", ""]
    width = max((len(row["step"]) for row in of.steps), default=4)
    gpu = f"{'GPU':>10}" if of.gpus else ""
    lines.append(
        f"  {'step':<{width}}{'to do':>8}{'done':>8}{'processor':>12}{gpu}{'memory asked':>15}{'measured':>10}"
    )
    for row in of.steps:
        on_gpu = f"{hours(row['gpu_hours']) if row['gpu_hours'] else '':>10}" if of.gpus else ""
        measured = f"{row['measured_mb']:,.0f} MB" if row["measured_mb"] else ""
        taken = hours(row["processor_hours"]) if row["processor_hours"] else ""
        lines.append(
            f"  {row['step']:<{width}}{row['left']:>8,}{row['done']:>8,}{taken:>12}{on_gpu}"
            f"{row['memory_mb']:>12,} MB{measured:>10}"
        )
    machines = f"{of.cores} processors" + (f" and {of.gpus} GPUs" if of.gpus else ", no GPU")
    lines += [
        "",
        f"processor hours  {of.processor_hours:,.2f}"
        + (f", GPU hours {of.gpu_hours:,.2f}" if of.gpus else ""),
        f"time             {hours(of.wall_hours)} with {machines} and nothing else at work",
        f"longest chain    {hours(of.chain_hours)}, however many there are: "
        + ", then ".join(
            f"{link['job']} ({hours(link['hours'])})" for link in of.chain if link["hours"] * 3600 >= 1
        ),
        f"SLURM            {of.submitted:,} jobs are submitted (short ones together, by {PROFILE})",
        f"disk             {size(sum(of.disk.values()))} in the end: "
        + ", ".join(f"{size(amount)} {kind}" for kind, amount in of.disk.items() if amount >= 1000)
        + f"; in work/ up to {size(of.checkpoint)} for each training meanwhile",
        f"memory           {of.memory_mb:,} MB, the most that a job asks for ({of.memory_job})",
    ]
    for bill in of.bills:
        over = bill["limit"] is not None and bill["characters"] > bill["limit"]
        lines.append(
            f"money            {bill['money']:,.2f} for {bill['characters']:,.0f} characters of translations."
            f"{bill['translations']}{', more than its max_characters' if over else ''};"
            " what is in cache/ already is not paid again"
        )
    lines += ["", f"Rates: measured on {of.machine}; yours: python -m workflow_scripts.cluster.calibrate"]
    if of.gpus and not of.gpu_measured:
        lines.append(
            "GPU hours are guessed, nobody has measured them: calibrate with --gpu after some jobs on one."
        )
    if not of.exact:
        lines.append("There are too many files to ask Snakemake what is stale: what is there counts as done.")
    if of.unknown:
        lines.append(f"Of unknown size, and not counted: {_some(of.unknown)}")
    if of.missing:
        lines.append(f"Not there, and made by no rule: {_some(of.missing)}")
    return "\n".join(lines)


def _some(files: Sequence[str], shown: int = 5) -> str:
    more = f" and {len(files) - shown:,} more" if len(files) > shown else ""
    return ", ".join(files[:shown]) + more


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("targets", nargs="*", metavar="TARGET", help="rules or files; default: all")
    arguments.add_argument("--config", type=Path, help="the configuration; without it: config.yaml")
    arguments.add_argument(
        "--cores", type=int, default=os.cpu_count(), help="processors; default: this machine's"
    )
    arguments.add_argument("--gpus", type=int, default=0, help="GPUs; default: none")
    arguments.add_argument("--throughput", type=Path, default=SHIPPED, help="rates (cluster.calibrate --out)")
    arguments.add_argument("--json", action="store_true", help="everything as JSON")
    given = arguments.parse_args(argv)
    if given.cores < 1 or given.gpus < 0:
        raise InputError("--cores must be 1 or more, --gpus 0 or more")
    rates = read_throughput(given.throughput)
    with loaded(given.config) as workflow:
        made = plan(
            workflow, given.targets, rates, given.cores, given.gpus, str(given.config or "config.yaml")
        )
    sys.stdout.write(json.dumps(made.__dict__, indent=1, ensure_ascii=False) if given.json else told(made))
    sys.stdout.write("\n")


if __name__ == "__main__":
    run(main)
