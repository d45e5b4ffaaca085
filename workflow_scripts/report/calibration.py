"""Write what evaluate.calibrate measured as Markdown and CSV: how often an answer is right, by how sure a model is.

The Markdown has a row for every trained model, with its temperature and what it was worth on questions that it was not
fitted on, and for each model a reliability table over all its seeds, before and after.  The CSV has a line for every
trained model, evaluation, side and bin.
"""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.files import read_text, write_text
from workflow_scripts.recipes.calibration import CalibrationTable
from workflow_scripts.report.markdown import literal, table

SIDES = ("before", "after")
FIGURES = ("ece", "brier", "nll")
Runs = dict[str, dict[str, Any]]  # "model/seed" -> what evaluate.calibrate measured


def read_runs(file: Path, recipe: CalibrationTable) -> tuple[Runs, dict[str, Any]]:
    """Figures of every trained model, and the recipe of the step.  Raises InputError where it is no such file."""
    try:
        content = json.loads(read_text(file))
        runs: Runs = content["runs"]
        settings: dict[str, Any] = content["recipe"]
        whole = all(
            of[part][side]["bins"] for of in runs.values() for part in ("dev", "test") for side in SIDES
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        whole = False
    if not whole:
        raise InputError(f"{file}: not a file of figures as evaluate.calibrate writes them")
    if {name.rpartition("/")[0] for name in runs} != recipe.labels.keys():
        raise InputError(f"{file}: figures of {', '.join(runs)}, but labels of {', '.join(recipe.labels)}")
    return runs, settings


def pooled(runs: Sequence[dict[str, Any]], side: str) -> dict[float, dict[str, float]]:
    """The bins of several runs as one, by where they begin."""
    made: dict[float, dict[str, float]] = {}
    for of in runs:
        for cell in of["test"][side]["bins"]:
            one = made.setdefault(
                cell["from"], {"to": cell["to"], "questions": 0, "confidence": 0.0, "right": 0.0}
            )
            for key in ("confidence", "right"):
                one[key] += cell["questions"] * cell[key]
            one["questions"] += cell["questions"]
    return dict(sorted(made.items()))


def to_csv(recipe: CalibrationTable, runs: Runs) -> str:
    """The table for programs; shares and confidences are from 0 to 1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["Model", "Seed", "Evaluation", "Temperature", "Side", *FIGURES, "From", "To", "Questions"]
    writer.writerow([*head, "Confidence", "Right"])
    for name, of in runs.items():
        model, _, seed = name.rpartition("/")
        for part, evaluation in (("dev", recipe.fitted_on), ("test", recipe.evaluation)):
            for side in SIDES:
                told = of[part][side]
                figures = [f"{told[figure]:.4f}" for figure in FIGURES]
                for cell in told["bins"]:
                    row = [f"{cell['from']:g}", f"{cell['to']:g}", cell["questions"]]
                    shares = [f"{cell[key]:.4f}" for key in ("confidence", "right")]
                    first = [
                        model,
                        seed,
                        evaluation,
                        f"{of['temperature'] if side == 'after' else 1:g}",
                        side,
                    ]
                    writer.writerow([*first, *figures, *row, *shares])
    return text.getvalue()


def to_markdown(recipe: CalibrationTable, runs: Runs, settings: dict[str, Any]) -> str:
    """The tables for people."""
    least = settings["least_f1"]
    right = "its F1 is 1" if least == 1 else f"its F1 is at least {least:g}"
    lines = [["Model", "seed", "temperature", "questions", "right"]]
    lines[0] += [f"{name} {side}" for name in ("ECE", "Brier", "NLL") for side in SIDES]
    blocks = [
        f"Confidence of minimal answers on {recipe.evaluation}, in percent. The temperature is fitted on"
        f" {recipe.fitted_on}; before, it is 1. An answer is right if {right}. ECE: mean distance between confidence"
        f" and share right over {settings['bins']} bins."
    ]
    for name, of in runs.items():
        model, _, seed = name.rpartition("/")
        told = of["test"]
        cells = [
            f"{told[side][figure]:.3f}" if figure == "nll" else f"{100 * told[side][figure]:.1f}"
            for figure in FIGURES
            for side in SIDES
        ]
        lines.append(
            [
                literal(recipe.labels[model]),
                seed,
                f"{of['temperature']:g}",
                str(told["questions"]),
                f"{100 * told['right']:.1f}",
                *cells,
            ]
        )
    blocks.append("\n".join(table(lines, 1)))
    for model in dict.fromkeys(name.rpartition("/")[0] for name in runs):
        of_model = [of for name, of in runs.items() if name.rpartition("/")[0] == model]
        sides = {side: pooled(of_model, side) for side in SIDES}
        lines = [
            ["confidence", *(f"{key} {side}" for side in SIDES for key in ("questions", "mean", "right"))]
        ]
        for start in sorted({start for bins in sides.values() for start in bins}):
            to = next(bins[start]["to"] for bins in sides.values() if start in bins)
            row = [f"{100 * start:.0f} to {100 * to:.0f}"]
            for side in SIDES:
                cell = sides[side].get(start)
                row += (
                    [
                        f"{cell['questions']:.0f}",
                        *(f"{100 * cell[key] / cell['questions']:.1f}" for key in ("confidence", "right")),
                    ]
                    if cell
                    else ["–"] * 3
                )
            lines.append(row)
        blocks += [f"## {literal(recipe.labels[model])}", "\n".join(table(lines, 1))]
    return "\n\n".join(blocks) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, CalibrationTable)
    arguments.add_argument(
        "--figures", type=Path, required=True, help="what evaluate.calibrate measured (JSON)"
    )
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the tables for people")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, CalibrationTable)
    runs, settings = read_runs(given.figures, recipe)
    write_text(given.csv, to_csv(recipe, runs))
    write_text(given.markdown, to_markdown(recipe, runs, settings))
    print(f"{given.csv}, {given.markdown}: {len(runs)} trained models")


if __name__ == "__main__":
    run(main)
