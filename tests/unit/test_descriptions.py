"""Tables of alignments and of hyper-parameters beside the papers'."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflow_scripts import config as module
from workflow_scripts.cli import InputError
from workflow_scripts.report import alignments, settings

ROOT = Path(__file__).parent.parent.parent


def forms(folder: Path) -> list[str]:
    return [f"--csv={folder / 't.csv'}", f"--markdown={folder / 't.md'}", f"--latex={folder / 't.tex'}"]


def read(folder: Path) -> list[dict[str, str]]:
    with (folder / "t.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def raw() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    return loaded


def test_table_1(tmp_path: Path, raw: dict[str, Any]) -> None:
    recipe = module.alignments_recipe(module.load(raw), "table1")
    files = []
    for name in ("tydi-l", "tydi-m", "tydi-s", "111-s", "111-l"):
        for number, code in enumerate(module.aligned_languages(module.load(raw), name)):
            (tmp_path / f"{name}-{code}").write_text("a ||| b\n" * (1000 + number if name == "tydi-l" else 7))
            files.append(f"{name}/{code}={tmp_path / f'{name}-{code}'}")
    alignments.main([f"--recipe={recipe.model_dump_json()}", *forms(tmp_path), "--pairs", *files])
    rows = {row["Model"]: row for row in read(tmp_path)}
    assert rows["TYDI-L"] == {
        "Model": "TYDI-L",
        "Description": "ours: TyDi QA's languages",
        "Languages": "ar bn sw ko",
        "Number": "4",
        "Sentences": "1000–1003",
        "mBERT": "yes",
        "XLM-R": "yes",
        "Paper: number": "4",
        "Paper: sentences": "80–469k",
    }
    assert rows["TYDI-S"]["Sentences"] == "7"
    assert (rows["TYDI-S"]["mBERT"], rows["TYDI-S"]["XLM-R"]) == ("no", "yes")
    assert rows["CAO-HIGH"]["Sentences"] == "n/a"
    assert (rows["CAO-HIGH"]["mBERT"], rows["CAO-HIGH"]["XLM-R"]) == ("yes", "no")
    assert "1,000–1,003" in (tmp_path / "t.md").read_text("utf-8")
    few = [file for file in files if not file.startswith("tydi-l/ko")]
    with pytest.raises(InputError, match=r"^--pairs: no file of tydi-l/ko, which the table shows$"):
        alignments.main([f"--recipe={recipe.model_dump_json()}", *forms(tmp_path), "--pairs", *few])


def test_mucots_table_1(tmp_path: Path, raw: dict[str, Any]) -> None:
    recipe = module.settings_recipe(module.load(raw), "mucot_table1")
    settings.main([f"--recipe={recipe.model_dump_json()}", *forms(tmp_path)])
    rows = {row["Hyper-parameter"]: (row["Ours"], row["Paper"]) for row in read(tmp_path)}
    assert len(rows) == 9
    assert rows["Maximum contrastive steps"] == ("160", "1000")
    assert rows["Learning rate"] == ("0.001", "0.00003")
    assert "squad-chaii-all-contrast-0" in (tmp_path / "t.md").read_text("utf-8")
    raw["tuning"]["chaii-contrast-{k}"]["learning_rate"] = 0.00003
    by_name = {
        one.name: one.value for one in module.settings_recipe(module.load(raw), "mucot_table1").settings
    }
    assert by_name["Learning rate"] == "0.00003"
    wrong = {"title": "T", "model": "m", "settings": [{"name": "Warm-up", "value": "1"}]}
    with pytest.raises(InputError, match=r"^--recipe: MuCoT's Table 1 has no 'Warm-up'; there are Maximum"):
        settings.main([f"--recipe={json.dumps(wrong)}", *forms(tmp_path)])


@pytest.mark.parametrize(
    ("table", "change", "sentence"),
    [
        (
            "mucot_table1",
            {"model": "mbert-aug"},
            "tables.mucot_table1.model: tuning.default of mbert-aug has no contrast; name a model that is",
        ),
        ("mucot_table1", {"model": "mbert"}, "tables.mucot_table1.model: unknown model 'mbert'"),
        (
            "table1",
            {"rows": [{"alignment": "tydi", "label": "T", "description": "d"}]},
            "tables.table1.rows: unknown alignment 'tydi'",
        ),
        ("table1", {"encoders": {"BERT": "bert"}}, "tables.table1.encoders: unknown encoder 'bert'"),
        (
            "table1",
            {"rows": [{"alignment": "tydi-l", "label": "T", "description": "d"}] * 2},
            "tables.table1.rows: tydi-l is given twice",
        ),
    ],
)
def test_a_mistake_gives_one_sentence(
    raw: dict[str, Any], table: str, change: dict[str, Any], sentence: str
) -> None:
    raw["tables"][table] |= change
    with pytest.raises(InputError) as caught:
        module.load(raw)
    assert str(caught.value).startswith(sentence)
