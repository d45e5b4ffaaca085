"""Which GPUs this process may use, found without loading torch, and which of them are free.

The pool is CUDA_VISIBLE_DEVICES where it is set (names or numbers; empty or -1: none), otherwise as many as XLQA_GPUS
says, otherwise those of the machine.  A device is taken by a lock on a file of its name, which the kernel frees when
the last process that has it open ends, however it ends.  The files lie in the folder for temporary files, which must
be the same (TMPDIR) for all jobs that share the devices.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from workflow_scripts.cli import InputError

PAUSE = 0.2  # seconds between looks for a free device


def pool(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The devices that may be used, as CUDA_VISIBLE_DEVICES names them.  Raises InputError for an odd XLQA_GPUS."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = [name.strip() for name in visible.split(",")]
        # CUDA takes no device after the first name that is none
        return names[: next((at for at, name in enumerate(names) if name in ("", "-1")), None)]
    said = environment.get("XLQA_GPUS")
    if said is not None and not said.isdecimal():
        raise InputError(f"XLQA_GPUS is {said!r}; say how many GPUs this machine has, 0 for none")
    return [str(number) for number in range(machine_has() if said is None else int(said))]


def machine_has() -> int:
    """How many GPUs of NVIDIA's the machine has."""
    there = [file.name for file in Path("/dev").glob("nvidia*") if re.fullmatch(r"nvidia\d+", file.name)]
    if there or not shutil.which("nvidia-smi"):
        return len(there)
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in listed.splitlines())


def take(pool: Sequence[str], wanted: int, space: str = "") -> tuple[list[str], list[int]]:
    """Wait for `wanted` free devices of the pool, take them in order, and return them with the locks' descriptors.

    The descriptors stay open in programs that this process starts or becomes.  Devices of one name in two spaces are
    different devices.  Who came first is served first, so that one who wants several is not passed by for ever.
    """
    folder = Path(tempfile.gettempdir(), f"xlqa-gpus-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    taken: dict[str, int] = {}
    told = False
    with open(folder / f"{space}turn", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        while True:
            for device in pool:
                if device not in taken and len(taken) < wanted:
                    lock = os.open(
                        folder / f"{space}{device.replace('/', '-')}", os.O_RDWR | os.O_CREAT, 0o600
                    )
                    try:
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        taken[device] = lock
                    except BlockingIOError:
                        os.close(lock)
            if len(taken) == wanted:
                break
            if not told:
                told = True
                print(
                    f"waiting for {wanted} of the GPUs {', '.join(pool)}, which other jobs use",
                    file=sys.stderr,
                    flush=True,
                )
            time.sleep(PAUSE)
    for lock in taken.values():
        os.set_inheritable(lock, True)
    devices = sorted(taken, key=pool.index)
    return devices, [taken[device] for device in devices]
