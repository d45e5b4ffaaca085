"""Does a run take what its plan says?

    python -m benchmarks.plan --reduced FILE
    python -m benchmarks.plan --calibrate CONFIG FOLDER --predict CONFIG FOLDER [--record]

With --reduced, writes a configuration that is smaller than the embedded default in all that takes time: world,
encoders, steps, number of trainings.  Run one configuration and another, each in a copy of the workflow, beside the
same other work (processors that are shared take more seconds for everything).

Then rates are fitted to what the jobs of the first run took (FOLDER/logs/costs), nothing else being known, and what the
jobs of the second take by these rates is printed beside what they took: seconds of processor time of each step and of
all.  With --record, both are kept for the tests (tests/costs), configurations and what each job took: there are MuCoT's
tables in three seeds, and all of the papers' tables in one.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

from workflow_scripts.cli import InputError, run
from workflow_scripts.cluster.calibrate import calibrated, measured
from workflow_scripts.cluster.graph import ROOT, Graph, Job, loaded
from workflow_scripts.cluster.throughput import Cost, Throughput, read_cost
from workflow_scripts.cluster.work import Estimator, Work
from workflow_scripts.files import write_text

RECORDS = ROOT / "tests" / "costs"
NAMES = ("mucot", "default")


def reduced() -> dict[str, Any]:
    """The embedded default made smaller in all that takes time."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    raw["microworld"] |= {
        "train_articles": 400,
        "other_train_articles": {"en": 600},
        "dev_articles": 60,
        "test_articles": 80,
        "hard_articles": 40,
        "documents": 1500,
        "fewer_documents": dict.fromkeys(("hi", "ta", "te", "ml", "mr"), 500),
        "sentence_pairs": 700,
        "squad_articles": [500, 50],
        "chaii_articles": {"hi": [250, 40], "ta": [150, 20]},
        "text_names": 150,
    }
    raw["for_each"]["more"] = ["dravidian", "in-all"]
    for name, split in raw["splits"].items():
        if name.startswith("chaii"):
            split["size"] = 50
    pretraining = raw["encoders"]["mbert"]["pretrain"]
    pretraining["architecture"] |= {"hidden_size": 96, "intermediate_size": 384}
    pretraining["vocabulary"]["size"] = 3000
    pretraining |= {"steps": 300, "batch_size": 24, "held_out": 100, "min_masked_accuracy": 0}
    raw["encoders"]["xlmr"]["pretrain"] = pretraining | {
        "vocabulary": {"kind": "unigram", "size": 4000},
        "steps": 200,
    }
    steps = {
        "default": 200,
        "mono": 120,
        "xlmr": 160,
        "contrast": 120,
        "chaii-{k}": 150,
        "chaii-contrast-{k}": 150,
    }
    for name, number in steps.items():
        raw["tuning"][name]["steps"] = number
        if raw["tuning"][name].get("contrast"):
            raw["tuning"][name]["contrast"]["schedule"] = "until:40"
        if raw["tuning"][name].get("selection"):
            raw["tuning"][name]["selection"]["every"] = 50
    raw["parallel"]["microworld"]["held_out"] = 60
    raw["alignments"]["111-l"]["filter"]["sentences"] = 400
    raw["alignments"]["111-s"]["filter"]["sentences"] = 100
    tables = raw["tables"]
    rows = {
        "table2": ["mbert-mono", "xlmr-aug", "mbert-tydi-l"],
        "hard": ["mbert-mono"],
        "mucot_table2": ["chaii-{k}", "squad-chaii-{k}", "squad-chaii-dravidian-contrast-{k}"],
        "mucot_table3": ["squad-chaii-in-all-{k}"],
    }
    for name, models in rows.items():
        tables[name]["rows"] = models
        tables[name].pop("printed", None)
        tables[name].pop("stars", None)
    tables["table5"].pop("printed")
    for section in tables["table5"]["sections"]:
        section["rows"] = ["xlmr-aug"]
    tables["mucot-effects"]["effects"] = tables["mucot-effects"]["effects"][:1]
    kept = [*rows, "table5", "baselines-chaii", "mucot-effects", "mucot-records", "table1", "table9"]
    raw["tables"] = {name: tables[name] for name in kept}
    raw["retrieval"]["mbert"]["alignments"] = ["tydi-l"]
    raw["examples"] = {}
    return raw


