"""Results that were paid for, kept so that no text is ever paid for twice: append-only segments below `cache/`.

A folder holds what one service with one set of settings has answered: `cache/<kind>/<digest of the settings>/…`.  Every
process writes a segment of its own, only ever appends to it, and flushes it to the disk before it goes on; nothing is
rewritten, so the folder is safe on network file systems and whatever a kill leaves behind can be read.  A line is

    <first 16 digits of the SHA-256 of what follows> ["sending", <digest>, <size>]   before a request leaves
    <…> ["result", <digest>, <text>]                                                  when its answer is there
    <…> ["refused", <digest>, <size>]                                                 when the service did nothing

What was announced and never answered may have been paid for in vain; it is known by name (`Cache.lost`).  Who may send
a text follows from its digest (`owns`): shard 2/8 owns every text whose digest leaves 2 when divided by 8.  A shard has
one live owner, and jobs of 8 shards don't run beside jobs of 10, so no text is ever on its way twice at once.
"""

import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from workflow_scripts.cli import InputError
from workflow_scripts.files import write_text

WAIT_SECONDS = 600.0
CHECKSUM = 16  # hexadecimal digits before the blank
ROOM = 4_000_000  # bytes that must be free before a request leaves: its answer must find a place


class LimitReached(InputError):
    """To send these texts would exceed what the user allows to be sent; nothing was announced."""


@dataclass(frozen=True)
class Lost:
    """Announced `times` times without an answer (a later answer notwithstanding): paid for in vain, perhaps.

    `size` is what one announcement counts, in the unit of the service: characters, or milliseconds of audio.
    """

    digest: str
    size: int
    times: int


@dataclass
class Segment:
    """How far a segment has been read: bytes, and lines for error messages."""

    offset: int = 0
    lines: int = 0


@dataclass
class Account:
    """What the segments of one folder say together; announcements that were refused don't count."""

    results: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    announced: Counter[str] = field(default_factory=Counter)
    total: int = 0  # size of all announcements

    def enter(self, kind: str, digest: str, value: Any) -> None:
        """Take a line in.  A result stays as it first came, so that what was once read is read again."""
        if kind == "result":
            self.results.setdefault(digest, value)
            return
        sign = 1 if kind == "sending" else -1
        self.sizes[digest] = value
        self.announced[digest] += sign
        self.total += sign * value


def digest(content: str | bytes) -> str:
    """What a text (its UTF-8 bytes) or a recording is known by: the hexadecimal SHA-256."""
    return hashlib.sha256(content.encode("utf-8") if isinstance(content, str) else content).hexdigest()


def parse_shard(shard: str) -> tuple[int, int]:
    """(number, total) of a shard such as 2/8, counted from 0.  Raises InputError for anything else."""
    number, slash, total = shard.partition("/")
    if not (slash and number.isdecimal() and total.isdecimal() and int(number) < int(total)):
        raise InputError(f"--shard {shard}: give number/total with numbers from 0, as 0/8 to 7/8")
    return int(number), int(total)


def owns(shard: str, digest: str) -> bool:
    """Whether the texts of a digest belong to the shard.  Parts of a text, `<digest>.<…>`, belong where it does."""
    number, total = parse_shard(shard)
    return int(digest[:16], 16) % total == number


def place(cache: Path | str, kind: str, settings: Mapping[str, Any]) -> Path:
    """The folder below `cache` of what a kind of service answers with these settings."""
    text = json.dumps(settings, sort_keys=True, ensure_ascii=False)
    return Path(cache) / kind / digest(text)[:24]


