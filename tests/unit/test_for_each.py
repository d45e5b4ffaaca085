"""Entries with variables in their names: what they stand for, in all sections and in rows of tables."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from workflow_scripts import config as module
from workflow_scripts.cli import InputError
from workflow_scripts.for_each import combinations, expanded, filled, variables
from workflow_scripts.recipes.table import Row


def test_an_entry_stands_for_one_of_each_value() -> None:
    raw = {
        "seeds": [0],
        "splits": {"a-{k}": {"of": "rest-{k}", "seed": "{k}"}, "b": {"of": "{k}", "file": "{language}.txt"}},
        "corpora": {"c-{to}-{k}": {"with": ["{to}", "x-{k}"], "records": {"{to}": "{language}-{to}"}}},
    }
    assert expanded(raw, {"k": [3, 0], "to": ["bn", "te"]}) == {
        "seeds": [0],
        "splits": {
            "a-3": {"of": "rest-3", "seed": 3},
            "a-0": {"of": "rest-0", "seed": 0},
            "b": {"of": "{k}", "file": "{language}.txt"},  # nothing is filled in where the name is whole
        },
        "corpora": {
            f"c-{to}-{k}": {"with": [to, f"x-{k}"], "records": {to: f"{{language}}-{to}"}}
            for to in ("bn", "te")
            for k in (3, 0)
        },
    }


def test_pieces() -> None:
    assert variables("{b}-{a}", "x{b}") == ["b", "a"]
    assert filled("{a}", {"a": 1}) == 1
    assert filled("{a}{b}", {"a": 1}) == "1{b}"
    assert combinations([], "x", {"k": [1]}) == [{}]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"models": {"x-{fold}": {}}}, "models.x-{fold}: for_each gives no values to fold; known are k"),
        ({"models": {"x-{k}": {}, "x-1": {}}}, "models.x-1: there are two entries x-1; rename one of them"),
    ],
)
def test_what_cannot_be_filled_in(raw: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        expanded(raw, {"k": [1]})
    assert str(caught.value) == sentence


ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def folds() -> dict[str, Any]:
    """The default configuration with two splits of ChAII."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    raw["for_each"] = {**raw["for_each"], "k": [0, 4]}
    return raw


def test_a_row_of_a_table_is_of_all_runs(folds: dict[str, Any]) -> None:
    config = module.load(folds)
    assert config.splits["chaii-dev-4"].seed == 4
    assert config.tuning["chaii-4"].selection is not None
    assert config.tuning["chaii-4"].selection.evaluation == "chaii-dev-4"
    row = module.rows_of(config, "mucot_table2")[1]
    assert module.runs_of(config, "mucot_table2", row) == [
        ("k = 0", "squad-chaii-0", "chaii-test-0"),
        ("k = 4", "squad-chaii-4", "chaii-test-4"),
    ]
    recipe = module.table_recipe(config, "mucot_table2")
    assert (recipe.repeats, recipe.spread) == (("k = 0", "k = 4"), "interval")
    assert recipe.evaluation == "chaii-test-0, chaii-test-4"
    assert module.evaluations_of(config, "chaii-4") == ["chaii-test-4", "chaii-dev-4"]
    assert module.table_recipe(config, "table2").repeats == ("",)


