"""A work folder that only one run writes to, on any number of machines.

A run that lost its master (Snakemake was killed) or its node (SLURM thinks it dead) may train on beside the one that
replaces it, on a network disk whose locks hold within one machine, or not at all.  So ownership is in files:

    work/owner.3   who owns the folder now: the highest number counts; only one process can make each
    work/run.3     that owner's files: checkpoint, best weights, figures for TensorBoard

- The owner touches its file every few seconds.  One that ends says so by a time stamp of zero, which takes no room on
  a full disk.
- A newcomer that finds a live owner waits, and tells so.  An owner is gone when its process is not there any more
  (same machine), when a lock that it held is free (same machine, another container), or when its file has not been
  touched for several intervals, counted while the newcomer itself was looking: clocks of two machines are never
  compared.  SLURM may shorten that ("no such job") or lengthen it ("still running").
- The newcomer makes the next owner file and renames the folder to its own number.  An owner that was only asleep finds
  another owner, and its folder gone: nothing that it still does can reach the files of the new one.  It asks before it
  writes, and a thread of its own asks with every touch and ends the process.
- An owner that knows of others that wait leaves its last checkpoint, so that they need not train again.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from _thread import interrupt_main
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from workflow_scripts.cli import InputError, LaterError
from workflow_scripts.training import processes

# None of these changes a result.
EVERY = float(os.environ.get("XLQA_HEARTBEAT_SECONDS", "10"))
WAIT = float(os.environ.get("XLQA_WAIT_SECONDS", "86400"))  # for a live owner
SILENT = 6  # intervals without a touch after which an owner on another machine is gone
DOUBTFUL = 2  # the same where SLURM says that its job is over; SLURM is not asked before
SPEAK = 60.0  # seconds between lines of progress while waiting
GRACE = 30.0  # seconds that a run has to end after it lost its folder
DOING = 60  # characters in an owner's file for what it does
ENDED = (0, 0)  # the time stamp of a file whose owner has ended


class LostError(Exception):
    """Another run has taken this run's folder over."""


@dataclass(frozen=True)
class Owner:
    """Who owns a folder, as its file says."""

    token: str
    host: str
    machine: str  # the same for all processes under one kernel, until it starts anew
    processes: str  # within which process numbers mean the same
    pid: int
    started: str | None  # when, in the kernel's count: process numbers are used again
    locked: bool  # whether it holds a lock on its file
    every: float  # seconds between touches
    job: str | None = None
    restarts: str | None = None

    def __str__(self) -> str:
        return f"{f'job {self.job}' if self.job else f'process {self.pid}'} on {self.host}"


class Holding:
    """A folder that this process owns: the thread that touches its file, and what is known of it."""

    def __init__(self, work: Path, number: int, owner: Owner, lock: int) -> None:
        self.work, self.number, self.owner, self.lock = work, number, owner, lock
        self.folder = work / f"run.{number}"
        self.doing = ""
        self.ended = threading.Event()
        self.lost = False
        self.thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def check(self) -> None:
        """Raise LostError where the folder is another run's by now."""
        try:
            self.lost = self.lost or highest(self.work, "owner") != self.number
        except FileNotFoundError:  # somebody has removed the work folder
            self.lost = True
        if self.lost:
            raise LostError

    def touch(self) -> None:
        """Say that this process lives, and what it does; the second needs a disk that takes it, the first does not."""
        with contextlib.suppress(OSError):
            os.pwrite(self.lock, f"{self.doing:<{DOING}}"[:DOING].encode(), len(line_of(self.owner)))
        os.utime(owner_file(self.work, self.number))

    def _beat(self) -> None:
        while not self.ended.wait(self.owner.every):
            with contextlib.suppress(
                OSError
            ):  # a disk that is away for a while; others count their own looks only
                self.touch()
                self.check_quietly()
            if self.lost:
                interrupt_main()
                if not self.ended.wait(GRACE):  # in a call that nothing interrupts
                    with contextlib.suppress(OSError):  # nobody may be there to read it
                        print(f"error: {lost(self.work)}", file=sys.stderr, flush=True)
                    os._exit(LaterError.code)
                return

    def check_quietly(self) -> None:
        """Note whether the folder is another run's."""
        with contextlib.suppress(LostError):
            self.check()

    def end(self) -> None:
        """Give the folder up: whoever waits need not wonder."""
        self.ended.set()
        self.thread.join()
        with contextlib.suppress(OSError):
            os.utime(owner_file(self.work, self.number), ENDED)
        os.close(self.lock)


HELD: dict[Path, Holding] = {}


