"""Start and stop a throw-away SLURM cluster on this machine: several nodes with pretended GPUs, in a second.

    python -m workflow_scripts.cluster.throwaway start DIR [--nodes 2 --gpus 2 --cpus 4]
    . DIR/env.sh                                  # from here on, sbatch, squeue, … of this shell mean this cluster
    python -m workflow_scripts.cluster.throwaway stop DIR

It takes root and Debian's packages slurm-wlm and munge, but no systemd, no accounting and nothing under /etc: all of it
is in DIR, and several clusters may run side by side.  Nodes are names: their jobs all run here, in one memory and on
the same processors.  A GPU is a device file that does nothing; a job sees its number in CUDA_VISIBLE_DEVICES.  SLURM
kills a job that takes more memory than it asked for.  DIR/log/jobs.txt has a line for every job that has ended.
"""

import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.files import write_text

DAEMONS = ("munged", "slurmctld", "slurmd")
SERVERS = (*DAEMONS, "slurmscriptd", "slurmstepd")  # and what they start
NEEDED = (*DAEMONS, "sbatch", "srun", "sinfo", "scontrol")
PLACES = os.pathsep.join(
    [os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]
)  # Debian keeps daemons apart
PARTS = ("bin", "dev", "log", "munge", "run", "state")
LONGEST = 70  # characters of DIR: sockets lie in it, whose names the kernel holds to 107
UP_WITHIN = 30.0  # seconds
GONE_WITHIN = 10.0  # seconds


def lacking() -> str | None:
    """What this machine lacks to start a cluster, as a sentence; None: nothing."""
    absent = [name for name in NEEDED if shutil.which(name, path=PLACES) is None]
    if absent:
        return f"no {', '.join(absent)} here; install SLURM (Debian: apt-get install slurm-wlm munge)"
    if os.geteuid() != 0:
        return (
            "only root can start a throw-away SLURM cluster; run this as root (sudo), in a container at best"
        )
    return None


def start(folder: Path, *, nodes: int = 2, gpus: int = 2, cpus: int = 4, memory: int = 64000) -> None:
    """Start a cluster in `folder` of nodes n1, n2, … that pretend to have so many GPUs, CPUs and MB of memory each.

    Raises InputError where this machine lacks something, a cluster runs there already, or its nodes don't come up.
    """
    if sentence := lacking():
        raise InputError(sentence)
    folder = folder.resolve()
    if len(str(folder)) > LONGEST:
        raise InputError(
            f"{folder}: a path of more than {LONGEST} characters is too long for SLURM's sockets"
        )
    if _daemons(folder):
        raise InputError(f"{folder}: a cluster runs here already; stop it first")
    if folder.exists() and any(folder.iterdir()) and not (folder / "slurm.conf").is_file():
        raise InputError(f"{folder}: holds something that is no cluster's; give a new or an empty folder")
    for part in PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)  # what an earlier cluster has left knows other ports
        (folder / part).mkdir(parents=True)
    _start_munge(folder)
    names = [f"n{number}" for number in range(1, nodes + 1)]
    write_text(folder / "slurm.conf", _configuration(folder, names, gpus, cpus, memory))
    write_text(folder / "gres.conf", "".join(_devices(folder, name, gpus) for name in names))
    (folder / "log/jobs.txt").touch()
    # The executor of a job takes every SLURM_* out of the environment before it calls srun, where the cluster is from.
    srun = folder / "bin/srun"
    write_text(
        srun,
        f'#!/bin/sh\nSLURM_CONF={shlex.quote(str(folder / "slurm.conf"))} exec {_program("srun")} "$@"\n',
    )
    srun.chmod(0o755)
    write_text(
        folder / "env.sh",
        f"export SLURM_CONF={shlex.quote(str(folder / 'slurm.conf'))}\n"
        f"export PATH={shlex.quote(str(folder / 'bin'))}:$PATH\n"
        f"export XLQA_SITE={shlex.quote(str(folder / 'site.yaml'))}\n",
    )
    write_text(folder / "site.yaml", "partition: main\ncpus_per_gpu: 1\n")
    _call(folder, "slurmctld", "-c")
    for name in names:
        start_node(folder, name)
    _await_idle(folder, len(names))


def stop(folder: Path) -> None:
    """Kill everything of a cluster, its jobs too.  Nothing happens where none runs; its files stay."""
    _kill(folder.resolve())


