"""Tables beside published ones, and tables of what training sets are made of."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, Document, Question, write_documents, write_questions
from workflow_scripts.recipes.table import Table
from workflow_scripts.report import compare, records

E = ["en-ar", "en-bn", "en-sw", "en-ko"]
F = ["ar-en", "bn-en", "sw-en", "ko-en"]


def rows(number: int) -> list[dict[str, Any]]:
    return [{"model": str(n), "label": f"M{n}", "training": "t"} for n in range(number)]


def table(**changes: Any) -> dict[str, Any]:
    return {
        "title": "T",
        "evaluation": "e",
        "annotators": 1,
        "seeds": [0],
        "rows": [{"heading": "above"}, *rows(2)],
        **changes,
    }


def side_by_side(
    folder: Path, recipe: dict[str, Any], ours: list[list[object]]
) -> tuple[list[list[str]], str]:
    """The comparison's rows without its head, and its Markdown."""
    with (folder / "ours.csv").open("w", newline="") as file:
        csv.writer(file).writerows(ours)
    out, page = folder / "out.csv", folder / "out.md"
    arguments = ["--recipe", json.dumps(recipe), "--table", f"{folder}/ours.csv"]
    written = ["--csv", str(out), "--markdown", str(page), "--latex", str(folder / "out.tex")]
    compare.main([*arguments, *written])
    with out.open(newline="") as file:
        return list(csv.reader(file))[1:], page.read_text("utf-8")


def test_mucots_columns_beside_our_rows(tmp_path: Path) -> None:
    recipe = table(metrics=["jaccard", "em"], columns=[["hi-hi", "ta-ta"]], average="questions")
    head = ["Model", "Tr. Data", *(f"{m} {c}" for m in ("Jaccard", "EM") for c in ("hi", "ta", "overall"))]
    ours = [head, ["M0", "t", 50, 38, 46.04, 1, 1, 1], ["M1", "t", *["n/a"] * 6]]
    given = {"table": recipe, "printed": {"table": "mucot_table3", "rows": [4, 2]}}
    found, page = side_by_side(tmp_path, given, ours)
    assert found[:4] == [
        ["M0", "t", "Jaccard hi", "50.0", "55.0", "-5.0"],
        ["M0", "t", "Jaccard ta", "38.0", "36.0", "+2.0"],
        ["M0", "t", "Jaccard overall", "46.0", "49.0", "-3.0"],
        ["M1", "t", "Jaccard hi", "n/a", "57.0", ""],
    ]
    assert len(found) == 6
    assert page.startswith("T. Ours beside the numbers of Table 3 in the paper on mucot, in percent;")
    assert "own column" not in page
    recipe |= {"chosen": "columns", "chosen_on": ["dev"]}
    _, page = side_by_side(tmp_path, {**given, "table": recipe}, ours)
    assert " differ. Ours: each cell is of the step that is best in its own column on dev, as" in page


def test_averages_stand_beside_averages(tmp_path: Path) -> None:
    head = ["Model", "Tr. Data", *compare.heads_of(Table(**table(task="minimal", columns=[E, F])))]
    ours = [head, ["M0", "t", *range(10)], ["M1", "t", *range(10)]]
    given = {
        "table": table(task="minimal", columns=[E, F]),
        "printed": {"table": "aligned_qa_table3", "rows": [1, None]},
    }
    found, _ = side_by_side(tmp_path, given, ours)
    paper = [float(row[4]) for row in found[:10]]
    assert paper[4] == pytest.approx(sum(paper[:4]) / 4, abs=0.051)
    assert paper[9] == pytest.approx(sum(paper[5:9]) / 4, abs=0.051)
    assert [row[4] for row in found[10:]] == [""] * 10


