"""Where a run stands: what is done, running, failed and why, stale and why, and what waits.

    python -m workflow_scripts.cluster.status [--config FILE] [TARGET …]

Snakemake says which jobs it would run and why, and which have begun; it may be at work meanwhile, for nothing is locked
or written.  Whether a job that has begun is still at work shows in the processes of this machine, in SLURM's queue,
and, for trainings on other machines, in the file that the owner of a work folder touches.  Why a job failed stands at
the end of its log.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from workflow_scripts.cli import parser, run
from workflow_scripts.cluster.graph import Begun, Graph, Job, Workflow, asked, left, loaded
from workflow_scripts.cluster.plan import MANY

State = Literal["done", "running", "failed", "stale", "waiting"]
MARKS: dict[State, str] = {"done": "█", "running": "▶", "failed": "✗", "stale": "~", "waiting": "·"}
WIDTH = 30  # characters of a bar
LAST = 20_000  # bytes at the end of a log that are read
SILENT = 120.0  # seconds after which the owner of a work folder is taken to be gone
# The end of a log that tells of a failure: an InputError's sentence, or the last line of a traceback.
ERROR = re.compile(
    r"^(error: .+|(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Killed)\b.*|Killed.*)$"
)
# The lines of cli.Progress
PROGRESS = re.compile(r".+: \d+/\d+ .+, \d+ %, eta \d")
MISSING, NEWER = "output files have to be generated", "input files updated by another job"


@dataclass(frozen=True)
class Standing:
    """Where one job stands."""

    job: str
    rule: str
    state: State
    why: str  # where it runs and how far it is, the reason's last line, or what Snakemake says
    log: str | None


def last_lines(log: Path) -> list[str]:
    """The lines at the end of a log, without empty ones; none where there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - LAST, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]


def reason(lines: Sequence[str]) -> str | None:
    """Why a job failed, by the end of its log; None where that tells of no failure."""
    if not lines:
        return None
    for line in reversed(lines[-3:]):  # SLURM may add a line of its own
        if ERROR.match(line):
            return line
    if "Traceback (most recent call last)" in "\n".join(lines):
        return lines[-1]
    if PROGRESS.match(lines[-1]):
        return f"broken off after: {lines[-1]}"
    return None


def progress(lines: Sequence[str]) -> str:
    """How far a job is: its log's newest line of progress, or its newest line."""
    return next((line for line in reversed(lines) if PROGRESS.match(line)), lines[-1] if lines else "")


def at_work(logs: Iterable[str]) -> dict[str, str]:
    """Log -> the process that writes it, of the processes on this machine that began in this folder."""
    here = os.getcwd()
    wanted = {log: re.compile(rf"(?<![\w./-]){re.escape(log)}(?![\w./-])") for log in logs}
    found = {}
    for folder in Path("/proc").glob("[0-9]*") if wanted else ():
        with suppress(OSError):
            if os.readlink(folder / "cwd") != here:
                continue
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if "> logs/" in command or ">logs/" in command:
                for log, pattern in wanted.items():
                    if pattern.search(command):
                        found[log] = f"process {folder.name}"
    return found


