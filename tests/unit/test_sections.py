"""Tables of sections: columns of several evaluations and tasks, and the papers' tables beside them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflow_scripts import config as module
from workflow_scripts.cli import InputError
from workflow_scripts.recipes.table import Row
from workflow_scripts.report import compare, sections

ROOT = Path(__file__).parent.parent.parent
E = ["en-ar", "en-bn", "en-sw", "en-ko"]


def block(pair: str, task: str, source: str) -> dict[str, Any]:
    evaluation = "heard" if source == "asr" else "test"
    return {"evaluation": evaluation, "task": task, "pairs": [pair], "source": source}


def table5(**changes: Any) -> dict[str, Any]:
    """aligned_qa's Table 5 with two of its rows, and its last."""
    row = {"model": "a", "label": "mBERT", "training": "+aug"}
    aligned = {"model": "b", "label": "CAO|HIGH", "training": "+aug", "alignment": ["bn"]}
    of_english = [("en-bn", "gold"), ("en-bn", "asr"), ("en-sw", "asr")]
    own = [("bn-bn", "gold"), ("bn-bn", "asr"), ("sw-sw", "asr")]
    return {
        "title": "Table 5",
        "annotators": 2,
        "seeds": [0],
        "sections": [
            {
                "columns": [
                    block(pair, task, of) for task in ("passage", "minimal") for pair, of in of_english
                ],
                "rows": [row, {"heading": "mBERT + Alignment FT"}, aligned],
            },
            {
                "heading": "Monolingual",
                "columns": [block(pair, task, of) for task in ("passage", "minimal") for pair, of in own],
                "rows": [{**row, "label": "(no translation)"}],
            },
        ],
        **changes,
    }


def scores(file: Path, shift: float = 0, questions: int = 200, annotators: int = 2) -> str:
    """A file as evaluate.score writes it: passages score 10, 20, … percent by pair, minimal answers half."""
    pairs = {
        pair: {
            "n": questions,
            "passage": {"best_f1": (10 * number + shift) / 100},
            "minimal": {"best_f1": (10 * number + shift) / 200},
        }
        for number, pair in enumerate([*E, "bn-bn", "sw-sw"], 1)
    }
    file.write_text(json.dumps({"annotators": annotators, "pairs": pairs}), "utf-8")
    return str(file)


