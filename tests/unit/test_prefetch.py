"""Published models come into the cache on the login node, and are loaded from there without any network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, require
from tests.hub import Hub
from tests.unit.test_checkpoint import bert_folder
from workflow_scripts.markers import MARKERS

ALONE = ["unshare", "--net", "--map-root-user"]  # no network, not even this machine's own


def call(cache: Path, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(
        command, cwd=ROOT, env={**variables, "HF_HOME": str(cache), "OMP_NUM_THREADS": "1", **more},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def fetch(cache: Path, hub: Hub, *models: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workflow_scripts.cluster.prefetch", "--models", *models]
    return call(cache, *command, HF_ENDPOINT=hub.address, **more)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pieces = [
        "[PAD]",
        *(f"[unused{n}]" for n in range(1, 100)),
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "a",
        "B",
    ]
    assert len(MARKERS) < 99
    folder = bert_folder(tmp_path_factory.mktemp("bert"), pieces)
    (folder / "tf_model.h5").write_bytes(b"of another library")
    return Path(folder)


@pytest.mark.slow
def test_a_model_is_there_without_network(model: Path, tmp_path: Path) -> None:
    """Into the cache from a hub; then the encoder is made from its name where there is no network at all."""
    require(
        not subprocess.run([*ALONE, "true"], capture_output=True).returncode, "no name space without network"
    )
    cache, out = tmp_path / "cache", tmp_path / "out"
    step = [
        *ALONE,
        sys.executable,
        "-m",
        "workflow_scripts.encoder.checkpoint",
        "--source",
        "lab/bert",
        "--out",
        out,
    ]
    before = call(cache, *step, HF_HUB_OFFLINE="1")
    assert before.returncode == 2
    assert "neither a folder nor reachable on the hub" in before.stderr
    with Hub({"lab/bert": model}) as hub:
        done = fetch(cache, hub, "lab/bert")
    assert done.returncode == 0, done.stderr
    assert not any("tf_model.h5" in path for path in hub.asked)
    after = call(cache, *step, HF_HUB_OFFLINE="1")
    assert after.returncode == 0, after.stderr
    assert (out / "model.safetensors").is_file()


@pytest.mark.slow
def test_a_gated_model_says_what_to_do(model: Path, tmp_path: Path) -> None:
    with Hub({"lab/gated": model, "lab/free": model}, gated=frozenset({"lab/gated"})) as hub:
        without = fetch(tmp_path, hub, "lab/gated", "lab/free", "lab/none")
        refused = fetch(tmp_path, hub, "lab/gated", HF_TOKEN="hf_wrong")
        given = fetch(tmp_path, hub, "lab/gated", HF_TOKEN=hub.right)
    assert without.returncode == 2
    sentence = (
        "error: model lab/gated: gated: open https://huggingface.co/lab/gated and click on 'Agree and access"
        " repository', make a token on https://huggingface.co/settings/tokens, and set the variable HF_TOKEN to it; "
        "model lab/none: no such model on the hub, or a private one; check its name, or set HF_TOKEN to a token of"
        " someone who may read it\n"
    )
    assert without.stderr.endswith(sentence)
    assert "lab/free: " in without.stderr  # the others are fetched all the same
    assert "error: model lab/gated: gated, and the token that is set has no access: open" in refused.stderr
    assert given.returncode == 0, given.stderr
