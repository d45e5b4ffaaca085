"""What a number was made by: entries of the configuration, and files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from workflow_scripts.acquire.download import read_manifest
from workflow_scripts.config import Config, load
from workflow_scripts.provenance import (
    card_recipe,
    digest,
    files_of,
    how_encoded,
    measures_of,
    page_recipe,
    parts_of,
    sources_of,
    trained_by,
)


def raw(name: str = "tests/config/small.yaml") -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def small() -> Config:
    return load(raw())


def changed(*path: str, to: Any) -> Config:
    """The small configuration with one key set to something else."""
    given = raw()
    section = given
    for key in path[:-1]:
        section = section.setdefault(key, {})
    section[path[-1]] = to
    return load(given)


USED = {
    ("tuning", "longer", "learning_rate"): 0.001,
    ("alignments", "ar", "objective"): {"regulariser": 0.5},
    ("encoders", "tiny", "pretrain", "steps"): 11,
    ("features", "stride"): 16,
    ("microworld", "seed"): 2,
    ("prediction", "max_answer_length"): 20,
}
NOT_USED = {
    ("tuning", "default", "steps"): 11,
    ("models", "tiny-ar", "label"): "another",
    ("training_sets", "aug", "label"): "more",
    ("training_sets", "mono", "corpora"): ["train", "train-en-to-xx"],
    ("retrieval", "tiny", "neighbours"): 9,
    ("tables", "minimal", "title"): "Another",
    ("seeds",): [0, 1],
}


@pytest.mark.parametrize("path", [*USED, *NOT_USED], ids=".".join)
def test_a_digest_changes_with_what_was_used_and_nothing_else(small: Config, path: tuple[str, ...]) -> None:
    before = digest(parts_of(small, "tiny-ar", "test"))
    after = digest(parts_of(changed(*path, to={**USED, **NOT_USED}[path]), "tiny-ar", "test"))
    assert (after != before) == (path in USED)


def test_a_model_does_not_depend_on_what_it_is_asked(small: Config) -> None:
    parts = trained_by(small, "tiny-mono")
    assert not {"evaluations", "prediction"} & set(parts)
    assert set(parts["corpora"]) == {"train", "train-all"}
    assert set(parts_of(small, "tiny-mono", "test")["corpora"]) > set(parts["corpora"])


def test_a_model_that_is_tuned_after_another_depends_on_both(small: Config) -> None:
    given = raw()
    given["models"]["then"] = {**given["models"]["tiny-mono"], "after": "tiny-mono", "training_set": "aug"}
    parts = trained_by(load(given), "then")
    assert set(parts["models"]) == {"then", "tiny-mono"}
    assert set(parts["training_sets"]) == {"aug", "mono"}


def test_files_are_those_that_are_read() -> None:
    """Of sentence pairs, the languages that are aligned."""
    given = raw()
    given["microworld"]["languages"] = ["en", "ar", "sw"]
    given["parallel"]["microworld"] |= {
        "languages": ["ar", "sw"],
        "foreign": "results/microworld/parallel/{language}-en.{language}",
        "english": "results/microworld/parallel/{language}-en.en",
    }
    config = load(given)
    files = files_of(config, trained_by(config, "tiny-ar"))
    assert [Path(file).name for file in files if "/parallel/" in file] == ["ar-en.ar", "ar-en.en"]
    assert files_of(config, trained_by(config, "tiny-mono")) == [
        "results/microworld/tydi/tydiqa-v1.0-train.jsonl.gz",
        "results/microworld/text/en.txt",
        "results/microworld/text/ar.txt",
        "results/microworld/sdqa/dev/eng/english.dev.txt",
        "results/microworld/sdqa/dev/ara/arabic.dev.txt",
    ]


def test_measures_are_those_that_tables_show(small: Config) -> None:
    assert measures_of(small, "tiny-ar") == {"test": ("passage", "minimal", "jaccard", "em", "f1")}


def test_licences_and_the_encoders_origin() -> None:
    config = load(raw("config/mucot.yaml"))
    model = next(name for name, entry in config.models.items() if entry.after)
    found = {source.name: source for source in sources_of(config, trained_by(config, model))}
    assert found["squad"].licence == "CC-BY-SA-4.0"
    assert found["squad"].hub == "rajpurkar/squad"
    assert "Kaggle" in (found["chaii"].licence or "")
    sentences, base = how_encoded(config, model)
    assert base in sentences[0]
    assert base in ("bert-base-multilingual-cased", "xlm-roberta-base")
    card = card_recipe(config, model, 0)
    assert not card.generated
    assert len(card.sets) == 2
    assert card_recipe(load(raw()), "tiny-ar", 0).generated


def test_what_is_read_to_be_left_out_is_no_source() -> None:
    """SQuAD's paragraphs that XQuAD has are left out; the manifest names XQuAD's files, cards don't."""
    config = load(raw("config/real.yaml"))
    parts = trained_by(config, "mbert")
    assert "data/xquad/xquad.en.json" in files_of(config, parts)
    assert {source.name for source in sources_of(config, parts)} == {"tydiqa_goldp", "squad", "parallel"}


