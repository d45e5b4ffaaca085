"""A copy of the workflow that a test may run and spoil, and snakemake in it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = [
    "Snakefile",
    "config.yaml",
    "config",
    "envs",
    "profiles",
    "resources",
    "rules",
    "tests/config",
    "workflow_scripts",
]


class Tree:
    """A working copy of the workflow's files, without any results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(ROOT / part, folder / part)

    def snakemake(
        self, *arguments: str, config: str | None = "tests/config/small.yaml"
    ) -> subprocess.CompletedProcess[str]:
        """Run snakemake in the copy with a configuration file, None for the default; output as text.

        The interpreter's environment is not activated: rules must find it by themselves.
        """
        command = [
            sys.executable,
            "-m",
            "snakemake",
            *(["--configfile", config] if config else []),
            *arguments,
        ]
        environment = {
            name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")
        }
        environment["PATH"] = os.defpath
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=600
        )

    def jobs(self, *arguments: str, config: str | None = "tests/config/small.yaml") -> dict[str, int]:
        """How many jobs of each rule a dry run would do, `all` and `total` left out."""
        done = self.snakemake("--dry-run", *arguments, config=config)
        assert done.returncode == 0, done.stdout + done.stderr
        table = re.search(r"^Job stats:\n.*?\n-[- ]*\n(.*?)^total", done.stdout + done.stderr, re.M | re.S)
        counts = dict(line.split() for line in table[1].splitlines()) if table else {}
        return {rule: int(count) for rule, count in counts.items() if rule != "all"}

    def pending(self, *arguments: str, config: str | None = "tests/config/small.yaml") -> set[str]:
        """The files, without results/, that snakemake would write (again)."""
        done = self.snakemake("--summary", *arguments, config=config)
        assert done.returncode == 0, done.stdout + done.stderr
        rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
        place = {name: number for number, name in enumerate(rows[0])}
        return {
            row[place["output_file"]].removeprefix("results/")
            for row in rows[1:]
            if row[place["plan"]] != "no update"
        }

    @contextmanager
    def edited(self, path: str, old: str, new: str) -> Iterator[None]:
        """A file of the copy with a text replaced, as long as the block lasts."""
        file = self.folder / path
        before = file.read_text("utf-8")
        assert old in before, f"{path} does not hold {old!r}"
        try:
            file.write_text(before.replace(old, new, 1), "utf-8")
            yield
        finally:
            file.write_text(before, "utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A fresh copy for each test module."""
    return Tree(tmp_path_factory.mktemp("workflow"))
