"""Which jobs a run of Snakemake takes for those of a dead one, and when it leaves them alone."""

import subprocess
import uuid
from pathlib import Path

import pytest

from workflow_scripts.cluster import orphans, throwaway


def test_jobs_of_a_dead_run_in_this_folder_are_ended_and_no_others(
    cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in throwaway.environment(cluster).items():
        monkeypatch.setenv(name, value)
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    elsewhere.mkdir()
    locks = here / ".snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").touch()

    def submitted(folder: Path, name: str, comment: str) -> str:
        options = [
            f"--chdir={folder}",
            f"--job-name={name}",
            f"--comment={comment}",
            "--mem=10",
            "--output=/dev/null",
        ]
        done = subprocess.run(
            ["sbatch", "--parsable", *options, "--wrap", "sleep 60"],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    rule = "rule_tune_wildcards_mbert-aug_0"
    orphan = submitted(here, str(uuid.uuid4()), rule)
    others = {
        submitted(elsewhere, str(uuid.uuid4()), rule),
        submitted(here, "snakemake", ""),  # a run of Snakemake may be a job itself
    }
    (locks / "1.output.lock").touch()  # of a run that makes other files in this folder
    assert orphans.end(here) == ""
    assert orphans.left(here) == [orphan]
    (locks / "1.output.lock").unlink()
    assert f"({orphan})" in orphans.end(here)
    there = subprocess.run(
        ["squeue", "--noheader", "--format=%i"], capture_output=True, text=True, check=True
    )
    assert set(there.stdout.split()) == others
    subprocess.run(["scancel", *others], check=True)
    assert orphans.end(here) == ""
