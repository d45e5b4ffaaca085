"""Runs of snakemake on a SLURM cluster, and what is to be seen of the training in them from outside."""

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from workflow_scripts.cluster import throwaway

CONFIG = "config/slurm_demo.yaml"
CHECKPOINT_SECONDS = 1.0
HEARTBEAT_SECONDS = 0.2
OFTEN = {  # variables of a run whose trainings can be watched
    "XLQA_CHECKPOINT_SECONDS": str(CHECKPOINT_SECONDS),
    "XLQA_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
}
PATIENCE = 900.0  # seconds that anything may take before a test gives up: the machine may be busy
TABLES = [f"results/tables/{name}.{kind}" for name in ("table2", "table3") for kind in ("csv", "md", "tex")]
MODEL = "mbert-aug"
WORK = f"work/models/{MODEL}/seed0"
LOG = f"logs/models/{MODEL}/seed0.log"


class Master:
    """snakemake with profiles/slurm, in a tree, on a cluster; its output is in master.log there."""

    def __init__(self, tree: Path, cluster: Path, *options: str, **variables: str) -> None:
        self.tree, self.cluster = tree, cluster
        self.environment = {**throwaway.environment(cluster), **OFTEN, **variables}
        self.command = [sys.executable, "-m", "snakemake", "--configfile", CONFIG]
        with (tree / "master.log").open("a") as log:
            self.process = subprocess.Popen(
                [
                    *self.command,
                    *("--profile", "profiles/slurm"),
                    *("--slurm-init-seconds-before-status-checks", "6", "--latency-wait", "5"),
                    *options,
                ],
                cwd=tree,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def slurm(self, *command: str) -> str:
        """What a program of SLURM prints."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    def unlock(self) -> None:
        """What a user does first after snakemake was killed."""
        subprocess.run(
            [*self.command, "--unlock"],
            cwd=self.tree,
            env=self.environment,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )

    def wait(self) -> None:
        """Wait for the end, which must be a good one."""
        code = self.process.wait(timeout=PATIENCE)
        assert code == 0, self.told()

    def told(self) -> str:
        """The end of what snakemake said, and of the log of the training."""
        log = self.tree / LOG
        return (self.tree / "master.log").read_text()[-6000:] + (
            log.read_text()[-3000:] if log.exists() else ""
        )

    def jobs(self) -> list[dict[str, str]]:
        """What SLURM wrote down of the jobs that have ended, one by one; a job that was queued again comes twice."""
        lines = (self.cluster / "log/jobs.txt").read_text().splitlines()
        return [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]


@contextmanager
def running(tree: Path, cluster: Path, *options: str, **variables: str) -> Iterator[Master]:
    """A cluster of its own for one run of snakemake; both are gone when the block ends."""
    throwaway.start(cluster)
    try:
        master = Master(tree, cluster, *options, **variables)
        try:
            yield master
        finally:
            master.process.kill()
            master.process.wait()
    finally:
        throwaway.stop(cluster)


def without_model(finished: Path, tree: Path) -> Path:
    """A copy of a finished tree in which one model is still to be tuned."""
    shutil.copytree(finished, tree, symlinks=True)
    for folder in ("models", "predictions", "scores"):
        shutil.rmtree(tree / "results" / folder / MODEL)
    shutil.rmtree(tree / "results/tables")
    shutil.rmtree(tree / "work")
    (tree / LOG).unlink()
    return tree


@dataclass
class Trainer:
    """A process that owned the work folder, as others could see it."""

    number: int
    job: str
    process: int
    resumed: int = 0  # step that it began with
    step: int = 0  # that it told last
    told: float = 0.0  # when it was first seen to tell that step
    stopped: int | None = None  # step at which it said that a signal stopped it
    checkpoints: list[tuple[int, float]] = field(default_factory=list)  # step, time of writing


class Watch:
    """Looks at the work folder of a training all the time, and keeps what it sees."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.trainers: list[Trainer] = []
        self.together: list[str] = []  # moments at which two processes could have written
        self.error: BaseException | None = None
        self.written = 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self) -> "Watch":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def run(self) -> None:
        """Look, until it is over."""
        try:
            while not self.over.wait(0.03):
                self.look()
        except BaseException as error:
            self.error = error

    def look(self) -> None:
        """Look once."""
        work = self.tree / WORK
        owners = {int(file.suffix[1:]): file for file in work.glob("owner.*")} if work.is_dir() else {}
        for number in sorted(owners):
            if not self.trainers or number > self.trainers[-1].number:
                self.found(number, owners)
        if not self.trainers:
            return
        now = self.trainers[-1]
        with suppress(FileNotFoundError, IndexError):
            told = re.search(r"step (\d+) of", owners[now.number].read_text().splitlines()[1])
            if told and int(told[1]) != now.step:
                now.step, now.told = int(told[1]), time.time()
        with suppress(FileNotFoundError):
            log = (self.tree / LOG).read_text(errors="replace")
            if resumed := re.search(r"resumed at step (\d+)", log):
                now.resumed = int(resumed[1])
            if stopped := re.search(r"stopped by SIG\w+ at step (\d+)", log):
                now.stopped = int(stopped[1])
        with suppress(FileNotFoundError):
            file = work / f"run.{now.number}" / "checkpoint.pt"
            written = file.stat().st_mtime
            if written > self.written:
                step = torch.load(file, map_location="cpu", weights_only=True, mmap=True)["step"]
                if file.stat().st_mtime == written:
                    self.written = written
                    now.checkpoints.append((step, written))

    def found(self, number: int, owners: dict[int, Path]) -> None:
        """Note a new owner, and whether the one before it could still write."""
        with suppress(FileNotFoundError, IndexError, ValueError):  # it has not said yet who it is
            owner = json.loads(owners[number].read_text().splitlines()[0])
            before = self.trainers[-1] if self.trainers else None
            if before and alive(before.process) and owners[before.number].stat().st_mtime != 0:
                self.together.append(f"{before} beside {owner}")
            self.trainers.append(Trainer(number, owner["job"], owner["pid"]))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for what is to be seen."""
        wait_for(lambda: self.error is not None or condition(), f"{what}, after {self.trainers}")
        assert self.error is None, self.error

    def mid_training(self) -> Trainer:
        """Wait until a training is half-way between its second checkpoint and the next."""
        self.until(lambda: bool(self.trainers) and len(self.trainers[-1].checkpoints) >= 2, "two checkpoints")
        time.sleep(CHECKPOINT_SECONDS / 2)
        return self.trainers[-1]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what}: not seen in {PATIENCE:.0f} s"
        time.sleep(0.02)


def alive(process: int) -> bool:
    """Whether a process runs."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False
