"""Tables of outcomes: which questions count as right or wrong, and aligned_qa's Table 6 beside them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflow_scripts import config as module
from workflow_scripts.cli import InputError
from workflow_scripts.files import write_jsonl
from workflow_scripts.report import compare, outcomes

ROOT = Path(__file__).parent.parent.parent
FORMS = {"csv": "csv", "markdown": "md", "latex": "tex"}


def questions(file: Path, pair: str, scores: list[float | None], **changes: Any) -> str:
    """What questions got, as evaluate.score writes it: F1, or None for no answer given; passages are all wrong."""
    lines = [
        {
            "pair": pair,
            "example_id": str(number),
            "passage": {"has_gold": True, "has_pred": True, "f1": 0.0},
            "minimal": {"has_gold": True, "has_pred": f1 is not None, "f1": f1 or 0.0, **changes},
        }
        for number, f1 in enumerate(scores)
    ]
    write_jsonl(file, lines)
    return str(file)


def recipe(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Table 6",
        "seeds": [0],
        "rows": {"evaluation": "test", "pairs": ["bn-bn"]},
        "columns": {"evaluation": "heard", "pairs": ["en-bn"], "source": "asr"},
        "models": [{"model": "m", "label": "mBERT", "training": "+aug"}],
        **changes,
    }


def write(folder: Path, given: dict[str, Any], *files: str) -> tuple[list[dict[str, str]], list[str]]:
    """The lines of the CSV and of the Markdown."""
    written = [f"--{form}={folder / 'table'}.{end}" for form, end in FORMS.items()]
    outcomes.main([f"--recipe={json.dumps(given)}", *written, "--questions", *files])
    with (folder / "table.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)), (folder / "table.md").read_text("utf-8").splitlines()


# own language and English: both right; own only; English only (no answer given); both wrong; either partly right (2)
OWN: list[float | None] = [1.0, 1.0, None, 0.0, 0.5, 1.0]
ENGLISH: list[float | None] = [1.0, 0.0, 1.0, None, 1.0, 0.3]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    own = questions(tmp_path / "own", "bn-bn", [*OWN, 1.0])  # one more, which is not asked in English
    return [f"m@test={own}", f"m@heard={questions(tmp_path / 'heard', 'en-bn', ENGLISH)}"]


def test_four_numbers(tmp_path: Path, files: list[str]) -> None:
    lines, page = write(tmp_path, recipe(), *files)
    assert [(line["Row"], line["Column"], line["Questions"]) for line in lines] == [
        ("correct", "correct", "1"),
        ("correct", "wrong", "1"),
        ("wrong", "correct", "1"),
        ("wrong", "wrong", "1"),
    ]
    assert lines[0]["Rows"] == "Q_bn,C_bn"
    assert lines[0]["Columns"] == "Q_en,C_bn ASR"
    assert {line["Partly right"] for line in lines} == {"2"}
    assert page[0] == (
        "Table 6. Questions answered rightly (correct) or not (wrong) on test (rows) and on heard (columns), seed 0."
        " correct: F1 of the minimal answer is 1, whatever its score; wrong: it is 0. Left out: questions without an"
        " answer, and those of which either answer is partly right (2 of a system's). ASR: as a speech recogniser heard"
        " them."
    )
    assert [cell.strip() for cell in page[4].split("|")[1:-1]] == ["", "mBERT: correct", "mBERT: wrong"]
    assert (tmp_path / "table.tex").is_file()
    lines, _ = write(tmp_path, recipe(task="passage"), *files)
    assert [line["Questions"] for line in lines] == ["0", "0", "0", "6"]


def test_questions_without_an_answer_count_nowhere(tmp_path: Path, files: list[str]) -> None:
    nothing = questions(tmp_path / "none", "en-bn", ENGLISH, has_gold=False)
    lines, _ = write(tmp_path, recipe(), files[0], f"m@heard={nothing}")
    assert {line["Questions"] for line in lines} == {"0"}


def test_seeds_are_means_and_missing_models_na(tmp_path: Path, files: list[str]) -> None:
    again = questions(tmp_path / "again", "en-bn", [1.0] * 6)
    own, heard = (file.partition("=")[2] for file in files)
    missing = {"model": "x", "label": "mBERT", "training": "mono", "missing": "data/x"}
    given = recipe(seeds=[0, 1], models=[*recipe()["models"], missing])
    lines, page = write(tmp_path, given, f"m@test={own},{own}", f"m@heard={heard},{again}")
    assert [line["Questions"] for line in lines[:2]] == ["2", "0.5"]
    assert lines[-1]["Questions"] == "n/a"
    assert "mBERT mono: wrong" in page[4]
    assert page[0].endswith("n/a: there is no checkpoint in data/x.")


def test_what_is_refused(tmp_path: Path, files: list[str]) -> None:
    with pytest.raises(InputError, match=r"^--questions: m@heard has 0 files, but there are 1 seeds$"):
        write(tmp_path, recipe(), files[0])
    with pytest.raises(InputError, match=r"no questions of en-bn; there are bn-bn$"):
        write(tmp_path, recipe(), files[0], files[0].replace("m@test", "m@heard"))
    (tmp_path / "broken").write_text("{}\n")
    with pytest.raises(InputError, match=r"broken line 1: not an outcome"):
        write(tmp_path, recipe(), files[0], f"m@heard={tmp_path / 'broken'}")


def test_table_6_beside_the_papers(tmp_path: Path, files: list[str]) -> None:
    write(tmp_path, recipe(), *files)
    written = [f"--{form}={tmp_path / 'beside'}.{end}" for form, end in FORMS.items()]
    for system, expected in ((1, ["34", "14", "6", "41"]), (4, ["42", "8", "6", "34"]), (None, [""] * 4)):
        given = {"table": recipe(), "printed": {"table": "aligned_qa_table6", "rows": [system]}}
        compare.main([f"--recipe={json.dumps(given)}", f"--table={tmp_path / 'table.csv'}", *written])
        with (tmp_path / "beside.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["Paper"] for row in rows] == expected
    assert rows[1]["Column"] == "Q_bn,C_bn correct, Q_en,C_bn ASR wrong"
    assert "as numbers of questions" in (tmp_path / "beside.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"rows": {"evaluation": "tydi-test", "pairs": ["bn-bn"]}},
            "tables.table6: 1 pairs in rows and 2 in columns; each needs another",
        ),
        (
            {"rows": {"evaluation": "tydi-test", "pairs": ["bn-bn", "hi-hi"]}},
            "tables.table6.rows.pairs: unknown pair of evaluation tydi-test 'hi-hi'",
        ),
        (
            {"rows": {"evaluation": "tydi-dev", "pairs": ["bn-bn", "sw-sw"]}},
            "tables.table6: bn-bn of tydi-dev stands on the documents of tydi-train-all, but en-bn of tydi-heard",
        ),
        (
            {"models": ["mbert-aug", "xlmr-aug", "mbert-111-s", "xlmr-111-s"]},
            "tables.table6.models: two are called 111-S +aug; give one another label, as {model: …, label: …}",
        ),
        ({"models": ["mbert"]}, "tables.table6.models: unknown model 'mbert'"),
        (
            {"models": ["mbert-aug", "xlmr-aug"]},
            "tables.table6.printed.rows has 4 numbers for 2 models; give one, or null, for each",
        ),
    ],
)
def test_a_mistake_gives_one_sentence(change: dict[str, Any], sentence: str) -> None:
    raw = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    raw["tables"]["table6"] |= change
    with pytest.raises(InputError) as caught:
        module.load(raw)
    assert str(caught.value).startswith(sentence)