def test_a_row_says_what_all_its_models_are(tmp_path: Path) -> None:
    """Labels, thresholds and missing checkpoints of all of them, not those of the first; variables in any order."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    raw["for_each"] |= {"k": [0, 1], "size": ["s", "l"]}
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "config.json").write_text("{}")
    raw["alignments"]["theirs-{k}"] = {"languages": ["ar"], "checkpoint": f"{tmp_path}/{{k}}"}
    model = {"label": "split {k}", "encoder": "mbert", "training_set": "aug"}
    raw["models"] |= {
        "a-{k}-{size}": {**model, "alignment": "theirs-{k}"},
        "b-{size}-{k}": {**model, "training_set": "mono", "label": "{size}"},
    }
    raw["evaluations"] |= {
        "set-{k}": {**raw["evaluations"]["tydi-test"], "thresholds_from": "dev-{k}"},
        "dev-{k}": raw["evaluations"]["tydi-dev"],
    }
    rows = ["a-{k}-{size}", "b-{size}-{k}"]
    raw["tables"] = {
        "t": {
            **raw["tables"]["table2"],
            "printed": None,
            "stars": None,
            "evaluation": "set-{k}",
            "threshold": "dev",
            "rows": rows,
        }
    }
    recipe = module.table_recipe(module.load(raw), "t")
    a, b = recipe.rows
    assert isinstance(a, Row)
    assert isinstance(b, Row)
    assert (a.label, a.training, a.missing, b.label) == ("split 0, split 1", "+aug", f"{tmp_path}/1", "s, l")
    assert recipe.repeats == tuple(f"k = {k}, size = {size}" for k in (0, 1) for size in ("s", "l"))
    assert recipe.thresholds_from == "dev-0, dev-1"
    raw["tables"]["t"]["rows"] = rows[:1]
    with pytest.raises(InputError, match=rf"^tables.t.rows: none of the models.* into {tmp_path}/1, or add"):
        module.load(raw)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda raw: raw["for_each"].update(k=[0, 0]),
            "for_each.k: 0 is given twice; each may stand there once",
        ),
        (lambda raw: raw["for_each"].update(k=[]), "for_each.k is []: list should have at least 1 item"),
        (
            lambda raw: raw.update(for_ecah={}),
            "configuration: unknown key 'for_ecah'; did you mean 'for_each'?",
        ),
        (
            lambda raw: raw["tables"]["mucot_table2"]["rows"].append("mbert-squad-{x}"),
            "tables.mucot_table2: for_each gives no values to x; known are k, to, more",
        ),
        (
            lambda raw: raw["tables"]["mucot_table2"]["rows"].append(
                {"model": "mbert-squad", "evaluation": "chaii"}
            ),
            "tables.mucot_table2.rows: mbert-squad on chaii and chaii-{k} on chaii-test-{k} do not hold the same"
            " variables of for_each, so they are means of different runs",
        ),
        (
            lambda raw: raw["for_each"].update(to=[False, "sv"]),
            'for_each.to.0 is false: YAML reads no without quotes as false; for Norwegian, write "no"',
        ),
        (
            lambda raw: raw["for_each"].update(rate=[0.05]),
            "for_each.rate.0 is 0.05: values are parts of names: lower-case letters, digits and hyphens, or whole",
        ),
        (
            lambda raw: raw["splits"]["custom-dev"].update(per_language=None, size=100),
            "splits.custom-dev: size belongs to a sample, but ids names the questions that are set aside; leave one",
        ),
        (
            lambda raw: (
                raw["evaluations"].pop("chaii-test-{k}"),
                raw["evaluations"].update({"chaii-test-0": {"corpora": ["chaii-test-0"], "annotators": 1}}),
                raw["evaluations"].update({"chaii-test-4": {"corpora": ["chaii-test-4"], "annotators": 3}}),
            ),
            "tables.mucot_table2.rows: evaluations.chaii-test-4.annotators is 3, but that of chaii-test-0 is 1; they",
        ),
        (
            lambda raw: (
                raw["for_each"].update(mix=["tydi", "111"]),
                raw["models"].update({"x-{mix}": {**raw["models"]["mbert-111-l"], "alignment": "{mix}-l"}}),
                raw["alignments"]["111-l"].update(languages=["ar"]),
                raw["tables"]["table2"].update(rows=["x-{mix}"]),
            ),
            "tables.table2.rows: the models of x-{mix} are not aligned in the same languages, so that no mark can",
        ),
        (
            lambda raw: (
                raw["training_sets"].update({"alone-{k}": {"label": "x", "corpora": ["squad-en"]}}),
                raw["tables"]["mucot-records"].update(training_sets=["alone-{k}"]),
            ),
            "tables.mucot-records.training_sets: no table shows a model tuned on alone-0, so nothing says which",
        ),
        (
            lambda raw: raw["corpora"]["chaii-{to}-{k}"].update({"with": ["chaii-{to}-{k}"]}),
            "corpora.chaii-ml-0.with: chaii-ml-0 is made of chaii-ml-0 itself; name another corpus",
        ),
    ],
)
def test_a_mistake_gives_one_sentence(folds: dict[str, Any], change: Any, sentence: str) -> None:
    change(folds)
    with pytest.raises(InputError) as caught:
        module.load(folds)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("corpus", "shared"),
    [
        ({}, False),  # dev of the same split
        ({"kind": "part", "of": "chaii-rest-4", "split": "chaii-dev-4", "part": "dev"}, True),
        ({"kind": "matched", "of": "chaii-ml", "with": ["chaii-test-0"]}, True),
        ({"kind": "matched", "of": "chaii-ml", "with": ["chaii-rest-0"]}, False),
        ({"kind": "translated", "of": "chaii", "to": "en", "records": {"hi": "a"}}, True),
        ({"kind": "translated", "of": "chaii-rest-0", "to": "en", "records": {"hi": "a"}}, False),
    ],
)
def test_nothing_is_selected_by_versions_of_what_is_reported(
    folds: dict[str, Any], corpus: dict[str, Any], shared: bool
) -> None:
    """Questions of another split's dev side, and translations of test questions, are reported on as well."""
    config = module.load(folds)
    if corpus:
        entries = TypeAdapter(dict[str, module.Corpus]).validate_python({"asked": corpus})
        config = config.model_copy(update={"corpora": config.corpora | entries})
    asked = "asked" if corpus else "chaii-dev-0"
    assert module.with_questions_of(config, [asked], ["chaii-test-0"]) == [asked] * shared
    assert module.with_questions_of(config, ["chaii-test-0"], [asked]) == ["chaii-test-0"] * shared


def test_weights_are_not_selected_on_another_splits_dev(folds: dict[str, Any]) -> None:
    folds["tuning"]["chaii-{k}"]["selection"]["evaluation"] = "chaii-dev-4"
    with pytest.raises(
        InputError, match=r"^tuning.chaii-0.selection.evaluation: tables.* on chaii-test-0; sele"
    ):
        module.load(folds)


def test_a_label_may_be_a_number() -> None:
    """Also one that a variable stands for alone, which is a number where numbers belong."""
    raw = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    raw["for_each"]["k"] = [0, 7]
    raw["models"]["numbered-{k}"] = {**raw["models"]["mbert-mono"], "label": "{k}"}
    raw["training_sets"]["mono"]["label"] = 2021
    config = module.load(raw)
    assert [config.models[f"numbered-{k}"].label for k in (0, 7)] == ["0", "7"]
    assert config.training_sets["mono"].label == "2021"
    assert [config.splits[f"chaii-test-{k}"].seed for k in (0, 7)] == [0, 7]