@contextmanager
def locked(work: Path) -> Iterator[Path]:
    """Own a work folder, and give the folder inside it that this run alone writes to.

    Waits for a live owner.  Of several processes of a run, the first owns it for all.  Raises LaterError (exit code 75)
    where the owner lives too long, or another run has taken this one's folder; InputError where the disk cannot be
    written to.
    """
    if processes.count() > 1:
        processes.join()
    try:
        holding, folder = first_of(attempts(work) if processes.first() else followed())
    except OSError as error:
        raise InputError(
            f"{work}: cannot be made a work folder ({error.strerror}); give a --work folder on another disk"
        ) from error
    if holding is None:
        yield folder
        return
    HELD[folder] = holding
    try:
        holding.thread.start()
        yield folder
    except BaseException as error:
        if holding.lost or isinstance(error, OSError):
            holding.check_quietly()
        if holding.lost:
            raise LaterError(lost(work)) from None
        raise
    finally:
        del HELD[folder]
        holding.end()


def first_of(attempts: Iterator[Holding | None]) -> tuple[Holding | None, Path]:
    """What the first process of a run holds after some attempts, which all processes make together, and its folder."""
    for holding in attempts:
        folder = processes.gathered(holding.folder if holding else None)[0]
        if folder is not None:
            return holding, folder
    raise AssertionError  # attempts end when there is a folder


def lost(work: Path) -> str:
    """What a run says that is not the owner any more."""
    return f"{work}: {describe(read(work, highest(work, 'owner')))} trains here now; this process stops without writing"


def check_owned(folder: Path) -> None:
    """Raise LostError where this process owned the folder and does no more; ask before anything is written."""
    if folder in HELD:
        HELD[folder].check()


def tell(folder: Path, doing: str) -> None:
    """What is to be said of this run to those that wait for its folder."""
    if folder in HELD:
        HELD[folder].doing = doing


def awaited(folder: Path) -> bool:
    """Whether another run waits for this folder, which then needs its last checkpoint."""
    if folder not in HELD:
        return False
    holding = HELD[folder]
    with contextlib.suppress(OSError):
        holding.touch()
        now = (
            owner_file(holding.work, holding.number).stat().st_mtime
        )  # by the disk's own clock, as theirs are
        for file in holding.work.glob("waiting.*"):
            if now - file.stat().st_mtime < SILENT * holding.owner.every:
                return True
            file.unlink()  # of a process that was killed while it waited
    return False


def followed() -> Iterator[None]:
    """The attempts of a process that leaves them to the first one."""
    while True:
        yield None


def attempts(work: Path) -> Iterator[Holding | None]:
    """Attempts to own a folder, with pauses between them; the last gives what came of it.

    Raises LaterError when a live owner was waited for too long.
    """
    work.mkdir(parents=True, exist_ok=True)
    waiting = work / f"waiting.{uuid.uuid4().hex}"
    watched = Watched(work, 0)
    began = time.monotonic()
    spoke = -SPEAK
    try:
        while True:
            number = highest(work, "owner")
            if number != watched.number:
                watched = Watched(work, number)
            if number == 0 or watched.gone():
                holding = claimed(work, number + 1)
                if holding:
                    yield holding
                    return
                continue
            waiting.touch()  # again each time: who waits lives, too
            waited = time.monotonic() - began
            if waited > WAIT:
                raise LaterError(
                    f"{work}: {describe(watched.owner)} trains here and has not ended in {WAIT:.0f} s; stop it, or run"
                    " again later"
                )
            if waited - spoke >= SPEAK:
                spoke = waited
                doing = watched.doing()
                print(
                    f"waiting for {describe(watched.owner)}, which trains in {work}{doing and f' ({doing})'}",
                    file=sys.stderr,
                    flush=True,
                )
            yield None
            time.sleep(min(1.0, EVERY / 4))
    finally:
        waiting.unlink(missing_ok=True)


class Watched:
    """An owner as a newcomer sees it: how long its file has not been touched while the newcomer looked."""

    def __init__(self, work: Path, number: int) -> None:
        self.work, self.number, self.file = work, number, owner_file(work, number)
        self.owner: Owner | None = None
        self.touched, self.still, self.looked = -1, 0.0, time.monotonic()

    def gone(self) -> bool:
        """Whether the owner has ended, or is provably not there any more."""
        try:
            # opened, because a network disk may answer from memory otherwise
            with open(self.file, "rb") as file:
                touched = os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:
            return False  # removed by hand: the next look finds another
        if touched == 0:
            return True
        self.owner = self.owner or read(self.work, self.number)
        every = self.owner.every if self.owner else EVERY
        now = time.monotonic()
        # a look after a long pause tells no more than any other: perhaps nobody could reach the disk
        self.still = self.still + min(now - self.looked, every) if touched == self.touched else 0.0
        self.touched, self.looked = touched, now
        if self.owner is None:
            return self.still > SILENT * every
        here = gone_here(self.owner, self.file)
        if here is not None:
            return here
        if self.still <= DOUBTFUL * every:
            return False
        running = incarnation_runs(self.owner)
        return not running if running is not None else self.still > SILENT * every

    def doing(self) -> str:
        """What the owner said last of what it does."""
        with contextlib.suppress(OSError, IndexError):
            return self.file.read_text("utf-8").splitlines()[1].strip()
        return ""


