"""Files written whole or not at all, read through gzip where they are packed, and known by their checksum."""

import gzip
import hashlib
import io
import json
import os
import tempfile
import zlib
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from workflow_scripts.cli import InputError, absent, telling

BYTE_ORDER_MARK = "\ufeff"


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """A temporary path in the folder of `path`, renamed to it when the block ends well and removed when it does not.

    Raises InputError where the disk refuses.
    """
    path = Path(path)
    with telling(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path | str, last: str) -> Iterator[Path]:
    """A temporary folder whose files are moved into `folder` when the block ends well, the one named `last` at the end.

    Whoever finds `last` in the folder therefore finds everything else there too.  Raises InputError where the disk
    refuses.
    """
    folder = Path(folder)
    with telling(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new.") as name:
            temporary = Path(name)
            yield temporary
            (folder / last).unlink(missing_ok=True)
            for file in sorted(temporary.iterdir(), key=lambda f: f.name == last):
                os.replace(file, folder / file.name)


def sha256(path: Path | str) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def open_bytes(path: Path | str) -> Iterator[IO[bytes]]:
    """A file opened for reading, unpacked where its content is gzip, whatever its name.

    Raises InputError where it is absent or, while reading, where the packed data are broken.
    """
    try:
        with open(path, "rb") as raw:
            # No UTF-8 text begins with these two bytes.
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if packed:
                yield cast(IO[bytes], gzip.GzipFile(fileobj=raw))
            else:
                yield raw
    except FileNotFoundError:
        raise InputError(absent(path)) from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder, but a file is needed") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file ({error})") from None


def read_text(path: Path | str) -> str:
    """A UTF-8 file's text, unpacked if it is gzip, without the byte order mark that some programs put first.

    Raises InputError where it is absent or not UTF-8.
    """
    with open_bytes(path) as file:
        try:
            return file.read().decode("utf-8").removeprefix(BYTE_ORDER_MARK)
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not UTF-8 at byte {error.start}; convert the file to UTF-8") from None


def read_lines(path: Path | str) -> list[str]:
    """The lines of a text file, cut at line feeds only (U+2028, form feeds and the like stay inside a line)."""
    text = read_text(path)
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def each_line(path: Path | str) -> Iterator[str]:
    """The lines of `read_lines`, one at a time, so that a file may be larger than memory.

    Raises InputError where the file is absent, or naming the line that is not UTF-8.
    """
    for number, line in enumerate(each_line_or_none(path), 1):
        if line is None:
            raise InputError(f"{path} line {number}: not UTF-8; convert the file to UTF-8")
        yield line


def each_line_or_none(path: Path | str) -> Iterator[str | None]:
    """The lines of `each_line`, with None in the place of a line that is not UTF-8."""
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.removesuffix(b"\n").decode("utf-8")
            except UnicodeDecodeError:
                yield None
                continue
            yield text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text


def read_jsonl(path: Path | str) -> Iterator[tuple[int, Any]]:
    """(line number from 1, value) for every non-blank line of a JSON-lines file, read line by line.

    Raises InputError naming the line that is not JSON.
    """
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    value = json.loads(line.decode("utf-8").removeprefix(BYTE_ORDER_MARK))
                except UnicodeDecodeError:
                    raise InputError(f"{path} line {number}: not UTF-8; convert the file to UTF-8") from None
                except json.JSONDecodeError as error:
                    raise InputError(f"{path} line {number}: not JSON ({error.msg})") from None
                yield number, value


def write_text(path: Path | str, text: str) -> None:
    """Write a UTF-8 text whole or not at all; packed, with the same bytes every time, if the name ends in .gz."""
    with atomic(path) as temporary, open(temporary, "wb") as raw:
        if str(path).endswith(".gz"):
            with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as packed:
                packed.write(text.encode("utf-8"))
        else:
            raw.write(text.encode("utf-8"))


def write_lines(path: Path | str, lines: Iterable[str]) -> None:
    """Write a UTF-8 text, given in lines with their line feeds, whole or not at all, without holding it in memory."""
    with atomic(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)


class LinesOnDisk:
    """Lines that are put aside one by one and taken by their number, in a file that nobody else sees.

    Eight bytes a line are in memory.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 (it goes with the object)
        self.ends = array("Q", [0])

    def append(self, line: str) -> None:
        """Put a line aside."""
        self.ends.append(self.ends[-1] + self.file.write(line.encode("utf-8")))

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, number: int) -> str:
        self.file.flush()
        start, end = self.ends[number], self.ends[number + 1]
        return os.pread(self.file.fileno(), end - start, start).decode("utf-8")


def write_jsonl(path: Path | str, records: Iterable[Any]) -> None:
    """Write records as compact JSON lines with sorted keys (the form of the official TyDi QA files)."""
    buffer = io.StringIO()
    for record in records:
        buffer.write(json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n")
    write_text(path, buffer.getvalue())
