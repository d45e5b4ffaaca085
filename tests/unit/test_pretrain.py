"""Pre-training from a text file to a folder, its floor, and what is masked."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from tests.unit.tiny import encoder
from workflow_scripts.encoder.pretrain import make_model, masker, sinusoids
from workflow_scripts.markers import MARKERS
from workflow_scripts.recipes.pretraining import Architecture, Pretraining
from workflow_scripts.training.masked import IGNORED


def pretrain(folder, **recipe):
    (folder / "en.txt").write_text("the cat sat on the mat .\nthe dog sat on the cat .\n" * 150)
    recipe = {
        "vocabulary": {"size": 100},
        "architecture": {
            "hidden_size": 32,
            "layers": 1,
            "heads": 2,
            "intermediate_size": 64,
            "max_length": 32,
        },
        "max_length": 16,
        "short_length": 16,
        "held_out": 20,
        "precision": "fp32",
        **recipe,
    }
    arguments = [
        "--text",
        f"en={folder}/en.txt",
        "--recipe",
        json.dumps(recipe),
        "--work",
        folder / "w",
        "--out",
        folder / "e",
    ]
    return subprocess.run(
        [sys.executable, "-m", "workflow_scripts.encoder.pretrain", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_it_learns_and_writes_an_ordinary_encoder(tmp_path, kind):
    result = pretrain(tmp_path, steps=150, min_masked_accuracy=0.6, vocabulary={"kind": kind, "size": 100})
    assert result.returncode == 0, result.stderr
    assert "150/150 steps" in result.stderr
    tokenizer, model = (
        AutoTokenizer.from_pretrained(tmp_path / "e"),
        AutoModel.from_pretrained(tmp_path / "e"),
    )
    assert len(tokenizer) == model.config.vocab_size
    assert all(name in tokenizer.get_vocab() for name in MARKERS)
    assert json.loads((tmp_path / "e/training.json").read_text())["masked_accuracy"] >= 0.6


def test_an_encoder_that_cannot_read_is_not_written(tmp_path):
    result = pretrain(tmp_path, steps=1, min_masked_accuracy=0.9)
    assert result.returncode == 2
    assert "under min_masked_accuracy 0.9" in result.stderr
    assert not (tmp_path / "e").exists()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(tmp_path):
    files = []
    for name in "ab":
        (tmp_path / name).mkdir()
        pretrain(tmp_path / name, steps=5, min_masked_accuracy=0)
        files.append((tmp_path / name / "e/model.safetensors").read_bytes())
        files.append((tmp_path / name / "e/tokenizer.json").read_bytes())
    assert files[0] == files[2]
    assert files[1] == files[3]


@pytest.fixture(scope="module", params=["wordpiece", "unigram"])
def tokenizer(request, tmp_path_factory):
    return AutoTokenizer.from_pretrained(encoder(tmp_path_factory.mktemp("encoder"), request.param))


def test_a_fifth_is_masked_and_never_a_special_piece(tokenizer):
    piece = (
        tokenizer.convert_tokens_to_ids("river") if "river" in tokenizer.get_vocab() else len(tokenizer) - 1
    )
    rows = [np.array([tokenizer.cls_token_id] + [piece] * 60 + [tokenizer.sep_token_id])] * 200
    batch = masker(tokenizer, 0.2, 96)(rows, (0, 1))
    chosen = batch["labels"] != IGNORED
    assert chosen.float().mean() == pytest.approx(0.2 * 60 / 62, abs=0.01)
    assert not chosen[:, 0].any()
    assert not chosen[:, -1].any()
    after = batch["input_ids"][chosen]
    assert (after == tokenizer.mask_token_id).float().mean() == pytest.approx(0.8, abs=0.03)
    assert (after == piece).float().mean() == pytest.approx(0.1, abs=0.03)
    assert (batch["input_ids"][~chosen] == torch.from_numpy(np.stack(rows))[~chosen]).all()
    again = masker(tokenizer, 0.2, 96)(rows, (0, 1))
    assert all(torch.equal(batch[name], again[name]) for name in batch)


def test_documents_begin_at_any_position_and_fit(tokenizer):
    rows = [np.arange(2, 2 + length) for length in (5, 96, 40) * 100]
    batch = masker(tokenizer, 0.2, 96)(rows, (0, 1))
    positions, mask = batch["position_ids"], batch["attention_mask"].bool()
    pad = tokenizer.pad_token_id
    assert (positions[~mask] == pad).all()
    assert positions[mask].min() == pad + 1
    assert positions[mask].max() == pad + 96
    assert (positions[:, 1:] - positions[:, :-1])[mask[:, 1:]].eq(1).all()
    assert len(set(positions[::3, 0].tolist())) > 40


def test_sinusoids_tell_neighbours_from_others():
    waves = sinusoids(256, 64)
    similar = waves @ waves.T
    assert (similar.argmax(1) == torch.arange(256)).all()
    assert (similar[128, 127] > similar[128, :120]).all()


def test_the_first_heads_begin_by_looking_at_neighbours(tokenizer):
    """Attention of random pieces, averaged: head 0 looks one back, 1 one ahead, 2 two back, 3 two ahead."""
    recipe = Pretraining(architecture=Architecture(layers=1))
    torch.manual_seed(0)
    model = make_model(recipe, tokenizer, torch.zeros(len(tokenizer))).base_model.eval()
    model.set_attn_implementation("eager")  # the only kernel that hands out its weights
    ids = torch.randint(5, len(tokenizer), (64, 60))
    with torch.no_grad():
        attention = model(ids, output_attentions=True).attentions[0].mean(0)
    for head, distance in enumerate((-1, 1, -2, 2)):
        by_distance = {d: attention[head].diagonal(d)[10:-10].mean().item() for d in range(-8, 9)}
        assert max(by_distance, key=lambda d: by_distance[d]) == distance
        assert by_distance[distance] > 3 / 60