def queue() -> dict[str, str] | None:
    """Number -> state and node of this user's jobs in SLURM; None where SLURM cannot be asked."""
    try:
        done = subprocess.run(
            ["squeue", "--noheader", "--me", "--format", "%i|%A|%T|%R"],
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    found = {}
    for line in done.stdout.splitlines():
        number, array, state, where = line.split("|", 3)
        found[number] = found[array] = f"SLURM job {number}, {state.lower()} {where}"
    return found


def owner(work: Path) -> str | None:
    """Who trains in a work folder, by the file that its owner touches; None where nobody has for a while."""
    files = sorted(work.glob("owner.*"), key=lambda file: file.suffix[1:].zfill(9))
    for file in files[-1:]:
        with suppress(OSError, ValueError, KeyError, TypeError):
            if time.time() - file.stat().st_mtime > SILENT:
                return None
            told = json.loads(file.read_text("utf-8").splitlines()[0])
            what = f"job {told['job']}" if told.get("job") else f"process {told['pid']}"
            return f"{what} on {told['host']}"
    return None


def standing(
    jobs: Sequence[Job], said: Mapping[str, Begun], queued: Mapping[str, str] | None
) -> list[Standing]:
    """Where each job stands, in the order of what they need."""
    begun = [job for job in jobs if (it := said.get(job.outputs[0])) and it.begun]
    processes = at_work(job.log for job in begun if job.log)
    found = []
    for job in jobs:
        of = said.get(job.outputs[0])
        lines = last_lines(Path(job.log)) if of and job.log else []
        state: State
        if of is None or not (of.why or of.begun):
            state, why = "done", ""
        elif of.begun and (where := _where(job, of, processes, queued)):
            state, why = "running", f"{where}: {progress(lines)}" if lines else where
        elif (why := reason(lines) or "") and not (set(of.why) <= {NEWER} and not of.begun):
            state = "failed"
        elif of.begun:
            state, why = "failed", "broken off without a word"
        elif MISSING in of.why or set(of.why) <= {NEWER}:
            state, why = "waiting", ""
        else:
            state, why = "stale", "; ".join(text for text in of.why if text != NEWER)
        found.append(Standing(job.name, job.rule, state, why, job.log))
    return found


def _where(job: Job, of: Begun, processes: Mapping[str, str], queued: Mapping[str, str] | None) -> str | None:
    """Where a job that has begun is at work; None where it is nowhere to be found."""
    if job.log is not None and job.log in processes:
        return processes[job.log]
    for number in of.submitted_as:
        if queued is None:
            return f"SLURM job {number}, as far as Snakemake knows"
        if number in queued:
            return queued[number]
    name = Path(job.outputs[0]).parent.as_posix()
    return owner(Path("work") / name.removeprefix("results/")) if name.startswith("results/") else None


def status(workflow: Workflow, targets: Sequence[str] = ()) -> tuple[list[Standing], bool]:
    """Where each job of some targets stands, and whether Snakemake was asked what is stale."""
    graph = Graph(workflow, targets)
    jobs = [job for job in graph.jobs if job.outputs]
    if sum(len(job.inputs) for job in jobs) > MANY:
        said = {job.outputs[0]: Begun((MISSING,), False, ()) for job in left(jobs, os.path.exists)}
        return standing(jobs, said, queue()), False
    said = asked(workflow, targets)
    numbers = any(of.submitted_as for of in said.values())
    return standing(jobs, said, queue() if numbers else None), True


def bar(counts: Mapping[State, int], width: int = WIDTH) -> str:
    """Jobs by their state as a line; whatever there is of a state has a place in it."""
    total = sum(counts.values())
    there = [state for state in MARKS if counts.get(state)]
    cells = {state: max(1, int(width * counts[state] / total)) for state in there}
    for _ in range(width - sum(cells.values())):
        cells[max(there, key=lambda state: counts[state] / total - cells[state] / width)] += 1
    while sum(cells.values()) > width:
        cells[max(cells, key=lambda state: cells[state])] -= 1
    return "".join(MARKS[state] * cells[state] for state in there)


def told(found: Sequence[Standing], exact: bool, shown: int = 20) -> str:
    """Where a run stands, as text: a line for each rule, then what runs, what failed, what is stale."""
    totals = Counter(one.state for one in found)
    rules: dict[str, Counter[State]] = defaultdict(Counter)
    for one in found:
        rules[one.rule][one.state] += 1
    head = ", ".join(f"{totals[state]:,} {state}" for state in MARKS if totals[state])
    lines = [f"{len(found):,} jobs: {head}", ""]
    width = max(map(len, rules), default=0)
    for rule, counts in rules.items():
        told_ = ", ".join(f"{counts[state]:,} {state}" for state in MARKS if counts[state])
        lines.append(f"  {rule:<{width}}  {bar(counts)}  {told_}")
    running = [one for one in found if one.state == "running"]
    if running:
        lines += ["", "running"]
        lines += [f"  {one.job}: {one.why}" for one in running[:shown]]
        lines += [f"  and {len(running) - shown:,} more"] if len(running) > shown else []
    failed = [one for one in found if one.state == "failed"]
    if failed:
        lines += ["", "failed"]
        lines += [f"  {one.job}: {one.why}\n    {one.log}" for one in failed]
    stale = Counter((one.rule, one.why) for one in found if one.state == "stale")
    if stale:
        lines += ["", "stale: what is there was made otherwise than it would be now"]
        lines += [f"  {rule}, {count:,}: {why}" for (rule, why), count in stale.items()]
    if not exact:
        lines += [
            "",
            "There are too many files to ask Snakemake what is stale: what is there counts as done.",
        ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("targets", nargs="*", metavar="TARGET", help="rules or files; default: all")
    arguments.add_argument("--config", type=Path, help="the run's configuration; without it: config.yaml")
    arguments.add_argument("--json", action="store_true", help="every job, as JSON")
    given = arguments.parse_args(argv)
    with loaded(given.config) as workflow:
        found, exact = status(workflow, given.targets)
    if given.json:
        text = json.dumps(
            {"exact": exact, "jobs": [asdict(one) for one in found]}, indent=1, ensure_ascii=False
        )
    else:
        text = told(found, exact)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    run(main)
