"""Steps that want a GPU get one of their own, as many at a time as there are."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.cluster import devices

STEP = """
import json, os, sys, time
with open(sys.argv[1], "a") as log:
    log.write(json.dumps(["begin", os.environ.get("CUDA_VISIBLE_DEVICES"), time.monotonic()]) + "\\n")
time.sleep(float(sys.argv[2]))
with open(sys.argv[1], "a") as log:
    log.write(json.dumps(["end", os.environ.get("CUDA_VISIBLE_DEVICES"), time.monotonic()]) + "\\n")
sys.exit(int(sys.argv[3]))
"""


@pytest.fixture
def step(tmp_path, monkeypatch):
    """A folder with a step that notes which devices it sees, and what the environment must not bring along."""
    for name in ("CUDA_VISIBLE_DEVICES", "XLQA_GPUS", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "step.py").write_text(STEP)
    return tmp_path


def launched(folder: Path, *options: str, seconds=0.5, code=0, **environment: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "workflow_scripts.cluster.launch", *options, "step", folder / "log"]
    return subprocess.Popen(
        [*map(str, command), str(seconds), str(code)],
        env={**os.environ, "PYTHONPATH": f"{Path.cwd()}{os.pathsep}{folder}", **environment},
    )


def two_gpus() -> str:
    """Names of two devices that no other test has."""
    name = uuid.uuid4().hex
    return f"GPU-{name}-0,GPU-{name}-1"


def log(folder: Path) -> list:
    file = folder / "log"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def check_never_shared(lines: list, jobs: int) -> None:
    """Every job saw one device, and between a job's begin and end nobody else's."""
    busy: Counter = Counter()
    most = 0
    for what, device, _ in sorted(lines, key=lambda line: line[2]):
        busy[device] += 1 if what == "begin" else -1
        assert busy[device] in (0, 1)
        most = max(most, sum(busy.values()))
    assert len(lines) == 2 * jobs
    assert len(busy) == most == 2
    assert not any("," in device for device in busy)


def test_four_steps_on_two_gpus_see_one_each_and_never_share_it(step):
    pool = two_gpus()
    started = [launched(step, CUDA_VISIBLE_DEVICES=pool) for _ in range(4)]
    assert [process.wait() for process in started] == [0, 0, 0, 0]
    check_never_shared(log(step), 4)


SNAKEFILE = """
rule all:
    input: expand("done{number}", number=range(4))
rule job:
    output: "done{number}"
    resources: gpu=1
    shell: "PYTHON -m workflow_scripts.cluster.launch step log 0.5 0 && touch {output}"
"""


@pytest.mark.slow
def test_four_jobs_of_snakemake_on_two_gpus_see_one_each_and_never_share_it(step):
    """Snakemake itself would run all four at once."""
    (step / "Snakefile").write_text(SNAKEFILE.replace("PYTHON", sys.executable))
    environment = {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": two_gpus(),
        "PYTHONPATH": f"{Path.cwd()}{os.pathsep}{step}",
    }
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        "4",
        "--directory",
        step,
        "-s",
        step / "Snakefile",
        "-q",
    ]
    subprocess.run([*command, "--", "all"], env=environment, check=True, cwd=step, timeout=120)
    check_never_shared(log(step), 4)


def test_a_device_is_free_again_however_its_step_ends(step):
    device = two_gpus().partition(",")[0]
    killed = launched(step, seconds=60, CUDA_VISIBLE_DEVICES=device)
    while not log(step):
        time.sleep(0.05)
    waiting = launched(step, seconds=0, code=3, CUDA_VISIBLE_DEVICES=device)
    time.sleep(0.5)
    assert waiting.poll() is None
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    assert waiting.wait(20) == 3
    assert [line[:2] for line in log(step)] == [["begin", device], ["begin", device], ["end", device]]


def test_signals_reach_the_step(step):
    running = launched(step, seconds=60, CUDA_VISIBLE_DEVICES=two_gpus())
    while not log(step):
        time.sleep(0.05)
    running.terminate()
    assert running.wait(20) == -signal.SIGTERM
    assert len(log(step)) == 1


def test_what_slurm_has_set_is_left_as_it_is(step):
    """Two jobs of SLURM may both call their device 0: that is not one device."""
    own = {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "1"}
    first, second = (launched(step, seconds=2, **own) for _ in range(2))
    assert first.wait() == second.wait() == 0
    assert [line[:2] for line in log(step)] == [["begin", "0"]] * 2 + [["end", "0"]] * 2


def test_one_who_wants_both_gpus_is_not_passed_by(step):
    pool = two_gpus()
    first = launched(step, seconds=1.5, CUDA_VISIBLE_DEVICES=pool)
    while not log(step):
        time.sleep(0.05)
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"from workflow_scripts.cluster.devices import take; print(take({pool.split(',')}, 2)[0], flush=True)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as both:
        time.sleep(1.0)
        late = launched(step, seconds=0, CUDA_VISIBLE_DEVICES=pool)
        assert both.communicate()[0].strip() == str(pool.split(","))
    assert [process.wait() for process in (first, late)] == [0, 0]


SEVERAL = """
import sys
from accelerate import PartialState
from workflow_scripts.cli import InputError, run
from workflow_scripts.training import processes

def main():
    PartialState()
    numbers = processes.gathered((processes.rank(), sys.argv[1]))
    raise InputError(f"{processes.count()} processes: {numbers}")

run(main)
"""


@pytest.mark.slow
def test_a_step_on_two_devices_has_a_process_for_each_and_its_sentence_comes_last(step):
    (step / "step.py").write_text(SEVERAL)
    launcher = [sys.executable, "-m", "workflow_scripts.cluster.launch", "--devices", "2", "step", "a word"]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{Path.cwd()}{os.pathsep}{step}",
        "CUDA_VISIBLE_DEVICES": two_gpus(),
    }
    done = subprocess.run(launcher, env=environment, capture_output=True, text=True, timeout=120)
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, last) == (2, "error: 2 processes: [(0, 'a word'), (1, 'a word')]")


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"XLQA_GPUS": "3"}, ["0", "1", "2"]),
        ({"XLQA_GPUS": "3", "CUDA_VISIBLE_DEVICES": "5, GPU-ab"}, ["5", "GPU-ab"]),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,2"}, ["1"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"XLQA_GPUS": "0"}, []),
    ],
)
def test_the_pool(environment, found):
    assert devices.pool(environment) == found


def test_an_odd_number_of_gpus_is_told():
    with pytest.raises(InputError, match="XLQA_GPUS is 'all'; say how many GPUs this machine has"):
        devices.pool({"XLQA_GPUS": "all"})