def gone_here(owner: Owner, file: Path) -> bool | None:
    """Whether an owner on this machine is gone; None where it is on another, or cannot be known."""
    if owner.machine != machine():
        return None
    if owner.started is not None and owner.processes == process_space():
        return started(owner.pid) != owner.started
    if owner.locked:
        with open(file, "rb") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError:
                return None
            return True
    return None


def incarnation_runs(owner: Owner) -> bool | None:
    """Whether SLURM has an owner's job that may still run; None where it has none, or SLURM cannot be asked."""
    if owner.job is None:
        return None
    if owner.job == os.environ.get("SLURM_JOB_ID"):  # this one: it was requeued, or both are in it
        return False if owner.restarts != os.environ.get("SLURM_RESTART_COUNT") else None
    try:
        asked = subprocess.run(
            ["squeue", "--noheader", "--jobs", owner.job, "--format", "%T"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if asked.returncode:
        return False if "Invalid job id" in asked.stderr else None
    return any(state in asked.stdout for state in ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED"))


def claimed(work: Path, number: int) -> Holding | None:
    """Make the owner file of a number, and the folder this run's; None where another process was first."""
    try:
        # One process makes it, on network disks, too.  One that dies before it has said who it is has been silent soon.
        lock = os.open(owner_file(work, number), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return None
    holding = None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            has_locks = True
        except OSError:
            has_locks = False
        owner = myself(has_locks)
        os.write(lock, line_of(owner) + b" " * DOING + b"\n")
        os.fsync(lock)
        made = Holding(work, number, owner, lock)
        adopt(made)
        holding = made
    except LostError:
        pass
    finally:
        if holding is None:
            with contextlib.suppress(OSError):
                os.utime(owner_file(work, number), ENDED)
            os.close(lock)
    return holding


def adopt(holding: Holding) -> None:
    """Make what the last owner left this owner's, under a name that only this one knows."""
    for number in sorted(numbers(holding.work, "run"), reverse=True):
        with contextlib.suppress(FileNotFoundError):
            os.rename(holding.work / f"run.{number}", holding.folder)
            break
    else:
        holding.folder.mkdir()
    holding.check()
    for number in numbers(holding.work, "run") - {
        holding.number
    }:  # what a run wrote that had lost its folder
        shutil.rmtree(holding.work / f"run.{number}", ignore_errors=True)
    for partial in holding.folder.glob(".*.pt.*"):  # of a run that was killed while writing
        partial.unlink(missing_ok=True)


def owner_file(work: Path, number: int) -> Path:
    """The file of the owner of that number."""
    return work / f"owner.{number}"


def numbers(work: Path, kind: str) -> set[int]:
    """The numbers of the owner files, or of the folders of runs."""
    names = (name.partition(".") for name in os.listdir(work))
    return {int(number) for name, _, number in names if name == kind and number.isdigit()}


def highest(work: Path, kind: str) -> int:
    """The highest of these numbers; 0 where there is none."""
    return max(numbers(work, kind), default=0)


def line_of(owner: Owner) -> bytes:
    """The first line of an owner's file."""
    return json.dumps(asdict(owner)).encode() + b"\n"


def read(work: Path, number: int) -> Owner | None:
    """The owner of a number as its file says; None where it says nothing whole (yet)."""
    try:
        with open(owner_file(work, number), "rb") as file:
            return Owner(**json.loads(file.readline()))
    except (OSError, ValueError, TypeError):
        return None


def describe(owner: Owner | None) -> str:
    """An owner in words."""
    return str(owner) if owner else "another process"


def myself(has_locks: bool) -> Owner:
    """This process as an owner."""
    return Owner(
        token=uuid.uuid4().hex,
        host=os.environ.get("SLURMD_NODENAME", os.uname().nodename),
        machine=machine(),
        processes=process_space(),
        pid=os.getpid(),
        started=started(os.getpid()),
        locked=has_locks,
        every=EVERY,
        job=os.environ.get("SLURM_JOB_ID"),
        restarts=os.environ.get("SLURM_RESTART_COUNT"),
    )


def machine() -> str:
    """A name of this machine since it was started, the same in its containers."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return os.uname().nodename


def process_space() -> str:
    """A name of what process numbers are counted in: containers may have numbers of their own."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def started(pid: int) -> str | None:
    """When a process of this machine started, in the kernel's count; None where it runs no more, or is not told."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
