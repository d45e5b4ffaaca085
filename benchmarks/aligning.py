"""What does aligning do, and how much of it is aligning rather than reading more?  Regulariser, tables, control.

    python -m benchmarks.aligning [--cores 2] [--seeds 3]

Of the embedded default, mBERT's stand-in is aligned in Arabic, Bengali, Swahili and Korean with the regulariser at 0,
0.1 and 1, and, as a control, trained by masked LM on the same sentences in the same steps.  Then

- retrieval within held-out sentence pairs is printed for each, in the four languages and in the five others;
- every one of them is task-tuned with +aug under several seeds, and its F1 in Tables 2 and 3 is compared with that of
  +aug without alignment, and with the control's, seed by seed: mean difference and 95 % interval (Student's t over
  seeds, which vary the head and the order of questions; the aligned encoder is the same).

Prints tables, and a JSON object.  Nothing is asserted: the differences are what they are.
"""

import argparse
import copy
import json
import statistics
from pathlib import Path
from typing import Any

import yaml

from benchmarks.controls import GROUPS, snakemake
from workflow_scripts.files import write_text

FOLDER = Path("work/aligning")
REGULARISERS = {"reg-0": 0.0, "reg-01": 0.1, "reg-1": 1.0}
CONTROL = "masked-lm"
T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def extended(config: dict[str, Any], seeds: int) -> dict[str, Any]:
    """The default configuration with these alignments, a model of each, and a table of them for each task."""
    config = copy.deepcopy(config)
    config["seeds"] = list(range(seeds))
    aligned = config["alignments"]["tydi-l"]
    runs: dict[str, dict[str, Any]] = {name: {"regulariser": weight} for name, weight in REGULARISERS.items()}
    runs[CONTROL] = {"task": "masked_lm"}
    for name, keys in runs.items():
        config["alignments"][name] = {**aligned, "objective": {**aligned["objective"], **keys}}
        config["models"][name] = {**config["models"]["mbert-aug"], "label": name, "alignment": name}
    config["tables"] = {
        f"aligning-{task}": {
            "title": f"Aligning, {task}, test",
            "evaluation": "tydi-test",
            "task": task,
            "rows": ["mbert-aug", *runs],
            "columns": [list(pairs) for pairs in GROUPS.values()],
        }
        for task in ("passage", "minimal")
    }
    config["retrieval"] = {"aligning": {**config["retrieval"]["mbert"], "alignments": list(runs)}}
    return config


def retrieval() -> dict[str, dict[str, float]]:
    """Share of words, in percent, both ways, whose nearest in the parallel sentence is the linked one.

    For the encoder before and after each alignment; mean of the languages that were aligned, and of the others.
    """
    found = json.loads(Path("results/retrieval/aligning.json").read_text("utf-8"))["encoders"]
    told = {}
    for encoder, languages in found.items():
        within = {
            code: 50 * (of["scores"]["within"]["to_english"] + of["scores"]["within"]["from_english"])
            for code, of in languages.items()
        }
        groups = {
            "aligned": [within[code] for code in ("ar", "bn", "sw", "ko")],
            "others": [value for code, value in within.items() if code not in ("ar", "bn", "sw", "ko")],
        }
        told[encoder] = {group: statistics.fmean(values) for group, values in groups.items()}
    return told


def scores(model: str, task: str, seeds: int) -> dict[str, list[float]]:
    """F1 in percent of each group of columns, a value for each seed."""
    found: dict[str, list[float]] = {group: [] for group in GROUPS}
    for seed in range(seeds):
        pairs = json.loads(Path(f"results/scores/{model}/seed{seed}/tydi-test.json").read_text())["pairs"]
        for group, of in GROUPS.items():
            found[group].append(statistics.fmean(100 * pairs[pair][task]["best_f1"] for pair in of))
    return found


def difference(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """Mean difference, and half of its 95 % interval."""
    by_seed = [one - other for one, other in zip(ours, theirs, strict=True)]
    spread = statistics.stdev(by_seed) / len(by_seed) ** 0.5 * T95[len(by_seed) - 1]
    return statistics.fmean(by_seed), spread


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3, choices=range(2, 11))
    arguments = parser.parse_args()
    made = FOLDER / "config.yaml"
    config = extended(yaml.safe_load(Path("config.yaml").read_text("utf-8")), arguments.seeds)
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_text(made, yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
    targets = [f"results/tables/{table}.md" for table in config["tables"]]
    snakemake(made, arguments.cores, "results/retrieval/aligning.md", *targets)

    rows = retrieval()
    print(f"\n{'within sentence, %':<22}{'aligned':>10}{'others':>10}")
    for name, values in rows.items():
        print(f"{name:<22}" + "".join(f"{values[group]:10.1f}" for group in ("aligned", "others")))
    told: dict[str, Any] = {}
    for task in ("passage", "minimal"):
        found = {row: scores(row, task, arguments.seeds) for row in ("mbert-aug", *REGULARISERS, CONTROL)}
        print(f"\n{task + ' F1':<22}" + "".join(f"{group:>22}" for group in GROUPS))
        for row, of in found.items():
            print(f"{row:<22}" + "".join(f"{statistics.fmean(of[group]):22.1f}" for group in GROUPS))
        told[task] = {"scores": found, "differences": {}}
        for base in ("mbert-aug", CONTROL):
            for row in (*REGULARISERS, CONTROL):
                if row == base:
                    continue
                cells = {group: difference(found[row][group], found[base][group]) for group in GROUPS}
                told[task]["differences"][f"{row} - {base}"] = cells
                print(
                    f"{row + ' - ' + base:<22}"
                    + "".join(f"{f'{mean:+.1f} ± {half:.1f}':>22}" for mean, half in cells.values())
                )
    print(json.dumps({"name": "aligning", "unit": "F1", "seeds": arguments.seeds, "retrieval": rows, **told}))


if __name__ == "__main__":
    main()
