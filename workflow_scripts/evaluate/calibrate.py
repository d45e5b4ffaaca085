"""Make the n-best probability of an answer mean its chance to be right, and measure how far it does.

The probability is the softmax over a question's best spans and "no answer", of their scores divided by a temperature.
One number for each trained model is fitted on a dev evaluation, so that the likelihood of what was right and wrong
there is highest (Guo et al. 2017).  It changes no answer and no order of candidates, and a few hundred questions are
enough for it, where isotonic regression would bend to each of them.

A question counts if a span was found in it; its answer is right if the F1 of the minimal answer is high enough, and
thus wrong where annotators found no answer.  Reported, on dev and on another evaluation, before (temperature 1) and
after: bins of confidence with their mean and with the share that was right, the expected calibration error (mean
distance of the two, weighted by questions), the Brier score, and the mean negative log-likelihood.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.evaluate.outcomes import read_outcomes
from workflow_scripts.files import read_jsonl, write_jsonl, write_text
from workflow_scripts.recipes.calibration import Calibration

Floats = NDArray[np.float64]
TEMPERATURES = (0.01, 100.0)  # among which one is looked for
SURE = 1e-12  # a probability that is taken for 0 or 1 costs as much as this


class Answered(NamedTuple):
    """Answered questions: pair and example id of each; the scores of its candidates; whether the best is right.

    scores: [questions, candidates], the best first, and -inf where there are fewer.
    """

    ids: list[tuple[str, str]]
    scores: Floats
    right: NDArray[np.bool_]


def read_answered(folder: Path, questions: Path, least_f1: float) -> Answered:
    """The questions of an evaluation: n-best files `<pair>.nbest.jsonl` in a folder, and what `evaluate.score` kept.

    Raises InputError where a file is of another format, or the two hold different questions.
    """
    ids: list[tuple[str, str]] = []
    scores: list[list[float]] = []
    right: list[bool] = []
    for pair, kept in read_outcomes(questions).items():
        file = folder / f"{pair}.nbest.jsonl"
        f1 = dict(zip(kept.ids, kept.tasks["minimal"].f1.tolist(), strict=True))
        left = dict.fromkeys(kept.ids)
        for number, line in read_jsonl(file):
            try:
                name, found = str(line["example_id"]), [float(one["score"]) for one in line["candidates"]]
            except (KeyError, TypeError, ValueError):
                raise InputError(
                    f"{file} line {number}: not a list of candidates as qa.predict writes it"
                ) from None
            if name not in f1:
                raise InputError(f"{file} line {number}: question {name} is not among those of {questions}")
            left.pop(name, None)
            if found:
                ids.append((pair, name))
                scores.append(found)
                right.append(f1[name] >= least_f1)
        if left:
            raise InputError(f"{file}: no line for question {next(iter(left))} of {questions}")
    width = max(map(len, scores), default=0)
    table = np.array([row + [-math.inf] * (width - len(row)) for row in scores], dtype=np.float64)
    return Answered(ids, table.reshape(len(scores), width), np.array(right, dtype=np.bool_))


def confidence(scores: Floats, temperature: float) -> Floats:
    """The probability of each row's first candidate: softmax over scores [questions, candidates] and 0, for null."""
    highest = np.maximum(scores[:, :1], 0)
    weights = np.exp((scores - highest) / temperature)
    chances: Floats = weights[:, 0] / (weights.sum(1) + np.exp(-highest[:, 0] / temperature))
    return chances


def likelihood(chance: Floats, right: NDArray[np.bool_]) -> float:
    """Mean negative log-likelihood of what was right."""
    said = np.clip(np.where(right, chance, 1 - chance), SURE, 1)
    return float(-np.log(said).mean())


