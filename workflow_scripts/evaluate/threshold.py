"""Find, for each pair of languages and task, the score that an answer must have for the best F1 on a dev evaluation.

TyDi QA's program sets the threshold on the very questions that it evaluates, which is what its best F1 says.
Thresholds found here on other questions are given to `evaluate.score`, which then tells F1 with them beside that.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.evaluate.outcomes import read_outcomes
from workflow_scripts.evaluate.tydi import TASKS, best_threshold
from workflow_scripts.files import read_text, write_text

Thresholds = dict[str, dict[str, float]]  # pair -> task -> score that answers must have


def read_thresholds(file: Path | str, pairs: Sequence[str]) -> Thresholds:
    """The thresholds of some pairs.  Raises InputError where the file is none of thresholds, or lacks a pair."""
    try:
        found = json.loads(read_text(file))["pairs"]
        thresholds = {
            pair: {task: float(of[task]["threshold"]) for task in TASKS} for pair, of in found.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{file}: not a file of thresholds as evaluate.threshold writes them") from None
    for pair in pairs:
        if pair not in thresholds:
            raise InputError(f"{file}: no thresholds for {pair}; there are {', '.join(thresholds)}")
    return thresholds


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--questions", required=True, help="what every question of the dev evaluation got (evaluate.score)"
    )
    arguments.add_argument(
        "--out", required=True, help="thresholds and their F1, precision and recall on dev, as JSON"
    )
    given = arguments.parse_args(argv)
    found = {
        pair: {task: best_threshold(questions.tasks[task])._asdict() for task in TASKS}
        for pair, questions in read_outcomes(given.questions).items()
    }
    if not found:
        raise InputError(f"{given.questions}: no lines")
    write_text(given.out, json.dumps({"pairs": found}, indent=1) + "\n")
    for pair, tasks in found.items():
        print(f"{pair}: " + ", ".join(f"{task} from {best['threshold']:.3f}" for task, best in tasks.items()))


if __name__ == "__main__":
    run(main)
