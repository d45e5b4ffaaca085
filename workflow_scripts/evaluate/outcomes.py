"""What every question of an evaluation got, kept as JSON lines: what thresholds, significance and calibration need.

A line is a question: pair, example_id (a text), and for either task its score, whether there is a gold answer
(has_gold) and an answer that is no null (has_pred), and the answer's f1, as `evaluate.tydi` has them; and what its text
scores (em, f1, jaccard, mucot_f1), as `evaluate.texts` has it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.cli import InputError
from workflow_scripts.evaluate.tydi import TASKS, Outcomes
from workflow_scripts.files import read_jsonl


class Questions(NamedTuple):
    """The questions of one pair: example ids, and the outcomes of each task in their order."""

    ids: list[str]
    tasks: dict[str, Outcomes]


def to_lines(pair: str, questions: Questions, texts: dict[str, dict[str, float]]) -> Iterator[dict[str, Any]]:
    """The lines of a pair; `texts`: example id -> metric -> score."""
    tasks = questions.tasks
    columns = {task: list(zip(*(column.tolist() for column in tasks[task]), strict=True)) for task in TASKS}
    for row, name in enumerate(questions.ids):
        yield {
            "pair": pair,
            "example_id": name,
            **{task: dict(zip(Outcomes._fields, columns[task][row], strict=True)) for task in TASKS},
            "text": texts[name],
        }


def read_texts(file: Path | str) -> dict[str, tuple[list[str], dict[str, NDArray[np.float64]]]]:
    """Pair -> its example ids, and metric -> what the texts score in their order.

    Raises InputError naming the line that is not as `to_lines` makes them.
    """
    ids: dict[str, list[str]] = {}
    scores: dict[str, dict[str, list[float]]] = {}
    for number, line in read_jsonl(file):
        try:
            pair, name, got = line["pair"], line["example_id"], dict(line["text"])
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{file} line {number}: not an outcome as evaluate.score writes them") from None
        ids.setdefault(pair, []).append(name)
        for metric, score in got.items():
            scores.setdefault(pair, {}).setdefault(metric, []).append(score)
    return {
        pair: (names, {metric: np.array(of, np.float64) for metric, of in scores[pair].items()})
        for pair, names in ids.items()
    }


def read_outcomes(file: Path | str) -> dict[str, Questions]:
    """Pair -> its questions.  Raises InputError naming the line that is not as `to_lines` makes them."""
    ids: dict[str, list[str]] = {}
    rows: dict[str, dict[str, list[list[Any]]]] = {}
    for number, line in read_jsonl(file):
        try:
            pair, name = line["pair"], line["example_id"]
            got = {task: [line[task][field] for field in Outcomes._fields] for task in TASKS}
        except (KeyError, TypeError):
            raise InputError(f"{file} line {number}: not an outcome as evaluate.score writes them") from None
        ids.setdefault(pair, []).append(name)
        for task in TASKS:
            rows.setdefault(pair, {name: [] for name in TASKS})[task].append(got[task])
    kinds = (np.float64, np.bool_, np.bool_, np.float64)
    return {
        pair: Questions(
            ids[pair],
            {task: Outcomes(*map(np.array, zip(*of[task], strict=True), kinds)) for task in TASKS},
        )
        for pair, of in rows.items()
    }
