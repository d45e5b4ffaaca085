"""How far a model's scores on an evaluation would go up and down with other questions of the same kind.

For each pair of question and context language the best F1 of TyDi QA's tasks and the means of the texts' scores, with
95 % intervals: the bootstrap over questions of `evaluate.significance`, where the other system answers nothing.  An
interval is about this model on other questions; what training again would give is not in it.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workflow_scripts.cli import InputError, Progress, parser, run
from workflow_scripts.evaluate.outcomes import read_outcomes, read_texts
from workflow_scripts.evaluate.significance import RESAMPLES, Column, bootstrap, means, tydi_f1
from workflow_scripts.evaluate.tydi import TASKS, Outcomes
from workflow_scripts.files import write_text


def f1_of(outcomes: Outcomes) -> Column:
    """The best F1 of a model's outcomes."""
    nothing = outcomes._replace(has_pred=np.zeros_like(outcomes.has_pred), f1=np.zeros_like(outcomes.f1))
    return tydi_f1([outcomes], [nothing])


def interval(column: Column, resamples: int) -> dict[str, float]:
    """A score from 0 to 1, and the ends of its interval."""
    found = bootstrap([[column]], resamples=resamples)
    return {"score": found.difference, "low": found.low, "high": found.high}


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--questions", required=True, help="what every question got (evaluate.score)")
    arguments.add_argument("--resamples", type=int, default=RESAMPLES["default"], help="of the bootstrap")
    arguments.add_argument("--out", type=Path, required=True, help="scores and intervals (JSON)")
    given = arguments.parse_args(argv)
    outcomes, texts = read_outcomes(given.questions), read_texts(given.questions)
    if not outcomes:
        raise InputError(f"{given.questions}: no lines")
    progress, found = Progress("intervals", len(outcomes), "pairs"), {}
    for pair, questions in outcomes.items():
        columns = {task: f1_of(questions.tasks[task]) for task in TASKS}
        columns |= {metric: means(got, np.zeros_like(got)) for metric, got in texts[pair][1].items()}
        of_pair = {name: interval(column, given.resamples) for name, column in columns.items()}
        found[pair] = {"n": len(questions.ids), **of_pair}
        progress.advance()
    write_text(given.out, json.dumps({"resamples": given.resamples, "pairs": found}, indent=1) + "\n")


if __name__ == "__main__":
    run(main)
