"""A plan's jobs are Snakemake's, its numbers are what they should be, and its hours are near what was measured."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from workflow_scripts.cli import InputError
from workflow_scripts.cluster.calibrate import calibrated, measured
from workflow_scripts.cluster.graph import Graph, Job, Workflow, asked, left, loaded
from workflow_scripts.cluster.plan import clock, longest_chain, plan, submitted, told
from workflow_scripts.cluster.sizes import Sizes
from workflow_scripts.cluster.throughput import Cost, Throughput, fit, processor_time, read_throughput
from workflow_scripts.cluster.work import Estimator
from workflow_scripts.config import load

COSTS = ROOT / "tests" / "costs"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder without results, which the workflow is loaded in; what that sets in the environment goes again."""
    before, here = dict(os.environ), Path.cwd()
    folder = tmp_path_factory.mktemp("plan")
    os.chdir(folder)
    yield folder
    os.chdir(here)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def small(elsewhere: Path) -> Iterator[Workflow]:
    """The workflow with the smallest configuration."""
    with loaded(ROOT / "tests" / "config" / "small.yaml") as workflow:
        yield workflow


def made(name: str, *needs: Job, gpu: int = 0, group: str | None = None, threads: int = 1) -> Job:
    """A job by hand."""
    return Job(
        rule=name,
        wildcards={},
        inputs=(),
        outputs=(name,),
        log=None,
        costs=None,
        threads=threads,
        resources={"gpu": gpu} if gpu else {},
        local=False,
        group=group,
        needs=dict.fromkeys(needs),
    )


def test_the_jobs_are_those_that_snakemake_would_run(small: Workflow) -> None:
    graph = Graph(small)
    said = asked(small)
    assert {job.outputs[0] for job in graph.jobs if job.outputs} == set(said)
    assert len(said) > 30
    assert all(begun.why and not begun.begun for begun in said.values())
    dag = small.raw.dag
    ours = {job.outputs[0]: {need.outputs[0] for need in job.needs} for job in graph.jobs if job.outputs}
    theirs = {
        str(job.output[0]): {str(need.output[0]) for need in dag.dependencies[job]}
        for job in dag.jobs
        if job.output
    }
    assert ours == theirs
    resources = {str(job.output[0]): job.resources for job in dag.jobs if job.output}
    for job in graph.jobs:
        if job.outputs:
            assert job.resources["mem_mb"] == resources[job.outputs[0]]["mem_mb"]


def test_every_job_stands_after_those_that_it_needs(small: Workflow) -> None:
    seen: set[Job] = set()
    for job in Graph(small).jobs:
        assert set(job.needs) <= seen
        seen.add(job)


def test_targets_are_rules_or_files_and_nothing_else(small: Workflow) -> None:
    models = Graph(small, ["results/models/tiny-mono/seed0/config.json"]).jobs
    assert models[-1].name == "tune tiny-mono seed 0"
    assert not any(job.rule == "align_encoder" for job in models)
    with pytest.raises(InputError, match="no rule is called so"):
        Graph(small, ["results/tables/none.csv"])


def test_what_comes_after_something_missing_is_to_be_done_again(small: Workflow) -> None:
    jobs = Graph(small).jobs
    there = {file for job in jobs for file in job.outputs}
    assert left(jobs, there.__contains__) == {job for job in jobs if not job.outputs} - {jobs[-1]}
    lost = there - {"results/links/ar/ar.links"}
    again = {job.rule for job in left(jobs, lost.__contains__)}
    assert {"links", "align_encoder", "retrieval", "tune", "table", "all"} <= again
    assert not {"pretrain", "windows", "microworld", "sentence_pairs"} & again
    assert sum(job.rule == "tune" for job in left(jobs, lost.__contains__)) == 1


def test_a_configuration_that_is_wrong_is_told_in_its_own_sentence(elsewhere: Path) -> None:
    raw = yaml.safe_load((ROOT / "tests" / "config" / "small.yaml").read_text("utf-8"))
    raw["models"]["tiny-mono"]["encoder"] = "tinny"
    wrong = elsewhere / "wrong.yaml"
    wrong.write_text(yaml.safe_dump(raw), "utf-8")
    with (
        pytest.raises(InputError, match=r"^models\.tiny-mono\.encoder: unknown encoder 'tinny'"),
        loaded(wrong),
    ):
        pass


def test_the_longest_chain_and_the_clock() -> None:
    data = made("data")
    long, short = made("long", data, gpu=1), made("short", data, gpu=1)
    other = made("other", data)
    end = made("end", long, other)
    jobs = [data, long, short, other, end]
    seconds = {data: 10.0, long: 100.0, short: 30.0, other: 70.0, end: 5.0}
    assert longest_chain(jobs, seconds) == [data, long, end]
    assert clock(jobs, seconds, set(), cores=1, gpus=0) == sum(seconds.values())
    assert clock(jobs, seconds, set(), cores=9, gpus=0) == 115
    # one processor trains for 100 s, the other does 70 and 30
    assert clock(jobs, seconds, set(), cores=2, gpus=0) == 115
    # two trainings share a GPU: the short one waits for the long one
    assert clock(jobs, seconds, {long, short}, cores=9, gpus=1) == 10 + 100 + 30
    assert clock(jobs, seconds, {long, short}, cores=9, gpus=2) == 115
    wide = made("wide", data, threads=4)
    assert clock([data, wide, other], seconds | {wide: 50.0}, set(), cores=4, gpus=0) == 10 + 50 + 70


