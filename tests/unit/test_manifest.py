"""The manifest: every cell of a table's CSV with the runs behind it, and checksums of what they name."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.report.manifest import main

SCORES = {
    "title": "T",
    "evaluation": "test",
    "annotators": 1,
    "seeds": [0, 1],
    "metrics": ["em", "jaccard"],
    "columns": [["en-ar", "en-sw"]],
    "average": "questions",
    "spread": "interval",
    "rows": [
        {"model": "one", "label": "A", "training": "mono"},
        {"heading": "H"},
        {"model": "two", "label": "A", "training": "mono", "missing": "nowhere"},
    ],
}
EFFECTS = {
    "title": "E",
    "evaluation": "test",
    "seeds": [0, 1],
    "metric": "em",
    "columns": [["en-ar"]],
    "effects": [{"label": "gain", "system": ["one"], "base": ["base"]}],
}


def made(folder: Path, seed: int, model: str = "one") -> dict[str, Any]:
    """A run whose files hold their own names."""
    names = {part: f"{folder}/{model}-{seed}.{part}" for part in ("gold", "predictions", "scores", "data")}
    for name in names.values():
        Path(name).write_text(name)
    return {
        "model": model,
        "seed": seed,
        "evaluation": "test",
        "annotators": 1,
        "gold": {"en-ar": names["gold"]},
        "predictions": {"en-ar": names["predictions"]},
        "scores": names["scores"],
        "config": "abc",
        "trained": "ab",
        "code": {"step": "def"},
        "weights": [],
        "encoder": [],
        "data": [names["data"]],
    }


@pytest.fixture
def recipe(tmp_path: Path) -> dict[str, Any]:
    table, effects = tmp_path / "t.csv", tmp_path / "e.csv"
    columns = ['"EM Q_en,C_ar"', '"EM Q_en,C_sw"', "EM Q_en overall"]
    columns += [column.replace("EM", "Jaccard") for column in columns]
    table.write_text(
        f"Model,Tr. Data,{','.join(columns)}\nA,mono,1.00,2.00,1.50,3.00,4.00,3.50\nA,mono{',n/a' * 6}\n"
    )
    effects.write_text(
        "Effect,Column,Difference,Low,High,p,p two-sided,p Holm,Questions,Runs,Splits\n"
        'gain,"Q_en,C_ar",2.00,-1.00,5.00,0.0400,0.0800,0.0800,7,2,1\n'
    )
    runs = {f"{model}/{seed}": made(tmp_path, seed, model) for model in ("one", "base") for seed in (0, 1)}
    of = {model: [f"{model}/0", f"{model}/1"] for model in ("one", "base")}
    return {
        "configurations": {"abc": {"features": {}}},
        "runs": runs,
        "tables": {
            "t": {"csv": str(table), "scores": SCORES, "runs": {"one": of["one"]}},
            "e": {"csv": str(effects), "effects": EFFECTS, "runs": of},
        },
    }


def written(recipe: dict[str, Any], out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(recipe)))
    main(["--recipe", "-", "--out", str(out)])
    return json.loads(out.read_text("utf-8"))


def test_every_cell_names_its_runs(
    recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = written(recipe, tmp_path / "manifest.json", monkeypatch)
    cells = [cell for cell in found["cells"] if cell["table"] == "t"]
    assert [cell["value"] for cell in cells] == [1, 2, 1.5, 3, 4, 3.5, *[None] * 6]
    assert [(cell["measured"], cell["pairs"]) for cell in cells[:6]] == [
        (metric, pairs)
        for metric in ("em", "jaccard")
        for pairs in (["en-ar"], ["en-sw"], ["en-ar", "en-sw"])
    ]
    assert [cell["row"] for cell in cells] == ["one"] * 6 + ["two"] * 6  # rows of one label are told apart
    assert {tuple(cell["runs"]) for cell in cells[:6]} == {("one/0", "one/1")}
    assert {tuple(cell["runs"]) for cell in cells[6:]} == {()}
    (effect,) = (cell for cell in found["cells"] if cell["table"] == "e")
    assert (effect["value"], effect["low"], effect["high"], effect["p"]) == (2, -1, 5, 0.04)
    assert (effect["system"], effect["base"]) == (["one/0", "one/1"], ["base/0", "base/1"])


def test_a_table_beside_a_published_one_and_counts(
    recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison shows the first metric, and no number where nothing is printed; a span of numbers is a text."""
    beside, paper, counts = (tmp_path / name for name in ("t.compare.csv", "paper.csv", "c.csv"))
    columns = ['"Q_en,C_ar"', '"Q_en,C_sw"', "Q_en overall"]
    heads = [head.replace("Q", "EM Q", 1) for head in columns]
    cells = ["1.0,3.0,-2.0", "2.0,,", "1.5,1.5,+0.0", *["n/a,3.0,"] * 3]
    lines = [f"A,mono,{head},{of}" for head, of in zip([*heads, *heads], cells, strict=True)]
    beside.write_text("Model,Tr. Data,Column,Ours,Paper,Difference\n" + "\n".join(lines) + "\n")
    paper.write_text("printed")
    counts.write_text("Alignment,Number,Sentences,Marked\nAR,1,40–60,yes\nSW,2,n/a,no\n")
    recipe["tables"]["t"] |= {"compared": str(beside), "printed": str(paper)}
    files = {"Number": [], "Sentences": [str(paper)], "Marked": []}
    recipe["tables"]["c"] = {
        "csv": str(counts),
        "counts": {
            "kind": "alignments",
            "title": "C",
            "lines": [{"name": name, "config": "abc", "files": files} for name in ("ar", "sw")],
        },
    }
    found = written(recipe, tmp_path / "manifest.json", monkeypatch)
    compared = [cell for cell in found["cells"] if cell["table"] == "t.compare"]
    assert [(cell["value"], cell["paper"], cell["difference"]) for cell in compared] == [
        (1, 3, -2),
        (2, None, None),
        (1.5, 1.5, 0),
        *[(None, 3, None)] * 3,
    ]
    assert {(cell["measured"], cell["printed"]) for cell in compared} == {("em", str(paper))}
    assert [
        (cell["row"], cell["column"], cell["value"], cell["files"])
        for cell in found["cells"]
        if cell["table"] == "c"
    ] == [
        ("ar", "Number", 1, []),
        ("ar", "Sentences", "40–60", [str(paper)]),
        ("sw", "Number", 2, []),
        ("sw", "Sentences", None, [str(paper)]),
    ]
    assert {str(beside), str(paper), str(counts)} <= found["files"].keys()
    beside.write_text(beside.read_text().replace("A,mono", "B,mono", 1))
    with pytest.raises(
        InputError, match="no line of A, EM Q_en,C_ar, where it should be; make the table again"
    ):
        written(recipe, tmp_path / "manifest.json", monkeypatch)


def test_every_file_has_its_checksum(
    recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = written(recipe, tmp_path / "manifest.json", monkeypatch)["files"]
    assert len(files) == 2 + 4 * 4
    for name, of in files.items():
        octets = Path(name).read_bytes()
        assert of == {"sha256": hashlib.sha256(octets).hexdigest(), "bytes": len(octets)}


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda files: files["t"].write_text("Model\nA\n"), "1 lines instead of 2; make the table again"),
        (lambda files: files["t"].write_text("Model\nA\nA\n"), "no number in column EM Q_en,C_ar"),
        (
            lambda files: files["e"].write_text("Effect,Column\nloss,x\n"),
            "no line of gain, Q_en,C_ar, where it should be",
        ),
        (lambda files: files["t"].unlink(), "no such file; make it before the manifest"),
    ],
)
def test_tables_of_another_recipe_are_refused(
    spoil: Any, sentence: str, recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil({name: tmp_path / f"{name}.csv" for name in ("t", "e")})
    with pytest.raises(InputError, match=sentence):
        written(recipe, tmp_path / "manifest.json", monkeypatch)
    assert not (tmp_path / "manifest.json").exists()
