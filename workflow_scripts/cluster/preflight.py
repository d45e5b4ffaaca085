"""Ask SLURM and the disks, before anything is submitted, whether jobs of these sizes can run here.

    python -m workflow_scripts.cluster.preflight --mem-mb 8000 --minutes 720 --gpus 1

Snakemake asks by itself, with the jobs that it will submit, when it starts with --profile profiles/slurm.  A mistake is
told in one sentence that says which line of the site file (profiles/slurm/site.yaml) to change.
"""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.cluster.site import Site, asked, line_of, place, read

ROOM = 1_000_000_000  # bytes that must be free where results are written
PATIENCE = 60  # seconds for one of SLURM's programs to answer
LOCAL = {"btrfs", "ext2", "ext3", "ext4", "overlay", "tmpfs", "xfs", "zfs"}  # file systems of one machine


@dataclass(frozen=True)
class Job:
    """What a job asks for of each of its nodes; of partition, account and such None is SLURM's choice."""

    name: str
    mem_mb: int = 0
    cpus: int = 1
    minutes: int = 0
    gpus: int = 0
    nodes: int = 1
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    gres: str | None = None
    gpu_model: str | None = None

    def options(self) -> list[str]:
        """As sbatch is told; GPUs as the executor asks for them."""
        flags = {
            "--partition": self.partition,
            "--account": self.account,
            "--qos": self.qos,
            "--constraint": self.constraint,
            "--gres": self.gres,
            "--mem": self.mem_mb or None,
            "--time": self.minutes or None,
            "--cpus-per-task": self.cpus,
            "--nodes": self.nodes if self.nodes > 1 else None,
        }
        if self.gpus and not self.gres:
            total = self.gpus * self.nodes
            flags["--gpus"] = f"{self.gpu_model}:{total}" if self.gpu_model else str(total)
        return [f"{flag}={value}" for flag, value in flags.items() if value is not None]


@dataclass(frozen=True)
class Node:
    """A node of a partition, as sinfo tells of it; minutes: the partition's limit, None without one."""

    name: str
    cpus: int
    mem_mb: int
    gpus: Mapping[str, int]  # by model; "" where nodes don't tell
    features: frozenset[str]
    minutes: int | None


def program(*command: str) -> subprocess.CompletedProcess[str]:
    """Run one of SLURM's programs.  Raises InputError where there is none, or none answers."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
        )
    except FileNotFoundError:
        raise InputError(
            f"there is no {command[0]} here: profiles/slurm is for the login node of a SLURM cluster; on this machine"
            " leave the profile out and say how many processors to use: snakemake --cores N"
        ) from None
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{command[0]} has not answered in {PATIENCE} seconds: SLURM's controller is down or busy, try again later"
        ) from None


def partitions() -> dict[str, list[Node]]:
    """Partition -> its nodes; the default partition stands first, under "" as well.  Raises InputError as `program`."""
    done = program("sinfo", "--noheader", "--Node", "--format=%P|%N|%c|%m|%G|%f|%l")
    if done.returncode:
        raise InputError(f"sinfo does not reach SLURM from here: {_line(done.stderr)}")
    found: dict[str, list[Node]] = {}
    for line in done.stdout.splitlines():
        name, node, cpus, memory, gres, features, limit = line.split("|")
        made = Node(
            name=node,
            cpus=_count(cpus),
            mem_mb=_count(memory),
            gpus=_gpus(gres),
            features=frozenset() if features == "(null)" else frozenset(features.split(",")),
            minutes=_minutes(limit),
        )
        found.setdefault(name.rstrip("*"), []).append(made)
        if name.endswith("*"):
            found.setdefault("", []).append(made)
    return found


def check_jobs(site: Site, file: Path, jobs: Iterable[Job]) -> None:
    """Whether SLURM takes all these jobs, now or later.

    Raises InputError: what is wrong, and which line of the site file to change.
    """
    jobs = list(jobs)
    there = partitions()
    _check_account(site, file)
    for job in jobs:
        key = "gpu_partition" if job.gpus and site.gpu_partition else "partition"
        _check_partition(file, key, job.partition, there)
        _check_size(site, file, key, job, there[job.partition or ""])
    # one question for each way of asking: SLURM takes long for thousands
    largest = {
        kind: max((job for job in jobs if _kind(job) == kind), key=lambda job: job.mem_mb)
        for kind in dict.fromkeys(map(_kind, jobs))
    }
    for job in largest.values():
        _ask_slurm(site, file, job)


def check_folders(folders: Sequence[Path], site: Site, file: Path, room: int = ROOM) -> None:
    """Whether folders, the site's scratch too, can be written to, and there are `room` bytes left in them.

    Raises InputError that names the folder and what to do.
    """
    for folder in folders:
        there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
        _check_writing(there, str(folder), "run in another folder (snakemake --directory FOLDER)", room)
    if site.scratch and "$" not in site.scratch and Path(site.scratch).is_dir():
        _check_writing(Path(site.scratch), site.scratch, f"change {line_of(file, 'scratch')}", 0)


def check_models(models: Sequence[str]) -> None:
    """Whether nodes find these models of the hub without internet.  Raises InputError that says how they would."""
    from workflow_scripts.cluster.prefetch import (
        absent,
    )  # the hub's package takes its time, and few runs need it

    if models and (missing := absent(models)):
        raise InputError(
            f"{_list(missing)} is not in the cache that nodes load models from; on a machine with internet:"
            " snakemake --cores 1 prefetch (nodes that have internet themselves: set HF_HUB_OFFLINE to 0)"
        )


def nodes_may_not_see(folder: Path) -> str | None:
    """A sentence where `folder` lies on a disk of this machine, and nodes are other machines; None otherwise."""
    kind = program("stat", "--file-system", "--format=%T", str(folder)).stdout.strip()
    kind = "ext4" if kind.startswith("ext") else kind  # stat tells these apart by one name
    if kind not in LOCAL:
        return None
    hosts = set(program("sinfo", "--noheader", "--Node", "--format=%n").stdout.split())
    if hosts <= {socket.gethostname().partition(".")[0]}:
        return None
    return (
        f"{folder} is on a disk of this machine ({kind}): unless the nodes see it, too, jobs won't find their files;"
        " if so, run in a folder that all machines share"
    )


def _check_account(site: Site, file: Path) -> None:
    """The account is one of the user's; without one, the site has to do without, which `_ask_slurm` finds out."""
    if site.account is None:
        return
    where = line_of(file, "account")
    known = _accounts()
    if known is None:
        raise InputError(f"{where}: this cluster keeps no accounts; leave account empty")
    if known and site.account.lower() not in {name.lower() for name in known}:
        raise InputError(
            f"{where}: {site.account} is no account of {getpass.getuser()}; {_list(known)} would be"
        )


