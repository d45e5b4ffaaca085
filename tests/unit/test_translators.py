"""Translators: languages asked for as each family of models wants it, texts cut and never truncated, batches that tell
nothing of one another; requests within a service's limits."""

import itertools
import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import regex
import torch
from ctranslate2.converters import TransformersConverter
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from tests.unit import tiny_translators
from tests.unit.test_translate import lines, step
from workflow_scripts.augment.cut import cut
from workflow_scripts.augment.translators import Journal, Translated, open_translator
from workflow_scripts.augment.translators.google import requests
from workflow_scripts.augment.translators.pieces import Manner, batches
from workflow_scripts.cli import InputError
from workflow_scripts.recipes.translators import CTranslate2, Google, Seq2Seq, Translator

# Marian's tokeniser names a package that only its training code uses.
pytestmark = pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
MAKERS: dict[str, Callable[[Path], Path]] = {
    "m2m100": tiny_translators.m2m100,
    "nllb": tiny_translators.nllb,
    "opus": tiny_translators.opus,
    "opus-mul": lambda folder: tiny_translators.opus(folder, [">>ara<<", ">>hin<<", ">>swh_Latn<<"]),
    "madlad": tiny_translators.madlad,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    """A folder for each family of models."""
    folder = tmp_path_factory.mktemp("models")
    return {name: make(folder / name) for name, make in MAKERS.items()}


class NothingIsPaid(Journal):
    """The journal of a translator that costs nothing, and so says nothing."""

    def sending(self, numbers: Sequence[int]) -> None:
        raise AssertionError

    refused = sending


def opened(folder: Path, source: str = "en", target: str = "ar", **more: Any) -> Any:
    recipe = {"model": str(folder), "precision": "fp32", "max_length": 24, "beam": 3, **more}
    return open_translator(Seq2Seq(**recipe), source, target)


def answers(translator: Any, texts: Sequence[str]) -> list[Translated]:
    found: dict[int, Translated] = {}
    for batch in translator.translate(texts, NothingIsPaid()):
        assert not found.keys() & batch.keys()
        found |= batch
    return [found[number] for number in range(len(texts))]


@pytest.mark.parametrize(
    ("name", "target", "manner", "ids"),
    [
        ("m2m100", "ar", Manner("en", "__ar__"), ["__en__", "▁T"]),
        ("m2m100", "ta", Manner("en", "__ta__"), ["__en__", "▁T"]),
        ("nllb", "ar", Manner("eng_Latn", "arb_Arab"), ["eng_Latn", "▁T"]),
        ("nllb", "zh", Manner("eng_Latn", "zho_Hans"), ["eng_Latn", "▁T"]),
        ("nllb", "sw", Manner("eng_Latn", "swh_Latn"), ["eng_Latn", "▁T"]),
        ("opus", "ar", Manner(), ["▁T"]),
        ("opus-mul", "ar", Manner(tag=">>ara<<"), [">>ara<<", "▁T"]),
        ("opus-mul", "sw", Manner(tag=">>swh_Latn<<"), [">>swh_Latn<<", "▁T"]),
        ("madlad", "hi", Manner(tag="<2hi>"), ["<2hi>", "▁T"]),
    ],
)
def test_languages_are_asked_for_as_the_model_wants(models, name, target, manner, ids) -> None:
    pieces = opened(models[name], target=target).pieces
    assert pieces.manner == manner
    encoded = pieces.tokenizer.convert_ids_to_tokens(pieces.encode("T"))
    assert encoded == [*ids, "</s>"]


def test_the_decoder_begins_with_the_target(models) -> None:
    for name, first in (("m2m100", "__ar__"), ("nllb", "arb_Arab")):
        translator = opened(models[name])
        seen = []
        translator.pieces.decode = seen.append
        list(translator.translate(["The city"], NothingIsPaid()))
        assert translator.pieces.tokenizer.convert_ids_to_tokens(seen[0])[0] == first


def test_codes_say_what_is_not_deduced(models) -> None:
    assert opened(models["nllb"], codes={"ar": "arz_Arab"}).pieces.manner.first == "arz_Arab"
    assert opened(models["m2m100"], codes={"ar": "fa"}).pieces.manner.first == "__fa__"
    assert opened(models["madlad"], codes={"sw": "<2ar>"}, target="sw").pieces.manner.tag == "<2ar>"
    with pytest.raises(InputError, match="codes say xyz for ar, but the tokeniser has no such language"):
        opened(models["nllb"], codes={"ar": "xyz"})


@pytest.mark.parametrize(
    ("name", "source", "target", "sentence"),
    [
        (
            "m2m100",
            "en",
            "te",
            "does not know te; it calls its languages af, am, ar, ast, az, …: say in codes",
        ),
        ("m2m100", "te", "en", "does not know te"),
        ("nllb", "en", "la", "does not know la; it calls its languages ace_Arab"),
        ("madlad", "en", "sw", "does not know sw; it calls its languages ar, en, hi, …"),
        ("opus", "en", "hi", "translates from or to ar, not hi; choose a model of this pair"),
        ("opus", "hi", "ar", "translates from or to en, not hi"),
    ],
)
def test_a_language_that_the_model_lacks_is_told(models, name, source, target, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        opened(models[name], source, target)


@pytest.mark.parametrize("name", MAKERS)
def test_a_translation_does_not_depend_on_its_batch(models, name) -> None:
    texts = [*tiny_translators.TEXTS, *(text.split()[0] for text in tiny_translators.TEXTS)]
    alone = answers(opened(models[name], batch_tokens=1), texts)
    assert len({answer.text for answer in alone}) > 4
    for batch_tokens in (60, 10_000):
        assert answers(opened(models[name], batch_tokens=batch_tokens), texts) == alone
    assert answers(opened(models[name]), texts[::-1]) == alone[::-1]


def test_a_translation_that_was_broken_off_says_so(tmp_path: Path) -> None:
    folder = tiny_translators.opus(tmp_path / "model")
    assert {answer.note for answer in answers(opened(folder), tiny_translators.TEXTS)} == {
        "broken off at max_length"
    }
    weights = load_file(folder / "model.safetensors")
    weights["final_logits_bias"][0, 0] = 100  # the end, always
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert answers(opened(folder), ["The city"]) == [Translated("")]


def test_long_texts_are_cut_and_nothing_is_truncated(models, tmp_path: Path) -> None:
    text = " ".join(tiny_translators.TEXTS * 3)
    for name in MAKERS:
        translator = opened(models[name])
        parts = translator.cut(text)
        assert "".join(parts) == text
        assert len(parts) > 5
        assert all(len(translator.pieces.encode(part.strip())) <= 24 for part in parts)
    recipe = {"kind": "seq2seq", "model": str(models["nllb"]), "precision": "fp32", "max_length": 24}
    (row,) = step(tmp_path, recipe, [text])
    parts = opened(models["nllb"]).cut(text)
    assert row.made_by == f"nllb (in {len(parts)} parts, broken off at max_length)"
    whole = answers(opened(models["nllb"], beam=4), [part.strip() for part in parts])
    assert row.text.split() == " ".join(answer.text for answer in whole).split()


def test_a_model_in_the_step(models, tmp_path: Path, capsys) -> None:
    """Every kind of settings has its place in the cache, and what is there needs no model."""
    recipe = {"kind": "seq2seq", "model": str(tmp_path / "model"), "precision": "fp32", "max_length": 24}
    shutil.copytree(models["nllb"], tmp_path / "model")
    table = step(tmp_path, recipe, tiny_translators.TEXTS[:2])
    assert [row.text for row in table] == [
        answer.text for answer in answers(opened(models["nllb"], beam=4), [row.source_text for row in table])
    ]
    assert lines(tmp_path / "resent") == []
    shutil.rmtree(tmp_path / "model")
    assert step(tmp_path, {**recipe, "batch_tokens": 7}) == table
    assert "2 of 2 texts from the cache" in capsys.readouterr().out
    with pytest.raises(InputError, match="model: no whole tokeniser there; give the folder"):
        step(tmp_path, {**recipe, "beam": 1})


def test_a_model_that_is_not_whole_is_told(models, tmp_path: Path) -> None:
    shutil.copytree(models["nllb"], tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    lost = "model.decoder.layers.0.fc1.weight"
    save_file(
        {n: w for n, w in weights.items() if n != lost},
        tmp_path / "model/model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(InputError, match=f"the weights of {lost} are missing"):
        opened(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"half")
    with pytest.raises(InputError, match=r"model: its weights cannot be read \(SafetensorError\)"):
        opened(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no sequence-to-sequence model there"):
        opened(tmp_path / "model")


@pytest.mark.parametrize("name", MAKERS)
def test_a_tokeniser_that_is_missing_or_damaged_is_told(models, tmp_path: Path, name: str) -> None:
    """Nothing is translated with what transformers makes up instead: a T5 to which every word is unknown."""
    folder = shutil.copytree(models[name], tmp_path / "model")
    needed = ("config.json", "generation_config.json", "model.safetensors")
    files = [file for file in folder.iterdir() if file.name not in needed]
    for file in files:
        if file.name in ("tokenizer.json", "source.spm", "spiece.model", "sentencepiece.bpe.model"):
            file.write_text('{"a": 1}')
    with pytest.raises(InputError, match="model: no whole tokeniser there; give the folder"):
        opened(folder)
    for file in files:
        file.unlink()
    with pytest.raises(InputError, match="model: no whole tokeniser there; give the folder"):
        opened(folder)


def converted(model: Path, folder: Path, **more: Any) -> Any:
    TransformersConverter(str(model)).convert(str(folder), force=True)
    recipe = {"model": str(folder), "tokenizer": str(model), "max_length": 24, "compute_type": "float32"}
    return open_translator(CTranslate2(**recipe, **more), "en", "ar")


@pytest.mark.parametrize(
    ("name", "beam"), [("nllb", 1), ("nllb", 4), ("opus", 1), ("opus-mul", 1), ("madlad", 1)]
)
def test_ctranslate2_says_the_same(models, tmp_path: Path, name: str, beam: int) -> None:
    ours = answers(opened(models[name], beam=beam), tiny_translators.TEXTS)
    theirs = answers(converted(models[name], tmp_path / "converted", beam=beam), tiny_translators.TEXTS)
    assert len({answer.text for answer in ours}) > 2
    for one, other in zip(ours, theirs, strict=True):
        # Marian's last piece is made to be the end by transformers alone.
        same = one.text[:-1] == other.text[: len(one.text) - 1] if name.startswith("opus") else one == other
        assert same, (one, other)


def test_ctranslate2_needs_its_folder(models, tmp_path: Path) -> None:
    recipe = CTranslate2(model=str(tmp_path), tokenizer=str(models["nllb"]))
    with pytest.raises(
        InputError, match=r"no model\.bin; give a folder that ct2-transformers-converter wrote"
    ):
        open_translator(recipe, "en", "ar")
    with pytest.raises(InputError, match=r"CTranslate2 cannot load it \(.*int3"):
        converted(models["nllb"], tmp_path / "c").__class__(
            CTranslate2(model=str(tmp_path / "c"), tokenizer=str(models["nllb"]), compute_type="int3"),
            "en",
            "ar",
        )


def test_batches_are_full_and_hold_like_lengths() -> None:
    lengths = [5, 1, 9, 9, 2, 30, 7]
    made = list(batches(lengths, 18))
    assert made == [[5], [2, 3], [6, 0], [4, 1]]
    assert list(batches([], 10)) == []


def test_requests_are_full_and_within_both_limits() -> None:
    randomly = random.Random(0)
    lengths = [randomly.choice([1, 10, 500, 6_000]) for _ in range(500)]
    made = list(requests(lengths, 1_000, 20))
    assert [number for request in made for number in request] == list(range(500))
    for request, following in itertools.zip_longest(made, made[1:]):
        total = sum(lengths[number] for number in request)
        assert len(request) == 1 or (len(request) <= 20 and total <= 1_000)
        if following:
            assert len(request) == 20 or total + lengths[following[0]] > 1_000


def test_a_cut_falls_where_it_hurts_least() -> None:
    def by(limit: int) -> Callable[[str], bool]:
        return lambda text: len(text) <= limit

    assert cut("One two. Three four.", by(12)) == ["One two. ", "Three four."]
    assert cut("One two, three four five.", by(20)) == ["One two, ", "three four five."]
    assert cut("First line\nsecond. Line", by(15)) == ["First line\n", "second. Line"]
    assert cut("aaa bbb ccc", by(8)) == ["aaa ", "bbb ccc"]
    assert cut("一二三。四五六。", by(5)) == ["一二三。", "四五六。"]
    assert cut("short", by(5)) == ["short"]
    conjunct = "क\u094dष"  # one cluster of three characters
    assert cut(conjunct, by(1)) == [conjunct]


def test_cuts_lose_nothing_and_split_no_cluster() -> None:
    randomly = random.Random(0)
    for _ in range(300):
        text = "".join(randomly.choices("aक्षि\u200d\u0301 \n.,!؟।漢👩👧🏽", k=randomly.randint(0, 200)))
        parts = cut(text, lambda part: len(part) <= 20)
        assert "".join(parts) == text
        assert sum(len(regex.findall(r"\X", part)) for part in parts) == len(regex.findall(r"\X", text))
        assert all(len(part) <= 20 or len(regex.findall(r"\X", part)) == 1 for part in parts)


def test_recipes() -> None:
    recipe = Google(project="p", max_characters=None)
    changed = {"project": "q", "endpoint": "x", "max_characters": 1, "request_texts": 2, "attempts": 1}
    assert recipe.settings() == Google(**{**recipe.model_dump(), **changed}).settings()
    for change in ({"model": "x"}, {"glossary": "x"}, {"location": "x"}):
        assert recipe.settings() != Google(**{**recipe.model_dump(), **change}).settings()
    seq2seq = Seq2Seq(model="a/b")
    assert seq2seq.settings() == Seq2Seq(model="a/b", batch_tokens=7).settings()
    for change in ({"model": "x"}, {"revision": "x"}, {"beam": 1}, {"max_length": 99}, {"precision": "fp32"}):
        assert seq2seq.settings() != Seq2Seq(**{**seq2seq.model_dump(), **change}).settings()
    assert json.loads(json.dumps(seq2seq.settings())) == seq2seq.settings()
    assert Translator.model_validate({"kind": "seq2seq", "model": "x"}).root == Seq2Seq(model="x")
    for wrong in (
        {"project": "p"},  # a limit must be named, if only as null
        {"project": "p", "max_characters": None, "request_texts": 1025},
        {"project": "p", "max_characters": None, "request_characters": 30_001},
        {"project": "p", "max_characters": -1},
    ):
        with pytest.raises(ValidationError):
            Google(**wrong)


def test_bf16_is_told_from_fp32(models) -> None:
    assert opened(models["nllb"], precision="bf16").model.dtype == torch.bfloat16
    assert opened(models["nllb"], precision="fp32").model.dtype == torch.float32
