"""A first-time user's mistakes: each ends, before anything is submitted, in a sentence with the line to change."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, require
from workflow_scripts.cli import InputError
from workflow_scripts.cluster import preflight, throwaway
from workflow_scripts.cluster.site import Site, asked, read

Check = Callable[..., str | None]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two nodes with four CPUs and two GPUs each; `main` is the default partition, `cpu` and `short` are like it."""
    require(throwaway.lacking() is None, throwaway.lacking() or "")
    folder = tmp_path_factory.mktemp("c")
    throwaway.start(folder, nodes=2, gpus=2, cpus=4)
    try:
        for options in (["PartitionName=short", "MaxTime=30"], ["PartitionName=shut", "State=INACTIVE"]):
            command = ["scontrol", "create", *options, "Nodes=n1"]
            subprocess.run(command, env=throwaway.environment(folder), check=True, timeout=60)
        yield folder
    finally:
        throwaway.stop(folder)


@pytest.fixture
def check(cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """What is told of a site file's text, where a job with a GPU and one without are to be submitted; None: nothing."""
    for name, value in throwaway.environment(cluster).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def checked(text: str, mem_mb: int = 8000, minutes: int = 20, gpus: int = 1) -> str | None:
        file = Path("site.yaml")
        file.write_text(text, "utf-8")
        try:
            site = read(file)
            sized = {"mem_mb": mem_mb, "runtime": minutes}
            jobs = [
                preflight.job(name, {"gpu": count, **asked(site, count), **sized})
                for name, count in (("score", 0), ("tune", gpus))
            ]
            preflight.check_jobs(site, file, jobs)
        except InputError as error:
            return str(error)
        return None

    return checked


def says(folder: Path, program: str, text: str, code: int = 1, when: str = "") -> None:
    """Put a program before SLURM's own on the PATH that prints this and fails, where its arguments hold `when`."""
    stand_in = folder / "bin" / program
    stand_in.parent.mkdir(exist_ok=True)
    rest = os.environ["PATH"]
    stand_in.write_text(
        f'#!/bin/sh\ncase " $* " in *"{when}"*) echo "{text}" >&{2 if code else 1}; exit {code};; esac\n'
        f'PATH={rest} exec {program} "$@"\n'
    )
    stand_in.chmod(0o755)
    os.environ["PATH"] = f"{stand_in.parent}:{rest}"


def test_what_slurm_takes(check: Check) -> None:
    assert check("# nothing but defaults\n") is None
    assert check("partition: short\ngpu_partition: main\n") is None
    assert check("gpu_flag: gres\ncpus_per_gpu: 2\n", gpus=2) is None


DEFAULT = "site.yaml:1: no node of the default partition has the"


@pytest.mark.parametrize(
    ("text", "sizes", "sentence"),
    [
        ("partiton: main", {}, "site.yaml:1: unknown key partiton; known keys are account, partition, "),
        ("# mine\ngpu_flag: gpu", {}, "site.yaml:2: gpu_flag is \"gpu\": input should be 'gpus' or 'gres'"),
        (
            "account:\npartition: x",
            {},
            "site.yaml:2: there is no partition x; this cluster has main, short or shut",
        ),
        ("gpu_partition: gpu", {}, "site.yaml:1: there is no partition gpu; "),
        ("cpus_per_gpu: 8", {}, f"{DEFAULT} 8 CPUs that tune asks for, the most is 4"),
        (
            "max_mem_mb:",
            {"mem_mb": 80000},
            f"{DEFAULT} 80 GB that score asks for; the most is 64 GB: set max_mem_mb",
        ),
        ("partition:", {"gpus": 3}, f"{DEFAULT} 3 GPUs that tune asks of one node; the most is 2"),
        (
            "gpu_model: a100",
            {},
            "site.yaml:1: no GPU of the default partition is called a100; its GPUs have no names",
        ),
        ("gpu_constraint: big", {}, f"{DEFAULT} feature big; its nodes have none"),
        (
            "max_minutes:\npartition: short",
            {"minutes": 60},
            "site.yaml:1: jobs of partition short end after 30 minutes, and score asks for 60; set max_minutes: 30",
        ),
        (
            "partition: shut",
            {},
            "site.yaml:1: partition shut takes no jobs now: wait, or name another one (sbatch: R",
        ),
    ],
)
def test_mistakes(check: Check, text: str, sizes: dict[str, int], sentence: str) -> None:
    told = check(text, **sizes)
    assert told
    assert told.startswith(sentence)
    assert "\n" not in told


def test_no_account(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that charges accounts needs a database, which this one has not; the words are SLURM's own."""
    monkeypatch.setenv("PATH", os.environ["PATH"])
    refusal = "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified"
    says(tmp_path, "sbatch", refusal)
    says(tmp_path, "sacctmgr", "lab1\nlab2", code=0)
    assert check("account:\n") == (
        "site.yaml:1: SLURM wants another account: lab1 or lab2 would be (sbatch: Batch job submission failed:"
        " Invalid account or account/partition combination specified)"
    )
    assert str(check("partition: main\naccount: lab3\n")).startswith("site.yaml:2: lab3 is no account of ")


def test_the_other_gpu_flag(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"])
    says(tmp_path, "sbatch", "sbatch: error: Invalid generic resource (gres) specification", when="--gpus=")
    assert check("cpus_per_gpu: 1\ngpu_flag: gpus\n") == (
        "site.yaml:2: this cluster refuses --gpus=1 (Invalid generic resource (gres) specification) and takes"
        " --gres=gpu:1; write gpu_flag: gres"
    )
    assert check("cpus_per_gpu: 1\ngpu_flag: gres\n") is None


def test_no_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="there is no sinfo here: profiles/slurm is for the login node"):
        preflight.check_jobs(Site(), Path("site.yaml"), [])


def test_a_full_disk(tmp_path: Path) -> None:
    site = Site(scratch=str(tmp_path))
    file = tmp_path / "site.yaml"
    file.write_text(f"scratch: {tmp_path}\n")
    preflight.check_folders([tmp_path / "results"], site, file, room=0)
    with pytest.raises(
        InputError, match=r"results has .* GB left on its disk, and 1000000000 GB are wanted: make room"
    ):
        preflight.check_folders([tmp_path / "results"], site, file, room=10**18)
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    require(not subprocess.run(mount, capture_output=True).returncode, "no file system may be mounted here")
    try:
        with pytest.raises(
            InputError, match=r"results cannot be written to \(no space left on device\): make room"
        ):
            preflight.check_folders([small / "results"], Site(), file, room=0)
        with pytest.raises(InputError, match=rf"{small} cannot be written to .*, or change {file}:1$"):
            preflight.check_folders([], Site(scratch=str(small)), file)
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.slow
def test_snakemake_asks_first(cluster: Path, tmp_path: Path) -> None:
    """With the profile, Snakemake submits nothing before these questions are answered."""
    (tmp_path / "site.yaml").write_text("partition: nope\n")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path,
         "--configfile", ROOT / "tests/config/small.yaml", "--profile", ROOT / "profiles/slurm", "--",
         "results/encoders/tiny/config.json"],
        cwd=ROOT, env={**throwaway.environment(cluster), "XLQA_SITE": str(tmp_path / "site.yaml")},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode
    assert f"error: {tmp_path}/site.yaml:1: there is no partition nope" in done.stderr
    assert "submitted" not in done.stderr
    assert not (cluster / "log/jobs.txt").read_text()


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("infinite", None), ("1-00:00:00", 1440), ("2:30:00", 150), ("30:00", 30), ("5-12:00:00", 7920)],
)
def test_sinfo_s_times(limit: str, minutes: int | None) -> None:
    assert preflight._minutes(limit) == minutes


def test_sinfo_s_gpus() -> None:
    assert preflight._gpus("gpu:a100:4(S:0-1),gpu:h100:2,shard:8") == {"a100": 4, "h100": 2}
    assert preflight._gpus("gpu:2") == {"": 2}
    assert preflight._gpus("(null)") == {}