def _accounts() -> list[str] | None:
    """The user's accounts; empty where SLURM does not tell, None where it keeps none."""
    user = getpass.getuser()
    answered = False
    for command in (
        ("sacctmgr", "-n", "-s", "list", "user", user, "format=account%256"),
        ("sshare", "-U", "--format", "Account%256", "--noheader"),
    ):
        done = program(*command)
        answered |= done.returncode == 0
        if done.returncode == 0 and (names := sorted(set(done.stdout.split()))):
            return names
    return [] if answered else None


def _check_partition(file: Path, key: str, name: str | None, there: Mapping[str, list[Node]]) -> None:
    """The partition exists, or there is one by default."""
    names = [each for each in there if each]
    if name is None and "" not in there:
        raise InputError(
            f"{line_of(file, key)}: {key} is empty and this cluster has no default partition; it has {_list(names)}"
        )
    if name is not None and name not in there:
        raise InputError(
            f"{line_of(file, key)}: there is no partition {name}; this cluster has {_list(names)}"
        )


def _check_size(site: Site, file: Path, key: str, job: Job, nodes: list[Node]) -> None:
    """Some node of the partition is as large as the job asks, and the partition's limit as long."""
    called = f"partition {job.partition}" if job.partition else "the default partition"
    where = line_of(file, key)
    fitting = nodes
    if job.gpus:
        wanted = site.gpu_model
        have = max(sum(node.gpus.values()) for node in nodes)
        if not have:
            raise InputError(
                f"{line_of(file, 'gpu_partition')}: no node of {called} has a GPU, and {job.name} asks for one; name a"
                " partition that has (sinfo -o '%P %G')"
            )
        models = sorted({model for node in nodes for model in node.gpus if model})
        if wanted and wanted not in models:
            raise InputError(
                f"{line_of(file, 'gpu_model')}: no GPU of {called} is called {wanted};"
                f" {_list(models) + ' are' if models else 'its GPUs have no names, leave it empty'}"
            )
        fitting = [
            node
            for node in fitting
            if (node.gpus.get(wanted, 0) if wanted else sum(node.gpus.values())) >= job.gpus
        ]
        if not fitting:
            raise InputError(
                f"{where}: no node of {called} has the {job.gpus} GPUs that {job.name} asks of one node; the most is"
                f" {have}"
            )
        if site.gpu_constraint and not any(
            _features(site.gpu_constraint) & node.features for node in fitting
        ):
            features = sorted(frozenset().union(*(node.features for node in fitting)))
            raise InputError(
                f"{line_of(file, 'gpu_constraint')}: no node of {called} has the feature {site.gpu_constraint};"
                f" {_list(features) + ' are there' if features else 'its nodes have none, leave it empty'}"
            )
    memory, cpus = max(node.mem_mb for node in fitting), max(node.cpus for node in fitting)
    if job.mem_mb > memory:
        raise InputError(
            f"{line_of(file, 'max_mem_mb')}: no node of {called} has the {_gb(job.mem_mb)} that {job.name} asks for;"
            f" the most is {_gb(memory)}: set max_mem_mb: {memory}, or name another partition ({where})"
        )
    if job.cpus > cpus:
        line = line_of(file, "cpus_per_gpu") if job.gpus else where
        raise InputError(
            f"{line}: no node of {called} has the {job.cpus} CPUs that {job.name} asks for, the most is {cpus}"
        )
    limit = nodes[0].minutes
    if limit is not None and job.minutes > limit:
        raise InputError(
            f"{line_of(file, 'max_minutes')}: jobs of {called} end after {limit} minutes, and {job.name} asks for"
            f" {job.minutes}; set max_minutes: {limit}, or name another partition ({where})"
        )


