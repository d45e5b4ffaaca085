"""Write the page of a configuration's results: findings in sentences, tables, figures, answers, costs.

One file that loads nothing from elsewhere.  Findings are sentences made from the verdicts of tables of effects
(`report.findings`).  Costs are what Snakemake measured when the jobs ran (`logs/costs`), and what training.json tells
of those trainings whose folder is there; no rule waits for either.  Links lead to files in the folder of results.
"""

import csv
import json
import os
import platform
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.files import read_text, sha256, write_text
from workflow_scripts.recipes.page import Page, Trained
from workflow_scripts.report.effects import read_verdicts
from workflow_scripts.report.findings import Finding, findings

ROOT = Path(__file__).parents[2]
PACKAGES = ("xlqa", "snakemake", "torch", "transformers", "tokenizers", "accelerate", "numpy")
Costs = dict[str, list[dict[str, float]]]  # step -> seconds, CPU seconds and MB of each of its jobs
STEPS = {  # folder of logs -> what people call the step, where that is not the folder's name
    "aligned": "alignment",
    "bitext": "translated text",
    "cards": "model cards",
    "corpora": "reading and deriving corpora",
    "encoders": "pretraining of encoders",
    "gold": "gold answers",
    "guard": "guard against leaks",
    "held_out": "held-out sentence pairs",
    "links": "word links",
    "microworld": "the generated world",
    "models": "task-tuning",
    "parallel": "sentence pairs",
    "report": "this page",
}
KINDS = {"encoder": "pretraining", "alignment": "alignment", "model": "task-tuning"}
UNKNOWN = "not told"  # the device of models that were trained before it was kept
MARKED = re.compile(r"(.*\S) ([✓✗∗*]+)$")  # a number and what stands behind it


def read_table(file: Path) -> dict[str, Any]:
    """Caption and panels of a table's Markdown: title, head, rows, and how many of the first columns are text.

    `marked` are the columns of which some cell has a mark behind its number.  Raises InputError where it is no such
    file.
    """
    caption, *lines = [*read_text(file).splitlines(), ""]
    panels: list[dict[str, Any]] = []
    title = ""
    for grid, found in groupby(lines, key=lambda line: line.startswith("|")):
        block = list(found)
        if not grid:
            title = " ".join(block).replace("\\", "").strip(" *")
        elif len(block) > 1:
            head, rule, *body = map(cells, block)
            left = sum(cell.startswith(":") for cell in rule)
            marked = {
                place
                for row in body
                for place, cell in enumerate(row)
                if place >= left and MARKED.match(cell)
            }
            panels.append({"title": title, "head": head, "left": left, "rows": body, "marked": marked})
    if not panels:
        raise InputError(f"{file}: not a table as report.tables writes them")
    return {"caption": caption.replace("\\", ""), "panels": panels}


def cells(line: str) -> list[str]:
    """The cells of a Markdown table's line; a bar behind a backslash belongs to a cell."""
    parts = line.strip().strip("|").replace(r"\|", "\0").split("|")
    return [part.strip().replace("\0", "|").replace("\\*", "∗").strip("*") for part in parts]


def number_and_mark(cell: str) -> tuple[str, str]:
    """A cell's number and the mark behind it, empty where there is none."""
    found = MARKED.match(cell)
    return (found[1], found[2]) if found else (cell, "")


def read_costs(folder: Path) -> Costs:
    """What jobs took, by step (a folder of logs/costs), from Snakemake's benchmark files."""
    found: Costs = defaultdict(list)
    for file in sorted(folder.rglob("*.tsv")):
        step = file.relative_to(folder).parts[0].removesuffix(".tsv")
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                found[step].append({key: number(row.get(key)) for key in ("s", "cpu_time", "max_rss")})
    return found


def within_script(value: Any) -> str:
    """A value as JSON that may stand within a script element, where "<" could begin its end."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def number(text: str | None) -> float:
    """A cell of a benchmark file; what was too quick to be measured ("NA", "-") is 0."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def costs_table(costs: Costs) -> list[list[str]]:
    """Step, jobs, hours, CPU hours and the most memory; steps that took most first, and the sum."""
    if not costs:
        return []
    order = sorted(costs, key=lambda step: -sum(job["cpu_time"] for job in costs[step]))
    everything = [job for jobs in costs.values() for job in jobs]
    named = [(STEPS.get(step, step.replace("_", " ")), costs[step]) for step in order]
    return [
        [
            step,
            f"{len(jobs):,}",
            f"{sum(job['s'] for job in jobs) / 3600:.2f}",
            f"{sum(job['cpu_time'] for job in jobs) / 3600:.2f}",
            f"{max(job['max_rss'] for job in jobs):,.0f}",
        ]
        for step, jobs in [*named, ("all", everything)]
    ]


def read_trainings(trained: Sequence[Trained], results: Path) -> list[dict[str, Any]]:
    """What the training.json of each tells: those that are there and were trained here, with kind, label and folder.

    Raises InputError where one is not JSON.
    """
    found = []
    for one in trained:
        file = results / one.folder / "training.json"
        if not file.is_file():
            continue
        try:
            facts = json.loads(read_text(file))
        except json.JSONDecodeError as error:
            raise InputError(f"{file}: not JSON ({error.msg}); train {one.label} again") from None
        if "pieces" in facts and "seconds" in facts:  # not of an encoder that came from elsewhere
            found.append({**one.model_dump(), **facts})
    return found


def per_second(pieces: int, seconds: float) -> str:
    """Tokens a second; n/a of a training that took no time."""
    return f"{pieces / seconds:,.0f}" if seconds else "n/a"


