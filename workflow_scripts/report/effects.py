"""Write a table of differences between systems, with 95 % intervals and p-values, as CSV, Markdown and LaTeX.

A row is an effect, as `evaluate.effects` measures it, in percentage points; a column is a pair of question and context
language, or the average of a block.  `*` marks a two-sided p below .05, `**` one that is still below after Holm's
correction for the number of differences in the table.

The CSV has a line for each difference, with p as in the papers (one-sided), two-sided, and corrected.
"""

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.files import read_text, write_text
from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet
from workflow_scripts.report.tables import AVERAGES, METRICS, heads

HEADS = [
    "Effect",
    "Column",
    "Difference",
    "Low",
    "High",
    "p",
    "p two-sided",
    "p Holm",
    "Questions",
    "Runs",
    "Splits",
]
SIGNIFICANT = 0.05
THRESHOLDS = {
    "best": "found on all questions, once for each run",
    "resampled": "found anew in every resample",
    "dev": "those of the best F1 on {}",
}
Verdict = dict[str, Any]  # a verdict of evaluate.significance


def columns_of(recipe: EffectsTable) -> list[str]:
    """The heads of a table's columns."""
    return heads(recipe.columns, AVERAGES[recipe.average], recipe.metric is not None)


def two_sided(verdict: Verdict) -> str:
    """A verdict's two-sided p in words for people: "p = .012"; where all resamples agree, what it is below.

    The p is twice a share of resamples, so that the least above 0 is 2 / resamples.
    """
    p, least = verdict["p_two_sided"], 2 / verdict["resamples"]
    sign, value = ("<", least) if p < least else ("=", p)
    digits = f"{value:.{max(4, math.ceil(-math.log10(least)))}f}"
    return f"p {sign} {digits.rstrip('0').rstrip('.').removeprefix('0')}"


def read_verdicts(file: str, recipe: EffectsTable) -> list[list[Verdict]]:
    """The verdicts on each effect, one for each column.  Raises InputError where they are of another table."""
    found: list[list[Verdict]] = json.loads(read_text(file))
    columns = len(columns_of(recipe))
    if [len(row) for row in found] != [columns] * len(recipe.effects):
        raise InputError(f"{file}: not {len(recipe.effects)} effects in {columns} columns")
    return found


def varying(repeats: Sequence[str]) -> list[str]:
    """The variables whose values differ among repeats, such as `k` of "k = 0" and "k = 1"."""
    found: dict[str, set[str]] = {}
    for repeat in repeats:
        for name, _, value in (part.partition(" = ") for part in repeat.split(", ")):
            found.setdefault(name, set()).add(value)
    return [name for name, values in found.items() if len(values) > 1]


def caption(recipe: EffectsTable, found: list[list[Verdict]]) -> str:
    """Title, what is compared on what, over which runs, and what the marks say."""
    best = "" if recipe.thresholds == "dev" else "best "
    of = METRICS[recipe.metric][1] if recipe.metric else f"{best}F1 of {recipe.task} answers"
    questions = [verdict["questions"] for row in found for verdict in row]
    splits = max(verdict["splits"] for row in found for verdict in row)
    varied = " and ".join(varying(recipe.repeats))
    several = {f"values of {varied}": splits > 1, "questions": True, "seeds": len(recipe.seeds) > 1}
    *first, last = (name for name, drawn in several.items() if drawn)
    over = f"{', '.join(first)} and {last}" if first else last
    seeds = f"seed{'s' if len(recipe.seeds) > 1 else ''} {', '.join(map(str, recipe.seeds))}"
    runs = ", ".join([*filter(None, recipe.repeats), seeds])
    asked = f"{min(questions):,} to {max(questions):,}" if len(set(questions)) > 1 else f"{questions[0]:,}"
    one = len(recipe.seeds) == splits == 1
    common = max(verdict.get("shared", 0.0) for row in found for verdict in row)
    sentences = [
        recipe.title,
        f"Differences of {of} in percentage points on {recipe.evaluation} ({runs}), with 95 % intervals by paired"
        f" bootstrap over {over} ({recipe.resamples:,} resamples, {asked} questions)",
        "An interval over one seed says nothing of other seeds" if one else "",
        f"Up to {100 * common:.0f} % of the questions are asked for several values of {varied}, which are drawn as if"
        " they were different questions, which narrows intervals"
        if common and splits > 1
        else "",
        ""
        if recipe.metric
        else f"Thresholds are {THRESHOLDS[recipe.thresholds].format(recipe.thresholds_from)}",
        "Overall: the mean over questions" if recipe.average == "questions" else "",
        f"*: p < {SIGNIFICANT:g}, two-sided; **: also after Holm's correction for all differences here",
    ]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, EffectsTable)
    arguments.add_argument("--effects", required=True, help="what evaluate.effects found (JSON)")
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the table for people")
    arguments.add_argument("--latex", type=Path, required=True, help="the table for papers")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, EffectsTable)
    found, names = read_verdicts(given.effects, recipe), columns_of(recipe)
    lines, shown = [HEADS], []
    for effect, row in zip(recipe.effects, found, strict=True):
        shown.append([effect.label])
        for name, verdict in zip(names, row, strict=True):
            points = [100 * verdict[key] for key in ("difference", "low", "high")]
            p = [verdict[key] for key in ("p", "p_two_sided", "p_holm")]
            counts = [str(verdict[key]) for key in ("questions", "runs", "splits")]
            lines.append(
                [effect.label, name, *(f"{x:.2f}" for x in points), *(f"{x:.4f}" for x in p), *counts]
            )
            mark = " **" if p[2] < SIGNIFICANT else " *" if p[1] < SIGNIFICANT else ""
            shown[-1].append("{:+.1f} [{:+.1f}, {:+.1f}]".format(*points) + mark)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    write_text(given.csv, text.getvalue())
    sheet = Sheet(caption(recipe, found), [Panel(["Effect", *names], shown, left=1)])
    write_sheet(sheet, given.markdown, given.latex)
    print(f"{given.csv}, {given.markdown}: {len(recipe.effects)} effects")


if __name__ == "__main__":
    run(main)
