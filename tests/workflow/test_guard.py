"""Leaks in a run: one stops it, or is left out of training; and a further evaluation trains only what it must."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.conftest import ROOT, Tree

pytestmark = pytest.mark.slow

MODEL = "results/models/tiny-mono/seed0"
FREE = "The wharf of Uvuv was painted green in 1807."


def configured(tree: Tree, drop_leaks: bool, **evaluations: str) -> str:
    """The small configuration with one model, tuned on `planted` too, and further evaluations, name=corpus."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "tests/config/small.yaml").read_text("utf-8"))
    planted = {"kind": "squad", "files": ["planted.json"], "language": "en"}
    raw["corpora"] |= {"planted": planted, "quiz": {**planted, "files": ["quiz.json"]}}
    raw["training_sets"] = {
        "mono": {"label": "mono", "corpora": ["train", "planted"], "drop_leaks": drop_leaks}
    }
    del raw["models"]["tiny-ar"], raw["retrieval"], raw["alignments"], raw["parallel"]
    raw["tables"] = {}
    for name, corpora in {
        "test": ["test"],
        **{name: [corpus] for name, corpus in evaluations.items()},
    }.items():
        raw["evaluations"][name] = {"corpora": corpora, "annotators": 1}
        raw["tables"][name] = {
            "title": name,
            "evaluation": name,
            "task": "minimal",
            "rows": ["tiny-mono"],
            "columns": [["en-en"]],
        }
    (tree.folder / "leaks.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    return "leaks.yaml"


def write_squad(file: Path, **contexts: str) -> None:
    """Two questions on each context, called after it; its first word is the answer."""
    paragraphs = [
        {
            "context": context,
            "qas": [
                {
                    "id": f"{name}{number}",
                    "question": "What stands first?",
                    "answers": [{"text": context.split()[0], "answer_start": 0}],
                }
                for number in (1, 2)
            ],
        }
        for name, context in contexts.items()
    ]
    file.write_text(json.dumps({"data": [{"title": "", "paragraphs": paragraphs}]}), "utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A copy in which the training data hold a paragraph of the test set's, written in capitals."""
    made = Tree(tmp_path_factory.mktemp("guard"))
    write_squad(made.folder / "quiz.json", quiz=FREE)
    write_squad(made.folder / "planted.json", free=FREE)
    config = configured(made, False)
    tydi = "results/microworld/tydi/tydiqa-v1.0-dev.jsonl.gz"
    done = made.snakemake("--cores", "2", "--", tydi, config=config)
    assert done.returncode == 0, done.stdout + done.stderr
    with gzip.open(made.folder / tydi, "rt", encoding="utf-8") as file:
        record = next(line for line in map(json.loads, file) if line["language"] == "english")
    span = record["passage_answer_candidates"][0]
    passage = record["document_plaintext"].encode()[span["plaintext_start_byte"] : span["plaintext_end_byte"]]
    write_squad(made.folder / "planted.json", free=FREE, leak=passage.decode().upper().rstrip("."))
    return made


def test_one_evaluated_context_among_the_training_data_stops_the_run(tree: Tree) -> None:
    config = configured(tree, drop_leaks=False)
    done = tree.snakemake("--cores", "2", "--", f"{MODEL}/model.safetensors", config=config)
    assert done.returncode != 0
    sentence = (tree.folder / "logs/guard/mono.log").read_text("utf-8")
    assert sentence.startswith("error: training set mono: 2 of its ")
    assert "the first is question leak1 of planted: its context is a passage of document" in sentence
    assert sentence in done.stdout + done.stderr
    assert not (tree.folder / "results/models").exists()
    assert not list((tree.folder / "results").glob("guard/*"))


def test_leaks_are_left_out_and_a_further_evaluation_trains_only_if_it_leaks(tree: Tree) -> None:
    config = configured(tree, drop_leaks=True)
    assert tree.snakemake("--cores", "2", config=config).returncode == 0
    dropped = (tree.folder / "results/guard/mono.dropped.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in dropped] == ["leak1", "leak2"]
    all_windows = windows(tree)
    assert tree.pending(config=config) == set()
    weights = tree.folder / MODEL / "model.safetensors"
    predictions = tree.folder / "results/predictions/tiny-mono/seed0/test/en-en.jsonl"
    before = [file.stat().st_mtime_ns for file in (weights, predictions)]

    config = configured(tree, drop_leaks=True, dev="dev")
    assert tree.snakemake("--cores", "2", config=config).returncode == 0
    assert (tree.folder / "results/tables/dev.csv").is_file()
    assert [file.stat().st_mtime_ns for file in (weights, predictions)] == before
    assert tree.pending(config=config) == set()

    config = configured(tree, drop_leaks=True, dev="dev", quiz="quiz")
    assert tree.snakemake("--cores", "2", config=config).returncode == 0
    after = [file.stat().st_mtime_ns for file in (weights, predictions)]
    assert after[0] > before[0]
    assert after[1] > before[1]
    assert windows(tree) == all_windows - 2
    assert tree.pending(config=config) == set()


def windows(tree: Tree) -> int:
    """How many windows the model was trained on."""
    return int(json.loads((tree.folder / MODEL / "training.json").read_text("utf-8"))["windows"])
