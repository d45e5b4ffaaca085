"""Sentence pairs from public archives that lie in a mirror: joined, chosen, counted."""

import csv
import json
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import Tree

pytestmark = pytest.mark.slow


def archive(mirror: Path, name: str, member: str, sides: dict[str, list[str]]) -> None:
    (mirror / name).parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(mirror / name, "w") as packed:
        for code, lines in sides.items():
            packed.writestr(f"{member}.{code}", "".join(line + "\n" for line in lines))


def test_public_archives_become_pairs_and_a_row_of_table_9(tree: Tree, tmp_path: Path) -> None:
    archive(
        tmp_path,
        "wikimatrix/en-sw.txt.zip",
        "WikiMatrix.en-sw",
        {"sw": ["ndiyo", "la ||| la"], "en": ["yes", "no"]},
    )
    archive(
        tmp_path,
        "wikimedia/en-sw.txt.zip",
        "wikimedia.en-sw",
        {"sw": ["ndiyo", "hapana"], "en": ["yes", "no"]},
    )
    raw = yaml.safe_load((tree.folder / "tests/config/small.yaml").read_text("utf-8"))
    raw["mirror"] = str(tmp_path)
    raw["parallel"]["public"] = {"languages": ["sw", "wa"], "sources": ["wikimatrix", "wikimedia"]}
    raw["alignments"]["public"] = {"pairs": "public", "languages": "all"}
    raw["tables"]["table9"] = {
        "kind": "pairs",
        "title": "Table 9",
        "alignments": ["public"],
        "encoders": {"E": "tiny"},
    }
    (tree.folder / "public.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    done = tree.snakemake("--cores", "1", "results/tables/table9.csv", config="public.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "parallel.public: no sentence pairs of wa; alignments in all languages leave it out" in done.stderr
    results = tree.folder / "results"
    assert (results / "parallel/public/sw.txt").read_text() == "ndiyo ||| yes\nhapana ||| no\n"
    dropped = (results / "bitexts/wikimatrix+wikimedia/sw-en.dropped.jsonl").read_text().splitlines()
    assert [(one["corpus"], one["line"]) for one in map(json.loads, dropped)] == [
        ("wikimatrix", 2),
        ("wikimedia", 1),
    ]
    with (results / "tables/table9.csv").open(encoding="utf-8", newline="") as file:
        rows = [[row[name] for name in ("Code", "E", "Sentences")] for row in csv.DictReader(file)]
    assert rows == [["sw", "no", "2"], ["wa", "no", "n/a"], ["", "0", "2"]]
