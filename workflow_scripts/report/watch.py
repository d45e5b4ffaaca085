"""Run a command and show, meanwhile, the progress lines that its jobs write into their log files.

    python -m workflow_scripts.report.watch logs -- snakemake --cores 2 results/tables/table2.md

Jobs write to their logs only, where everything stays together however many run side by side and whoever started them.
Of what is appended there while the command runs, the newest line with an ETA is shown, at most every few seconds for
each log, and the closing line of what had been shown.  The command's exit code is this program's.
"""

import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from workflow_scripts.cli import parser, run

# the lines of cli.Progress
UNDER_WAY = re.compile(r".+: \d+/\d+ .+, \d+ %, eta \d")
DONE = re.compile(r".+: \d+/\d+ .+, 100 %, took \d")
LOOK_EVERY = 1.0  # seconds
SHOW_EVERY = 10.0  # seconds, for one log


@dataclass
class Followed:
    """How far a log has been read, what is still to be shown of it, and when something last was."""

    read: int
    line: str = ""
    shown: float = float("-inf")


def sizes(folder: Path) -> dict[Path, int]:
    """The log files anywhere in a folder, with their sizes in bytes; a job begun anew removes its log at any moment."""
    found = {}
    for path in sorted(folder.rglob("*.log")):
        with suppress(FileNotFoundError):
            found[path] = path.stat().st_size
    return found


def follow(folder: Path, logs: dict[Path, Followed], to: TextIO, final: bool = False) -> None:
    """Read what has been appended to the logs since the last call and show what is due; with `final`, all of it."""
    now = time.monotonic()
    for path, size in sizes(folder).items():
        log = logs.setdefault(path, Followed(read=0))
        if size < log.read:  # begun anew
            logs[path] = log = Followed(read=0)
        try:
            with path.open("rb") as file:
                file.seek(log.read)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            continue
        log.read += len(whole) + len(newline)
        under_way = log.shown > float("-inf")
        for line in whole.decode("utf-8", "replace").splitlines():
            if UNDER_WAY.match(line) or (DONE.match(line) and (under_way or log.line)):
                log.line = line
        if log.line and (final or DONE.match(log.line) or now - log.shown >= SHOW_EVERY):
            print(f"  {path.relative_to(folder).with_suffix('')} | {log.line}", file=to, flush=True)
            log.shown, log.line = (float("-inf") if DONE.match(log.line) else now), ""


def watch(folder: Path, command: list[str], to: TextIO) -> int:
    """Run `command` to its end, following the logs under `folder`; its exit code."""
    logs = {path: Followed(read=size) for path, size in sizes(folder).items()}
    child = subprocess.Popen(command)
    # Ctrl-C reaches the command as well, which decides what to do; its end is waited for.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            code = child.wait(timeout=LOOK_EVERY)
        except subprocess.TimeoutExpired:
            follow(folder, logs, to)
        else:
            follow(folder, logs, to, final=True)
            return code if code >= 0 else 128 - code


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    words = sys.argv[1:] if argv is None else argv
    # cut by hand: argparse would also take away a -- of the command's own
    cut = words.index("--") if "--" in words else len(words)
    arguments = parser(__doc__)
    arguments.usage = "%(prog)s [-h] FOLDER -- COMMAND …"
    arguments.add_argument("folder", metavar="FOLDER", type=Path, help="where the logs are, in any subfolder")
    given = arguments.parse_args(words[:cut])
    if not words[cut + 1 :]:
        arguments.error("no command to run after --")
    sys.exit(watch(given.folder, words[cut + 1 :], sys.stderr))


if __name__ == "__main__":
    run(main)