def start_node(folder: Path, name: str) -> None:
    """Start the daemon of a node, also after `kill_node`."""
    _call(folder.resolve(), "slurmd", "-N", name)


def kill_node(folder: Path, name: str) -> None:
    """End a node as a power cut does: its daemon, its job steps and all their processes at once, without a word."""
    _kill(folder.resolve(), name)


def processes(folder: Path, node: str | None = None) -> set[int]:
    """The processes of a cluster or of one of its nodes, SLURM's own and those of jobs."""
    folder = folder.resolve()
    return _daemons(folder, node) | _jobs(folder, node)


def environment(folder: Path) -> dict[str, str]:
    """The variables of this process, with those by which SLURM's programs, jobs and profiles/slurm find the cluster."""
    folder = folder.resolve()
    return {
        **os.environ,
        "SLURM_CONF": str(folder / "slurm.conf"),
        "PATH": f"{folder / 'bin'}{os.pathsep}{PLACES}",
        "XLQA_SITE": str(folder / "site.yaml"),
    }


def _configuration(folder: Path, names: list[str], gpus: int, cpus: int, memory: int) -> str:
    """The text of slurm.conf.  SLURM's own times are longer: here seconds show what takes minutes elsewhere."""
    host = socket.gethostname().partition(".")[0]
    ports = _free_ports(1 + len(names))
    settings = {
        "ClusterName": "throwaway",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": ports[0],
        "SlurmUser": "root",
        "SlurmdUser": "root",
        "AuthType": "auth/munge",
        # a job that is queued again waits until its credential has expired, by default two minutes
        "AuthInfo": f"socket={folder}/munge/socket,cred_expire=5",
        "CredType": "cred/munge",
        "SlurmctldPidFile": f"{folder}/run/slurmctld.pid",
        "SlurmdPidFile": f"{folder}/run/slurmd.%n.pid",
        "StateSaveLocation": f"{folder}/state",
        "SlurmdSpoolDir": f"{folder}/state/slurmd.%n",
        "SlurmctldLogFile": f"{folder}/log/slurmctld.log",
        "SlurmdLogFile": f"{folder}/log/slurmd.%n.log",
        "SlurmdParameters": "config_overrides",  # nodes may have more than this machine
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "SwitchType": "switch/none",
        "MpiDefault": "none",
        # memory is watched by looking, every second, since there are no control groups to enforce it
        "JobAcctGatherType": "jobacct_gather/linux",
        "JobAcctGatherFrequency": "task=1",
        "JobAcctGatherParams": "OverMemoryKill",
        "AccountingStorageType": "accounting_storage/none",
        "JobCompType": "jobcomp/filetxt",
        "JobCompLoc": f"{folder}/log/jobs.txt",
        "ReturnToService": 2,
        "SlurmctldTimeout": 30,
        "SlurmdTimeout": 10,  # seconds after which a silent node is down, and its jobs are queued again
        "InactiveLimit": 0,
        "MinJobAge": 600,  # seconds that squeue remembers a job; Snakemake asks it, as there is no accounting
        "SchedulerType": "sched/builtin",
        "SchedulerParameters": "batch_sched_delay=0,sched_interval=2,sched_min_interval=0",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory,CR_LLN",  # the node with the most free CPUs comes first
        "GresTypes": "gpu",
        "DefMemPerCPU": 200,  # else a job that asks for no memory gets all of the node's
    }
    nodes = [
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={memory}"
        f"{f' Gres=gpu:{gpus}' if gpus else ''} State=UNKNOWN"
        for name, port in zip(names, ports[1:], strict=True)
    ]
    partition = f"PartitionName=main Nodes={','.join(names)} Default=YES MaxTime=INFINITE State=UP"
    return "\n".join([*(f"{key}={value}" for key, value in settings.items()), *nodes, partition, ""])