def _kind(job: Job) -> tuple[object, ...]:
    """What tells apart jobs that SLURM may answer differently about, their sizes aside."""
    return (
        job.partition,
        job.account,
        job.qos,
        job.constraint,
        bool(job.gpus),
        job.gres,
        job.gpu_model,
        job.nodes,
    )


# What SLURM answers, in its own words -> the key of the site file to change, and what to do.
ANSWERS = {
    "Invalid account": ("account", "SLURM wants another account: {accounts}"),
    "Invalid qos": (
        "qos",
        "there is no quality of service {qos} for you: `sacctmgr show associations` lists yours",
    ),
    "Invalid feature": ("gpu_constraint", "no node has the feature {constraint}: `sinfo -o %f` lists them"),
    "group not permitted": (
        "{partition_key}",
        "your group may not use partition {partition}: `sinfo -s` lists others",
    ),
    "No partition specified": (
        "{partition_key}",
        "this cluster has no default partition: `sinfo -s` lists all",
    ),
    "Invalid partition": ("{partition_key}", "there is no partition {partition}: `sinfo -s` lists all"),
    "partition not available": (
        "{partition_key}",
        "partition {partition} takes no jobs now: wait, or name another one",
    ),
    "time limit": ("max_minutes", "{minutes} minutes are more than the site allows: set a lower max_minutes"),
    "emory required": ("max_mem_mb", "{mem_mb} MB are more than a node has: set a lower max_mem_mb"),
    "accounting/QOS policy": ("qos", "a limit of your account or QOS is reached: wait, or ask for less"),
    "generic resource": ("gpu_flag", "this cluster does not know GPUs by that name"),
}


def _ask_slurm(site: Site, file: Path, job: Job) -> None:
    """SLURM's own answer to a job like this one, which it does not run."""
    done = _tested(job.options())
    if done.returncode == 0:
        return
    said = _line(done.stderr)
    if job.gpus:
        model = f"{job.gpu_model}:" if job.gpu_model else ""
        total = job.gpus * job.nodes
        other = f"--gpus={model}{total}" if job.gres else f"--gres=gpu:{model}{job.gpus}"
        rest = [option for option in job.options() if not option.startswith(("--gpus=", "--gres="))]
        if _tested([*rest, other]).returncode == 0:
            given = next(option for option in job.options() if option.startswith(("--gpus=", "--gres=")))
            raise InputError(
                f"{line_of(file, 'gpu_flag')}: this cluster refuses {given} ({said}) and takes {other}; write gpu_flag:"
                f" {'gpus' if job.gres else 'gres'}"
            )
    partition_key = "gpu_partition" if job.gpus and site.gpu_partition else "partition"
    for words, (key, sentence) in ANSWERS.items():
        if words in said:
            known = _accounts() or []
            told = {
                **{name: getattr(job, name) or "(none)" for name in ("partition", "qos", "constraint")},
                "minutes": job.minutes,
                "mem_mb": job.mem_mb,
                "accounts": f"{_list(known)} would be" if known else "ask your cluster's staff for yours",
            }
            where = line_of(file, key.format(partition_key=partition_key))
            raise InputError(f"{where}: {sentence.format(**told)} (sbatch: {said})")
    raise InputError(
        f"{file}: SLURM does not take {job.name}: {said}; to see it: sbatch --test-only {' '.join(job.options())}"
        " --wrap true"
    )


def _tested(options: list[str]) -> subprocess.CompletedProcess[str]:
    return program("sbatch", "--test-only", *options, "--wrap", "true")


