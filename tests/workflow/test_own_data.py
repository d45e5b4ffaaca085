"""config/template.yaml on files of one's own: Portuguese questions about Spanish texts, from files to a table."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.tiny import encoder
from tests.workflow.conftest import ROOT, Tree

TEMPLATE = (ROOT / "config/template.yaml").read_text("utf-8")
PLACES = ["Vela", "Ronda", "Tarifa", "Lerma", "Osuna", "Baeza", "Jaca", "Soria", "Cuenca", "Loja"]
PEOPLE = ["Mateo Ruz", "Inés Sol", "Iván Peña", "Eva Núñez"]


def test_the_template_is_short() -> None:
    lines = [line for line in TEMPLATE.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) < 25


def text(number: int) -> tuple[str, str]:
    """A Spanish text and who it says built the bridge."""
    builder = PEOPLE[number % len(PEOPLE)]
    return (
        f"El puente de {PLACES[number % 10]} tiene {number} arcos. Fue construido por {builder} en {1500 + number}.",
        builder,
    )


def write_own(folder: Path) -> None:
    """Files of forty and ten questions, and monolingual text."""
    (folder / "own").mkdir()
    for part, numbers in {"train": range(40), "dev": range(40, 50)}.items():
        paragraphs = []
        for number in numbers:
            context, builder = text(number)
            answers = [{"text": builder, "answer_start": context.index(builder)}]
            asked = f"Quem construiu a ponte de {PLACES[number % 10]}?"
            paragraphs.append(
                {
                    "context": context,
                    "qas": [{"id": f"{part}{number}", "question": asked, "answers": answers}],
                }
            )
        content = {"data": [{"title": "Puentes", "paragraphs": paragraphs}]}
        (folder / f"own/{part}.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    (folder / "own/text.es.txt").write_text("".join(f"{text(n)[0]}\n" for n in range(40)), "utf-8")
    (folder / "own/text.pt.txt").write_text(
        "".join(f"Quem construiu a ponte {n}?\n" for n in range(40)), "utf-8"
    )


def pretrained() -> dict[str, Any]:
    """The encoder that the template shows as a comment, in the least size."""
    (shown,) = re.findall(r"^  # own:\n(?:  # .*\n)+?(?=  # and leave)", TEMPLATE, re.M)
    made: dict[str, Any] = yaml.safe_load(shown.replace("  # ", "  "))["own"]
    made["pretrain"] |= {"steps": 10, "batch_size": 8, "held_out": 10, "min_masked_accuracy": 0}
    made["pretrain"]["vocabulary"]["size"] = 300
    made["pretrain"]["architecture"] |= {"hidden_size": 16, "layers": 1, "heads": 2, "intermediate_size": 32}
    return made


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["checkpoint", "pretrain"])
def test_from_files_of_ones_own_to_a_table(tmp_path: Path, kind: str) -> None:
    tree = Tree(tmp_path / "tree")
    write_own(tree.folder)
    for part in ("train", "dev"):
        command = [sys.executable, "-m", "workflow_scripts.acquire.validate", f"own/{part}.json"]
        done = subprocess.run(command, cwd=tree.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    raw = yaml.safe_load(TEMPLATE)
    raw["tuning"]["default"] |= {"steps": 10, "batch_size": 8}
    if kind == "checkpoint":
        encoder(tree.folder / "downloaded")
        raw["encoders"]["own"]["checkpoint"] = "downloaded"
        raw["features"] = {"max_length": 96, "stride": 8, "question_length": 32}
    else:
        raw["encoders"]["own"] = pretrained()
        for key in ("learning_rate", "weight_decay"):
            del raw["tuning"]["default"][key]
    (tree.folder / "mine.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    done = tree.snakemake("--cores", "2", config="mine.yaml")
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    with (tree.folder / "results/tables/dev.csv").open(encoding="utf-8", newline="") as file:
        head, row = csv.reader(file)
    assert row[:2] == ["mBERT", "own"]
    assert head[2] == "Q_pt,C_es"
    assert 0 <= float(row[2]) <= 100
    assert not (tree.folder / "results/questions/train.dropped.jsonl").read_text("utf-8")
    record = (tree.folder / "results/gold/dev/pt-es.jsonl").read_text("utf-8").splitlines()[0]
    assert json.loads(record)["language"] == "spanish"
