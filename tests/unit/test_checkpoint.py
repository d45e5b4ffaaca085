"""The checkpoint step's command line: what it writes, and what it says of folders that are not whole."""

import subprocess
import sys

import pytest
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from workflow_scripts.markers import PASSAGES, QUESTION
from workflow_scripts.qa.features import load_tokenizer, vocabulary_digest


def checkpoint(source, out, *more):
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "workflow_scripts.encoder.checkpoint",
            "--source",
            source,
            "--out",
            out,
            *more,
        ],
        capture_output=True,
        text=True,
        env={"PATH": "", "HF_HUB_OFFLINE": "1"},
    )


def bert_folder(folder, pieces):
    """A narrow BERT with a vocabulary given piece by piece, as its authors' folders hold it."""
    tokenizer = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_other_vocabularies_grow(tmp_path):
    pieces = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4, "▁a": 5, "▁b": 6}
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{f"{name}_token": piece for name, piece in special.items()}
    ).save_pretrained(tmp_path / "source")
    config = XLMRobertaConfig(
        vocab_size=7,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        pad_token_id=1,
    )
    XLMRobertaModel(config).save_pretrained(tmp_path / "source")
    result = checkpoint(tmp_path / "source", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    grown = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert grown.convert_tokens_to_ids([QUESTION, *PASSAGES]) == list(range(7, 7 + 47))
    assert AutoModel.from_pretrained(tmp_path / "out").config.vocab_size == 54
    assert grown.model_max_length == 512 - 2  # RoBERTa's positions begin behind the padding's
    assert vocabulary_digest(grown.backend_tokenizer) == vocabulary_digest(
        load_tokenizer(tmp_path / "out/tokenizer.json")
    )
    assert grown.convert_tokens_to_ids("▁b") == 6
    assert checkpoint(tmp_path / "source", tmp_path / "again").returncode == 0
    for file in ("model.safetensors", "tokenizer.json"):
        assert (tmp_path / "again" / file).read_bytes() == (tmp_path / "out" / file).read_bytes()


@pytest.mark.slow
def test_a_folder_that_is_not_whole_is_told(tmp_path):
    source = bert_folder(tmp_path / "source", ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"])
    weights = load_file(source / "model.safetensors")
    del weights["embeddings.word_embeddings.weight"]
    save_file(weights, source / "model.safetensors", {"format": "pt"})
    result = checkpoint(source, tmp_path / "out")
    assert result.returncode == 2
    assert "the weights of embeddings.word_embeddings.weight are missing" in result.stderr
    (source / "model.safetensors").unlink()
    result = checkpoint(source, tmp_path / "out")
    assert result.returncode == 2
    assert f"encoder {source}: not a whole encoder folder (" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", ["no/such-folder", "no-such-model"])
def test_an_encoder_that_is_nowhere_is_told(source, tmp_path):
    result = checkpoint(source, tmp_path / "out")
    assert result.returncode == 2
    assert result.stderr.count("error:") == 1
    assert f"encoder {source}: neither a folder nor reachable on the hub" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_encoder_that_others_aligned_has_the_pieces_of_its_original(tmp_path):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    bert_folder(tmp_path / "plain", [*special, "a", "b"])
    assert checkpoint(tmp_path / "plain", tmp_path / "encoder").returncode == 0
    bert_folder(tmp_path / "aligned", [*special, "a", "b"])
    bert_folder(tmp_path / "other", [*special, "a", "c"])

    found = checkpoint(tmp_path / "aligned", tmp_path / "out", "--like", tmp_path / "encoder")
    assert found.returncode == 0, found.stderr
    assert load_file(tmp_path / "out/model.safetensors")["encoder.layer.0.output.dense.weight"].equal(
        load_file(tmp_path / "aligned/model.safetensors")["encoder.layer.0.output.dense.weight"]
    )
    assert (tmp_path / "out/tokenizer.json").read_bytes() == (
        tmp_path / "encoder/tokenizer.json"
    ).read_bytes()

    refused = checkpoint(tmp_path / "other", tmp_path / "refused", "--like", tmp_path / "encoder")
    assert refused.returncode == 2
    assert refused.stderr.strip().endswith(
        f"its pieces are not those of {tmp_path / 'encoder'}; give a checkpoint that was made from that encoder"
    )
    assert not (tmp_path / "refused").exists()


@pytest.mark.slow
def test_an_aligned_encoder_without_a_tokeniser_takes_its_originals(tmp_path):
    bert_folder(tmp_path / "plain", ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"])
    assert checkpoint(tmp_path / "plain", tmp_path / "encoder").returncode == 0
    for file in (tmp_path / "plain").glob("tokenizer*"):
        file.unlink()
    found = checkpoint(tmp_path / "plain", tmp_path / "out", "--like", tmp_path / "encoder")
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "out/tokenizer.json").read_bytes() == (
        tmp_path / "encoder/tokenizer.json"
    ).read_bytes()
    assert AutoModel.from_pretrained(tmp_path / "out").config.vocab_size == 7 + 47
