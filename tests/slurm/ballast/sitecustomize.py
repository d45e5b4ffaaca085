"""On PYTHONPATH, makes every process that tunes a model take more memory as soon as it has written a checkpoint."""

import sys
import threading
import time
from pathlib import Path

MEGABYTES = 800


def grow() -> None:
    """Wait for a checkpoint, then hold memory to the end."""
    while not list(Path("work").rglob("checkpoint.pt")):
        time.sleep(0.1)
    held.append(bytearray(b"x") * (MEGABYTES * 1_000_000))


held: list[bytearray] = []
if "workflow_scripts.qa.tune" in sys.orig_argv:
    threading.Thread(target=grow, daemon=True).start()
