"""The whole workflow in miniature, from nothing to tables; then what a change makes stale, and what it does not."""

import base64
import csv
import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard

from tests import reference
from tests.latex import faults
from tests.workflow.conftest import ROOT, Tree
from workflow_scripts.corpus import read_questions
from workflow_scripts.evaluate.overlap import Gold, evaluate, read_predictions
from workflow_scripts.files import read_jsonl, sha256
from workflow_scripts.staleness import code_hash

pytestmark = pytest.mark.slow

SMALL = "tests/config/small.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The workflow, run to the end on two processor cores."""
    tree = Tree(tmp_path_factory.mktemp("small"))
    done = tree.snakemake("--cores", "2")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return tree


def names(pending: set[str]) -> set[str]:
    """The files of `Tree.pending` in short: what is made, and for which entry of the configuration; no figures."""
    parts = [file.split("/") for file in pending if not file.startswith("figures/")]
    return {
        f"{path[-1].partition('.')[0]}/{path[2]}"
        if path[0] == "features"
        else f"{path[0]}/{path[1].partition('.')[0]}"
        for path in parts
    }


def of_model(name: str) -> set[str]:
    """What is stale when a model is."""
    return {f"models/{name}", f"predictions/{name}", f"scores/{name}", *TABLES}


TABLES = {"tables/passage", "tables/minimal", "tables/text"}
RETRIEVAL = {"retrieval/tiny"}
ALL_MODELS = of_model("tiny-mono") | of_model("tiny-ar")
ALIGNED = {"aligned/tiny"} | of_model("tiny-ar") | RETRIEVAL
WINDOWS = {
    f"windows/{name}"
    for name in ("train", "test", "train-en-to-xx", "train-xx-to-en", "test-en-to-xx", "test-xx-to-en")
}
CONTEXTS = {"contexts/train-all", "contexts/test"}


def test_it_ends_in_tables(run: Tree) -> None:
    for table, columns in (("passage", 2), ("minimal", 6)):
        with (run.folder / f"results/tables/{table}.csv").open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        assert [row[:2] for row in rows] == [["tiny", "mono"], ["aligned", "+aug"]]
        assert len(head) == 2 + columns + 2
        assert all(0 <= float(cell) <= 100 for row in rows for cell in row[2:-2])
        assert (run.folder / f"results/tables/{table}.md").is_file()


def test_texts_are_scored_as_the_files_in_squads_format_are(run: Tree) -> None:
    """The table asks for nothing but TyDi's files, where answers are bytes of an article."""
    gold: dict[str, Gold] = {}
    for question in read_questions(run.folder / "results/questions/test.parquet"):
        said = [answer.text or answer.yes_no.lower() for answer in question.annotations]
        texts = tuple(text for text in said if text != "none")
        gold[question.source_id] = Gold(texts if len(texts) > 1 else ())
    folder = run.folder / "results/predictions/tiny-mono/seed0/test"
    predictions = read_predictions(folder / "en-en.squad.json") | read_predictions(
        folder / "ar-ar.squad.json"
    )
    assert predictions.keys() == gold.keys()
    assert any(predictions.values())
    squad, scores = evaluate(gold, predictions, "squad2")
    with (run.folder / "results/tables/text.csv").open(encoding="utf-8", newline="") as file:
        row, _ = csv.DictReader(file)
    assert row["EM overall"] == f"{squad['exact']:.2f}"
    assert row["F1 overall"] == f"{squad['f1']:.2f}"
    kept = run.folder / "results/scores/tiny-mono/seed0/test.questions.jsonl"
    lines = {
        line["example_id"]: line["text"] for _, line in read_jsonl(kept) if line["pair"] in ("en-en", "ar-ar")
    }
    assert {name: (line["em"], line["f1"]) for name, line in lines.items()} == {
        name: (got["exact"], got["f1"]) for name, got in scores.items()
    }


def test_every_job_leaves_a_log_and_its_costs(run: Tree) -> None:
    for log in (
        "encoders/tiny",
        "aligned/tiny/ar",
        "models/tiny-mono/seed0",
        "predictions/tiny-ar/seed0/test",
    ):
        assert "100 %" in (run.folder / f"logs/{log}.log").read_text("utf-8")
    made = {
        file.relative_to(run.folder / "logs").with_suffix("") for file in (run.folder / "logs").rglob("*.log")
    }
    costs = run.folder / "logs/costs"
    assert made == {file.relative_to(costs).with_suffix("") for file in costs.rglob("*.tsv")}


