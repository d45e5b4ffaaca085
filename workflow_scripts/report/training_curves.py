"""Draw the course of training: the loss of each model, and what it scored on the questions that select its weights.

A panel is a training set, a line a model: the mean of its runs, which are its seeds and splits.  Losses are those of
single steps, of long runs the means of neighbours (`training.loop`), on a logarithmic scale; a contrastive term is part
of them.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import altair

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.files import read_text
from workflow_scripts.recipes.figures import TrainedModel, TrainingCurves
from workflow_scripts.report.charts import COLOURS, outputs, scale_of, written

NAMES = {
    "passage": "best F1 of passages",
    "minimal": "best F1 of minimal answers",
    "em": "exact match",
    "f1": "F1",
    "jaccard": "word Jaccard",
    "mucot_f1": "F1 as in MuCoT's code",
}
SMALLEST = 1e-6  # that a logarithmic scale shows
TOLD = (("model", "N"), ("training", "N"), ("runs", "Q"), ("step", "Q"))
Rows = list[dict[str, Any]]


def read_run(file: str) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """Losses and scores of a run, each with its step.  Raises InputError where the file does not tell losses."""
    try:
        told = json.loads(read_text(file))
        return [(step, loss) for step, loss in told["losses"]], [
            (step, score) for step, score in told.get("scores", [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{file}: tells no losses; tune the model again") from None


def values(recipe: TrainingCurves, files: Mapping[str, str]) -> tuple[Rows, Rows]:
    """Losses and scores, means over the runs that have this step.  Raises InputError where a run has no file."""
    found: list[dict[tuple[str, str, int], list[float]]] = [defaultdict(list), defaultdict(list)]
    for one in recipe.runs:
        if one.name not in files:
            raise InputError(f"--training: no file of {one.name}, which the figure shows")
        for points, of_run in zip(found, read_run(files[one.name]), strict=True):
            for step, figure in of_run:
                points[one.label, one.training, step].append(figure)
    losses, scores = (
        [
            (fmean(of), {"model": model, "training": training, "step": step, "runs": len(of)})
            for (model, training, step), of in points.items()
        ]
        for points in found
    )
    return (
        [about | {"figure": max(float(f"{loss:.4g}"), SMALLEST)} for loss, about in losses],
        [about | {"figure": round(score, 2)} for score, about in scores],
    )


def panels(
    runs: Sequence[TrainedModel], rows: Rows, what: str, y: altair.Y, points: bool
) -> altair.FacetChart:
    """A panel for each training set, with the models in the colours that they have in all panels."""
    models = list(dict.fromkeys(one.label for one in runs))
    there = {row["training"] for row in rows}
    sets = [name for name in dict.fromkeys(one.training for one in runs) if name in there]
    colour = altair.Color(
        "model:N",
        scale=scale_of(models, COLOURS),
        legend=altair.Legend(title=None, orient="top", columns=3, symbolStrokeWidth=3),
    )
    return (
        altair.Chart()
        .mark_line(strokeWidth=1.5, point=altair.OverlayMarkDef(size=25) if points else False)
        .encode(
            x=altair.X("step:Q", title="step", axis=altair.Axis(tickCount=4)),
            y=y,
            color=colour,
            description="model:N",  # what is read out, and shown, of a line
            tooltip=[*(f"{name}:{kind}" for name, kind in TOLD), altair.Tooltip("figure:Q", title=what)],
        )
        .properties(width=190, height=120)
        .facet(
            facet=altair.Facet(
                "training:N", sort=sets, title=None, header=altair.Header(labelLimit=190, labelFontSize=11)
            ),
            columns=min(3, len(sets)),
            data=altair.Data(values=rows),
        )
        .resolve_scale(x="independent")
    )


def drawn(recipe: TrainingCurves, losses: Rows, scores: Rows) -> altair.TopLevelMixin:
    """The chart."""
    log = altair.Scale(type="log")
    y = altair.Y("figure:Q", title="loss", scale=log, axis=altair.Axis(tickCount=4, format="~g"))
    blocks = [panels(recipe.runs, losses, "loss", y, points=False)]
    if scores:
        metrics = dict.fromkeys(NAMES[one.selected_by] for one in recipe.runs if one.selected_by)
        score = altair.Y("figure:Q", title=["score on dev", "percent"], scale=altair.Scale(zero=False))
        blocks.append(
            panels(recipe.runs, scores, "percent", score, points=True).properties(
                title={"text": "What weights are selected by", "subtitle": " or ".join(metrics)}
            )
        )
    return altair.vconcat(*blocks, spacing=30).properties(
        title={
            "text": recipe.title,
            "subtitle": "loss, mean over runs; a panel for each training set",
        }
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, TrainingCurves)
    arguments.add_argument(
        "--training", nargs="+", required=True, metavar="NAME=FILE", help="training.json of each run"
    )
    outputs(arguments)
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, TrainingCurves)
    losses, scores = values(recipe, named_files(given.training, "--training"))
    written(drawn(recipe, losses, scores), given, f"{len(recipe.runs)} runs")


if __name__ == "__main__":
    run(main)
