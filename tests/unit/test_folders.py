"""Encoder folders that are not whole are told in a sentence, not sought on the hub or filled with random weights."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from tests.unit.tiny import encoder
from workflow_scripts.cli import InputError
from workflow_scripts.training import device
from workflow_scripts.training.folders import load_model, load_tokenizer


@pytest.fixture
def folder(tmp_path):
    return encoder(tmp_path / "encoder")


def test_a_folder_that_is_nowhere_is_told(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: no config\.json; give the folder of an encoder"):
        load_tokenizer(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"nowhere: no config\.json"):
        load_model(AutoModel, tmp_path / "nowhere", "folded", new=())


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_file_that_is_missing_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(InputError, match=f"no {file}"):
        load_tokenizer(folder)


def test_a_weight_that_is_missing_is_named(folder):
    assert load_model(AutoModel, folder, "folded", new=("pooler.",)).config.hidden_size == 16
    with pytest.raises(InputError, match=r"the weights of pooler\.dense\.bias are missing"):
        load_model(AutoModel, folder, "folded", new=())
    weights = load_file(folder / "model.safetensors")
    (lost,) = (name for name in weights if name.endswith("word_embeddings.weight"))
    save_file({n: w for n, w in weights.items() if n != lost}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"the weights of embeddings\.word_embeddings\.weight are missing"):
        load_model(AutoModel, folder, "folded", new=("pooler.",))


def test_a_torch_without_mkldnn_computes_in_fp32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert device.mixed_precision("auto") == "no"
