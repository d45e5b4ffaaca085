"""Where jobs stand is read off what Snakemake says, processes, queues, owners of work folders, and the ends of logs."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow_scripts.cluster.graph import Begun, Job
from workflow_scripts.cluster.status import MISSING, NEWER, at_work, bar, owner, reason, standing, told

PROGRESS = "mbert-aug: 120/700 steps, 17 %, eta 3:10, loss 1.2"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that a run is in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    return tmp_path


def job(name: str, log: str = "") -> Job:
    """A job, with what its log says."""
    file = Path("logs") / f"{name}.log"
    if log:
        file.write_text(log, "utf-8")
    return Job(
        rule="tune",
        wildcards={"model": name},
        inputs=(),
        outputs=(f"results/models/{name}/config.json",),
        log=str(file),
        costs=None,
        threads=1,
        resources={},
        local=False,
        group=None,
    )


@pytest.fixture
def process(folder: Path) -> Iterator[int]:
    """A process as Snakemake starts one, which writes logs/running.log."""
    made = subprocess.Popen(["bash", "-c", "sleep 60 >> logs/running.log; true"], start_new_session=True)
    yield made.pid
    os.killpg(made.pid, 9)
    made.wait()


def test_a_failure_is_told_by_the_last_line_of_its_log() -> None:
    sentence = "error: data/a.json line 3: not JSON (Extra data)"
    traceback = 'Traceback (most recent call last):\n  File "a.py", line 1\ntorch.OutOfMemoryError: no room'
    assert reason([PROGRESS, sentence]) == sentence
    assert reason([sentence, "slurmstepd: error: Exceeded job memory limit"]) == sentence
    assert reason(traceback.splitlines()) == "torch.OutOfMemoryError: no room"
    assert reason(["KeyError: 'a'"]) == "KeyError: 'a'"
    assert reason([PROGRESS]) == f"broken off after: {PROGRESS}"
    assert reason(["mbert-aug: 700/700 steps, 100 %, took 60 s", "weights of step 700"]) is None
    assert reason(["no errors in 12 files"]) is None
    assert reason([]) is None


def test_each_state_and_its_reason(process: int) -> None:
    jobs = [
        job("done", "error: from an earlier try\n"),
        job("running"),
        job("queued"),
        job("failed", "error: no such file\n"),
        job("killed", f"{PROGRESS}\n"),
        job("silent"),
        job("stale", "all went well\n"),
        job("waiting"),
        job("behind", "error: from an earlier try, since then made\n"),
    ]
    said = {
        "running": Begun((MISSING,), True, ()),
        "queued": Begun((MISSING,), True, ("7",)),
        "failed": Begun((MISSING,), False, ()),
        "killed": Begun((MISSING,), True, ("8",)),
        "silent": Begun((MISSING,), True, ()),
        "stale": Begun(("code has changed since last execution", NEWER), False, ()),
        "waiting": Begun((MISSING, NEWER), False, ()),
        "behind": Begun((NEWER,), False, ()),
    }
    for _ in range(100):  # until bash has begun
        if at_work(["logs/running.log"]):
            break
        time.sleep(0.05)
    Path("logs/running.log").write_text(f"{PROGRESS}\n", "utf-8")
    found = standing(
        jobs,
        {f"results/models/{name}/config.json": of for name, of in said.items()},
        {"7": "SLURM job 7, pending (Resources)"},
    )
    states = {one.job.removeprefix("tune "): (one.state, one.why) for one in found}
    assert states == {
        "done": ("done", ""),
        "running": ("running", f"process {process}: {PROGRESS}"),
        "queued": ("running", "SLURM job 7, pending (Resources)"),
        "failed": ("failed", "error: no such file"),
        "killed": ("failed", f"broken off after: {PROGRESS}"),
        "silent": ("failed", "broken off without a word"),
        "stale": ("stale", "code has changed since last execution"),
        "waiting": ("waiting", ""),
        "behind": ("waiting", ""),
    }
    text = told(found, exact=True)
    assert text.startswith("9 jobs: 1 done, 2 running, 3 failed, 1 stale, 2 waiting")
    assert "tune failed: error: no such file\n    logs/failed.log" in text
    assert "tune, 1: code has changed since last execution" in text


def test_a_process_elsewhere_or_of_a_log_with_a_longer_name_is_another(process: int, tmp_path: Path) -> None:
    for _ in range(100):
        if at_work(["logs/running.log"]):
            break
        time.sleep(0.05)
    assert at_work(["logs/running.log", "logs/run", "running.log"]) == {
        "logs/running.log": f"process {process}"
    }
    (tmp_path / "other").mkdir()
    os.chdir(tmp_path / "other")
    assert at_work(["logs/running.log"]) == {}


def test_the_owner_of_a_work_folder_lives_while_its_file_is_touched(folder: Path) -> None:
    work = folder / "work" / "models" / "a" / "seed0"
    work.mkdir(parents=True)
    assert owner(work) is None
    (work / "owner.9").write_text(json.dumps({"host": "n1", "pid": 5, "job": None}) + "\n", "utf-8")
    assert owner(work) == "process 5 on n1"
    (work / "owner.10").write_text(
        json.dumps({"host": "n2", "pid": 5, "job": "33"}) + "\ntraining\n", "utf-8"
    )
    assert owner(work) == "job 33 on n2"
    os.utime(work / "owner.10", (0, 0))
    assert owner(work) is None


def test_a_bar_shows_whatever_there_is() -> None:
    assert bar({"done": 2000, "failed": 1}, 10) == "█████████✗"
    assert bar({"done": 3, "waiting": 3}, 10) == "█████·····"
    assert len(bar({"done": 1, "running": 1, "failed": 1, "stale": 1, "waiting": 996}, 10)) == 10
