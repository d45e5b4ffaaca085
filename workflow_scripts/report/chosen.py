"""For each column of a table the step of a model's training that counts there, as MuCoT's published code chooses it.

Its trainer scores dev and test every so many steps, and reports for each score (overall, Hindi, Tamil, and each metric)
that of test at the step whose score on dev was best in this very column; of equal ones the later step counts.  Columns
of a row may thus be of different weights, and no model has all of its scores.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workflow_scripts.cli import InputError
from workflow_scripts.files import read_jsonl

DIGITS = 9  # of a score in percent, after which equal ones differ by rounding only


class Step(NamedTuple):
    """What weights scored on dev and on the reported questions, each as files of scores have it."""

    dev: dict[str, Any]
    reported: dict[str, Any]


def read_steps(file: Path | str) -> list[Step]:
    """The steps of a training run in their order, from steps.jsonl as `qa.tune_selected` writes it.

    Raises InputError where there are none, or no reported questions were scored.
    """
    steps = []
    for number, line in read_jsonl(file):
        try:
            steps.append(Step(line["dev"], line["reported"]))
        except (KeyError, TypeError):
            raise InputError(
                f"{file} line {number}: not the scores of dev and of reported questions; tune with --dev-… and"
                " --reported-…"
            ) from None
    if not steps:
        raise InputError(
            f"{file}: no step was scored; tune by qa.tune_selected with --dev-… and --reported-…"
        )
    return steps


def best_of_each_column(dev: Sequence[Sequence[float]], reported: Sequence[Sequence[float]]) -> list[float]:
    """For each column what is reported of the step with the best score of dev in it, of equal ones the later.

    dev, reported: percent, a row for each step in their order.
    """
    columns = zip(zip(*dev, strict=True), zip(*reported, strict=True), strict=True)
    return [
        scores[max(range(len(scores)), key=lambda step: (round(of_dev[step], DIGITS), step))]
        for of_dev, scores in columns
    ]


def how_chosen(evaluations: Sequence[str]) -> str:
    """What a caption says of such a table, without its full stop; evaluations: names of dev."""
    return (
        f"each cell is of the step that is best in its own column on {', '.join(evaluations)}, as MuCoT's published"
        " code chooses: columns of a row may be of different weights, and a row tends to score higher than any one of"
        " them"
    )
