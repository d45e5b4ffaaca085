"""Trimmed vocabularies: the same pieces, the same hidden states, and a sentence where too much is lost."""

import json
from argparse import Namespace

import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import AutoModel, PreTrainedTokenizerFast

from tests.unit import tiny
from workflow_scripts.cli import InputError
from workflow_scripts.encoder.trim import trim
from workflow_scripts.markers import MARKERS
from workflow_scripts.recipes.trimming import Trimming
from workflow_scripts.training.folders import load_tokenizer

KEPT = ["The city of Ramor lies on the river Tesi .", "[SEP] 0 1 2 city"]


def trimmed(source, out, text=KEPT, held_out=None, **recipe):
    """Trim `source` to `text`, written to files beside `out`; the folder and what is told of it."""
    out.mkdir(parents=True)
    files = {}
    for name, content in (("text", text), ("held_out", held_out or text)):
        (out / name).write_text("".join(f"{line}\n" for line in content), "utf-8")
        files[name] = [f"en={out / name}"]
    trim(Namespace(encoder=source, out=out / "encoder", **files), Trimming(**recipe))
    return out / "encoder", json.loads((out / "encoder/training.json").read_text())


@pytest.fixture(scope="module", params=["wordpiece", "unigram"])
def source(request, tmp_path_factory):
    words = ["Mito", "Lora", "Sako", "Ruzo", "kando", "mto", "Mji", "city", "river", "lies"]
    texts = [*tiny.TEXTS, *(f"{one} {other}" for one in words for other in words)]
    return tiny.encoder(tmp_path_factory.mktemp("whole"), request.param, texts)


def hidden(folder, text):
    tokenizer, model = load_tokenizer(folder), AutoModel.from_pretrained(folder).eval()
    tokens = tokenizer(text, return_tensors="pt")
    with torch.inference_mode():
        return tokenizer.convert_ids_to_tokens(tokens["input_ids"][0]), model(**tokens).last_hidden_state


def test_outputs_are_unchanged_on_text_that_the_kept_pieces_cover(source, tmp_path):
    folder, facts = trimmed(source, tmp_path / "out")
    assert facts["pieces"] < facts["pieces_before"]
    assert facts["parameters_left_out"] >= (facts["pieces_before"] - facts["pieces"]) * 16
    for text in [*KEPT, "Tesi lies on the city", "ჯ city ჯჯ"]:
        (before, one), (after, other) = hidden(source, text), hidden(folder, text)
        assert before == after
        assert torch.equal(one, other)


def test_special_pieces_markers_and_characters_are_kept(source, tmp_path):
    folder, facts = trimmed(source, tmp_path / "out")
    whole, smaller = load_tokenizer(source), load_tokenizer(folder)
    assert smaller.special_tokens_map == whole.special_tokens_map
    assert smaller.pad_token_id == whole.pad_token_id
    assert set(MARKERS) <= smaller.get_vocab().keys()
    assert sorted(smaller.get_vocab().values()) == list(range(facts["pieces"]))
    # No letter of other languages is lost, so that their words are cut smaller.
    lost = "라모르시는 테시강 기슭에"
    unknown = smaller.unk_token_id
    assert unknown not in smaller(lost, add_special_tokens=False)["input_ids"]
    assert len(smaller(lost)["input_ids"]) >= len(whole(lost)["input_ids"])
    config = json.loads((folder / "config.json").read_text())
    assert (config["vocab_size"], config["pad_token_id"]) == (facts["pieces"], whole.pad_token_id)


def test_a_rise_of_unknown_pieces_is_told(tmp_path):
    """Where a letter has no piece of its own, words with it are lost with their pieces."""
    folder = tmp_path / "source"
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *MARKERS, "Ramor", "Tesi", "lies"]
    tokenizer = Tokenizer(models.WordPiece({name: n for n, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = load_tokenizer(tiny.encoder(folder)).backend_tokenizer.pre_tokenizer
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    with pytest.raises(
        InputError, match=r"50\.00 % after, which is more than 0\.5 % \(max_unknown\) higher; give text"
    ):
        trimmed(folder, tmp_path / "out", ["Ramor"], ["Ramor Tesi"])
    assert not (tmp_path / "out/encoder/model.safetensors").exists()
    _, facts = trimmed(folder, tmp_path / "allowed", ["Ramor"], ["Ramor Tesi"], max_unknown=0.6)
    assert (facts["unknown"], facts["unknown_before"]) == (0.5, 0.0)


def test_text_that_the_encoder_does_not_read_is_told(source, tmp_path):
    with pytest.raises(InputError, match="knows no piece of this text; give text in its languages"):
        trimmed(source, tmp_path / "out", [""])


def test_pieces_that_are_rare_may_be_left_out(source, tmp_path):
    _, all_of_them = trimmed(source, tmp_path / "one")
    _, frequent = trimmed(source, tmp_path / "two", min_count=2)
    assert frequent["pieces"] < all_of_them["pieces"]
