"""The watcher shows progress lines of running jobs, and ends as the watched command does."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

JOB = """
import sys
from pathlib import Path
from workflow_scripts.cli import Progress
log = Path(sys.argv[1]); log.parent.mkdir(parents=True)
sys.stderr = log.open("w")
print("reading", file=sys.stderr, flush=True)
progress = Progress("tuning", 3, "steps", every=0.0)
import time
for _ in range(3):
    progress.advance(1, loss=0.5)
    time.sleep(1.2)
"""


def start(folder: Path, *command: str) -> subprocess.Popen:
    """The watcher over logs/, running a command."""
    return subprocess.Popen(
        [sys.executable, "-m", "workflow_scripts.report.watch", "logs", "--", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_progress_in_a_log_is_shown_while_the_job_runs(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "old.log").write_text("old: 1/9 steps, 11 %, eta 0:08\n")
    shown = start(tmp_path, sys.executable, "-c", JOB, "logs/tune/mono.log").communicate(timeout=60)[1]
    lines = shown.splitlines()
    assert re.fullmatch(r"  tune/mono \| tuning: [12]/3 steps, \d+ %, eta 0:\d\d, loss 0.5", lines[0])
    assert re.fullmatch(r"  tune/mono \| tuning: 3/3 steps, 100 %, took \d s, loss 0.5", lines[1])
    assert len(lines) == 2


def test_a_log_that_is_gone_again_ends_nothing(tmp_path: Path) -> None:
    """Snakemake removes the log of a job that it begins anew, perhaps between being listed and being read."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "gone.log").symlink_to(tmp_path / "nowhere")
    watcher = start(tmp_path, "sh", "-c", "exit 0")
    assert watcher.communicate(timeout=60)[1] == ""
    assert watcher.returncode == 0


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", 137)])
def test_the_exit_code_is_the_commands(tmp_path: Path, script: str, code: int) -> None:
    assert start(tmp_path, "sh", "-c", script).wait(timeout=60) == code


def test_the_command_keeps_its_own_separator(tmp_path: Path) -> None:
    told = start(
        tmp_path, sys.executable, "-c", "import sys; print(sys.argv[1:])", "-q", "a", "--", "b"
    ).communicate()
    assert told[0] == "['-q', 'a', '--', 'b']\n"


def test_termination_is_passed_on(tmp_path: Path) -> None:
    watcher = start(tmp_path, "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done")
    assert watcher.stdout.readline() == "ready\n"
    time.sleep(0.2)  # the watcher's handler is set just after the command starts
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(timeout=60) == 5


def test_nothing_to_run_is_told(tmp_path: Path) -> None:
    told = start(tmp_path).communicate(timeout=60)[1]
    assert "no command to run after --" in told
