"""Does a training step that is killed again and again end in the same bytes as one that is left alone?

    python -m benchmarks.kills [--kills write rename step ...] [--seconds 5] --
        python -m workflow_scripts.align.finetune … --work {work} --out {out}

The command is run once undisturbed, then once more with a SIGKILL at each of the points named, in their order:

- write: while a checkpoint is being written;
- rename: when it has been written, but does not yet bear its name;
- step: somewhere between two checkpoints;
- optimiser: after an optimiser's step, before anything else is done;
- evaluation: while questions are answered to select weights (`qa.tune_selected`).

The last two come after a number of steps or forward passes that the seed draws, at most --within.  A kill that came too
late for its point (the file had its name already) is told, counts as what it was, and is tried again.  Checkpoints are
made every --seconds (XLQA_CHECKPOINT_SECONDS), so that there are enough of them to be hit.  Compared are all files in
{out} but training.json, which holds times.  Ends with exit code 1 where they differ, or where a run after a kill did
not go on from a step above 0.
"""

import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workflow_scripts.cli import InputError, run
from workflow_scripts.files import sha256

POINTS = ("write", "rename", "step", "optimiser", "evaluation")
INSIDE = ("optimiser", "evaluation")  # cannot be seen from outside: benchmarks.killed
POLL = 0.0005  # seconds


class Disturbed:
    """A command that is started again until the kills have all been made."""

    def __init__(self, command: list[str], work: Path, seconds: float, within: int, seed: int) -> None:
        self.command, self.work, self.seconds, self.within = command, work, seconds, within
        self.random = random.Random(seed)
        self.whole = 0  # bytes of a checkpoint
        self.resumed: list[int] = []

    def start(self, inside: str | None = None) -> tuple[subprocess.Popen[bytes], Path]:
        """Start the command, perhaps so that it kills itself at a point inside, and return its log, too."""
        command = self.command
        if inside:
            module = command.index("-m") + 1
            after = str(self.random.randint(1, self.within))
            command = [*command[:module], "benchmarks.killed", inside, after, *command[module:]]
        log = self.work.parent / f"run{len(list(self.work.parent.glob('run*.log')))}.log"
        environment = {**os.environ, "XLQA_CHECKPOINT_SECONDS": str(self.seconds)}
        with open(log, "wb") as file:
            return subprocess.Popen(command, stdout=file, stderr=file, env=environment), log

    def partial(self) -> int | None:
        """Bytes of a checkpoint that is being written; None where there is none."""
        for file in self.work.glob("run.*/.checkpoint.pt.*"):
            try:
                return file.stat().st_size
            except FileNotFoundError:
                continue
        return None

    def checkpoint(self) -> tuple[int, int] | None:
        """When the checkpoint was written, and its bytes; None where there is none."""
        for file in self.work.glob("run.*/checkpoint.pt"):
            try:
                found = file.stat()
            except FileNotFoundError:
                continue
            return found.st_mtime_ns, found.st_size
        return None

    def kill_at(self, point: str) -> str:
        """Start the command, kill it at a point, and return the point at which it was really killed.

        Raises InputError where the command ends by itself.
        """
        if point in INSIDE:
            process, log = self.start(point)
            if process.wait() != -signal.SIGKILL:
                raise InputError(f"the command ended by itself before it could be killed; see {log}")
            self.note(log)
            return point
        process, log = self.start()
        # what an earlier kill has left is cleared away by the run before it goes on
        while process.poll() is None and "resumed" not in log.read_text() and "steps," not in log.read_text():
            time.sleep(0.05)
        first = self.checkpoint()
        until = None
        while process.poll() is None:
            seen = self.checkpoint()
            written = seen is not None and seen != first
            if seen and written:
                self.whole = seen[1]
            size = self.partial()
            if point == "step" and written:
                until = until or time.monotonic() + self.random.uniform(0.1, 0.9) * self.seconds
                if time.monotonic() > until:
                    break
            # the size of a checkpoint is known once one has been seen
            if point == "write" and size and (not self.whole or size < 0.9 * self.whole):
                break
            if point == "rename" and size and size == self.whole:
                break
            time.sleep(POLL)
        if process.poll() is not None:
            raise InputError(f"the command ended by itself before it could be killed; see {log}")
        process.send_signal(signal.SIGKILL)
        process.wait()
        size = self.partial()
        self.note(log)
        if size is None:
            return "step"
        return "rename" if size == self.whole else "write"

    def note(self, log: Path) -> None:
        """Remember from which step a run went on."""
        if found := re.search(r"resumed at step (\d+)", log.read_text("utf-8")):
            self.resumed.append(int(found[1]))

    def finish(self) -> None:
        """Let the command run to its end.  Raises InputError where it fails."""
        process, log = self.start()
        if process.wait():
            raise InputError(f"the command failed: {log.read_text('utf-8').strip().splitlines()[-1]}")
        self.note(log)


def content(folder: Path) -> dict[str, str]:
    """The checksum of each file that a run has written, but for the one with times."""
    return {file.name: sha256(file) for file in sorted(folder.iterdir()) if file.name != "training.json"}


def main() -> None:
    arguments_parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments_parser.add_argument("--kills", nargs="+", choices=POINTS, default=["step", "write", "rename"])
    arguments_parser.add_argument("--seconds", type=float, default=5.0, help="between checkpoints")
    arguments_parser.add_argument(
        "--within",
        type=int,
        default=20,
        help="optimiser, evaluation: steps or forward passes before the kill",
    )
    arguments_parser.add_argument("--seed", type=int, default=0, help="of the moments between checkpoints")
    arguments_parser.add_argument("--folder", type=Path, help="for work, results and logs; a temporary one")
    arguments_parser.add_argument("command", nargs="+", help="with {work} and {out}, after --")
    arguments = arguments_parser.parse_args()
    if not all(any(name in part for part in arguments.command) for name in ("{work}", "{out}")):
        raise InputError("the command must hold {work} and {out}, the folders that are given to it")
    if set(INSIDE) & set(arguments.kills) and "-m" not in arguments.command:
        raise InputError(f"to be killed at {' or '.join(INSIDE)}, the command must be python -m MODULE …")
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="kills."))
    runs = []
    for name in ("whole", "killed"):
        shutil.rmtree(folder / name, ignore_errors=True)
        work, out = folder / name / "work", folder / name / "out"
        work.mkdir(parents=True)
        command = [part.replace("{work}", str(work)).replace("{out}", str(out)) for part in arguments.command]
        runs.append((Disturbed(command, work, arguments.seconds, arguments.within, arguments.seed), out))
    (whole, expected), (killed, found) = runs
    began = time.monotonic()
    whole.finish()
    print(f"undisturbed: {time.monotonic() - began:.0f} s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    counts = dict.fromkeys(POINTS, 0)
    for point in arguments.kills:
        for _ in range(20):
            hit = killed.kill_at(point)
            counts[hit] += 1
            print(f"killed: {point} was wanted, {hit} was hit", flush=True)
            if hit == point:
                break
        else:
            raise InputError(f"{point}: not hit in 20 runs; give fewer --seconds")
    killed.finish()
    same = content(expected) == content(found)
    kills = sum(counts.values())
    print(f"{kills} kills, resumed at steps {killed.resumed}; {'the same' if same else 'OTHER'} bytes")
    fine = same and len(killed.resumed) == kills and min(killed.resumed) > 0
    print(
        json.dumps(
            {
                "name": "kills",
                "kills": counts,
                "resumed": killed.resumed,
                "same": same,
                "peak_gib": round(peak, 2),
            }
        )
    )
    if not arguments.folder:
        shutil.rmtree(folder)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    run(main)