def test_nothing_is_to_be_done_again(run: Tree) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run.snakemake("--cores", "2")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "Nothing to be done" in done.stdout + done.stderr
    # the processor's time: another test may run beside this one
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert run.pending() == set()


def test_recorded_parameters_hold_no_place_of_this_machine(run: Tree) -> None:
    """Else a moved or copied folder would be stale."""
    records = [file for file in (run.folder / ".snakemake/metadata").rglob("*") if file.is_file()]
    assert records
    for file in records:
        record = json.loads(file.read_text("utf-8"))
        output = base64.b64decode(file.name).decode() if "/" not in file.name else file.name
        for key in ("params", "input"):
            assert str(run.folder) not in str(record.get(key)), output


# Changes of the configuration


def changed(run: Tree, keys: str, value: Any) -> str:
    """A configuration with one key, a dotted path, set to something else."""
    raw = yaml.safe_load((ROOT / SMALL).read_text("utf-8"))
    section = raw
    *path, last = keys.split(".")
    for key in path:
        section = section.setdefault(key, {})
    section[last] = value
    file = run.folder / "changed.yaml"
    file.write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    return file.name


CHANGES = {
    "mirror": (".", set()),
    "splits.custom-dev.per_language": (3, set()),
    "tables.minimal.title": ("Another", {"tables/minimal"}),
    "tables.minimal.columns": ([["en-ar"]], {"tables/minimal"}),
    "models.tiny-ar.label": ("another", TABLES),
    "training_sets.aug.label": ("more", TABLES),
    "evaluations.test.annotators": (1, {"scores/tiny-mono", "scores/tiny-ar"} | TABLES),
    "prediction.max_answer_length": (
        20,
        {f"{kind}/{model}" for kind in ("predictions", "scores") for model in ("tiny-mono", "tiny-ar")}
        | TABLES,
    ),
    "tuning.default.steps": (11, of_model("tiny-mono")),
    "tuning.longer.learning_rate": (0.004, of_model("tiny-ar")),
    "models.tiny-ar.training_set": ("mono", of_model("tiny-ar")),
    "alignments.ar.objective.regulariser": (0.5, ALIGNED),
    "alignments.ar.links.iterations": (6, {"links/ar"} | ALIGNED),
    "alignments.ar.filter.max_words": (50, {"parallel/ar", "links/ar"} | ALIGNED),
    "parallel.microworld.held_out": (9, {"held_out/microworld", "parallel/ar", "links/ar"} | ALIGNED),
    "retrieval.tiny.neighbours": (9, RETRIEVAL),
    "features.stride": (16, WINDOWS | ALL_MODELS),
    "features.max_passages": (10, WINDOWS | CONTEXTS | ALL_MODELS),
    "encoders.tiny.pretrain.steps": (11, {"encoders/tiny"} | ALIGNED | WINDOWS | CONTEXTS | ALL_MODELS),
    "training_sets.mono.corpora": (["train", "train-en-to-xx"], of_model("tiny-mono") | {"guard/mono"}),
}


@pytest.mark.parametrize("keys", CHANGES)
def test_a_key_makes_stale_what_uses_it(run: Tree, keys: str) -> None:
    value, expected = CHANGES[keys]
    assert names(run.pending(config=changed(run, keys, value))) == expected


FIGURES = {
    "tables.minimal.title": ("Another", {"heat_maps/minimal"}),
    "models.tiny-ar.label": ("another", {"heat_maps/minimal", "training/tiny"}),
    "tuning.default.steps": (11, {"heat_maps/minimal", "training/tiny"}),
    "retrieval.tiny.neighbours": (9, {"retrieval/tiny"}),
}


@pytest.mark.parametrize("keys", FIGURES)
def test_figures_follow_what_they_draw(run: Tree, keys: str) -> None:
    value, expected = FIGURES[keys]
    pending = run.pending(config=changed(run, keys, value))
    drawn = {file.removeprefix("figures/") for file in pending if file.startswith("figures/")}
    assert drawn == {f"{name}.{form}" for name in expected for form in ("svg", "png", "html")}


