"""Run a step on GPUs of its own: one, several, or several on each of several nodes; on processors where there are none.

    python -m workflow_scripts.cluster.launch [--devices N] [--nodes M] workflow_scripts.qa.tune …

On a machine with N GPUs, N steps run at a time, each sees its own device, and more wait (`cluster.devices`).  What
SLURM has set is left as it is.  The launcher becomes the step: signals and exit codes are the step's own, and the
device is free when it ends, however it ends.

With --devices or --nodes, the step runs in one process for each device under `accelerate launch`; a node without GPUs
counts as one device.  Nodes are those of the SLURM job that this runs in (`srun` starts one launcher on each); without
SLURM there is one, this machine, and fewer devices than wanted are told.  The number of processes changes losses by
rounding only (`training.processes`).
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.cli import ERROR_FILE, InputError, run
from workflow_scripts.cluster.devices import machine_has, pool, take


def main() -> None:
    arguments_parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments_parser.add_argument(
        "--devices", type=int, default=1, help="GPUs on each node (default 1); 0: no GPU is waited for"
    )
    arguments_parser.add_argument("--nodes", type=int, default=1, help="nodes (default 1)")
    arguments_parser.add_argument(
        "--meet", metavar="HOST:PORT", help=argparse.SUPPRESS
    )  # on one of several nodes
    arguments_parser.add_argument(
        "step", nargs=argparse.REMAINDER, metavar="STEP …", help="the step's module, and its options"
    )
    arguments = arguments_parser.parse_args()
    if not arguments.step:
        raise InputError("no step given; name its module, as workflow_scripts.qa.tune")
    if arguments.devices < 0 or arguments.nodes < 1:
        raise InputError(
            f"--devices {arguments.devices} --nodes {arguments.nodes}: give numbers, of devices 0 for a step without"
        )
    in_slurm = "SLURM_JOB_ID" in os.environ
    if arguments.nodes > 1 and not arguments.meet:
        if in_slurm:
            on_all_nodes(arguments.nodes, arguments.devices, arguments.step)
        print(f"no SLURM job here: one node instead of {arguments.nodes}", file=sys.stderr, flush=True)
        arguments.nodes = 1
    devices = choose(arguments.devices, in_slurm) if arguments.devices else 0
    if not machine_has():
        os.environ["ACCELERATE_USE_CPU"] = "true"
    sys.stderr.flush()
    if arguments.nodes == 1 and devices < 2:
        os.execv(sys.executable, [sys.executable, "-m", *arguments.step])
    sys.exit(several(max(devices, 1), arguments.nodes, arguments.meet, arguments.step))


def choose(wanted: int, in_slurm: bool) -> int:
    """Set CUDA_VISIBLE_DEVICES to as many free devices as are wanted, or as there are; how many that is."""
    there = pool()
    if len(there) < wanted and wanted > 1:
        print(f"{len(there)} GPUs here, {wanted} wanted", file=sys.stderr, flush=True)
    # SLURM gives a job what is its own; only who runs many jobs in one allocation must share out.
    if not there or (in_slurm and len(there) <= wanted):
        return len(there)
    space = f"{os.environ['SLURM_JOB_ID']}." if in_slurm else ""
    devices, _ = take(there, min(wanted, len(there)), space)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(devices)
    return len(devices)


def on_all_nodes(nodes: int, devices: int, step: Sequence[str]) -> None:
    """Become `srun`, which starts a launcher on each node of this SLURM job.

    They meet at this node, the job's first, where a port is free.  Raises InputError where there is no srun.
    """
    srun = shutil.which("srun")
    if srun is None:
        raise InputError("srun is not on PATH; a step on several nodes of a SLURM job is started by it")
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    command = [srun, f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1"]
    command += [
        "--cpu-bind=none",
        "--kill-on-bad-exit=1",
    ]  # a process uses what the job has on a node; one fails, all do
    command += [
        sys.executable,
        "-m",
        "workflow_scripts.cluster.launch",
        f"--nodes={nodes}",
        f"--devices={devices}",
    ]
    os.execv(srun, [*command, f"--meet={socket.gethostname()}:{port}", *step])


def several(devices: int, nodes: int, meet: str | None, step: Sequence[str]) -> int:
    """Run the step in a process for each device under `accelerate launch`, and return its exit code.

    A sentence that a process ended with is said again at the end, below what the launcher of the processes says.
    """
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--gpu_ids=all"]
    # the step chooses, and no file of a user's own defaults
    command += ["--mixed_precision=no", "--dynamo_backend=no"]
    command += [f"--num_processes={devices * nodes}", f"--num_machines={nodes}"]
    if meet:
        host, _, port = meet.rpartition(":")
        # where srun was called, by the address that the other nodes know it by
        host = os.environ.get("SLURM_LAUNCH_NODE_IPADDR", host)
        rank = os.environ["SLURM_PROCID"]
        command += [f"--machine_rank={rank}", f"--main_process_ip={host}", f"--main_process_port={port}"]
        command += ["--same_network"]
    else:
        command += ["--main_process_port=0"]
    with tempfile.TemporaryDirectory(prefix="xlqa-") as folder:
        told = Path(folder) / "error"
        received: list[int] = []
        environment = {**os.environ, ERROR_FILE: str(told)}
        # SLURM sends it to all processes of a job, and accelerate's would end before the step's have saved
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        child = subprocess.Popen([*command, "-m", *step], env=environment, close_fds=False)

        def hand_on(number: int, frame: object) -> None:
            received.append(number)
            child.send_signal(signal.SIGTERM if number == signal.SIGUSR1 else number)

        for kind in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            signal.signal(kind, hand_on)
        code = child.wait()
        if code and told.exists():
            error = json.loads(told.read_text("utf-8"))
            print(f"error: {error['sentence']}", file=sys.stderr)
            return int(error["code"])
    if code and received:
        print(f"stopped by {signal.Signals(received[0]).name}", file=sys.stderr)
        return 128 + received[0]
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    run(main)
