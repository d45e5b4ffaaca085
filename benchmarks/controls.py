"""Is the embedded default's gain what it seems?  Controls, trained and scored like the table's own rows.

    python -m benchmarks.controls [--cores 2]

- translations shuffled among the training questions of a language pair: the gain of +aug must go;
- an encoder without pre-training, all its weights random: scores must fall (and by how much less with the weights that
  pre-training starts from, which know of neighbours, is shown beside it);
- models that see only the question, or only the passage: scores must be low.

The configuration is config.yaml with the controls as further entries, so whatever the default has already computed is
used again.  Prints the minimal-answer F1 of every row in three groups of columns, five verdicts, and a JSON object.
"""

import argparse
import copy
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from workflow_scripts.files import read_lines, write_text

FOLDER = Path("work/controls")
GROUPS = {
    "same language": ("en-en", "ar-ar", "bn-bn", "sw-sw", "ko-ko"),
    "Q_en,C_xx": ("en-ar", "en-bn", "en-sw", "en-ko"),
    "Q_xx,C_en": ("ar-en", "bn-en", "sw-en", "ko-en"),
}
ROWS = (
    "mbert-mono",
    "mbert-aug",
    "shuffled",
    "random-encoder",
    "guided-start",
    "question-only",
    "passage-only",
)


def shuffled_file(file: str, random_state: random.Random) -> str:
    """Write a copy of a translations file whose texts are dealt out anew among its ids; returns the copy's name."""
    ids, texts = zip(*(line.split("\t", 1) for line in read_lines(file)), strict=True)
    dealt = random_state.sample(texts, len(texts))
    made = FOLDER / Path(file).name
    text = "".join(f"{number}\t{question}\n" for number, question in zip(ids, dealt, strict=True))
    if not made.is_file() or made.read_text("utf-8") != text:  # an untouched file keeps its results fresh
        write_text(made, text)
    return str(made)


def with_controls(config: dict[str, Any]) -> dict[str, Any]:
    """The default configuration with the controls' corpora, encoder, tunings, models and table."""
    config = copy.deepcopy(config)
    deal = random.Random(0)
    files = config["translations"]["microworld-train"]["files"]
    config["translations"]["shuffled"] = {
        "kind": "imported",
        "of": "tydi-train-all",
        "files": {pair: shuffled_file(file, deal) for pair, file in files.items()},
    }
    for name in ("train-en-to-xx", "train-xx-to-en"):
        config["corpora"][f"shuffled-{name}"] = {**config["corpora"][name], "translations": "shuffled"}
    config["training_sets"]["shuffled"] = {
        "label": "+aug, shuffled",
        "corpora": ["tydi-train", "shuffled-train-en-to-xx", "shuffled-train-xx-to-en"],
    }
    for name, start in (("random", "plain"), ("guided", "guided")):
        encoder = copy.deepcopy(config["encoders"]["mbert"])
        encoder["pretrain"] |= {"start": start, "steps": 0, "min_masked_accuracy": 0.0}
        config["encoders"][name] = encoder
    default = config["tuning"]["default"]
    config["tuning"] |= {
        "question-only": {**default, "hide": "context"},
        "passage-only": {**default, "hide": "question"},
    }
    aug = config["models"]["mbert-aug"]
    config["models"] |= {
        "shuffled": {**aug, "training_set": "shuffled"},
        "random-encoder": {**aug, "encoder": "random"},
        "guided-start": {**aug, "encoder": "guided"},
        "question-only": {**aug, "tuning": "question-only"},
        "passage-only": {**aug, "tuning": "passage-only"},
    }
    config["tables"] = {
        "controls": {
            "title": "Controls: minimal answer, test",
            "evaluation": "tydi-test",
            "task": "minimal",
            "rows": list(ROWS),
            "columns": [list(pairs) for pairs in GROUPS.values()],
        }
    }
    return config


def snakemake(config: Path, cores: int, *targets: str) -> None:
    """Make the targets; ends the program with Snakemake's exit code where it fails."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        str(cores),
        "--configfile",
        str(config),
        "--",
        *targets,
    ]
    result = subprocess.run(command)
    if result.returncode:
        sys.exit(result.returncode)


def averages(model: str, seeds: list[int]) -> dict[str, float]:
    """Mean minimal-answer F1 in percent, over seeds and pairs, of each group of columns."""
    scores = [
        json.loads(Path(f"results/scores/{model}/seed{seed}/tydi-test.json").read_text())["pairs"]
        for seed in seeds
    ]
    return {
        group: sum(100 * score[pair]["minimal"]["best_f1"] for score in scores for pair in pairs)
        / len(scores)
        / len(pairs)
        for group, pairs in GROUPS.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, default=2)
    cores = parser.parse_args().cores
    config = yaml.safe_load(Path("config.yaml").read_text("utf-8"))
    snakemake(Path("config.yaml"), cores, *config["translations"]["microworld-train"]["files"].values())
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = FOLDER / "config.yaml"
    write_text(made, yaml.safe_dump(with_controls(config), allow_unicode=True, sort_keys=False))
    snakemake(made, cores, "results/tables/controls.md")

    found = {row: averages(row, config["seeds"]) for row in ROWS}
    print(f"\n{'minimal-answer F1':<16}" + "".join(f"{group:>16}" for group in GROUPS))
    for row, values in found.items():
        print(f"{row:<16}" + "".join(f"{values[group]:16.1f}" for group in GROUPS))

    crossed = tuple(GROUPS)[1:]
    gain = {group: found["mbert-aug"][group] - found["mbert-mono"][group] for group in crossed}
    left = {group: found["shuffled"][group] - found["mbert-mono"][group] for group in crossed}
    lost = 1 - sum(left.values()) / sum(gain.values())
    fall = {group: found["mbert-aug"][group] - found["random-encoder"][group] for group in GROUPS}
    blind = {row: max(found[row].values()) for row in ("question-only", "passage-only")}
    guided = min(found["mbert-aug"][group] - found["guided-start"][group] for group in GROUPS)
    untrained = f"untrained, from pre-training's first weights, at least {guided:.1f} points are lost"
    verdicts = {
        f"shuffled translations lose {100 * lost:.0f} % of the gain of +aug (80 or more wanted)": lost >= 0.8,
        f"without pre-training at least {min(fall.values()):.1f} points are lost (10 or more wanted)": min(
            fall.values()
        )
        >= 10,
        f"{untrained} (10 or more wanted)": guided >= 10,
        f"seeing only the question: at most {blind['question-only']:.1f} (20 or less wanted)": blind[
            "question-only"
        ]
        <= 20,
        f"seeing only the passage: at most {blind['passage-only']:.1f} (20 or less wanted)": blind[
            "passage-only"
        ]
        <= 20,
    }
    for sentence, holds in verdicts.items():
        print(f"{'holds' if holds else 'FAILS'}: {sentence}")
    figures = {
        "name": "controls",
        "unit": "F1",
        "rows": found,
        "gain": gain,
        "share_of_gain_lost": lost,
        "fall": fall,
        "blind": blind,
    }
    print(json.dumps(figures))
    sys.exit(0 if all(verdicts.values()) else 1)


if __name__ == "__main__":
    main()