def taken(configuration: Path, folder: Path) -> tuple[dict[Job, Cost], dict[Job, Work], dict[str, Any]]:
    """(what each job of a run took, how much work it was, the configuration)."""
    with loaded(configuration) as workflow:
        graph = Graph(workflow, ["all", "all_tables"])
        estimate = Estimator(workflow.settings)
        costs = measured(graph.jobs, lambda file: read_cost(folder / file))
        if not costs:
            raise InputError(f"{folder}/logs/costs: no job of {configuration} has left there what it took")
        return (
            costs,
            {job: estimate.of(job) for job in costs},
            yaml.safe_load(configuration.read_text("utf-8")),
        )


def compared(
    rates: Throughput, costs: dict[Job, Cost], work: dict[Job, Work]
) -> list[tuple[str, int, float, float]]:
    """(step, jobs, seconds by the rates, seconds measured), those that took most first."""
    steps: dict[str, list[Job]] = defaultdict(list)
    for job in costs:
        steps[work[job].step].append(job)
    rows = [
        (
            step,
            len(jobs),
            sum(rates.processor_seconds(work[job]) for job in jobs),
            sum(costs[job].processor for job in jobs),
        )
        for step, jobs in steps.items()
    ]
    return sorted(rows, key=lambda row: -row[3])


def record(name: str, raw: dict[str, Any], costs: dict[Job, Cost]) -> None:
    """Keep what a run took, for the tests."""
    kept = {
        str(job.costs): [round(cost.wall, 2), round(cost.processor, 2), round(cost.memory)]
        for job, cost in costs.items()
    }
    lines = ",\n".join(f"  {json.dumps(file)}: {json.dumps(cost)}" for file, cost in kept.items())
    told = json.dumps(raw, ensure_ascii=False)
    write_text(RECORDS / f"{name}.json", f'{{"config": {told},\n"costs": {{\n{lines}\n}}}}\n')


def main() -> None:
    """Command line."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--reduced", type=Path, metavar="FILE")
    arguments.add_argument("--calibrate", nargs=2, type=Path, metavar=("CONFIG", "FOLDER"))
    arguments.add_argument("--predict", nargs=2, type=Path, metavar=("CONFIG", "FOLDER"))
    arguments.add_argument("--record", action="store_true")
    given = arguments.parse_args()
    if given.reduced:
        write_text(given.reduced, yaml.safe_dump(reduced(), sort_keys=False, allow_unicode=True))
    if not (given.calibrate and given.predict):
        return
    costs, work, raw = taken(*given.calibrate)
    rates = calibrated(costs, work.__getitem__, None, "benchmark")
    print(f"calibrated on {len(costs)} jobs, {sum(cost.processor for cost in costs.values()):,.0f} s")
    others, other_work, other_raw = taken(*given.predict)
    rows = compared(rates, others, other_work)
    print(f"{'step':<26}{'jobs':>6}{'predicted':>12}{'measured':>12}{'ratio':>8}")
    for step, jobs, said, was in [
        *rows,
        ("all", len(others), sum(r[2] for r in rows), sum(r[3] for r in rows)),
    ]:
        print(f"{step:<26}{jobs:>6}{said:>10,.1f} s{was:>10,.1f} s{said / was:>8.2f}")
    if given.record:
        for name, config, of in zip(NAMES, (raw, other_raw), (costs, others), strict=True):
            record(name, config, of)


if __name__ == "__main__":
    run(main)
