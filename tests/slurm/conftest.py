"""A SLURM cluster for the tests of this folder: two nodes, each with four CPUs and two pretended GPUs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from workflow_scripts.cluster import throwaway


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a running cluster; `throwaway.environment(cluster)` is what a process needs to use it.

    A test that takes a node away, or fills the cluster, starts one of its own.
    """
    sentence = throwaway.lacking()
    require(not sentence, sentence or "")
    folder = tmp_path_factory.mktemp("slurm")
    throwaway.start(folder)
    yield folder
    throwaway.stop(folder)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path, as a cluster needs one."""
    with tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp") as folder:
        yield Path(folder)
