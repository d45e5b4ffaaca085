"""Write the page of a configuration's results: findings in sentences, tables, figures, answers, costs.

One file that loads nothing from elsewhere.  Findings are sentences made from the verdicts of tables of effects
(`report.findings`).  Costs are what Snakemake measured when the jobs ran (`logs/costs`); no rule waits for them.
"""

import csv
import json
import platform
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.files import read_text, write_text
from workflow_scripts.recipes.page import Page
from workflow_scripts.report.effects import read_verdicts
from workflow_scripts.report.findings import findings

PACKAGES = ("xlqa", "snakemake", "torch", "transformers", "tokenizers", "accelerate", "numpy")
Costs = dict[str, list[dict[str, float]]]  # step -> seconds, CPU seconds and MB of each of its jobs


def read_table(file: Path) -> dict[str, Any]:
    """Caption and panels of a table's Markdown: title, head, rows, and how many of the first columns are text.

    Raises InputError where it is no such file.
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
            panels.append({"title": title, "head": head, "left": left, "rows": body})
    if not panels:
        raise InputError(f"{file}: not a table as report.tables writes them")
    return {"caption": caption.replace("\\", ""), "panels": panels}


def cells(line: str) -> list[str]:
    """The cells of a Markdown table's line; a bar behind a backslash belongs to a cell."""
    parts = line.strip().strip("|").replace(r"\|", "\0").split("|")
    return [part.strip().replace("\0", "|").replace("\\*", "∗").strip("*") for part in parts]


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
    return [
        [
            step,
            f"{len(jobs):,}",
            f"{sum(job['s'] for job in jobs) / 3600:.2f}",
            f"{sum(job['cpu_time'] for job in jobs) / 3600:.2f}",
            f"{max(job['max_rss'] for job in jobs):,.0f}",
        ]
        for step, jobs in [*((step, costs[step]) for step in order), ("all", everything)]
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Page)
    arguments.add_argument("--tables", type=Path, required=True, help="folder of <name>.csv and <name>.md")
    arguments.add_argument(
        "--effects", type=Path, required=True, help="folder of evaluate.effects' <name>.json"
    )
    arguments.add_argument("--figures", type=Path, required=True, help="folder of <name>.svg")
    arguments.add_argument(
        "--examples", type=Path, required=True, help="folder of evaluate.examples' <evaluation>.json"
    )
    arguments.add_argument("--costs", type=Path, required=True, help="folder of what jobs took (logs/costs)")
    arguments.add_argument("--template", type=Path, required=True, help="the page's form (Jinja)")
    arguments.add_argument("--out", type=Path, required=True, help="the page (.html)")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Page)
    told = []
    for shown in recipe.tables:
        if shown.effects is not None:
            verdicts = read_verdicts(str(given.effects / f"{shown.name}.json"), shown.effects)
            told.append((shown.effects.title, findings(shown.effects, verdicts)))
    figures = [
        (name.replace("/", "-"), title, read_text(given.figures / f"{name}.svg"))
        for name, title in recipe.figures.items()
    ]
    tables = [
        {"name": shown.name, **read_table(given.tables / f"{shown.name}.md")} for shown in recipe.tables
    ]
    examples = [
        {
            "evaluation": of.evaluation,
            "labels": of.labels,
            "examples": json.loads(read_text(given.examples / f"{of.evaluation}.json"))["examples"],
        }
        for of in recipe.examples
    ]
    made = [*((name, version(name)) for name in PACKAGES), ("Python", platform.python_version())]
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    page = environment.from_string(read_text(given.template)).render(
        findings=told,
        tables=tables,
        figures=figures,
        examples=within_script(examples),
        costs=costs_table(read_costs(given.costs)),
        made=made,
    )
    write_text(given.out, page)
    print(
        f"{given.out}: {len(tables)} tables, {sum(len(of) for _, of in told)} findings, {len(figures)} figures"
    )


if __name__ == "__main__":
    run(main)
