"""The reduced embedded default on a SLURM cluster: its tables are those of a local run, whatever happens to its jobs.

Each run has a cluster of its own, and a few are under way at a time, because most of their time is SLURM's.  One makes
everything; the others begin with a finished model, and something happens while the second is trained.  After each, the
tables are the same, to the byte; no two processes ever owned the training; and it went on where it was.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT, require
from tests.slurm.runs import (
    CHECKPOINT_SECONDS,
    CONFIG,
    MODEL,
    OFTEN,
    PATIENCE,
    TABLES,
    Master,
    Watch,
    alive,
    running,
    wait_for,
    without_model,
)
from tests.workflow.conftest import Tree
from workflow_scripts.cluster import throwaway

pytestmark = pytest.mark.slow

SIDE_BY_SIDE = 3
# What follows is then run on this machine, where it is sooner done.
ONLY_TUNE = ("--", f"results/models/{MODEL}/seed0/model.safetensors")
SLACK = 1.5  # seconds beyond the interval that a checkpoint may take to be due and written on a busy machine


def demonstrated(finished: Path, tree: Path, cluster: Path) -> None:
    """All of it, as `make slurm-demo`; it is stopped by Ctrl-C while the encoder is trained, and called again."""
    Tree(tree)
    for file in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy2(ROOT / file, tree)
    (tree / ".venv").symlink_to(sys.prefix)
    demo = tree / "work/slurm-demo"
    jobs = cluster / "log/jobs.txt"
    with (tree / "master.log").open("w") as log:

        def make() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                ["make", "--old-file=.venv/.ready", "slurm-demo", f"CLUSTER={cluster}"],
                cwd=tree,
                env={
                    **os.environ,
                    **OFTEN,
                    "PYTHONPATH": str(tree),
                },  # .venv may have another checkout's package
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

        stopped = make()
        try:
            checkpoints = demo.joinpath("run", "work", "encoders", "mbert")
            wait_for(
                lambda: any(checkpoints.glob("run.*/checkpoint.pt")) or stopped.poll() is not None,
                "a checkpoint",
            )
            assert stopped.poll() is None, (tree / "master.log").read_text()[-6000:]
            before = jobs.read_text().count("JobState=COMPLETED")
            os.killpg(stopped.pid, signal.SIGINT)
            assert stopped.wait(PATIENCE) != 0
            assert not throwaway.processes(cluster)
            again = make()
            try:
                assert again.wait(PATIENCE) == 0, (tree / "master.log").read_text()[-6000:]
            finally:
                again.kill()
        finally:
            stopped.kill()
            throwaway.stop(cluster)
    assert jobs.read_text().count("JobState=COMPLETED") == len(jobs.read_text().splitlines()) <= 10 - before
    assert "NodeList=n1 " in jobs.read_text()
    assert "NodeList=n2 " in jobs.read_text()
    assert re.search(r"resumed at step [1-9]", (demo / "run/logs/encoders/mbert.log").read_text())
    said = (tree / "master.log").read_text()
    for table in TABLES:
        if table.endswith(".md"):
            assert (demo / "run" / table).read_text() in said
    (tree / "results").symlink_to(demo / "run/results")


def more_memory(finished: Path, tree: Path, cluster: Path) -> None:
    """The training outgrows what its rule asks for."""
    without_model(finished, tree)
    rules = tree / "rules/train.smk"
    before, tune, after = rules.read_text().partition("rule tune:")
    rules.write_text(before + tune + re.sub(r"mem_mb=memory\(\d+", "mem_mb=memory(1200", after, count=1))
    with (
        running(tree, cluster, *ONLY_TUNE, PYTHONPATH=str(ROOT / "tests/slurm/ballast")) as master,
        Watch(tree) as watch,
    ):
        master.wait()
        first, second = of_training(master, watch)
    assert first["JobState"] == "FAILED"
    assert second["JobState"] == "COMPLETED"
    asked = [int(re.search(r"mem=(\d+)M", job["Tres"])[1]) for job in (first, second)]
    assert 1200 <= asked[0] < asked[1] == 2 * asked[0]
    goes_on(watch)


def cancelled(finished: Path, tree: Path, cluster: Path) -> None:
    """Somebody takes the job away; it is submitted again."""
    without_model(finished, tree)
    with running(tree, cluster, *ONLY_TUNE) as master, Watch(tree) as watch:
        master.slurm("scancel", watch.mid_training().job)
        master.wait()
        first, second = of_training(master, watch)
    assert first["JobState"] == "CANCELLED"
    assert second["JobState"] == "COMPLETED"
    goes_on(watch, told=True)


def killed_master(finished: Path, tree: Path, cluster: Path) -> None:
    """Snakemake is killed and started again; the job that it has left trains on, and is ended before another is."""
    without_model(finished, tree)
    with running(tree, cluster, *ONLY_TUNE) as master, Watch(tree) as watch:
        orphan = watch.mid_training()
        os.kill(
            orphan.process, signal.SIGSTOP
        )  # else it might be done before snakemake has started; scancel wakes it
        master.process.kill()
        master.process.wait()
        master.unlock()
        assert alive(orphan.process)
        again = Master(tree, cluster, *ONLY_TUNE)
        try:
            again.wait()
        finally:
            again.process.kill()
        first, second = of_training(master, watch)
    assert first["JobId"] == orphan.job
    assert first["JobState"] == "CANCELLED"
    assert second["JobState"] == "COMPLETED"
    assert f"({orphan.job})" in (tree / "master.log").read_text()
    goes_on(watch, told=True)


def dead_node(finished: Path, tree: Path, cluster: Path) -> None:
    """A node loses its power; SLURM notices, and runs its job again on the other node."""
    without_model(finished, tree)
    with running(tree, cluster, *ONLY_TUNE) as master, Watch(tree) as watch:
        trainer = watch.mid_training()
        (node,) = set(master.slurm("squeue", "-h", "-j", trainer.job, "-o", "%N").split())
        struck = time.time()
        throwaway.kill_node(cluster, node)
        master.wait()
        first, second = of_training(master, watch)
    assert first["JobId"] == second["JobId"]
    assert first["JobState"] == "NODE_FAIL"
    assert second["JobState"] == "COMPLETED"
    assert second["NodeList"] != first["NodeList"] == node
    goes_on(watch, struck)


def drained(finished: Path, tree: Path, cluster: Path) -> None:
    """A node is drained: its job goes on, until it is sent to the other node, where all further jobs are, too."""
    without_model(finished, tree)
    with running(tree, cluster) as master, Watch(tree) as watch:
        trainer = watch.mid_training()
        (node,) = set(master.slurm("squeue", "-h", "-j", trainer.job, "-o", "%N").split())
        master.slurm("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=repairs")
        step = trainer.step
        watch.until(lambda: trainer.step > step, "a step on the drained node")
        assert master.slurm("sinfo", "-h", "-n", node, "-o", "%T").strip() == "draining"
        master.slurm("scontrol", "requeue", trainer.job)
        master.wait()
        first, second = of_training(master, watch)
    assert first["NodeList"] == node
    assert second["JobState"] == "COMPLETED"
    assert {job["NodeList"] for job in master.jobs() if job != first} == {"n1", "n2"} - {node}
    goes_on(watch, told=True)


def requeued(finished: Path, tree: Path, cluster: Path) -> None:
    """SLURM puts the job back into the queue."""
    without_model(finished, tree)
    with running(tree, cluster, *ONLY_TUNE) as master, Watch(tree) as watch:
        master.slurm("scontrol", "requeue", watch.mid_training().job)
        master.wait()
        first, second = of_training(master, watch)
    assert first["JobId"] == second["JobId"]
    assert second["JobState"] == "COMPLETED"
    goes_on(watch, told=True)


def full_disk(finished: Path, tree: Path, cluster: Path) -> None:
    """The results' disk is full when the model is to be written; room is made, and the model is not trained again."""
    without_model(finished, tree)
    models = tree / "results/models"
    with tempfile.TemporaryDirectory() as kept:
        subprocess.run(["cp", "-a", f"{models}/.", kept], check=True)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", models], capture_output=True
        )
        require(mounted.returncode == 0, "no file system may be mounted here, to be filled")
        try:
            subprocess.run(["cp", "-a", f"{kept}/.", models], check=True)
            filling = models / "filling"
            fill(filling)
            with running(tree, cluster, *ONLY_TUNE) as master, Watch(tree) as watch:
                watch.until(lambda: any(job["JobState"] == "FAILED" for job in master.jobs()), "a failed job")
                filling.unlink()
                master.wait()
                first, second = of_training(master, watch)
            subprocess.run(["cp", "-a", f"{models}/.", kept], check=True)
        finally:
            subprocess.run(["umount", models], check=True)
        subprocess.run(["cp", "-a", f"{kept}/.", models], check=True)
    assert first["JobState"] == "FAILED"
    assert second["JobState"] == "COMPLETED"
    said = (tree / "master.log").read_text()
    assert re.search(rf"error: .*results/models/{MODEL}.*make room", said), said[-3000:]
    goes_on(watch)