def fit(answered: Answered) -> float:
    """The temperature of the highest likelihood, to four digits.

    The likelihood may have several hills: a grid finds the highest, golden-section search its top.
    """

    def cost(logarithm: float) -> float:
        return likelihood(confidence(answered.scores, math.exp(logarithm)), answered.right)

    grid: list[float] = np.linspace(math.log(TEMPERATURES[0]), math.log(TEMPERATURES[1]), 61).tolist()
    best = min(range(len(grid)), key=lambda number: cost(grid[number]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    golden = (math.sqrt(5) - 1) / 2
    while high - low > 1e-6:
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if cost(left) <= cost(right) else (left, high)
    return float(f"{math.exp((low + high) / 2):.4g}")


def reliability(chance: Floats, right: NDArray[np.bool_], bins: int) -> dict[str, Any]:
    """How far confidences are chances: error, Brier score, likelihood, and figures of every bin that is not empty."""
    number = np.minimum((chance * bins).astype(int), bins - 1)
    cells = [
        {
            "from": cell / bins,
            "to": (cell + 1) / bins,
            "questions": int((number == cell).sum()),
            "confidence": float(chance[number == cell].mean()),
            "right": float(right[number == cell].mean()),
        }
        for cell in np.unique(number).tolist()
    ]
    error = sum(cell["questions"] * abs(cell["confidence"] - cell["right"]) for cell in cells)
    return {
        "ece": error / len(chance),
        "brier": float(((chance - right) ** 2).mean()),
        "nll": likelihood(chance, right),
        "bins": cells,
    }


def measured(answered: Answered, temperature: float, bins: int) -> dict[str, Any]:
    """The figures of an evaluation, before and after."""
    sides = {"before": 1.0, "after": temperature}
    return {
        "questions": len(answered.ids),
        "right": float(answered.right.mean()),
        **{
            side: reliability(confidence(answered.scores, value), answered.right, bins)
            for side, value in sides.items()
        },
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Calibration)
    for name, content in (
        ("dev-nbest", "folder of its n-best files for the evaluation to fit on"),
        ("dev-questions", "what every question of that evaluation got"),
        ("test-nbest", "folder of its n-best files for the evaluation to try on"),
        ("test-questions", "what every question of that evaluation got"),
    ):
        arguments.add_argument(
            f"--{name}",
            nargs="+",
            required=True,
            metavar="RUN=PATH",
            help=f"for every trained model, {content}",
        )
    arguments.add_argument("--out", required=True, help="temperatures and figures, as JSON")
    arguments.add_argument(
        "--confidences", help="the confidence of every answer of the evaluation to try on (.jsonl)"
    )
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Calibration)
    dev_nbest = named_files(given.dev_nbest, "--dev-nbest")
    others = {
        option: named_files(getattr(given, option.replace("-", "_")), f"--{option}")
        for option in ("dev-questions", "test-nbest", "test-questions")
    }
    for option, files in others.items():
        if list(files) != list(dev_nbest):
            raise InputError(
                f"--{option} names {', '.join(files)}, but --dev-nbest {', '.join(dev_nbest)}; give the same in one"
                " order"
            )
    runs: dict[str, Any] = {}
    lines: list[dict[str, Any]] = []
    for name, folder in dev_nbest.items():
        dev = read_answered(Path(folder), Path(others["dev-questions"][name]), recipe.least_f1)
        test = read_answered(
            Path(others["test-nbest"][name]), Path(others["test-questions"][name]), recipe.least_f1
        )
        for answered, file in ((dev, folder), (test, others["test-nbest"][name])):
            if not answered.ids:
                raise InputError(f"{file}: no question has a candidate, so there is nothing to calibrate")
        temperature = fit(dev)
        runs[name] = {
            "temperature": temperature,
            "dev": measured(dev, temperature, recipe.bins),
            "test": measured(test, temperature, recipe.bins),
        }
        sides = (confidence(test.scores, 1.0).tolist(), confidence(test.scores, temperature).tolist())
        for (pair, example), right, before, after in zip(test.ids, test.right.tolist(), *sides, strict=True):
            lines.append(
                {
                    "run": name,
                    "pair": pair,
                    "example_id": example,
                    "right": right,
                    "before": before,
                    "after": after,
                }
            )
        told = runs[name]["test"]
        print(
            f"{name}: temperature {temperature}, expected calibration error {100 * told['before']['ece']:.1f} % before"
            f" and {100 * told['after']['ece']:.1f} % after"
        )
    write_text(given.out, json.dumps({"recipe": recipe.model_dump(), "runs": runs}, indent=1) + "\n")
    if given.confidences:
        write_jsonl(given.confidences, lines)


if __name__ == "__main__":
    run(main)
