"""The site file (profiles/slurm/site.yaml): what a cluster calls things, and what a job therefore asks for."""

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator

from workflow_scripts.cli import InputError, explain
from workflow_scripts.recipes.base import Positive, Recipe

PLACE = Path("profiles", "slurm", "site.yaml")


class Site(Recipe):
    """A cluster's names and limits; what is None is left to SLURM."""

    account: str | None = Field(None, description="whom jobs are charged to")
    partition: str | None = Field(None, description="where jobs without a GPU run")
    gpu_partition: str | None = Field(None, description="where jobs with a GPU run; none: the same")
    qos: str | None = Field(None, description="quality of service")
    gpu_flag: Literal["gpus", "gres"] = Field("gpus", description="how sbatch is asked for GPUs")
    gpu_model: str | None = Field(None, description="a kind of GPU")
    gpu_constraint: str | None = Field(None, description="a feature that nodes of GPU jobs must have")
    cpus_per_gpu: Positive = Field(4, description="CPUs that go with each GPU")
    max_mem_mb: Positive | None = Field(None, description="most memory that a job may ask for")
    max_minutes: Positive | None = Field(None, description="longest time that a job may ask for")
    scratch: str | None = Field(None, description="a folder of each node for temporary files")

    @field_validator(
        "account", "partition", "gpu_partition", "qos", "gpu_constraint", "gpu_model", mode="before"
    )
    @classmethod
    def _name(cls, value: Any) -> Any:
        """A name that YAML takes for a number is a name."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def place(basedir: Path) -> Path:
    """The site file: $XLQA_SITE, that of the folder that snakemake is called in, or the one beside the Snakefile."""
    if named := os.environ.get("XLQA_SITE"):
        return Path(named)
    return PLACE if PLACE.exists() else basedir / PLACE


def read(path: Path) -> Site:
    """The site file, validated.  Raises InputError that names the file, the line and what would be right."""
    try:
        given = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; it tells what the cluster is called") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(f"{path}{f':{mark.line + 1}' if mark else ''}: not a YAML file") from None
    if not isinstance(given, dict | None):
        raise InputError(f"{path}: wants lines of the form `key: value`")
    try:
        # an empty value is one that is not given
        return Site.model_validate({key: value for key, value in (given or {}).items() if value is not None})
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        raise InputError(explain(error, line_of(path, key), Site)) from None


def line_of(path: Path, key: str) -> str:
    """FILE:LINE of a key of the site file; the line that it would be where there is none."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        if line.startswith(f"{key}:"):
            return f"{path}:{number}"
    return f"{path}:{len(lines) + 1} (new)"


def asked(site: Site, gpus: int, nodes: int = 1) -> dict[str, int | str]:
    """What a job is submitted with at this site, in words of Snakemake's SLURM executor.

    gpus: GPUs of the whole job; nodes: nodes that it runs on, with as many GPUs each.
    """
    wanted: dict[str, int | str | None] = {"slurm_account": site.account, "slurm_partition": site.partition}
    wanted["qos"] = site.qos
    if gpus:
        each = gpus // nodes
        wanted["slurm_partition"] = site.gpu_partition or site.partition
        wanted["constraint"] = site.gpu_constraint
        wanted["cpus_per_task"] = site.cpus_per_gpu * each
        # sbatch counts --gres for each node, --gpus for the job, which may then lie unequally on its nodes
        if site.gpu_flag == "gres" or nodes > 1:
            wanted["gpu"] = 0
            wanted["gres"] = f"gpu:{site.gpu_model}:{each}" if site.gpu_model else f"gpu:{each}"
        else:
            wanted["gpu_model"] = site.gpu_model
    return {key: value for key, value in wanted.items() if value is not None}