def test_services_models_and_folders_are_sources() -> None:
    given = raw()
    given["translations"]["by-model"] = {"kind": "seq2seq", "model": "facebook/nllb-200-distilled-600M"}
    given["corpora"]["train-en-to-xx"]["translations"] = "by-model"
    given["encoders"]["tiny"] = {"checkpoint": "./somewhere"}
    config = load(given)
    assert {source.name: source.licence for source in sources_of(config, trained_by(config, "tiny-ar"))} == {
        "the generated world": "Apache-2.0",
        "translations by facebook/nllb-200-distilled-600M": None,
        "encoder in ./somewhere": None,
    }
    assert how_encoded(config, "tiny-ar")[1] is None
    assert not card_recipe(config, "tiny-ar", 0).generated


@pytest.mark.parametrize("name", ["config.yaml", "config/aligned_qa.yaml", "config/real.yaml"])
def test_every_model_of_the_shipped_configurations_has_parts_and_a_card(name: str) -> None:
    config = load(raw(name))
    for model in config.models:
        recipe = card_recipe(config, model, 0)
        assert recipe.languages
        assert recipe.sources
        for evaluation in recipe.evaluations:
            assert evaluation in parts_of(config, model, evaluation)["evaluations"]


def test_the_page_of_real_files_tells_their_licences_and_checksums() -> None:
    told = page_recipe(load(raw("config/real.yaml")))
    licences = {source.name: source.licence for source in told.sources}
    assert licences["squad"] == "CC-BY-SA-4.0"
    assert licences["tydiqa_primary"] == "Apache-2.0"
    sums = {file.name: file.sha256 for file in told.files}
    published = read_manifest()
    assert sums
    for name, digest_of in sums.items():
        dataset, _, file = name.partition("/")
        assert digest_of == published[dataset].files[file].sha256


def test_the_page_tells_everything_that_was_trained_for_its_tables(small: Config) -> None:
    told = page_recipe(small)
    assert [one.folder for one in told.trained] == [
        "encoders/tiny",
        "aligned/tiny/ar",
        "models/tiny-mono/seed0",
        "models/tiny-ar/seed0",
    ]
    assert [one.label for one in told.trained[2:]] == ["tiny mono, seed 0", "aligned +aug, seed 0"]
    alike = raw()
    alike["models"]["tiny-ar"] |= {"label": "tiny", "training_set": "mono"}
    assert [one.label for one in page_recipe(load(alike)).trained[2:]] == [
        "tiny mono (tiny-mono), seed 0",
        "tiny mono (tiny-ar), seed 0",
    ]
    more = changed("tuning", "longer", "learning_rate", to=0.001)
    assert page_recipe(more).config != told.config
    assert page_recipe(changed("retrieval", "tiny", "neighbours", to=9)).config == told.config


def test_published_encoders_on_the_page_have_their_licence() -> None:
    told = page_recipe(load(raw("config/mucot.yaml")))
    found = {source.name: (source.licence, source.homepage) for source in told.sources}
    address = "https://huggingface.co/xlm-roberta-base"
    assert found["encoder xlm-roberta-base"] == ("MIT", address)
    assert found["translations by facebook/nllb-200-distilled-600M"] == (None, None)