def fill(file: Path) -> None:
    """Write to a file until its disk is full."""
    with file.open("wb", buffering=0) as opened, suppress(OSError):
        while True:
            opened.write(bytes(4096))


def finish(tree: Path) -> None:
    """Run what is left to do, on this machine."""
    command = [sys.executable, "-m", "snakemake", "--configfile", CONFIG, "--cores", "1"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


def of_training(master: Master, watch: Watch) -> list[dict[str, str]]:
    """What SLURM wrote down of the jobs that trained, in the order of their ends."""
    jobs = {trainer.job for trainer in watch.trainers}
    return [job for job in master.jobs() if job["JobId"] in jobs]


def goes_on(watch: Watch, struck: float | None = None, told: bool = False) -> None:
    """Assert that two processes trained, one after the other, and the second from where the first had come.

    struck: when the first was killed without a word; told: it was asked to end, and therefore lost no step at all.
    """
    assert watch.error is None
    assert watch.together == []
    first, second = watch.trainers
    step, written = first.checkpoints[-1]
    assert second.resumed == step > 0
    if told:
        assert first.stopped == second.resumed >= first.step
    # what is done again was done in less time than lies between two checkpoints
    assert (struck or first.told) - written <= CHECKPOINT_SECONDS + SLACK


SCENARIOS: list[Callable[[Path, Path, Path], None]] = [
    demonstrated,
    dead_node,
    more_memory,
    killed_master,
    cancelled,
    drained,
    requeued,
    full_disk,
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run on this machine that all others must equal."""
    sentence = throwaway.lacking()
    require(not sentence, sentence or "")
    tree = Tree(tmp_path_factory.mktemp("local"))
    done = tree.snakemake("--cores", "2", config=CONFIG)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return tree.folder


@pytest.fixture(scope="module")
def runs(
    finished: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[tuple[Path, float]]]]:
    """All runs by name, under way; the result of each is its folder and how many seconds it took."""
    folder = tmp_path_factory.mktemp("runs")

    def run(scenario: Callable[[Path, Path, Path], None]) -> tuple[Path, float]:
        began = time.monotonic()
        tree = folder / scenario.__name__
        scenario(finished, tree, Path(short, scenario.__name__))
        if scenario is not demonstrated:
            finish(tree)
        return tree, time.monotonic() - began

    with (
        tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp", ignore_cleanup_errors=True) as short,
        ThreadPoolExecutor(SIDE_BY_SIDE) as pool,
    ):
        started = {scenario.__name__: pool.submit(run, scenario) for scenario in SCENARIOS}
        yield started
        for future in started.values():
            future.cancel()


@pytest.mark.parametrize("name", [scenario.__name__ for scenario in SCENARIOS])
def test_it_ends_in_the_tables_of_the_local_run(
    runs: dict[str, Future[tuple[Path, float]]], finished: Path, name: str
) -> None:
    tree, seconds = runs[name].result()
    print(f"{name}: {seconds:.0f} s")
    for table in TABLES:
        assert (tree / table).read_bytes() == (finished / table).read_bytes(), table
