"""How long does it take to see what is to be done?

    python -m benchmarks.dag [--seeds 12] [--profile]
    python -m benchmarks.dag --large [--models 60] [--seeds 5]

The embedded default with so many seeds, in a folder of its own: seconds of `snakemake --dry-run` where nothing is
there, for the first time in a new copy and again, of the same where everything is there and up to date (empty files in
the places of results, with metadata, for which `snakemake --touch` takes four minutes), of as many jobs that do
nothing, for comparison, and of `make plan` and `make status`.
With --profile, where the first goes: the workflow's own functions, Snakemake, Python and packages.

With --large, models that are aligned in 111 languages and asked in all of them, at full size, in so many seeds each:
`make plan` alone, which Snakemake would need minutes for.
"""

import argparse
import cProfile
import os
import pstats
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from workflow_scripts.cli import run
from workflow_scripts.cluster.graph import ROOT, Graph, loaded

PARTS = ("Snakefile", "config.yaml", "profiles", "resources", "rules", "workflow_scripts", "envs")
TRIVIAL = """
rule all:
    input:
        expand("made/{{number}}.txt", number=range({jobs})),
rule make:
    output:
        "made/{{number}}.txt",
    shell:
        "touch {{output}}"
"""


def with_seeds(seeds: int) -> dict[str, Any]:
    """The embedded default with so many seeds."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    return raw | {"seeds": list(range(seeds))}


def large(models: int, seeds: int) -> dict[str, Any]:
    """aligned_qa at full size with so many models, aligned in 111 languages and asked in all of them."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "config" / "aligned_qa.yaml").read_text("utf-8"))
    everything = raw["parallel"]["moses"]["languages"]
    raw["seeds"] = list(range(seeds))
    raw["translations"]["google"] = {"kind": "google", "project": "mine", "max_characters": None}
    raw["corpora"] |= {
        "test-en-to-all": {
            "kind": "translated-questions",
            "of": "tydi-test",
            "from": ["en"],
            "to": everything,
            "translations": "google",
        },
    }
    raw["evaluations"]["all"] = {"corpora": ["tydi-test", "test-en-to-all"], "annotators": 2}
    raw["alignments"] = {
        f"all-{number}": {
            "pairs": "public",
            "languages": "all",
            "filter": {"sentences": 5000, "seed": number},
            "objective": {"preset": "paper"},
        }
        for number in range(models // 6)
    }
    encoders = list(raw["encoders"])
    raw["models"] = {
        f"model-{number}": {
            "label": f"model {number}",
            "encoder": encoders[number % len(encoders)],
            "alignment": f"all-{number // 6}",
            "training_set": ["mono", "aug"][number // 2 % 2],
        }
        for number in range(models)
    }
    raw["tables"] = {
        f"in-all-{task}".replace("-", "_"): {
            "title": f"{task}, questions in all languages",
            "evaluation": "all",
            "task": task,
            "rows": list(raw["models"]),
            "columns": [[f"{code}-en" for code in everything]],
        }
        for task in ("passage", "minimal")
    }
    raw.pop("retrieval", None)
    raw.pop("examples", None)
    return raw


def timed(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """(seconds on the clock, of processor time) of a command, which must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True
    )
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def copy(folder: Path, raw: dict[str, Any]) -> list[str]:
    """The workflow with a configuration in a folder of its own, and the files that its jobs make, in their order."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / part, folder / part)
    (folder / "config.yaml").write_text(yaml.safe_dump(raw, sort_keys=False, allow_unicode=True), "utf-8")
    with loaded(folder / "config.yaml") as workflow:
        graph = Graph(workflow)
    print(
        f"{len(graph.jobs):,} jobs, which read {sum(len(job.inputs) for job in graph.jobs):,} files and make"
        f" {sum(len(job.outputs) for job in graph.jobs):,}"
    )
    return [file for job in graph.jobs for file in job.outputs]


def profile(folder: Path) -> None:
    """Where the processor time of a dry run goes; profiling itself makes it take twice as long."""
    os.chdir(folder)
    sys.argv = ["snakemake", "--dry-run", "--cores", "2", "--quiet", "all"]
    sys.path.insert(0, str(folder))
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        from snakemake.cli import main as snakemake

        snakemake()
    except SystemExit:
        pass
    profiler.disable()
    parts: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        ours = "workflow_scripts" in file or file.endswith((".smk", "Snakefile"))
        snakemakes = "snakemake" in file and not ours
        parts[
            "the workflow's functions" if ours else "Snakemake" if snakemakes else "Python and packages"
        ] += own
    for part, seconds in parts.most_common():
        print(f"  {seconds:6.1f} s  {part}")


def main() -> None:
    """Command line."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--seeds", type=int)
    arguments.add_argument("--large", action="store_true")
    arguments.add_argument("--models", type=int, default=60)
    arguments.add_argument("--profile", action="store_true")
    given = arguments.parse_args()
    snakemake = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]

    def show(what: str, command: Sequence[str], where: Path) -> None:
        wall, processor = timed(command, where)
        print(f"{what:<44}{wall:6.1f} s, {processor:5.1f} s of processor time", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.large:
            copy(folder, large(given.models, given.seeds or 5))
            show("make plan", [sys.executable, "-m", "workflow_scripts.cluster.plan"], folder)
            return
        files = copy(folder, with_seeds(given.seeds or 12))
        if given.profile:
            profile(folder)
            return
        plan = [sys.executable, "-m", "workflow_scripts.cluster.plan"]
        status = [sys.executable, "-m", "workflow_scripts.cluster.status"]
        show("first dry run, nothing is there", [*snakemake, "--dry-run"], folder)
        show("dry run, nothing is there", [*snakemake, "--dry-run"], folder)
        show("make plan, nothing is there", plan, folder)
        show("make status, nothing is there", status, folder)
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).touch()
        # all are touched, needed or not: only what is touched gets metadata
        timed([*snakemake, "--touch", "--forceall"], folder)
        show("dry run, all is there and up to date", [*snakemake, "--dry-run"], folder)
        show("no-op run, all is there and up to date", snakemake, folder)
        show("make plan, all is there", plan, folder)
        show("make status, all is there", status, folder)
        with loaded(folder / "config.yaml") as workflow:
            jobs = len(Graph(workflow).jobs)
        trivial = folder / "trivial"
        trivial.mkdir()
        (trivial / "Snakefile").write_text(TRIVIAL.format(jobs=jobs), "utf-8")
        show(f"dry run of {jobs:,} jobs that only touch a file", [*snakemake, "--dry-run"], trivial)


if __name__ == "__main__":
    run(main)