def _line(kind: str, digest: str, value: Any) -> bytes:
    body = json.dumps([kind, digest, value], ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return hashlib.sha256(body).hexdigest()[:CHECKSUM].encode() + b" " + body + b"\n"


def _parse(line: bytes) -> tuple[str, str, Any] | None:
    """The content of a line without its line feed, or None where it is damaged."""
    checksum, _, body = line.partition(b" ")
    if hashlib.sha256(body).hexdigest()[:CHECKSUM].encode() != checksum:
        return None
    kind, name, value = json.loads(body)
    return kind, name, value


def _read(file: Path, read: Segment, account: Account) -> None:
    """Enter the lines that a segment has beyond `read`.  A last line without its line feed is not there (yet).

    A damaged line is told by file and line, and left out.
    """
    with open(file, "rb") as opened:
        opened.seek(read.offset)
        content = opened.read()
    whole = content[: content.rfind(b"\n") + 1]
    for line in whole.split(b"\n")[:-1]:
        read.lines += 1
        entry = _parse(line)
        if entry is None:
            print(f"{file} line {read.lines}: damaged (its checksum is another); left out", file=sys.stderr)
        else:
            account.enter(*entry)
    read.offset += len(whole)


def _lock(file: IO[str], how: int) -> bool:
    """Whether the lock could be had at once.  Raises InputError where the file system has no locks."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise InputError(
            f"{file.name}: cannot be locked ({error.strerror}); give a --cache folder on a file system with locks"
        ) from None
    return True


class Cache:
    """What a service has answered, for one job.  Use it as a context manager: the shard's lock lasts as long.

    `folder` belongs to the service, its settings and languages (see `place`); `settings` are written beside the
    segments for people to read.  `shard` names what this job owns, as 2/8.  `account` is the folder whose segments, at
    any depth, count together towards a limit: by default `folder`.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        shard: str,
        account: Path | None = None,
        wait: float = WAIT_SECONDS,
    ) -> None:
        """Open the cache, waiting up to `wait` seconds for another job that owns the shard.

        Raises InputError when that job is still at work then, the folder cannot be written or locked, or holds other
        settings.
        """
        self.number, self.total = parse_shard(shard)
        self.folder, self.shard, self.wait = folder, shard, wait
        self.account = account or folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot be made ({error.strerror}); name another --cache") from None
        self._closing = contextlib.ExitStack()
        self._end = 0  # of what has been written whole to the segment
        self._segments: dict[Path, Segment] = {}
        self._here, self._elsewhere = Account(), 0
        try:
            self._own()
            self._describe(settings)
            self._segment = self._open()
            self._refresh()
        except OSError as error:
            self._closing.close()
            raise self._unusable(error) from None
        except BaseException:
            self._closing.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def get(self, digest: str) -> str | None:
        """The answer that was kept, or None."""
        return self._here.results.get(digest)

    @property
    def lost(self) -> list[Lost]:
        """What this shard's jobs, up to this moment, have announced without getting an answer, sorted by digest.

        Right after opening these are the losses of earlier jobs; an announcement of one's own counts until its answer
        has been added.  One that was answered later is still listed: it was sent once more for that.
        """
        found = []
        for name, times in sorted(self._here.announced.items()):
            unanswered = times - (name in self._here.results)
            if unanswered > 0 and owns(self.shard, name):
                found.append(Lost(name, self._here.sizes[name], unanswered))
        return found

    @property
    def announced(self) -> int:
        """What has been announced in the account and not been refused, by all jobs as far as this one has read."""
        return self._here.total + self._elsewhere

    def sending(self, items: Mapping[str, int], limit: int | None = None) -> None:
        """Announce, on the disk, what a request is about to carry: digest -> characters, or milliseconds of audio.

        Raises InputError where the disk has no room for the answer, which would be paid for in vain.  With a limit,
        LimitReached is raised, and nothing announced, where all jobs of the account together would exceed it: their
        announcements are read and this one made under one lock.
        """
        for name in items:
            if not owns(self.shard, name):
                raise ValueError(f"{name} is not a text of shard {self.shard}")
        disk = os.fstatvfs(self._segment.fileno())
        if disk.f_blocks and disk.f_bavail * disk.f_frsize < ROOM:  # some file systems don't know their size
            raise self._unusable(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        lines = [("sending", name, size) for name, size in items.items()]
        if limit is None:
            self._append(lines)
            return
        with open(self.account / "account.lock", "a+") as lock:
            self._until(lambda: _lock(lock, fcntl.LOCK_EX), f"{lock.name}: held by another job")
            self._refresh()
            so_far, more = self.announced, sum(items.values())
            if so_far + more > limit:
                raise LimitReached(
                    f"{so_far:,} have been sent, {more:,} more would exceed the limit of {limit:,}"
                )
            self._append(lines)

    def refused(self, items: Mapping[str, int]) -> None:
        """Take an announcement back: the service said that it did nothing, so nothing was paid."""
        self._append([("refused", name, size) for name, size in items.items()])

    def add(self, results: Mapping[str, str]) -> None:
        """Keep answers: digest -> result.  They are on the disk when this returns."""
        self._append([("result", name, text) for name, text in results.items()])

    def _append(self, lines: list[tuple[str, str, Any]]) -> None:
        """Write lines to the disk.  Raises InputError where it is full or gone; whole lines until then stay."""
        content = b"".join(_line(*line) for line in lines)
        written, failed = 0, None
        try:
            while written < len(content):
                written += self._segment.write(content[written:])
            os.fsync(self._segment.fileno())
        except OSError as error:
            failed = error
            written = content.rfind(b"\n", 0, written) + 1
            with contextlib.suppress(OSError):  # half a line would spoil the next one
                self._segment.truncate(self._end + written)
                self._segment.seek(self._end + written)
        self._end += written
        for line in lines[: content.count(b"\n", 0, written)]:
            self._here.enter(*line)
        if failed is not None:
            raise self._unusable(failed)

    def _unusable(self, error: OSError) -> InputError:
        return InputError(
            f"{error.filename or self.folder}: cannot be used ({error.strerror}); make it writable, with room on the"
            " disk, and run this again: what is in the cache stays"
        )

    def _open(self) -> io.FileIO:
        """A segment that no other process writes; removed at the end if nothing was written.

        It is made before the others are looked for: a change to the folder makes a network file system list it afresh.
        """
        name = f"{time.time_ns():020d}-{os.uname().nodename}-{os.getpid()}-{random.SystemRandom().getrandbits(32):08x}"
        path = self.folder / f"{name}.segment"
        segment = self._closing.enter_context(io.FileIO(path, "x"))  # closing it writes nothing more
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        self._segments[path] = Segment()
        self._closing.callback(self._remove_empty, path)
        return segment

    def _remove_empty(self, path: Path) -> None:
        with contextlib.suppress(OSError):  # it does no harm
            if path.stat().st_size == 0:
                path.unlink()

    def _refresh(self) -> None:
        """Read what other processes have written since."""
        for path in sorted(self.account.rglob("*.segment")):
            if path == Path(self._segment.name):
                continue
            # of other folders only the sum counts
            into = self._here if path.parent == self.folder else Account()
            with contextlib.suppress(FileNotFoundError):  # an empty one, removed by its writer meanwhile
                _read(path, self._segments.setdefault(path, Segment()), into)
            if into is not self._here:
                self._elsewhere += into.total

    def _describe(self, settings: Mapping[str, Any]) -> None:
        """Write the settings beside the segments, once."""
        text = json.dumps(settings, sort_keys=True, ensure_ascii=False, indent=2) + "\n"
        path = self.folder / "settings.json"
        if not path.exists():
            write_text(path, text)
        elif path.read_text("utf-8") != text:
            raise InputError(f"{path}: other settings than this job's; move the folder {self.folder} away")

    def _own(self) -> None:
        """Take the shard: a lock shared by all jobs of as many shards, and one of its own."""
        shards = self.folder / f"shards-{self.total}.lock"
        own = self._closing.enter_context(shards.open("a+"))
        shard = self._closing.enter_context(
            (self.folder / f"shard-{self.number}-of-{self.total}.lock").open("a+")
        )

        def alone() -> bool:
            if not _lock(own, fcntl.LOCK_SH):
                return False
            for path in self.folder.glob("shards-*.lock"):
                if path != shards:
                    with open(path, "a+") as other:
                        if not _lock(other, fcntl.LOCK_EX):
                            # Two that hold what the other waits for would wait for ever.
                            fcntl.flock(own, fcntl.LOCK_UN)
                            return False
            return True

        self._until(alone, f"{self.folder}: jobs of another number of shards than {self.total} are at work")
        shard.seek(0)
        self._until(
            lambda: _lock(shard, fcntl.LOCK_EX),
            f"{self.folder}: shard {self.shard} belongs to {shard.read().strip() or 'another process'}",
        )
        shard.truncate(0)
        shard.write(f"process {os.getpid()} on {os.uname().nodename}\n")
        shard.flush()

    def _until(self, done: Callable[[], bool], what: str) -> None:
        """Try until it succeeds; say once what is waited for, and raise InputError when it takes too long."""
        began, told = time.monotonic(), False
        while not done():
            if time.monotonic() - began > self.wait:
                raise InputError(f"{what}; wait for it or stop it")
            if not told and time.monotonic() - began > 1:
                print(f"{what}; waiting up to {self.wait:.0f} s", file=sys.stderr, flush=True)
                told = True
            time.sleep(random.uniform(0.02, 0.1))