def on_gpus(training: dict[str, Any]) -> float:
    """The GPU seconds of a training: those of all its processes; 0 on processors and where the device is not told."""
    device = training.get("device", "cpu")
    return 0.0 if device == "cpu" else training["seconds"] * training.get("processes", 1)


def trainings_table(trainings: list[dict[str, Any]]) -> list[list[str]]:
    """Kind, device, number of trainings, hours, GPU hours, tokens and tokens a second, of each kind on each device."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for training in trainings:
        grouped[KINDS[training["kind"]], training.get("device", UNKNOWN)].append(training)
    return [
        [
            kind,
            device,
            f"{len(of):,}",
            f"{sum(one['seconds'] for one in of) / 3600:.2f}",
            "n/a" if device == UNKNOWN else f"{sum(map(on_gpus, of)) / 3600:.2f}",
            f"{sum(one['pieces'] for one in of):,}",
            per_second(sum(one["pieces"] for one in of), sum(one["seconds"] for one in of)),
        ]
        for (kind, device), of in grouped.items()
    ]


def runs_table(trained: Sequence[Trained], trainings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For everything that is trained its label, kind, place, and steps, minutes and tokens a second where told."""
    told = {training["folder"]: training for training in trainings}
    rows = []
    for one in trained:
        facts = told.get(one.folder)
        figures = (
            [
                f"{facts['steps']:,}",
                f"{facts['seconds'] / 60:.1f}",
                per_second(facts["pieces"], facts["seconds"]),
            ]
            if facts
            else ["n/a"] * 3
        )
        rows.append({"label": one.label, "kind": KINDS[one.kind], "folder": one.folder, "figures": figures})
    return rows


def summary(told: Sequence[tuple[str, Sequence[Finding]]]) -> str:
    """How many findings are clear, in a sentence; empty without any."""
    every = [finding for _, of in told for finding in of]
    count = Counter("corrected" if one.corrected else "clear" if one.sign else "open" for one in every)
    if not every:
        return ""
    parts = [
        f"{count['corrected']} clear, also after correction for all differences of their table",
        f"{count['clear']} clear only taken by {'itself' if count['clear'] == 1 else 'themselves'}",
        f"{count['open']} not clear",
    ]
    return f"{len(every)} difference{'' if len(every) == 1 else 's'}: {'; '.join(parts)}."


def commit() -> str | None:
    """The commit that the programs are of, with -dirty where files were changed since; None outside of a checkout."""
    if not (ROOT / ".git").exists():
        return None
    try:
        asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Page)
    arguments.add_argument(
        "--tables", type=Path, required=True, help="folder of <name>.csv, <name>.md, <name>.tex"
    )
    arguments.add_argument(
        "--effects", type=Path, required=True, help="folder of evaluate.effects' <name>.json"
    )
    arguments.add_argument("--figures", type=Path, required=True, help="folder of <name>.svg, .png and .html")
    arguments.add_argument(
        "--examples", type=Path, required=True, help="folder of evaluate.examples' <evaluation>.json"
    )
    arguments.add_argument("--costs", type=Path, required=True, help="folder of what jobs took (logs/costs)")
    arguments.add_argument(
        "--results", type=Path, required=True, help="folder that encoders, alignments and models lie in"
    )
    arguments.add_argument("--template", type=Path, required=True, help="the page's form (Jinja)")
    arguments.add_argument("--out", type=Path, required=True, help="the page (.html)")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Page)

    def link(place: Path) -> str:
        """A file's address from the page."""
        return Path(os.path.relpath(place, given.out.parent)).as_posix()

    told = []
    for shown in recipe.tables:
        if shown.effects is not None:
            verdicts = read_verdicts(str(given.effects / f"{shown.name}.json"), shown.effects)
            told.append((shown.effects.title, findings(shown.effects, verdicts)))
    figures = [
        (name, title, read_text(given.figures / f"{name}.svg")) for name, title in recipe.figures.items()
    ]
    tables = []
    for shown in recipe.tables:
        table = read_table(given.tables / f"{shown.name}.md")
        rest = table["caption"].removeprefix(shown.title).lstrip(" .")
        files = {form: link(given.tables / f"{shown.name}.{form}") for form in ("csv", "md", "tex")}
        digest = sha256(given.tables / f"{shown.name}.csv")
        tables.append(
            {
                **table,
                "name": shown.name,
                "title": shown.title,
                "caption": rest,
                "files": files,
                "sha256": digest,
            }
        )
    examples = [
        {
            "evaluation": of.evaluation,
            "labels": of.labels,
            "examples": json.loads(read_text(given.examples / f"{of.evaluation}.json"))["examples"],
        }
        for of in recipe.examples
    ]
    trainings = read_trainings(recipe.trained, given.results)
    made = [
        ("seeds", ", ".join(map(str, recipe.seeds))),
        ("digest of the configuration", recipe.config),
        *([("commit", written_by)] if (written_by := commit()) else []),
        *((name, version(name)) for name in PACKAGES),
        ("Python", platform.python_version()),
    ]
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number_and_mark"] = number_and_mark
    page = environment.from_string(read_text(given.template)).render(
        findings=told,
        summary=summary(told),
        tables=tables,
        figures=figures,
        figure_files=link(given.figures),
        examples=within_script(examples),
        answered=len(examples),
        costs=costs_table(read_costs(given.costs)),
        trainings=trainings_table(trainings),
        runs=runs_table(recipe.trained, trainings),
        prefix=link(given.results / "manifest.json").removesuffix("manifest.json"),
        sources=recipe.sources,
        files=recipe.files,
        made=made,
    )
    write_text(given.out, page)
    print(
        f"{given.out}: {len(tables)} tables, {sum(len(of) for _, of in told)} findings, {len(figures)} figures"
    )


if __name__ == "__main__":
    run(main)
