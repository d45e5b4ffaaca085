"""What every step's command line shares: recipes, errors told in one sentence, progress with an ETA."""

import argparse
import errno
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Recipe = TypeVar("Recipe", bound=BaseModel)
ERROR_FILE = "XLQA_ERROR_FILE"  # where `cluster.launch` reads what one of several processes ended with


class InputError(ValueError):
    """Something the user can mend: one sentence that says what is wrong, where, and what would be right."""

    code = 2


class LaterError(InputError):
    """Something that time may mend, another process at work, say: the same command may end well later."""

    code = 75  # EX_TEMPFAIL of sysexits.h


# What disks refuse, and what to do about it.
REFUSED = {
    errno.ENOSPC: "its disk is full; make room there, or work in a folder on another disk",
    errno.EDQUOT: "your quota on its disk is used up; remove files there, or work in a folder on another disk",
    errno.EROFS: "its disk can only be read; work in a folder on another disk",
    errno.EACCES: "you lack the permission; ask for it, or work in a folder of your own",
    errno.EPERM: "you lack the permission; ask for it, or work in a folder of your own",
    errno.EIO: "its disk fails (input/output error); see what is wrong with it, then run again",
    errno.ESTALE: "its network disk was away for a while; run again",
}
LATE = (
    "; if another node has just written it, its disk may show it late: give snakemake a longer --latency-wait"
)


def refused(error: BaseException) -> str | None:
    """What a disk refused and what to do about it, where that is the error; None for any other.

    Libraries written in other languages tell the system's number in their message only: "(os error 28)".
    """
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (told := re.search(r"\b(?:os error|errno) (\d+)", str(error), re.IGNORECASE)):
        number = int(told[1])
    if number is None and error.__context__ is not None:  # torch raises its own error instead of the disk's
        return refused(error.__context__)
    return REFUSED.get(number) if number is not None else None


@contextmanager
def telling(path: Path | str) -> Iterator[None]:
    """Raise InputError where a disk refuses that `path` is written in the block, or something beside it."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        named = error.filename if isinstance(error, OSError) else None
        if named is not None:
            other, path = Path(os.fsdecode(named)), Path(path)
            around = path.is_relative_to(other) or other.is_relative_to(path) or other.parent == path.parent
            if not around:
                raise
        if reason := refused(error):
            raise InputError(f"{path}: cannot be written: {reason}") from error
        raise


def absent(path: object) -> str:
    """What is said of a file that is not there; on a cluster, that it may only be late."""
    return f"{path}: no such file{LATE if 'SLURM_JOB_ID' in os.environ else ''}"


def stop(number: int, frame: object) -> None:
    """On a signal, end as an exception does: what is being written is removed."""
    raise SystemExit(128 + number)


def run(main: Callable[[], None]) -> None:
    """Call a step's `main`; an InputError ends the process with its sentence on stderr and its exit code.

    So does a disk that refuses, and a file that is not there.  SIGTERM ends it as an exception does.
    """
    signal.signal(signal.SIGTERM, stop)
    try:
        try:
            main()
        except FileNotFoundError as error:
            if error.filename is None:
                raise
            raise InputError(absent(os.fsdecode(error.filename))) from error
        except OSError as error:
            if not (reason := refused(error)):
                raise
            raise InputError(f"{os.fsdecode(error.filename or 'a file')}: {reason}") from error
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        if told := os.environ.get(ERROR_FILE):
            Path(told).write_text(json.dumps({"sentence": str(error), "code": error.code}), "utf-8")
        sys.exit(error.code)


def parser(description: str | None, recipe: type[BaseModel] | None = None) -> argparse.ArgumentParser:
    """An argument parser; with a recipe it takes `--recipe` and explains the recipe's keys under --help."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if recipe is not None:
        made.add_argument(
            "--recipe",
            default="{}",
            help="JSON text, a JSON file or - for standard input; keys left out take their default",
        )
        made.epilog = "recipe keys:\n" + "\n".join(
            f"  {name} ({field.default if not field.is_required() else 'required'}): {field.description}"
            for name, field in recipe.model_fields.items()
        )
    return made


def read_recipe(text: str, model: type[Recipe]) -> Recipe:
    """The recipe in a JSON text or in the JSON file of that name, validated; "-" is standard input.

    An argument of a program holds 128 KiB on Linux, standard input any recipe.  Raises InputError that names the key,
    what was found and what is allowed.
    """
    text = sys.stdin.read() if text == "-" else text
    source = (
        text
        if text.lstrip().startswith("{")
        else Path(text).read_text("utf-8")
        if Path(text).is_file()
        else None
    )
    if source is None:
        raise InputError(f"--recipe {text}: neither a JSON object nor a file")
    try:
        return model.model_validate_json(source)
    except ValidationError as error:
        raise InputError(explain(error, "--recipe", model)) from None


def explain(error: ValidationError, where: str, model: type[BaseModel] | None = None) -> str:
    """pydantic's first complaint as one sentence: key, what was found, what is allowed."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "(the whole text)"
    found = json.dumps(first["input"], ensure_ascii=False, default=str)
    found = found if len(found) <= 80 else found[:77] + "…"
    if first["type"] == "extra_forbidden":
        allowed = (
            f"; known keys are {', '.join(model.model_fields)}" if model and len(first["loc"]) == 1 else ""
        )
        return f"{where}: unknown key {key}{allowed}"
    if first["type"] == "missing":
        return f"{where}: {key} is missing"
    if first["type"] == "value_error":  # raised by a recipe's own check, of one key or of several together
        return ": ".join([where, *([key] if first["loc"] else []), str(first["ctx"]["error"])])
    return f"{where}: {key} is {found}: {first['msg'][0].lower()}{first['msg'][1:]}"


def named_files(arguments: Sequence[str], option: str) -> dict[str, str]:
    """The `name=file` arguments of an option, in order.  Raises InputError for anything else and a name given twice."""
    files: dict[str, str] = {}
    for argument in arguments:
        name, _, file = argument.partition("=")
        if not name or not file:
            raise InputError(f"{option} {argument}: give name=file")
        if name in files:
            raise InputError(f"{option} {argument}: {name} has a file already, {files[name]}")
        files[name] = file
    return files


class Progress:
    """Plain progress lines on stderr, at most one every `every` seconds (and a last one): a log file stays readable."""

    def __init__(self, label: str, total: int, unit: str, start: int = 0, every: float = 5.0) -> None:
        self.label, self.total, self.unit, self.every = label, total, unit, every
        self.count = self.first = start
        self.began = self.spoke = time.monotonic()

    def advance(self, n: int = 1, **figures: float) -> None:
        """Count `n` more; `figures` (loss=…, …) are shown beside the count when a line is due."""
        self.count += n
        now = time.monotonic()
        if now - self.spoke >= self.every or self.count >= self.total:
            self.spoke = now
            rate = (self.count - self.first) / max(now - self.began, 1e-9)
            left = (self.total - self.count) / rate if rate else 0.0
            shown = "".join(f", {name} {value:.4g}" for name, value in figures.items())
            share = 100 * self.count // max(self.total, 1)
            eta = (
                f"eta {int(left) // 60}:{int(left) % 60:02d}"
                if self.count < self.total
                else f"took {now - self.began:.0f} s"
            )
            print(
                f"{self.label}: {self.count}/{self.total} {self.unit}, {share} %, {eta}{shown}",
                file=sys.stderr,
                flush=True,
            )
