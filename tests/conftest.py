"""What tests share: the repository's folder, and the real files that lie beside a checkout where they are lent."""

import fcntl
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

# Tests that are run in the background of a shell ignore Ctrl-C, and so would all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def require(condition: object, reason: str) -> None:
    """Skip the test where `condition` is false; in continuous integration (CI=true), where nothing may lack, fail."""
    if not condition:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}; in CI nothing may be missing", pytrace=False)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the checkout: oracles, papers' tables, data."""
    require(SHARED.is_dir(), f"no folder {SHARED.name}/ beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def pack(shared: Path) -> Path:
    """The unpacked real-data pack; not to be written to.  Unpacked once and kept for later runs and all workers."""
    unpack = shared / "data" / "unpack.sh"
    require(unpack.is_file(), "no real-data pack (shared/data/unpack.sh) beside the checkout")
    folder = Path(tempfile.gettempdir()) / f"xlqa-pack-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([unpack, folder], check=True, stdin=subprocess.DEVNULL, timeout=300)
    return folder
