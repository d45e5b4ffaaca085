"""A work folder has one owner, whoever is killed, put to sleep or slow, on one machine or on several."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from workflow_scripts.cli import LaterError
from workflow_scripts.files import atomic
from workflow_scripts.training import work_folder
from workflow_scripts.training.work_folder import check_owned, locked

# Forks of a process that imports what is needed, once, and does nothing else: the process of the tests may have threads
# of gRPC's, which forks don't survive.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Heartbeats in hundredths of a second."""
    monkeypatch.setattr(work_folder, "EVERY", 0.05)


def elsewhere(name: str) -> None:
    """Make this process one of another machine, on a disk whose locks hold within one machine only."""
    work_folder.machine = lambda: name


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def started(target, *arguments):
    process = FORKS.Process(target=as_here, args=(work_folder.EVERY, target, *arguments))
    process.start()
    return process


def as_here(every, target, *arguments):
    """Do something with the heartbeats that the test has set, which another process does not inherit."""
    work_folder.EVERY = every
    target(*arguments)


def owning(work: Path, until: Path, machine: str | None = None) -> None:
    """Own a folder until a file is there; then write, if it is still this process's."""
    if machine:
        elsewhere(machine)
    with locked(work) as folder:
        work_folder.tell(folder, "step 7 of 9")
        (folder / "there").write_text("")
        while not until.exists():
            time.sleep(0.01)
        check_owned(folder)
        (folder / "written").write_text("")


def owner_is_there(work: Path) -> bool:
    return any(work.glob("run.*/there"))


def test_a_newcomer_waits_for_a_live_owner_and_finds_what_it_left(tmp_path, capsys):
    work, until = tmp_path / "work", tmp_path / "until"
    owner = started(owning, work, until)
    wait_for(lambda: owner_is_there(work))
    time.sleep(0.2)  # a heartbeat tells what the owner does
    threading.Timer(0.3, until.touch).start()
    with locked(work) as folder:
        assert (folder / "written").exists()
        assert folder.name == "run.2"
    owner.join()
    assert owner.exitcode == 0
    told = capsys.readouterr().err
    assert (
        told
        == f"waiting for process {owner.pid} on {os.uname().nodename}, which trains in {work} (step 7 of 9)\n"
    )


def test_waiting_has_an_end(tmp_path, monkeypatch):
    owner = started(owning, tmp_path, tmp_path / "until")
    wait_for(lambda: owner_is_there(tmp_path))
    monkeypatch.setattr(work_folder, "WAIT", 0.2)
    with (
        pytest.raises(LaterError, match=r"process \d+ on .* trains here and has not ended in 0 s; stop it"),
        locked(tmp_path),
    ):
        pass
    assert LaterError.code == 75
    owner.kill()
    owner.join()
    assert not list(tmp_path.glob("waiting.*"))


def test_on_one_machine_a_dead_owner_is_known_at_once_and_one_that_sleeps_is_waited_for(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(work_folder, "EVERY", 5.0)
    owner = started(owning, tmp_path, tmp_path / "until")
    wait_for(lambda: owner_is_there(tmp_path))
    monkeypatch.setattr(work_folder, "EVERY", 0.02)
    os.kill(owner.pid, signal.SIGSTOP)
    monkeypatch.setattr(work_folder, "WAIT", 1.0)
    with pytest.raises(LaterError), locked(tmp_path):
        pass
    owner.kill()  # not reaped yet: a zombie writes no more
    began = time.monotonic()
    with locked(tmp_path):
        assert time.monotonic() - began < 1.0
    owner.join()


def test_another_process_with_the_number_of_the_owner_is_not_the_owner(tmp_path, monkeypatch):
    (holding,) = [found for found in work_folder.attempts(tmp_path) if found]
    os.close(holding.lock)
    monkeypatch.setattr(work_folder, "EVERY", 5.0)
    assert work_folder.gone_here(holding.owner, work_folder.owner_file(tmp_path, 1)) is False
    monkeypatch.setattr(work_folder, "started", lambda pid: "12345")
    assert work_folder.gone_here(holding.owner, work_folder.owner_file(tmp_path, 1)) is True


@pytest.mark.parametrize("alive", [True, False])
def test_in_another_container_the_lock_tells(tmp_path, monkeypatch, alive):
    (holding,) = [found for found in work_folder.attempts(tmp_path) if found]
    monkeypatch.setattr(work_folder, "process_space", lambda: "pid:[1]")
    if not alive:
        os.close(holding.lock)
    assert work_folder.gone_here(holding.owner, work_folder.owner_file(tmp_path, 1)) is not alive


def test_an_owner_elsewhere_that_wakes_up_after_a_takeover_writes_nothing(tmp_path):
    work, until = tmp_path / "work", tmp_path / "until"
    owner = started(owning, work, until, "n2")
    wait_for(lambda: owner_is_there(work))
    os.kill(owner.pid, signal.SIGSTOP)
    with locked(work) as folder:
        (folder / "checkpoint.pt").write_text("new")
        until.touch()
        os.kill(owner.pid, signal.SIGCONT)
        owner.join()
        assert owner.exitcode not in (0, None)
        assert sorted(file.name for file in folder.iterdir()) == ["checkpoint.pt", "there"]
        assert not (work / "run.1").exists()


def test_a_live_owner_elsewhere_is_not_taken_for_a_dead_one(tmp_path, monkeypatch):
    monkeypatch.setattr(work_folder, "EVERY", 0.2)
    owner = started(owning, tmp_path, tmp_path / "until", "n2")
    wait_for(lambda: owner_is_there(tmp_path))
    monkeypatch.setattr(work_folder, "WAIT", 4.0)
    with pytest.raises(LaterError), locked(tmp_path):
        pass
    assert owner.is_alive()
    owner.kill()
    owner.join()


ORPHAN = """
import sys, time
from pathlib import Path
from workflow_scripts import cli
from workflow_scripts.training import work_folder

def main():
    work_folder.machine = lambda: "n2"
    with work_folder.locked(Path(sys.argv[1])) as folder:
        (folder / "there").touch()
        while True:
            time.sleep(0.01)

cli.run(main)
"""


def test_an_orphan_ends_with_a_sentence(tmp_path):
    work = tmp_path / "work"
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "XLQA_HEARTBEAT_SECONDS": "0.05"}
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN, work], env=environment, stderr=subprocess.PIPE, text=True
    ) as orphan:
        wait_for(lambda: owner_is_there(work))
        orphan.send_signal(signal.SIGSTOP)
        with locked(work):
            orphan.send_signal(signal.SIGCONT)
            _, told = orphan.communicate(timeout=20)
    assert orphan.returncode == 75
    assert told == (
        f"error: {work}: process {os.getpid()} on {os.uname().nodename} trains here now; this process stops without"
        " writing\n"
    )