def write(folder: Path, recipe: dict[str, Any], **files: str) -> tuple[list[dict[str, str]], list[str]]:
    """The lines of the CSV and of the Markdown; files: MODEL__EVALUATION=FILE,…"""
    given = [f"{name.replace('__', '@')}={file}" for name, file in files.items()]
    written = [f"--{form}={folder / 'table'}.{end}" for form, end in sections_forms()]
    sections.main([f"--recipe={json.dumps(recipe)}", *written, "--scores", *given])
    with (folder / "table.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)), (folder / "table.md").read_text("utf-8").splitlines()


def sections_forms() -> list[tuple[str, str]]:
    return [("csv", "csv"), ("markdown", "md"), ("latex", "tex")]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    heard = scores(tmp_path / "heard", shift=-4, questions=190)
    return {
        "a__test": scores(tmp_path / "a"),
        "a__heard": heard,
        "b__test": scores(tmp_path / "b", 1),
        "b__heard": heard,
    }


def test_columns_of_several_evaluations_and_tasks(tmp_path: Path, files: dict[str, str]) -> None:
    lines, page = write(tmp_path, table5(), **files)
    assert len(lines) == 3 * 6
    assert [(line["Column"], float(line["F1"])) for line in lines[:6]] == [
        ("Passage Q_en,C_bn gold", 20),
        ("Passage Q_en,C_bn ASR", 16),
        ("Passage Q_en,C_sw ASR", 26),
        ("Minimal Q_en,C_bn gold", 10),
        ("Minimal Q_en,C_bn ASR", 8),
        ("Minimal Q_en,C_sw ASR", 13),
    ]
    assert [line["Questions"] for line in lines[:3]] == ["200", "190", "190"]
    assert lines[6] == {
        "Section": "",
        "Heading": "mBERT + Alignment FT",
        "Model": "CAO|HIGH",
        "Tr. Data": "+aug",
        "Column": "Passage Q_en,C_bn gold",
        "F1": "21.00",
        "±": "",
        "Questions": "200",
        "Alignment languages": "bn",
    }
    assert (lines[-1]["Section"], lines[-1]["Heading"], lines[-1]["F1"]) == ("Monolingual", "", "28.00")
    assert page[0] == (
        "Table 5. Best F1 in percent on test, heard: 190 to 200 questions a column, an answer where at least 2"
        " annotators gave one, seed 0. gold: questions as they are written. ASR: as a speech recogniser heard them."
        " ✓ or ✗: aligned in the language beside English, or not."
    )
    aligned = next(line for line in page if line.startswith(r"| CAO\|HIGH"))
    assert [cell.strip() for cell in aligned.split(" | ")][2:5] == ["21.0 ✓", "16.0 ✓", "26.0 ✗"]
    assert page[-5] == "**Monolingual**"
    assert "Monolingual" in (tmp_path / "table.tex").read_text("utf-8")


def test_seeds_and_averages(tmp_path: Path) -> None:
    recipe = table5(seeds=[0, 1])
    columns = [{"evaluation": "test", "task": "passage", "pairs": E}]
    row = {"model": "a", "label": "m", "training": "mono"}
    recipe["sections"] = [{"heading": "E", "columns": columns, "rows": [row]}]
    both = f"{scores(tmp_path / 'a')},{scores(tmp_path / 'b', 2)}"
    lines, page = write(tmp_path, recipe, a__test=both)
    assert [line["Column"] for line in lines] == [*(f"Q_en,C_{pair[3:]}" for pair in E), "Q_en avg"]
    assert (lines[-1]["F1"], lines[-1]["±"], lines[-1]["Questions"]) == ("26.00", "1.41", "")
    assert "26.0 ± 1.4" in page[-1]


def test_what_is_missing_and_what_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    recipe = table5()
    recipe["sections"][0]["rows"][2]["missing"] = "data/checkpoints/cao-high"
    lines, page = write(tmp_path, recipe, **{name: files[name] for name in ("a__test", "a__heard")})
    assert {line["F1"] for line in lines if line["Model"] == "CAO|HIGH"} == {"n/a"}
    assert page[0].endswith("n/a: there is no checkpoint in data/checkpoints/cao-high.")
    with pytest.raises(InputError, match=r"^--scores: b@test has 0 files, but there are 1 seeds$"):
        write(tmp_path, table5(), **{name: files[name] for name in ("a__test", "a__heard")})
    with pytest.raises(InputError, match="scored with 1 annotators"):
        write(tmp_path, table5(), **{**files, "a__test": scores(tmp_path / "c", annotators=1)})


def test_table_5_beside_the_papers(tmp_path: Path, files: dict[str, str]) -> None:
    recipe = table5()
    write(tmp_path, recipe, **files)
    given = {"table": recipe, "printed": {"table": "aligned_qa_table5", "rows": [2, 5, 14]}}
    written = [f"--{form}={tmp_path / 'beside'}.{end}" for form, end in sections_forms()]
    compare.main([f"--recipe={json.dumps(given)}", f"--table={tmp_path / 'table.csv'}", *written])
    with (tmp_path / "beside.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    paper = [row["Paper"] for row in rows]
    assert paper[:6] == ["46.6", "45.9", "54.1", "38.8", "36.4", "45.0"]
    assert paper[12:] == ["61.9", "60.3", "43.8", "47.9", "47.2", "31.4"]
    assert rows[0]["Difference"] == "-26.6"
    given["printed"] = {"table": "aligned_qa_table5", "rows": [1, 2]}
    with pytest.raises(InputError, match=r"18 rows, of 3 models and beside 2 printed ones"):
        compare.main([f"--recipe={json.dumps(given)}", f"--table={tmp_path / 'table.csv'}", *written])


def test_gains_are_those_of_the_abstract() -> None:
    """21.1 % over mono in the abstract, 21.2 of the rounded scores; over +aug next to nothing."""
    gains: dict[str, list[float]] = {"mono": [], "+aug": []}
    for name in compare.GAIN_TABLES:
        for base, found in gains.items():
            found += compare.relative_gains(name, compare.printed(name), base)
    assert {base: len(found) for base, found in gains.items()} == {"mono": 24, "+aug": 24}
    assert sum(gains["mono"]) / 24 == pytest.approx(21.2, abs=0.05)
    assert abs(sum(gains["+aug"]) / 24) < 1


@pytest.fixture
def raw() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    return loaded


def test_table_5_of_the_default(raw: dict[str, Any]) -> None:
    config = module.load(raw)
    recipe = module.sections_recipe(config, "table5")
    assert module.pairs_of(config, "tydi-heard") == ["en-bn", "en-sw", "bn-bn", "sw-sw"]
    assert [len(section.rows) for section in recipe.sections] == [15, 1]
    (last,) = recipe.sections[1].rows
    assert isinstance(last, Row)
    assert (last.label, last.training) == ("(no translation)", "+aug")
    shown = module.table_rows(config, "table5")
    assert len(shown) == 2 * 13
    assert ("mbert-mono", "tydi-heard") in shown
    assert "tydi-heard" in module.evaluations_of(config, "mono")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"sections": [{"rows": ["mbert-aug"], "columns": [{"pair": "en-bn", "task": "passage"}]}]},
            "tables.table5: column en-bn has no evaluation; give one to the table, the section or the column",
        ),
        (
            {"evaluation": "tydi-heard", "task": "passage"}
            | {"sections": [{"rows": ["mbert-aug"], "columns": [["en-ar"]]}]},
            "tables.table5.sections.0.columns: unknown pair of evaluation tydi-heard 'en-ar'",
        ),
        (
            {"evaluation": "tydi-heard", "task": "passage"}
            | {"sections": [{"rows": ["mbert"], "columns": [["en-bn"]]}]},
            "tables.table5.sections.0.rows: unknown model 'mbert'",
        ),
        (
            {"evaluation": "tydi-heard", "task": "passage"}
            | {"sections": [{"rows": ["mbert-aug"], "columns": [["en-bn"], {"pair": "en-bn"}]}]},
            "tables.table5.sections.0.columns: en-bn passage text is given twice",
        ),
        (
            {"task": "passage"}
            | {
                "sections": [
                    {"evaluation": "tydi-heard", "rows": ["mbert-aug"], "columns": [["en-bn"]]},
                    {"evaluation": "tydi-dev", "rows": ["mbert-aug"], "columns": [["en-bn"]]},
                ]
            },
            "tables.table5.sections: evaluations.tydi-heard.annotators is 2, but that of tydi-dev is 1",
        ),
        (
            {"printed": {"table": "aligned_qa_table5", "rows": [1]}},
            "tables.table5.printed.rows has 1 numbers for 14 models; give one, or null, for each",
        ),
        (
            {"sections": [{"rows": ["mbert-aug"], "columns": [{"pair": "en-bn", "tsk": "passage"}]}]},
            "tables.table5.sections.0.columns.0: unknown key 'tsk'; did you mean 'task'?",
        ),
    ],
)
def test_a_mistake_gives_one_sentence(raw: dict[str, Any], change: dict[str, Any], sentence: str) -> None:
    if "printed" not in change:
        raw["tables"]["table5"].pop("printed")
    raw["tables"]["table5"] |= change
    with pytest.raises(InputError) as caught:
        module.load(raw)
    assert str(caught.value).startswith(sentence)
