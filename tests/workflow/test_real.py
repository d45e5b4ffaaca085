"""config/real.yaml on the real-data pack, with fewer paragraphs, sentences and steps; its scores say nothing."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.conftest import ROOT, Tree

pytestmark = pytest.mark.slow


def reduced() -> dict[str, Any]:
    """The real configuration in small: every section of it, half of its languages, no key that it does not have."""
    raw = yaml.safe_load((ROOT / "config/real.yaml").read_text("utf-8"))
    for name in [name for name in raw["corpora"] if {"hi", "es", "de", "el", "ko"} & set(name.split("-"))]:
        del raw["corpora"][name]
    for name in ("hi", "es", "de", "el"):
        del raw["translations"][f"xquad-{name}"]
    for code, other in (("en", "ar"), ("ar", "en")):
        raw["corpora"][f"xquad-{code}-asked"]["to"] = [other]
        raw["translations"][f"xquad-{code}"]["questions"] = [f"xquad-{other}"]
    for encoder in raw["encoders"].values():
        encoder["text"] = {code: encoder["text"][code] for code in ("en", "ar", "sw")}
    raw["parallel"]["moses"]["languages"] = ["ar", "sw"]
    raw["models"] = {name: raw["models"][name] for name in ("mbert-all", "xlmr")}
    for entry in (*raw["evaluations"].values(), *raw["training_sets"].values()):
        entry["corpora"] = [name for name in entry["corpora"] if name in raw["corpora"]]
    for name, table in raw["tables"].items():
        table["rows"] = ["xlmr", {"heading": "aligned"}, "mbert-all"]
        if name in ("xquad", "goldp"):
            table["columns"] = (
                [["en-en", "en-ar", "ar-en", "ar-ar"]] if name == "xquad" else [["en-en", "sw-sw"]]
            )
    for corpus in raw["corpora"].values():
        if corpus["kind"] == "squad":
            corpus["max_paragraphs"] = 40 if "exclude_contexts" in corpus else 6
    for encoder in raw["encoders"].values():
        encoder["pretrain"] |= {
            "vocabulary": encoder["pretrain"]["vocabulary"] | {"size": 3000},
            "architecture": {
                "hidden_size": 32,
                "layers": 1,
                "heads": 2,
                "intermediate_size": 64,
                "max_length": 384,
            },
            "steps": 10,
            "batch_size": 8,
            "max_documents": 500,
            "held_out": 50,
            "min_masked_accuracy": 0,
        }
    raw["alignments"]["all"] |= {"languages": ["ar", "sw"], "filter": {"sentences": 50}}
    raw["tuning"]["default"] |= {"steps": 10, "batch_size": 4}
    return raw


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    made = Tree(tmp_path_factory.mktemp("real"))
    (made.folder / "reduced.yaml").write_text(yaml.safe_dump(reduced(), sort_keys=False), "utf-8")
    return made


def test_from_an_unpacked_pack_to_tables(tree: Tree, pack: Path) -> None:
    done = tree.snakemake("--cores", "2", "--config", f"mirror={pack}", config="reduced.yaml")
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    for table, columns in (("xquad", 5), ("goldp", 3), ("tiny-dev-passage", 12), ("tiny-dev-minimal", 12)):
        with (tree.folder / f"results/tables/{table}.csv").open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        assert len(head) == 2 + columns + 2
        assert [row[1] for row in rows] == ["SQuAD + GoldP"] * 2
        assert all(0 <= float(cell) <= 100 for row in rows for cell in row[2:-2])
    found = json.loads((tree.folder / "results/guard/squad.json").read_text("utf-8"))
    assert found["left_out"] == {"evaluated": 0, "on_evaluated_contexts": 0}


def test_where_a_file_came_from_makes_nothing_stale(tree: Tree, pack: Path) -> None:
    """Nor does the way to it: without the mirror, and with another, all is up to date."""
    test_from_an_unpacked_pack_to_tables(tree, pack)
    assert tree.pending(config="reduced.yaml") == set()
    assert tree.pending("--config", f"mirror={tree.folder}", config="reduced.yaml") == set()


def test_a_paragraph_of_xquad_among_the_training_data_stops_the_run(tree: Tree, pack: Path) -> None:
    raw = reduced()
    raw["corpora"]["squad"]["exclude_contexts"] = []
    (tree.folder / "leaking.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    done = tree.snakemake(
        "--cores", "2", "--config", f"mirror={pack}", "--", "results/guard/squad.json", config="leaking.yaml"
    )
    assert done.returncode != 0
    assert (tree.folder / "logs/guard/squad.log").read_text("utf-8").startswith("error: ")
