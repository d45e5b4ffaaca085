"""The throw-away cluster itself: GPUs of two nodes, memory that is watched, a node that dies, no leftovers."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import require
from workflow_scripts.cli import InputError
from workflow_scripts.cluster import throwaway


def call(cluster: Path, *command: str) -> str:
    """What a command prints that is run where SLURM's programs find the cluster."""
    return subprocess.run(
        command, env=throwaway.environment(cluster), capture_output=True, text=True, timeout=60, check=True
    ).stdout


def wait_for(cluster: Path, state: str, job: str) -> str:
    """Wait until a job is in a state; the node that it is or was on."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        now, _, node = (
            call(cluster, "squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T %N")
            .strip()
            .partition(" ")
        )
        if now == state:
            return node
        time.sleep(0.2)
    raise AssertionError(f"job {job} is {now}, not {state}")


def test_jobs_on_two_nodes_see_a_gpu_each(cluster: Path) -> None:
    said = call(
        cluster,
        "srun",
        "-N2",
        "-n2",
        "--gpus-per-node=1",
        "sh",
        "-c",
        "echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES",
    )
    assert sorted(said.splitlines()) == ["n1 0", "n2 0"]


@pytest.mark.slow
def test_a_job_that_takes_more_memory_than_it_asked_for_is_killed(cluster: Path) -> None:
    hold = "python3 -c 'import time; held = bytearray(200_000_000); time.sleep({})'"
    enough, little = (
        call(
            cluster,
            "sbatch",
            "--parsable",
            f"--mem={memory}",
            "--output=/dev/null",
            "--wrap",
            hold.format(seconds),
        ).strip()
        for memory, seconds in ((300, 4), (100, 60))
    )
    wait_for(cluster, "COMPLETED", enough)
    wait_for(cluster, "FAILED", little)


@pytest.mark.slow
def test_a_job_of_a_dead_node_runs_again_on_the_other_and_the_end_leaves_nothing(short: Path) -> None:
    sentence = throwaway.lacking()
    require(not sentence, sentence or "")
    cluster = short / "c"
    throwaway.start(cluster, gpus=0, cpus=1)
    try:
        with pytest.raises(InputError, match="stop it first"):
            throwaway.start(cluster)
        # a process of the job that has left its parents behind is killed with them
        script = f"(setsid sleep 1000 &) ; echo $$ >> {short}/started; sleep 999"
        job = call(cluster, "sbatch", "--parsable", "--output=/dev/null", "--wrap", script).strip()
        node = wait_for(cluster, "RUNNING", job)
        throwaway.kill_node(cluster, node)
        assert not throwaway.processes(cluster, node)
        wait_for(cluster, "PENDING", job)
        assert wait_for(cluster, "RUNNING", job) != node
        throwaway.start_node(cluster, node)
    finally:
        throwaway.stop(cluster)
    assert not throwaway.processes(cluster)
    throwaway.stop(cluster)


def test_a_folder_with_something_else_is_left_alone(short: Path) -> None:
    sentence = throwaway.lacking()
    require(not sentence, sentence or "")
    (short / "bin").mkdir()
    with pytest.raises(InputError, match="no cluster's"):
        throwaway.start(short)
    assert (short / "bin").is_dir()
