"""A step on two nodes, started by Snakemake's SLURM executor from one rule, trains as one process does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from workflow_scripts.cluster import throwaway

# The same step on one process or several; `processes` tells how many there were, and on which nodes.
STEP = """
import os, sys
from pathlib import Path
import torch
from tests.unit.test_loop import RECIPE, batch, loss, model
from workflow_scripts.training import loop, processes
from workflow_scripts.training.work_folder import locked

def parted(step):
    (whole,) = batch(step)
    return [{n: t[rows] for n, t in whole.items()} for rows in (slice(0, 3), slice(3, 6))]

losses = []

def half(net, inputs):
    value, _ = loss(net, inputs)
    return value / 2, {}

net = model()
net.head[1].p = 0.0
told = []
with locked(Path(sys.argv[1])) as work:
    summary = loop.train(net, parted, half, steps=50, recipe=RECIPE, seed=3, work=work, identity="a", label="t")
    nodes = processes.gathered(os.environ.get("SLURMD_NODENAME"))
    if processes.first():
        torch.save({"weights": net.state_dict(), "nodes": nodes, "loss": summary["loss"]}, sys.argv[2])
"""

SNAKEFILE = """
rule train:
    output: "two.pt"
    log: "two.log"
    resources: nodes=2, tasks=2, mpi="srun", tasks_per_gpu=0, gpu=0, gres="gpu:1", mem_mb=1000, runtime=5
    shell: "PYTHON -m workflow_scripts.cluster.launch --nodes {resources.nodes} step work {output} > {log} 2>&1"
"""


@pytest.mark.slow
def test_two_nodes_of_one_process_train_as_one_process(cluster: Path, tmp_path: Path) -> None:
    (tmp_path / "step.py").write_text(STEP)
    (tmp_path / "Snakefile").write_text(SNAKEFILE.replace("PYTHON", sys.executable))
    path = f"{Path.cwd()}{os.pathsep}{tmp_path}"
    alone = [sys.executable, "-m", "step", tmp_path / "alone", tmp_path / "one.pt"]
    subprocess.run(alone, env={**os.environ, "PYTHONPATH": path}, check=True, timeout=120)
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--directory",
        tmp_path,
        "-s",
        tmp_path / "Snakefile",
        "--jobs",
        "1",
    ]
    command += ["--executor", "slurm", "--slurm-status-command", "squeue", "--latency-wait", "5"]
    command += ["--slurm-init-seconds-before-status-checks", "2", "--show-failed-logs"]
    environment = {**throwaway.environment(cluster), "PYTHONPATH": path}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    one, two = torch.load(tmp_path / "one.pt"), torch.load(tmp_path / "two.pt")
    assert (one["nodes"], sorted(two["nodes"])) == ([None], ["n1", "n2"])
    assert two["loss"] == pytest.approx(one["loss"], abs=1e-5)
    for name, value in one["weights"].items():
        assert torch.allclose(value, two["weights"][name], atol=1e-5), name
    assert (tmp_path / "two.log").read_text().count("50/50 steps") == 1