def test_the_world_makes_everything_stale(run: Tree) -> None:
    everything = run.pending(config=changed(run, "microworld.seed", 2))
    kinds = {file.partition("/")[0] for file in everything}
    assert kinds == {file.name for file in (run.folder / "results").iterdir()}


def test_a_new_model_leaves_the_others_alone(run: Tree) -> None:
    raw = yaml.safe_load((ROOT / SMALL).read_text("utf-8"))
    raw["models"]["new"] = {**raw["models"]["tiny-mono"], "tuning": "longer"}
    raw["tables"]["minimal"]["rows"].append("new")
    (run.folder / "changed.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    assert names(run.pending(config="changed.yaml")) == {
        "models/new",
        "predictions/new",
        "scores/new",
        "tables/minimal",
    }


def test_a_new_evaluation_is_guarded_and_trains_nothing(run: Tree) -> None:
    raw = yaml.safe_load((ROOT / SMALL).read_text("utf-8"))
    raw["evaluations"]["dev"] = {"corpora": ["dev"], "annotators": 1}
    raw["tables"]["dev"] = {**raw["tables"]["minimal"], "evaluation": "dev", "columns": [["en-en", "ar-ar"]]}
    (run.folder / "changed.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    # the tables wait for the reports, and are written again with the same figures
    expected = {"guard/mono", "guard/aug", "windows/dev", "gold/dev", "tables/dev", *TABLES}
    for model in ("tiny-mono", "tiny-ar"):
        expected |= {f"predictions/{model}", f"scores/{model}"}
    assert names(run.pending(config="changed.yaml")) == expected


def test_a_new_seed_is_trained_beside_the_old(run: Tree) -> None:
    pending = run.pending("--config", "seeds=[0,1]")
    assert {file for file in pending if "seed0" in file} == set()
    assert names(pending) == ALL_MODELS


def test_scores_on_dev_make_stale_what_is_selected_by_them(run: Tree) -> None:
    """And no other model: their training does not depend on how answers are read or scored.

    Its table of columns of different steps is made of what the steps scored on the reported questions.
    """
    raw = yaml.safe_load((ROOT / SMALL).read_text("utf-8"))
    raw["evaluations"]["dev"] = {"corpora": ["dev"], "annotators": 1}
    selection = {"evaluation": "dev", "every": 3, "reported": "test"}
    raw["tuning"]["selected"] = {"steps": 6, "batch_size": 8, "selection": selection}
    raw["training_sets"]["few"] = {"label": "few", "corpora": ["train"]}
    raw["models"]["selected"] = {
        **raw["models"]["tiny-mono"],
        "training_set": "few",
        "tuning": "selected",
    }
    raw["tables"]["selected"] = {**raw["tables"]["minimal"], "rows": ["selected"]}
    raw["tables"]["columns"] = {**raw["tables"]["text"], "rows": ["selected"], "chosen": "columns"}
    (run.folder / "selected.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    model, table = "results/models/selected/seed0/model.safetensors", "results/tables/columns.csv"
    done = run.snakemake("--cores", "2", model, table, config="selected.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line for _, line in read_jsonl((run.folder / model).with_name("steps.jsonl"))]
    assert [(line["step"], line["reported"]["annotators"]) for line in steps] == [(3, 2), (6, 2)]
    row = (run.folder / table).read_text("utf-8").splitlines()[1].split(",")
    shown = {f"{100 * line['reported']['pairs']['en-en']['text']['jaccard']:.2f}" for line in steps}
    assert row[2] in shown
    assert (run.folder / "results/models/tiny-mono/seed0/steps.jsonl").read_bytes() == b""
    facts = json.loads((run.folder / model).with_name("training.json").read_text("utf-8"))
    assert [step for step, _ in facts["scores"]] == [3, 6]
    expected = {f"{kind}/selected" for kind in ("predictions", "scores", "tables")}
    assert names(run.pending(config="selected.yaml")) == expected
    raw["prediction"]["max_answer_length"] = 20
    (run.folder / "selected.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    pending = names(run.pending(config="selected.yaml"))
    assert {name for name in pending if name.startswith("models/")} == {"models/selected"}
    raw["prediction"]["max_answer_length"] = 100
    (run.folder / "selected.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    file = run.folder / "workflow_scripts/evaluate/tydi.py"
    before = file.read_text("utf-8")
    try:
        file.write_text(before + "\n\ndef another() -> int:\n    return 1\n", "utf-8")
        pending = names(run.pending(config="selected.yaml"))
    finally:
        file.write_text(before, "utf-8")
    assert {name for name in pending if name.startswith("models/")} == {"models/selected"}


# Changes of the programs


def test_comments_docstrings_and_layout_make_nothing_stale(run: Tree) -> None:
    with (
        run.edited("workflow_scripts/corpus.py", '"""', '"""Said otherwise. '),
        run.edited(
            "workflow_scripts/cli.py", "import argparse\n", "import argparse  # a remark\n\n\n# and another\n"
        ),
    ):
        assert run.pending() == set()


def test_a_touched_file_makes_nothing_stale(run: Tree) -> None:
    """Not of the programs, not of the configuration, and not of the results: contents count."""
    for part in (
        "workflow_scripts",
        "rules",
        "resources",
        "results/microworld",
        "results/encoders",
        "results/features",
    ):
        for file in (run.folder / part).rglob("*"):
            if file.is_file():
                file.touch()
    assert run.pending() == set()


AFTER_SCORES = {"table", "figure_of_heat_maps"}
AFTER_ENCODERS = {"retrieval", "retrieval_table", "figure_of_retrieval"}
AFTER_MODELS = {"predict_test", "score", *AFTER_SCORES}
AFTER_TUNING = {"figure_of_training", *AFTER_MODELS}
# A module, and every rule that is run again when it changes: those whose step imports it, and those after them.
CODE = {
    "report/tables.py": AFTER_SCORES,
    "recipes/table.py": {"figure_of_training", *AFTER_SCORES},
    "acquire/guard.py": {"guard", *AFTER_SCORES},
    "evaluate/overlap.py": {"score", *AFTER_SCORES},
    "evaluate/gold.py": {"gold_test", "score", *AFTER_SCORES},
    "qa/spans.py": AFTER_MODELS,
    "qa/tune.py": {"tune"} | AFTER_TUNING,
    "qa/windows.py": {"windows", "tune"} | AFTER_TUNING,
    "align/finetune.py": {"align_encoder", "tune"} | AFTER_TUNING | AFTER_ENCODERS,
    "align/links.py": {"links", "align_encoder", "tune", "retrieval_links"} | AFTER_TUNING | AFTER_ENCODERS,
    "align/retrieval.py": AFTER_ENCODERS,
    "training/loop.py": {"pretrain", "align_encoder", "contexts", "windows", "tune"}
    | AFTER_TUNING
    | AFTER_ENCODERS,
    "acquire/splits.py": {"split_custom_dev", "translated_questions", "windows", "guard", "tune"}
    | AFTER_TUNING,
    "augment/translations.py": {
        "translations_from_files",
        "translated_questions",
        "windows",
        "guard",
        "tune",
        "gold_test",
    }
    | AFTER_TUNING,
}


@pytest.mark.parametrize("module", CODE)
def test_a_function_makes_stale_the_steps_that_import_it(run: Tree, module: str) -> None:
    file = run.folder / "workflow_scripts" / module
    before = file.read_text("utf-8")
    try:
        file.write_text(before + "\n\ndef another() -> int:\n    return 1\n", "utf-8")
        assert set(run.jobs()) == CODE[module]
    finally:
        file.write_text(before, "utf-8")


def test_a_function_of_one_step_is_no_other_steps_business(run: Tree) -> None:
    """Of the windows, those of the test set are cut again for a model that is not tuned again, and so on."""
    with run.edited(
        "workflow_scripts/align/finetune.py",
        "def read_language(",
        "def linked_once(a: int) -> int:\n    return a\n\n\ndef read_language(",
    ):
        assert names(run.pending()) == ALIGNED


def test_the_base_makes_every_step_stale(run: Tree) -> None:
    with run.edited("workflow_scripts/cli.py", "every: float = 5.0", "every: float = 6.0"):
        assert run.jobs() == run.jobs("--forceall")


# Changes of files


def test_an_inputs_content_counts(run: Tree) -> None:
    text = run.folder / "results/microworld/text/en.txt"
    before = text.read_bytes()
    try:
        text.write_bytes(before + b"One more document.\n")
        expected = {"encoders/tiny"} | ALIGNED | WINDOWS | CONTEXTS | ALL_MODELS
        assert names(run.pending()) == expected
    finally:
        text.write_bytes(before)
    assert run.pending() == set()


def test_a_moved_folder_is_not_stale(run: Tree, tmp_path: Path) -> None:
    elsewhere = Tree(tmp_path / "elsewhere")
    for part in ("results", ".snakemake"):
        shutil.copytree(run.folder / part, elsewhere.folder / part)
    assert elsewhere.pending() == set()


def test_a_shared_context_stops_the_run_before_training(run: Tree, tmp_path: Path) -> None:
    """The same tables, but asked on the training questions; everything but reports and models is there already."""
    spoilt = Tree(tmp_path / "spoilt")
    for part in ("results", ".snakemake"):
        shutil.copytree(run.folder / part, spoilt.folder / part)
    for part in ("models", "guard"):
        shutil.rmtree(spoilt.folder / "results" / part)
    raw = yaml.safe_load((ROOT / SMALL).read_text("utf-8"))
    raw["evaluations"]["test"] = {"corpora": ["train", "test-en-to-xx", "test-xx-to-en"], "annotators": 1}
    (spoilt.folder / "changed.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    done = spoilt.snakemake("--cores", "2", config="changed.yaml")
    assert done.returncode != 0
    for name in ("mono", "aug"):
        sentence = (spoilt.folder / f"logs/guard/{name}.log").read_text("utf-8")
        assert sentence.startswith("error: ")
        assert sentence in done.stdout + done.stderr
    assert not (spoilt.folder / "results/models").exists()


# What numbers were made from


SHOWN = """
effects:
  kind: effects
  title: Effects
  evaluation: test
  task: minimal
  columns: [[en-ar, ar-en], [en-en, ar-ar]]
  resamples: 200
  effects: [{label: aligned, system: [tiny-ar], base: [tiny-mono]}]
sections:
  kind: sections
  title: Sections
  evaluation: test
  sections:
    - {heading: Passages, task: passage, rows: [tiny-mono, tiny-ar], columns: [[en-ar, ar-ar]]}
    - heading: Answers
      rows: [tiny-ar]
      columns: [{pair: ar-en, task: minimal}, {pair: ar-ar, task: passage}]
outcomes:
  kind: outcomes
  title: Outcomes
  models: [tiny-mono, tiny-ar]
  rows: {evaluation: test, pairs: [ar-ar]}
  columns: {evaluation: test, pairs: [en-ar]}
pairs: {kind: pairs, title: Pairs, alignments: [ar], encoders: {tiny: tiny}}
alignments:
  kind: alignments
  title: Alignments
  rows: [{alignment: ar, label: AR, description: ours, printed: 4}]
  encoders: {tiny: tiny}
records: {kind: records, title: Records, training_sets: [mono, aug]}
settings: {kind: settings, title: Settings, model: tiny-ar}
alone:
  title: Of one model
  evaluation: test
  task: minimal
  rows: [tiny-ar]
  columns: [[en-ar, ar-ar]]
"""
ASKED = ("all", "cards", "results/manifest.json")


@pytest.fixture(scope="module")
def told(run: Tree, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A copy of the run with tables of all kinds, the manifest and the models' cards, which make nothing stale."""
    tree = Tree(tmp_path_factory.mktemp("told"))
    for part in ("results", ".snakemake"):
        shutil.copytree(run.folder / part, tree.folder / part)
    for other in (tree.folder / "results/tables").glob("columns.*"):  # another test's
        other.unlink()
    file = tree.folder / SMALL
    raw = yaml.safe_load(file.read_text("utf-8"))
    raw["tables"]["minimal"]["printed"] = {"table": "aligned_qa_table3", "rows": [1, None]}
    raw["tables"] |= yaml.safe_load(SHOWN)
    raw["examples"] = {"test": {"models": ["tiny-mono", "tiny-ar"], "per_pair": 3}}
    file.write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    jobs = tree.jobs(*ASKED[1:])
    assert {jobs[rule] for rule in ("intervals", "card")} == {2}
    assert not set(jobs) & {"pretrain", "tune", "predict_test", "score"}
    done = tree.snakemake("--cores", "2", "--", *ASKED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree.pending("--", *ASKED) == set()
    return tree


def numbers(folder: Path, file: str) -> list[float]:
    """The numbers of a table's CSV, in order; a column that counts lines is none."""
    with (folder / file).open(encoding="utf-8", newline="") as text:
        cells = [cell for row in csv.DictReader(text) for head, cell in row.items() if head != "Index"]
    return [float(cell) for cell in cells if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?", cell)]


def test_every_number_of_every_table_is_in_the_manifest(told: Tree) -> None:
    manifest = json.loads((told.folder / "results/manifest.json").read_text("utf-8"))
    kinds = {of["kind"] for of in manifest["tables"].values()}
    assert kinds == {
        "scores",
        "sections",
        "outcomes",
        "effects",
        "pairs",
        "alignments",
        "records",
        "settings",
    }
    assert len(manifest["tables"]) == 11
    files = {name: of["csv"] for name, of in manifest["tables"].items()}
    files["minimal.compare"] = "results/tables/minimal.compare.csv"
    assert set(files.values()) == {
        str(file.relative_to(told.folder)) for file in (told.folder / "results/tables").glob("*.csv")
    }
    figures = (
        "value",
        "spread",
        "questions",
        "paper",
        "difference",
        "low",
        "high",
        "p",
        "p_two_sided",
        "p_holm",
    )
    figures += ("partly", "runs_drawn", "splits")
    for name, file in files.items():
        cells = [cell for cell in manifest["cells"] if cell["table"] == name]
        told_of = [
            cell[figure] for cell in cells for figure in figures if isinstance(cell.get(figure), int | float)
        ]
        assert sorted(told_of) == sorted(numbers(told.folder, file)), name
        for cell in cells:
            named = [*cell.get("runs", []), *cell.get("other_runs", []), *cell.get("system", [])]
            assert set(named) <= manifest["runs"].keys()
            assert set(cell.get("files", [])) <= manifest["files"].keys()
            assert named or "files" in cell
            assert "files" not in cell or cell["config"] in manifest["configurations"]
            if name.endswith(".compare"):
                assert cell["printed"] in manifest["files"]
    assert all(of["code"] for of in manifest["tables"].values())


def test_every_table_is_latex(told: Tree) -> None:
    files = sorted((told.folder / "results/tables").glob("*.tex"))
    assert len(files) == 12
    for file in files:
        assert faults(file.read_text("utf-8")) == [], file.name


def again(told: Tree, manifest: dict[str, Any], cell: dict[str, Any], run: str) -> float:
    """A cell in percent from the predictions of one run, by `tests.reference`."""
    made = manifest["runs"][run]
    scores, sizes = [], []
    for pair in cell["pairs"]:
        gold, said = (told.folder / made[part][pair] for part in ("gold", "predictions"))
        for part, file in (("gold", gold), ("predictions", said)):
            assert manifest["files"][made[part][pair]]["sha256"] == sha256(file)
        if cell["measured"] in ("passage", "minimal"):
            questions = reference.tydi(gold, said, cell["measured"], made["annotators"])
            scores.append(reference.best_f1(questions))
            sizes.append(len(questions))
        else:
            texts = reference.texts(gold, said, cell["measured"], made["annotators"])
            scores.append(statistics.fmean(texts))
            sizes.append(len(texts))
    average = manifest["tables"][cell["table"].removesuffix(".compare")]["average"]
    return 100 * statistics.fmean(scores, sizes if average == "questions" else None)


def crossed(told: Tree, manifest: dict[str, Any], cell: dict[str, Any]) -> int:
    """A cell of a table of outcomes, by `tests.reference`."""
    found = []
    for (run,), pair in zip((cell["runs"], cell["other_runs"]), cell["pairs"], strict=True):
        made = manifest["runs"][run]
        gold, said = (told.folder / made[part][pair] for part in ("gold", "predictions"))
        names = list(reference.lines(gold))
        questions = reference.tydi(gold, said, cell["measured"], made["annotators"])
        found.append(dict(zip(names, map(reference.outcome, questions), strict=True)))
    one, other = found
    return sum([one[name], other.get(name)] == cell["outcomes"] for name in one)


def test_numbers_follow_from_the_predictions_that_the_manifest_names(told: Tree) -> None:
    """Ten cells of each kind of table, drawn by chance, are computed anew by plain loops over the predictions."""
    manifest = json.loads((told.folder / "results/manifest.json").read_text("utf-8"))
    of_kinds: dict[str, list[dict[str, Any]]] = {}
    for cell in manifest["cells"]:
        name = cell["table"].removesuffix(".compare")
        kind = "compare" if name != cell["table"] else manifest["tables"][name]["kind"]
        if "files" not in cell:
            of_kinds.setdefault(kind, []).append(cell)
    assert of_kinds.keys() == {"scores", "sections", "outcomes", "effects", "compare"}
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for kind, cells in of_kinds.items():
        for cell in chance.sample(cells, min(10, len(cells))):
            if kind == "effects":
                (system,), (base,) = cell["system"], cell["base"]
                value = again(told, manifest, cell, system) - again(told, manifest, cell, base)
            elif kind == "outcomes":
                value = crossed(told, manifest, cell)
            else:
                (run,) = cell["runs"]
                value = again(told, manifest, cell, run)
            digits = 1 if kind == "compare" else 2  # as printed; half a unit of the last, and rounding
            assert abs(value - cell["value"]) <= 0.5 * 10**-digits + 1e-9, (f"seed {seed}", kind, cell, value)


def test_the_manifest_names_configuration_code_and_data(told: Tree) -> None:
    manifest = json.loads((told.folder / "results/manifest.json").read_text("utf-8"))
    made = manifest["runs"]["tiny-ar/seed0/test"]
    parts = manifest["configurations"][made["config"]]
    assert set(parts["corpora"]) == {
        "train-all",
        "train",
        "train-en-to-xx",
        "train-xx-to-en",
        "test",
        "test-en-to-xx",
        "test-xx-to-en",
    }
    assert set(parts["tuning"]) == {"longer"}
    assert made["code"]["workflow_scripts.qa.tune"] == code_hash("workflow_scripts.qa.tune")
    world = "results/microworld"
    assert set(made["data"]) == {
        *(f"{world}/tydi/tydiqa-v1.0-{name}.jsonl.gz" for name in ("train", "dev")),
        *(
            f"{world}/translations/{name}.{pair}.tsv"
            for name in ("train", "dev")
            for pair in ("en-ar", "ar-en")
        ),
        *(f"{world}/sdqa/dev/{name}.dev.txt" for name in ("eng/english", "ara/arabic")),
        *(f"{world}/text/{code}.txt" for code in ("en", "ar")),
        *(f"{world}/parallel/ar-en.{end}" for end in ("ar", "en")),
    }
    for file, of in manifest["files"].items():
        assert of == {"sha256": sha256(told.folder / file), "bytes": (told.folder / file).stat().st_size}


def test_a_cards_own_programs_answer_alike(told: Tree) -> None:
    """With this package and with transformers alone, offline, from a copy of the workflow's folder."""
    card = (told.folder / "results/models/tiny-ar/seed0/README.md").read_text("utf-8")
    programs = re.findall(r"^```python\n(.*?)^```", card, re.M | re.S)
    assert len(programs) == 2
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    said = []
    for program in programs:
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=told.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.strip().split("\t"))
    (text, score, kind), (same, alike) = said
    assert text.strip() == same
    assert text in card
    assert float(score) == pytest.approx(float(alike), abs=1e-3)
    assert kind in ("YES", "NO", "NONE")


def test_a_card_tells_what_tables_do(told: Tree) -> None:
    card = ModelCard.load(told.folder / "results/models/tiny-ar/seed0/README.md")
    assert card.data.language == ["en", "ar"]
    with (told.folder / "results/tables/minimal.csv").open(encoding="utf-8", newline="") as file:
        row = list(csv.DictReader(file))[1]
    found = {
        result.dataset_config: result.metric_value
        for result in card.data.eval_results
        if result.metric_name == "minimal-answer F1"
    }
    assert {f"{value:.2f}" for value in found.values()} == {
        row[f"Q_{question},C_{context}"] for question in ("en", "ar") for context in ("en", "ar")
    }
    corpora = {"train": "as published", "train-en-to-xx": "questions translated"}
    for corpus, made in corpora.items():
        many = len(read_questions(told.folder / f"results/questions/{corpus}.parquet"))
        assert re.search(rf"`{corpus}` \({made}\) *\| *{many} \| *0 \| *{many} \|", card.text), corpus


def test_lost_predictions_are_made_again_with_what_shows_them_and_nothing_else(told: Tree) -> None:
    """A plain call notices, though all tables are there; every byte comes back but for the page's costs."""
    page = "results/report.html"
    before = {
        file.relative_to(told.folder): sha256(file)
        for file in (told.folder / "results").rglob("*")
        if file.is_file()
    }
    lost = told.folder / "results/predictions/tiny-mono/seed0/test"
    (lost / "en-ar.jsonl").unlink()
    # a single table, a figure of which is not of these predictions, and one that shows them
    assert told.jobs("results/tables/alone.csv", "results/tables/pairs.csv") == {}
    assert told.jobs("results/tables/passage.csv") == {"predict_test": 1, "score": 1, "table": 1}
    shutil.rmtree(lost)
    stale = told.pending("--", *ASKED, page)
    made = {file for file in stale if not file.startswith("figures/")}
    tables = ("passage", "minimal", "minimal.compare", "text", "effects", "sections", "outcomes")
    assert made == {
        *(file.removeprefix("results/") for file in map(str, before) if "predictions/tiny-mono/" in file),
        "scores/tiny-mono/seed0/test.json",
        "scores/tiny-mono/seed0/test.questions.jsonl",
        "intervals/tiny-mono/seed0/test.json",
        "models/tiny-mono/seed0/README.md",
        "effects/effects.json",
        "examples/test.json",
        "manifest.json",
        "report.html",
        *(f"tables/{table}.{form}" for table in tables for form in ("csv", "md", "tex")),
    }
    # figures are of these tables, too, and none of training, which these predictions have no part in
    drawn = {file.rpartition("/")[2].partition(".")[0] for file in stale - made}
    assert {"effects", "minimal"} <= drawn <= set(tables), drawn
    done = told.snakemake("--cores", "2", "--", *ASKED)
    assert done.returncode == 0, done.stdout + done.stderr
    after = {name: sha256(told.folder / name) for name in before}
    assert {name for name in before if after[name] != before[name]} == set()
    assert told.pending("--", *ASKED) == set()


# What is shown of it


def test_the_page_of_results_and_snakemakes_own(
    run: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page needs no new scores, links to what is there, and is shown beside the tables by snakemake --report."""
    tree = Tree(tmp_path / "shown")
    for part in ("results", ".snakemake", "logs"):
        shutil.copytree(run.folder / part, tree.folder / part)
    raw = yaml.safe_load((ROOT / SMALL).read_text("utf-8"))
    raw["tables"]["worth"] = {
        "kind": "effects",
        "title": "What alignment is worth",
        "evaluation": "test",
        "task": "minimal",
        "columns": [["en-en", "ar-ar"]],
        "resamples": 100,
        "effects": [{"label": "all of it", "system": ["tiny-ar"], "base": ["tiny-mono"]}],
    }
    raw["examples"] = {"test": {"models": ["tiny-mono", "tiny-ar"], "per_pair": 2}}
    (tree.folder / "shown.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), "utf-8")
    asked = ("all", "results/report.html")
    assert not {"tune", "predict_test", "score", "table"} & set(tree.jobs(*asked, config="shown.yaml"))
    done = tree.snakemake("--cores", "2", "--", *asked, config="shown.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree.pending(*asked, config="shown.yaml") == set()
    page = (tree.folder / "results/report.html").read_text("utf-8")
    assert re.search(r"<li[^>]*>all of it: [^<]* points? of F1|<li[^>]*>all of it: changes nothing", page)
    assert re.search(r"<tr><th[^>]*>task-tuning</th><td[^>]*>cpu</td><td>2</td>", page)
    linked = set(re.findall(r'href="((?:tables|figures)/[^"]+)"', page))
    assert {f"tables/{name}.tex" for name in raw["tables"]} < linked
    assert [link for link in linked if not (tree.folder / "results" / link).is_file()] == []
    for name in ("http_proxy", "https_proxy", "all_proxy"):  # nobody listens there: nothing can be loaded
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    done = tree.snakemake("--report", "provenance.html", "--", *asked, config="shown.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    provenance = (tree.folder / "provenance.html").read_text("utf-8")
    assert not re.search(r"(src|href)=.https?://[^>]*\.(js|css)", provenance)
    for name, table in raw["tables"].items():
        assert (
            base64.b64encode((tree.folder / f"results/tables/{name}.csv").read_bytes()).decode() in provenance
        )
        assert f'"title": "{table["title"]}"' in provenance
    assert base64.b64encode(page.encode()).decode() in provenance
    labels = re.findall(r'\.svg", "labels": (\{[^}]*\})', provenance)
    assert len(labels) == len(set(labels)) > 1
