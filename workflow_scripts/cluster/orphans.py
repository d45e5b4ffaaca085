"""Jobs that a killed run of Snakemake has left in SLURM: they are ended before their work is given out anew.

Snakemake does not find them again.  A job that still trains would train to its end while its replacement waits for the
work folder, and Snakemake would remove what it has written when the replacement begins.  A training that is ended by
SLURM writes a checkpoint first, so that its replacement goes on from there.
"""

import re
import subprocess
import time
from getpass import getuser
from pathlib import Path

RUN = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)  # what Snakemake calls the jobs of a run: a UUID
WITHIN = 300.0  # seconds that jobs have to end; SLURM kills them before


def end(folder: Path) -> str:
    """End the jobs in SLURM that a dead run has left in a folder, whose lock the caller has; a sentence, "" for none.

    Another run that is alive in this folder, making other files, has a lock there, too; then no job is touched.
    """
    if len(list((folder / ".snakemake/locks").glob("*.output.lock"))) > 1:
        return ""
    jobs = left(folder)
    if not jobs:
        return ""
    subprocess.run(["scancel", *jobs], stdin=subprocess.DEVNULL)
    until = time.monotonic() + WITHIN
    while left(folder) and time.monotonic() < until:
        time.sleep(1)
    return (
        f"A run of snakemake that was killed had left jobs in SLURM ({', '.join(jobs)}); they were cancelled, and what"
        " they trained goes on from where they were."
    )


def left(folder: Path) -> list[str]:
    """The numbers of Snakemake's jobs in SLURM, waiting or not, that belong to a folder; none where SLURM is silent."""
    asked = subprocess.run(
        ["squeue", "--noheader", f"--user={getuser()}", "--format=%i|%j|%k|%Z"],
        capture_output=True,
        text=True,
    )
    lines = [line.split("|", 3) for line in asked.stdout.splitlines()]
    return [
        job
        for job, name, comment, where in lines
        if RUN.fullmatch(name) and comment.startswith("rule_") and Path(where).resolve() == folder.resolve()
    ]