def test_averages_of_something_else_stand_alone(tmp_path: Path) -> None:
    """One over other languages than the paper's, and one of pairs where the paper's is of questions."""
    ours = [
        ["Model", "Tr. Data", "Q_en,C_ar", "Q_en,C_bn", "Q_en avg"],
        *(["M", "t", 1, 2, 1.5] for _ in "01"),
    ]
    given = {
        "table": table(task="minimal", columns=[E[:2]]),
        "printed": {"table": "aligned_qa_table3", "rows": [1, None]},
    }
    found, _ = side_by_side(tmp_path, given, ours)
    assert [bool(row[4]) for row in found[:3]] == [True, True, False]
    ours = [["Model", "Tr. Data", "hi", "ta", "avg"], *(["M", "t", 1, 2, 1.5] for _ in "01")]
    given = {
        "table": table(metrics=["jaccard"], columns=[["hi-hi", "ta-ta"]]),
        "printed": {"table": "mucot_table2", "rows": [1, 2]},
    }
    found, _ = side_by_side(tmp_path, given, ours)
    assert [bool(row[4]) for row in found] == [True, True, False] * 2


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    recipe = table(metrics=["em"], columns=[["hi-hi"]])
    ours: list[list[object]] = [["Model", "Tr. Data", "hi"], ["M0", "t", 1], ["M1", "t", 1]]
    with pytest.raises(
        InputError, match=r"^--recipe: mucot_table2 has no em; give printed of another table$"
    ):
        side_by_side(tmp_path, {"table": recipe, "printed": {"table": "mucot_table2", "rows": [1, 2]}}, ours)
    with pytest.raises(InputError, match=r"2 rows, of 2 models and beside 1 printed ones"):
        side_by_side(tmp_path, {"table": recipe, "printed": {"table": "mucot_table2", "rows": [1]}}, ours)
    recipe = table(metrics=["jaccard"], columns=[["hi-hi"]])
    with pytest.raises(
        InputError, match=r"^--recipe: mucot_table2 has rows 1 to 8, not 9; give one of these in"
    ):
        side_by_side(tmp_path, {"table": recipe, "printed": {"table": "mucot_table2", "rows": [9, 2]}}, ours)
    assert not (tmp_path / "out.csv").exists()


def test_what_training_sets_are_made_of(tmp_path: Path) -> None:
    document = Document("d", "hi", "", "", "text", ((0, 4),), "d")
    write_documents(tmp_path / "documents", [document])

    def questions(name: str, language: str, ids: list[str]) -> str:
        asked = [Question(f"{i}@{language}", i, "d", language, "q?", (Annotation(),)) for i in ids]
        write_questions(tmp_path / name, asked, {"d": document})
        return f"{name}={tmp_path / name}"

    files = [questions("chaii", "hi", ["a", "b", "c", "d"]), questions("chaii-bn", "bn", ["a", "c"])]
    (tmp_path / "list").write_text(
        '{"corpus": "chaii", "id": "a@hi"}\n{"corpus": "chaii-bn", "id": "a@bn"}\n'
    )
    corpora = [{"name": "chaii", "made": "as published"}, {"name": "chaii-bn", "made": "translated"}]
    recipe = {"title": "T", "sets": [{"name": "all", "label": "ChAII + bn", "corpora": corpora}]}
    out, page = tmp_path / "out.csv", tmp_path / "out.md"
    arguments = [
        "--recipe",
        json.dumps(recipe),
        "--questions",
        *files,
        "--csv",
        str(out),
        "--markdown",
        str(page),
        "--latex",
        f"{tmp_path}/out.tex",
    ]
    records.main([*arguments, "--left-out", f"all={tmp_path / 'list'}"])
    with out.open(newline="") as file:
        assert list(csv.reader(file)) == [
            records.HEADS,
            ["ChAII + bn", "all", "chaii", "as published", "hi", "4", "1", "3", "0"],
            ["ChAII + bn", "all", "chaii-bn", "translated", "bn", "2", "1", "1", "2"],
        ]
    assert page.read_text("utf-8").startswith("T. Evaluated: questions that are left out")
    with pytest.raises(InputError, match=r"^--left-out: no list of all, which the table shows$"):
        records.main([*arguments, "--left-out", f"other={tmp_path / 'list'}"])