def _check_writing(folder: Path, called: str, mend: str, room: int) -> None:
    """A file can be written in a folder, and so much room is left."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:  # a quota shows when something is written
            file.write(b"\0" * 1_000_000)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        why = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise InputError(
            f"{called} cannot be written to ({why}): make room or mend its rights, or {mend}"
        ) from None
    free = shutil.disk_usage(folder).free
    if free < room:
        raise InputError(
            f"{called} has {free / 1e9:.1f} GB left on its disk, and {room / 1e9:.0f} GB are wanted: make room, or"
            f" {mend}"
        )


def _gpus(gres: str) -> dict[str, int]:
    """The GPUs of sinfo's %G, by model: gpu:a100:4(S:0-1),gpu:2 -> {a100: 4, "": 2}."""
    found: dict[str, int] = {}
    for each in gres.split(","):
        parts = each.partition("(")[0].split(":")
        if parts[0] == "gpu":
            model = parts[1] if len(parts) > 2 or (len(parts) == 2 and not parts[1].isdigit()) else ""
            found[model] = found.get(model, 0) + (int(parts[-1]) if parts[-1].isdigit() else 1)
    return found


def _minutes(limit: str) -> int | None:
    """sinfo's %l ([days-]hours:minutes:seconds, or minutes:seconds) in minutes; None for no limit."""
    days, _, rest = limit.rpartition("-")
    parts = rest.split(":")
    if not all(part.isdigit() for part in (*parts, days or "0")):
        return None
    hours, minutes = ([0, *map(int, parts)][-3:-1]) if len(parts) > 1 else (0, int(parts[0]))
    return int(days or 0) * 1440 + hours * 60 + minutes


def _count(text: str) -> int:
    """A number of sinfo's, which may end in + where nodes differ."""
    return int("".join(letter for letter in text if letter.isdigit()) or 0)


def _features(constraint: str) -> frozenset[str]:
    """The features that a constraint names, whatever it does with them."""
    return frozenset(
        "".join(letter if letter.isalnum() or letter in "_-." else " " for letter in constraint).split()
    )


def _line(said: str) -> str:
    """What SLURM printed last, without the name of its program."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["no reason given"]
    return lines[-1].removeprefix("sbatch: error: ").removeprefix("allocation failure: ")


def _gb(mem_mb: int) -> str:
    return f"{mem_mb / 1000:.0f} GB" if mem_mb >= 10_000 else f"{mem_mb / 1000:.1f} GB"


def _list(names: Iterable[str]) -> str:
    """a, b or c."""
    *first, last = list(names)
    return f"{', '.join(first)} or {last}" if first else last


def main() -> None:
    """The command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--site", type=Path, help="the site file; without it the one that Snakemake would read"
    )
    arguments.add_argument("--mem-mb", type=int, default=8000, help="of a job, in MB")
    arguments.add_argument("--minutes", type=int, default=720, help="that a job may take")
    arguments.add_argument(
        "--gpus", type=int, default=1, help="of a job with GPUs, on one node; 0: no such jobs"
    )
    given = arguments.parse_args()
    file = given.site or place(Path(__file__).parents[2])
    site = read(file)
    minutes = min(given.minutes, site.max_minutes or given.minutes)
    memory = min(given.mem_mb, site.max_mem_mb or given.mem_mb)
    sizes = {"a job without a GPU": 0, **({"a job with GPUs": given.gpus} if given.gpus else {})}
    sized = {"mem_mb": memory, "runtime": minutes}
    jobs = [job(name, {"gpu": gpus, **asked(site, gpus), **sized}) for name, gpus in sizes.items()]
    check_jobs(site, file, jobs)
    check_folders([Path("results"), Path("work"), Path("logs")], site, file)
    print(f"{file}: SLURM takes such jobs here.")


def job(name: str, resources: Mapping[str, object], cpus: int = 1) -> Job:
    """A job of the resources that Snakemake's executor submits it with; cpus: its threads."""

    def number(key: str, default: int) -> int:
        value = resources.get(key)
        return value if isinstance(value, int) and value else default  # some are known only later

    def text(key: str) -> str | None:
        value = resources.get(key)
        return str(value) if value else None

    nodes = number("nodes", 1)
    gpus = sum(_gpus(text("gres") or "").values()) or number("gpu", 0) // nodes
    return Job(
        name=name,
        mem_mb=number("mem_mb", 0),
        cpus=number("cpus_per_task", cpus),
        minutes=number("runtime", 0),
        gpus=gpus,
        nodes=nodes,
        partition=text("slurm_partition"),
        account=text("slurm_account"),
        qos=text("qos"),
        constraint=text("constraint"),
        gres=text("gres"),
        gpu_model=text("gpu_model"),
    )


if __name__ == "__main__":
    run(main)