@pytest.mark.parametrize(
    ("answer", "patience"),
    [("echo RUNNING", None), ("echo", 3), ("echo Invalid job id >&2; exit 1", 3), ("exit 1", 7)],
)
def test_slurm_may_know_more_than_a_silent_owner_tells(tmp_path, monkeypatch, answer, patience):
    """Looks, one an interval, until the owner is held to be gone: SLURM's word makes them fewer, or too few ever."""
    squeue = tmp_path / "bin" / "squeue"
    squeue.parent.mkdir()
    squeue.write_text(f"#!/bin/sh\n{answer}\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{squeue.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "33")
    with monkeypatch.context() as patch:
        patch.setattr(work_folder, "machine", lambda: "n2")
        (holding,) = [found for found in work_folder.attempts(tmp_path / "work") if found]
    os.close(holding.lock)
    assert str(holding.owner).startswith("job 33 on ")
    monkeypatch.setenv("SLURM_JOB_ID", "34")
    clock = [0.0]
    monkeypatch.setattr(work_folder.time, "monotonic", lambda: clock[0])
    watched = work_folder.Watched(tmp_path / "work", 1)
    looks = 0
    while not watched.gone() and looks < 50:
        clock[0] += 1.0  # far more than an interval: a look counts for one at most
        looks += 1
    assert looks == (patience or 50)


# Many at once


def registering(work: Path, number: int, acknowledged: Path, machine: str | None, seconds: float) -> None:
    """Own the folder again and again, and add lines to a file that is replaced whole, as a checkpoint is."""
    if machine:
        elsewhere(machine)
    chance = random.Random(number)
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        with suppress(LaterError), locked(work) as folder:
            register = folder / "register"
            with open(work / "spans", "a") as spans:
                spans.write(f"+{folder.name}\n")
            for _ in range(chance.randint(1, 5)):
                line = f"{folder.name} {number} {count}\n"
                count += 1
                before = register.read_text() if register.exists() else ""
                time.sleep(chance.uniform(0, 0.01))
                check_owned(folder)
                with suppress(FileNotFoundError), atomic(register) as temporary:
                    temporary.write_text(before + line)
                check_owned(folder)
                with open(acknowledged, "a") as file:
                    file.write(line)
            with open(work / "spans", "a") as spans:
                spans.write(f"-{folder.name}\n")


@pytest.mark.slow
@pytest.mark.parametrize("machines", [1, 8])
def test_no_two_owners_at_once_whoever_is_killed_or_put_to_sleep(tmp_path, monkeypatch, machines):
    """On eight machines with heartbeats so quick that owners are often late: what a late one writes reaches nobody."""
    monkeypatch.setattr(work_folder, "EVERY", 0.02)
    work = tmp_path / "work"
    work.mkdir()
    chance = random.Random(machines)

    def start(number):
        machine = None if machines == 1 else f"n{number % 8}"
        acknowledged = tmp_path / f"acknowledged.{number}"
        return started(registering, work, number, acknowledged, machine, end - time.monotonic())

    end = time.monotonic() + 8
    workers = [start(number) for number in range(8)]
    kills = sleeps = 0
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.02, 0.1))
        at = chance.randrange(8)
        if chance.random() < 0.5:
            workers[at].kill()
            workers[at].join()
            kills += 1
            workers[at] = start(8 * kills + at)
        elif workers[at].is_alive():
            os.kill(workers[at].pid, signal.SIGSTOP)
            time.sleep(chance.uniform(0.0, 0.5))
            with suppress(ProcessLookupError):
                os.kill(workers[at].pid, signal.SIGCONT)
            sleeps += 1
    for worker in workers:
        worker.join(20)
        worker.kill()
    with locked(work) as folder:
        lines = (folder / "register").read_text().splitlines()
    assert kills > 5
    assert sleeps > 5
    numbers = [int(line.split()[0].partition(".")[2]) for line in lines]
    assert numbers == sorted(numbers)
    assert len(set(lines)) == len(lines)
    acknowledged = {
        line for file in tmp_path.glob("acknowledged.*") for line in file.read_text().splitlines()
    }
    assert len(acknowledged) > 20
    assert acknowledged <= set(lines)
    if machines == 1:  # nobody took over from one who lived: nothing of two lies between one another
        spans = (work / "spans").read_text().splitlines()
        seen = [int(span[1:].partition(".")[2]) for span in spans]
        assert seen == sorted(seen)