def _devices(folder: Path, name: str, gpus: int) -> str:
    """Make the device files of a node, twins of /dev/null; the line of gres.conf that tells of them, "" for none."""
    if not gpus:
        return ""
    (folder / "dev" / name).mkdir()
    for number in range(gpus):
        try:
            os.mknod(folder / "dev" / name / f"nvidia{number}", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            raise InputError(
                f"{folder}: no device files may be made on this file system; choose another, or start with --gpus 0"
            ) from None
    return f"NodeName={name} Name=gpu File={folder}/dev/{name}/nvidia[0-{gpus - 1}]\n"


def _start_munge(folder: Path) -> None:
    """Start the daemon that vouches for who sends a message, with a key and a socket of its own."""
    munge = folder / "munge"
    munge.chmod(0o711)
    key = munge / "key"
    key.touch(mode=0o400)
    key.write_bytes(os.urandom(1024))
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    _call(folder, "munged", "--force", *(f"--{option}={munge / name}" for option, name in files.items()))


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; all are held until the last is found, so that none comes twice."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def _program(name: str) -> str:
    """Where a program is."""
    found = shutil.which(name, path=PLACES)
    assert found, name
    return found


def _call(folder: Path, name: str, *arguments: str) -> str:
    """Run one of SLURM's programs on the cluster; what it printed.  Raises InputError where it fails."""
    done = subprocess.run(
        [_program(name), *arguments],
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=UP_WITHIN,
    )
    if done.returncode:
        why = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise InputError(f"{name} did not start in {folder}: {why}; its log is in {folder / 'log'}")
    return done.stdout


def _await_idle(folder: Path, nodes: int) -> None:
    """Wait until all nodes take jobs.  Raises InputError, after stopping the cluster, where they don't in time."""
    until = time.monotonic() + UP_WITHIN
    states: list[str] = []
    while time.monotonic() < until:
        with suppress(InputError):  # the controller may not listen yet
            states = _call(folder, "sinfo", "--noheader", "--Node", "--format=%T").split()
        if states == ["idle"] * nodes:
            return
        time.sleep(0.1)
    stop(folder)
    raise InputError(
        f"the nodes in {folder} are {', '.join(states) or 'not there'}; their logs are in {folder / 'log'}"
    )


def _daemons(folder: Path, node: str | None = None) -> set[int]:
    """Processes of SLURM that write to a log of the cluster, or to that of one node; job steps do, too."""
    logs = (
        {folder / "log" / f"slurmd.{node}.log"}
        if node
        else {folder / "munge/log", *(folder / "log").glob("slurm*.log")}
    )
    return {
        process
        for process in _processes()
        if _read(process, "comm").decode().strip() in SERVERS and logs & _opened(process)
    }


def _jobs(folder: Path, node: str | None = None) -> set[int]:
    """Processes of the cluster's jobs, or of those on one node; they may have outlived SLURM's own."""
    marks = {f"SLURM_CONF={folder}/slurm.conf".encode()}
    if node:
        marks.add(f"SLURMD_NODENAME={node}".encode())
    found = set()
    for process in _processes():
        variables = set(_read(process, "environ").split(b"\0"))
        if marks <= variables and any(each.startswith(b"SLURM_JOB_ID=") for each in variables):
            found.add(process)
    return found


def _processes() -> list[int]:
    """The numbers of all processes."""
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _read(process: int, file: str) -> bytes:
    """A file of a process in /proc; nothing where it has ended."""
    try:
        return Path(f"/proc/{process}/{file}").read_bytes()
    except OSError:
        return b""


def _opened(process: int) -> set[Path]:
    """The files that a process has open."""
    opened = set()
    with suppress(OSError):
        for each in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                opened.add(each.readlink())
    return opened


def _kill(folder: Path, node: str | None = None) -> None:
    """Kill all processes of a cluster or a node, until there are none: a job may start some meanwhile."""
    until = time.monotonic() + GONE_WITHIN
    while (found := processes(folder, node)) and time.monotonic() < until:
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


def main() -> None:
    """The command line."""
    arguments = parser(__doc__)
    arguments.add_argument("what", choices=["start", "stop"])
    arguments.add_argument("folder", metavar="DIR", type=Path, help="of the cluster; start empties it")
    arguments.add_argument("--nodes", type=int, default=2)
    arguments.add_argument("--gpus", type=int, default=2, help="of each node, pretended")
    arguments.add_argument(
        "--cpus", type=int, default=4, help="of each node, which this machine need not have"
    )
    arguments.add_argument(
        "--memory", type=int, default=64000, help="of each node in MB, which this machine need not have"
    )
    given = arguments.parse_args()
    if given.what == "stop":
        stop(given.folder)
        return
    start(given.folder, nodes=given.nodes, gpus=given.gpus, cpus=given.cpus, memory=given.memory)
    print(
        f"A SLURM cluster runs in {given.folder}; to use it from this shell: . {given.folder}/env.sh",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
