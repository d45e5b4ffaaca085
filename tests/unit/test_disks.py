"""Disks that are full or cannot be written to: a sentence that says what to do, and nothing half-written."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from tests.conftest import require
from workflow_scripts.cli import InputError, absent
from workflow_scripts.corpus import Document, write_documents
from workflow_scripts.files import atomic, atomic_folder, write_jsonl, write_text
from workflow_scripts.training import loop

MEGABYTES = 3  # more than the disk has
NOISE = np.random.default_rng(0).bytes(MEGABYTES << 20)


def mounted(folder: Path, *options: str) -> None:
    """Mount a disk on a folder; skip where that needs more rights."""
    require(os.geteuid() == 0, "only root can mount a disk")
    folder.mkdir()
    done = subprocess.run(["mount", *options, folder], capture_output=True, text=True)
    require(done.returncode == 0, f"no disk can be mounted here ({done.stderr.strip()})")


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "full"
    mounted(folder, "-t", "tmpfs", "-o", "size=1m", "tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    """A disk that can only be read."""
    folder = tmp_path / "sealed"
    mounted(folder, "-t", "tmpfs", "-o", "ro", "tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


def tensors(path: Path) -> None:
    with atomic(path) as temporary:
        save_file({"noise": np.frombuffer(NOISE, np.uint8)}, temporary)


def table(path: Path) -> None:
    write_documents(path, [Document("d", "en", "t", "", NOISE.hex(), ((0, 1),), "d")])


WRITERS: dict[str, Callable[[Path], None]] = {
    "text": lambda path: write_text(path, NOISE.decode("latin-1")),
    "json lines": lambda path: write_jsonl(path, [NOISE.decode("latin-1")]),
    "table": table,
    "tensors": tensors,
    "checkpoint": lambda path: loop.write(
        {"noise": torch.frombuffer(bytearray(NOISE), dtype=torch.uint8)}, path
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk(full: Path, kind: str) -> None:
    """Libraries in Rust and C++ tell it in words of their own."""
    with pytest.raises(InputError) as told:
        WRITERS[kind](full / "out")
    assert str(told.value) == (
        f"{full}/out: cannot be written: its disk is full; make room there, or work in a folder on another disk"
    )
    assert list(full.iterdir()) == []


def test_a_folder_on_a_full_disk(full: Path) -> None:

    def write() -> None:
        with atomic_folder(full / "out", last="b") as folder:
            (folder / "a").write_text("a")
            (folder / "b").write_bytes(NOISE)

    with pytest.raises(InputError, match=f"^{full}/out: cannot be written: its disk is full"):
        write()
    assert list((full / "out").iterdir()) == []


@pytest.mark.parametrize("kind", WRITERS)
def test_a_disk_that_can_only_be_read(sealed: Path, kind: str) -> None:
    with pytest.raises(InputError) as told:
        WRITERS[kind](sealed / "new" / "out")
    assert str(told.value) == (
        f"{sealed}/new/out: cannot be written: its disk can only be read; work in a folder on another disk"
    )


def test_a_folder_of_somebody_else() -> None:
    program = (
        "import os, sys; from workflow_scripts.files import write_text; from workflow_scripts.cli import run;"
        "os.geteuid() or os.seteuid(12345);"  # nothing is denied to root
        "run(lambda: write_text(sys.argv[1], 'a'))"
    )
    with tempfile.TemporaryDirectory() as theirs:
        Path(theirs).chmod(0o555)
        out = f"{theirs}/out"
        done = subprocess.run([sys.executable, "-c", program, out], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        f"error: {out}: cannot be written: you lack the permission; ask for it, or work in a folder of your own\n",
    )


def test_another_files_trouble_is_not_laid_at_the_outputs_door(tmp_path: Path) -> None:
    """A missing input, say, while an output is written."""
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "out"):
        open(tmp_path / "elsewhere" / "in")  # noqa: SIM115
    assert list(tmp_path.iterdir()) == []


def test_on_a_cluster_a_missing_file_may_be_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert absent("a") == "a: no such file"
    monkeypatch.setenv("SLURM_JOB_ID", "3")
    assert absent("a").endswith("its disk may show it late: give snakemake a longer --latency-wait")


STEP = """
import sys, time
from workflow_scripts.cli import run
from workflow_scripts.files import atomic

def main():
    if sys.argv[2] == "read":
        open(sys.argv[1])
    with atomic(sys.argv[1]) as temporary:
        print("begun", flush=True)
        time.sleep(60)

run(main)
"""


def test_a_step_ends_with_a_sentence_where_an_input_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STEP, tmp_path / "in", "read"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (2, f"error: {absent(tmp_path / 'in')}\n")


def test_sigterm_leaves_nothing_half_written(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STEP, tmp_path / "out", "write"], stdout=subprocess.PIPE, text=True
    ) as step:
        assert step.stdout is not None
        assert step.stdout.readline() == "begun\n"
        assert len(list(tmp_path.iterdir())) == 1
        step.terminate()
        assert step.wait(20) == 143
    assert list(tmp_path.iterdir()) == []