def test_jobs_of_a_group_are_submitted_together() -> None:
    train = made("train")
    scores = [made(f"score {number}", train, group="scores") for number in range(5)]
    after = [made(f"interval {number}", score, group="scores") for number, score in enumerate(scores)]
    tables = [made(f"table {number}", *after, group="tables") for number in range(3)]
    jobs = [train, *scores, *after, *tables]
    assert submitted(jobs, {}) == 1 + 5 + 3
    assert submitted(jobs, {"scores": 2, "tables": 20}) == 1 + 3 + 1
    assert submitted(tables[1:], {}) == 2


def test_rates_are_found_again_and_what_was_known_counts_where_jobs_are_few() -> None:
    jobs = [
        ({"flops": f, "steps": s}, 4 + 3 * f + 20 * s)
        for f, s in ((1, 0.1), (5, 0.8), (9, 0.2), (2, 0.9), (7, 0.5))
    ]
    found = fit(jobs * 20, None)
    assert found == pytest.approx({"fixed": 4, "flops": 3, "steps": 20}, rel=0.05)
    # one job cannot tell a start from work: twice as slow in all
    assert fit([({"flops": 2.0}, 20.0)], {"fixed": 4.0, "flops": 3.0}) == pytest.approx(
        {"fixed": 8, "flops": 6}
    )
    assert min(fit([({"flops": 1.0}, 9.0), ({"flops": 3.0}, 1.0)], None).values()) >= 0


def test_processor_time_of_a_job_that_ended_between_two_looks() -> None:
    assert processor_time(0.4, 0.0) == 0.4  # too quick to be looked at
    assert processor_time(1.25, 0.4) == pytest.approx(0.5)  # seen after 1 s
    assert processor_time(60.5, 40.0) == pytest.approx(40 * 60.5 / 45.5)
    assert processor_time(60.5, 80.0) == 60.5


def test_sizes_are_those_of_the_corpora_that_the_default_makes() -> None:
    """Numbers of records as the workflow made them (results/questions, results/documents)."""
    sizes = Sizes(load(yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))))
    exact = {
        "tydi-train-all": 8350,
        "tydi-train": 7600,
        "tydi-dev": 750,
        "train-en-to-xx": 8000,
        "train-xx-to-en": 5600,
        "test-heard-sw": 199,
        "chaii-train-0": 700,
        "chaii-en": 900,
        "squad-en": 4497,
    }
    for name, count in exact.items():
        assert sizes.corpus(name).total == pytest.approx(count, rel=0.01), name
    assert sizes.corpus("tydi-test").documents == 1000
    assert sizes.corpus("tydi-test").characters == pytest.approx(218, rel=0.1)
    assert not sizes.unknown


def test_a_plan_tells_what_is_left_and_adds_up(small: Workflow, elsewhere: Path) -> None:
    rates = read_throughput()
    made = plan(small, [], rates, cores=2, gpus=1)
    assert made.done == 0
    assert (
        made.jobs
        == sum(row["left"] for row in made.steps)
        == len([j for j in Graph(small).jobs if j.outputs])
    )
    assert made.gpu_hours == pytest.approx(sum(row["gpu_hours"] for row in made.steps))
    assert made.chain_hours <= made.wall_hours <= made.processor_hours + made.gpu_hours
    assert made.submitted < made.jobs
    assert made.memory_job == "tune"
    text = told(made)
    assert "nobody has measured them" in text
    assert json.loads(json.dumps(made.__dict__))["jobs"] == made.jobs
    assert plan(small, [], rates, cores=2, gpus=0).gpu_hours == 0


def recorded(name: str) -> tuple[dict[str, Any], dict[str, Cost]]:
    """(configuration, what each job took) of a run of this workflow."""
    record = json.loads((COSTS / f"{name}.json").read_text("utf-8"))
    return record["config"], {file: Cost(*cost) for file, cost in record["costs"].items()}


def test_calibrated_on_another_configuration_the_default_takes_what_was_measured(elsewhere: Path) -> None:
    """MuCoT's tables in three seeds, then all of the papers' tables in one, as `benchmarks.plan --record` kept them."""
    rates: Throughput | None = None
    for name in ("mucot", "default"):
        raw, taken = recorded(name)
        file = elsewhere / f"{name}.yaml"
        file.write_text(yaml.safe_dump(raw, allow_unicode=True), "utf-8")
        with loaded(file) as workflow:
            graph = Graph(workflow, ["all", "all_tables"])
            estimate = Estimator(workflow.settings)
            costs = measured(graph.jobs, taken.get)
        assert len(costs) > 250
        if rates is None:
            rates = calibrated(costs, estimate.of, None, "a test")
            continue
        predicted = sum(rates.processor_seconds(estimate.of(job)) for job in costs)
        assert predicted == pytest.approx(sum(cost.processor for cost in costs.values()), rel=0.3)
        trained = [job for job in costs if job.rule == "tune"]
        predicted = sum(rates.processor_seconds(estimate.of(job)) for job in trained)
        assert predicted == pytest.approx(sum(costs[job].processor for job in trained), rel=0.35)
