"""Score predictions on TyDi QA's primary tasks as the official program does: best F1 over all score thresholds.

Own implementation of google-research-datasets/tydiqa `tydi_eval.py`, equal to it where that is defined by its input
alone.  Two tasks are scored apart, for each language that occurs in the predictions:

- passage: does the predicted passage index equal any annotator's?
- minimal: the best overlap F1, in bytes, with any annotator's span; yes/no answers count 1 or 0.

A question has a gold answer if at least `--annotators` of its annotators gave one (2 of the 3 of the dev file; 1 where
there is one).  Sorted by falling score, each distinct score is a threshold with
precision = sum of F1 / predictions that are not null, recall = sum of F1 / questions with a gold answer;
the highest F1 of the two is reported, with its threshold and the highest recall at precision 0.5, 0.75 and 0.9.
The macro average leaves English out.

What the official program leaves to chance is an error here: ids that occur twice (it keeps the last), a prediction
without `minimal_answer` (it takes over the span of the line before), a score that is not a number.
"""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.files import read_jsonl, write_text
from workflow_scripts.languages import languages

TASKS = ("passage", "minimal")
TARGETS = (0.5, 0.75, 0.9)
NOT_IN_MACRO = "english"


class Answer(NamedTuple):
    """One annotator's or one system's answer: passage index or -1, span in bytes or -1 -1, "yes", "no" or "none"."""

    passage: int
    start: int
    end: int
    yes_no: str

    @property
    def is_null(self) -> bool:
        """Whether there is no minimal answer, neither a span nor a yes or no."""
        return self.start < 0 and self.yes_no == "none"


class Gold(NamedTuple):
    """What the annotators said about one question."""

    language: str
    answers: tuple[Answer, ...]


class Prediction(NamedTuple):
    """What a system said about one question, with a score for each task."""

    language: str
    answer: Answer
    passage_score: float
    minimal_score: float


class Outcomes(NamedTuple):
    """One task's results, a row a question: score float64 [n], has_gold and has_pred bool [n], f1 float64 [n]."""

    score: NDArray[np.float64]
    has_gold: NDArray[np.bool_]
    has_pred: NDArray[np.bool_]
    f1: NDArray[np.float64]


class Best(NamedTuple):
    """The operating point of highest F1; all 0 where no threshold gives an F1 above 0."""

    f1: float
    precision: float
    recall: float
    threshold: float


def read_gold(path: Path | str) -> dict[str, Gold]:
    """Gold answers by example id from an official JSON-lines file, packed or not.

    Raises InputError naming the line that is malformed, repeats an id or holds no annotations.
    """
    return {name: gold for name, gold, _ in each_gold(path)}


def each_gold(path: Path | str) -> Iterator[tuple[str, Gold, dict[str, Any]]]:
    """Example id, gold answers and the whole record of each line of `read_gold`, one at a time: articles are long."""
    seen: set[str] = set()
    for number, record in read_jsonl(path):
        where = f"{path} line {number}"
        name = _example_id(record, where)
        if name in seen:
            raise InputError(
                f"{where}: example_id {name} occurs twice; score each pair of question and context language in files of"
                " its own"
            )
        seen.add(name)
        yield name, gold_of(record, where), record


def gold_of(record: dict[str, Any], where: str) -> Gold:
    """The gold answers of an official record.  Raises InputError that begins with `where` if it is malformed."""
    if not _field(record, "annotations", list, where):
        raise InputError(
            f"{where}: example {record['example_id']} has no annotations, so it cannot be scored against; give the"
            " annotated file"
        )
    answers = []
    for annotation in record["annotations"]:
        passage = _field(annotation, "passage_answer", dict, where)
        span = _field(annotation, "minimal_answer", dict, where)
        answers.append(
            Answer(
                _integer(passage, "candidate_index", where),
                *_span(span, "plaintext_start_byte", "plaintext_end_byte", where),
                _yes_no(annotation, where),
            )
        )
    return Gold(_field(record, "language", str, where), tuple(answers))


def read_predictions(path: Path | str) -> dict[str, Prediction]:
    """Predictions by example id from an official JSON-lines file, packed or not.

    `passage_answer_index` and `yes_no_answer` may be left out (-1, NONE).  Raises InputError naming the line that is
    malformed or repeats an id.
    """
    predictions: dict[str, Prediction] = {}
    for number, record in read_jsonl(path):
        where = f"{path} line {number}"
        name = _example_id(record, where)
        if name in predictions:
            raise InputError(
                f"{where}: example_id {name} occurs twice; score each pair of question and context language in files of"
                " its own"
            )
        predictions[name] = prediction_of(record, where)
    return predictions


def prediction_of(record: dict[str, Any], where: str) -> Prediction:
    """The prediction of an official line.  Raises InputError that begins with `where` if it is malformed."""
    span = _field(record, "minimal_answer", dict, where)
    start, end = _span(span, "start_byte_offset", "end_byte_offset", where)
    yes_no = _yes_no(record, where) if "yes_no_answer" in record else "none"
    if yes_no != "none" and start >= 0:
        raise InputError(
            f"{where}: yes_no_answer is {yes_no.upper()} beside a minimal_answer; give one of them"
        )
    passage = _integer(record, "passage_answer_index", where) if "passage_answer_index" in record else -1
    return Prediction(
        _field(record, "language", str, where),
        Answer(passage, start, end, yes_no),
        _score(record, "passage_answer_score", where),
        _score(record, "minimal_answer_score", where),
    )


def example_scores(
    gold: dict[str, Gold], predictions: dict[str, Prediction], annotators: int
) -> dict[str, Outcomes]:
    """The outcome of every gold question, in the order of `gold`, for the tasks "passage" and "minimal".

    Predictions for other questions are not looked at.  A question without a prediction has score 0 and, as in the
    official program, counts as predicted exactly if it has no gold answer.
    """
    rows: dict[str, list[tuple[float, bool, bool, float]]] = {task: [] for task in TASKS}
    for name, (_, answers) in gold.items():
        has_passage = sum(answer.passage >= 0 for answer in answers) >= annotators
        has_minimal = sum(not answer.is_null for answer in answers) >= annotators
        prediction = predictions.get(name)
        if prediction is None:
            rows["passage"].append((0.0, has_passage, not has_passage, 0.0))
            rows["minimal"].append((0.0, has_minimal, not has_minimal, 0.0))
            continue
        given = prediction.answer
        right = has_passage and given.passage >= 0 and any(a.passage == given.passage for a in answers)
        overlap = _minimal_f1(answers, given) if has_minimal and not given.is_null else 0.0
        rows["passage"].append((prediction.passage_score, has_passage, given.passage >= 0, float(right)))
        rows["minimal"].append((prediction.minimal_score, has_minimal, not given.is_null, overlap))
    return {task: _outcomes(found) for task, found in rows.items()}


def operating_points(
    outcomes: Outcomes,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Falling thresholds, with precision and recall of what scores at least as much: three times float64 [k]."""
    # The last key only makes sums independent of the order of the questions, also in their last digit.
    order = np.lexsort((-outcomes.f1, -outcomes.score))
    score = outcomes.score[order]
    right = np.cumsum(outcomes.f1[order])
    predicted = np.cumsum(outcomes.has_pred[order])
    last_of_ties = np.append(score[1:] != score[:-1], True)[: len(score)]
    right, predicted = right[last_of_ties], predicted[last_of_ties]
    return score[last_of_ties], _divide(right, predicted), _divide(right, outcomes.has_gold.sum())


def best_threshold(outcomes: Outcomes) -> Best:
    """The operating point of highest F1; of several equal ones that of the highest threshold."""
    thresholds, precision, recall = operating_points(outcomes)
    f1 = _divide(2 * precision * recall, precision + recall)
    if not f1.any():
        return Best(0.0, 0.0, 0.0, 0.0)
    best = int(np.argmax(f1))
    return Best(float(f1[best]), float(precision[best]), float(recall[best]), float(thresholds[best]))


def at_threshold(outcomes: Outcomes, threshold: float) -> Best:
    """What answers that score at least `threshold` get, wherever the threshold comes from."""
    thresholds, precision, recall = operating_points(outcomes)
    reached = int((thresholds >= threshold).sum())
    if not reached:
        return Best(0.0, 0.0, 0.0, threshold)
    point = precision[reached - 1], recall[reached - 1]
    f1 = 2 * point[0] * point[1] / sum(point) if sum(point) else 0.0
    return Best(float(f1), float(point[0]), float(point[1]), threshold)


def recall_at_precision(outcomes: Outcomes, target: float) -> float:
    """The highest recall of an operating point whose precision is at least `target`; 0 if there is none."""
    _, precision, recall = operating_points(outcomes)
    return float(recall[precision >= target].max(initial=0.0))


def summary(outcomes: Outcomes) -> dict[str, Any]:
    """What is reported of one language and task."""
    best = best_threshold(outcomes)
    return {
        "best_f1": best.f1,
        "precision": best.precision,
        "recall": best.recall,
        "threshold": best.threshold,
        "recall_at_precision": {str(target): recall_at_precision(outcomes, target) for target in TARGETS},
    }


def evaluate(gold: dict[str, Gold], predictions: dict[str, Prediction], annotators: int) -> dict[str, Any]:
    """The whole report: every language of the predictions that the table of languages knows, and the macro average.

    A language is that of the gold line for a question and that of the prediction line for an answer; as in the official
    program a prediction under another label than its question's is no prediction for it.
    """
    known = {row.tydi for row in languages().values()}
    report: dict[str, dict[str, Any]] = {}
    for name in sorted({prediction.language for prediction in predictions.values()} & known):
        asked = {key: value for key, value in gold.items() if value.language == name}
        said = {key: value for key, value in predictions.items() if value.language == name}
        outcomes = example_scores(asked, said, annotators)
        report[name] = {"n": len(asked), **{task: summary(outcomes[task]) for task in TASKS}}
    averaged = [name for name in report if name != NOT_IN_MACRO]
    return {
        "thresholds": annotators,
        "languages": report,
        "macro_without_english": {
            task: {
                figure: sum(report[name][task][figure] for name in averaged) / max(len(averaged), 1)
                for figure in ("best_f1", "precision", "recall")
            }
            for task in TASKS
        },
    }


def doubts(gold: dict[str, Gold], predictions: dict[str, Prediction], annotators: int) -> list[str]:
    """What makes scores misleading without making them wrong, a sentence each."""
    known = {row.tydi for row in languages().values()}
    unknown = sorted({prediction.language for prediction in predictions.values()} - known)
    missing = sum(name not in predictions for name in gold)
    extra = sum(name not in gold for name in predictions)
    mislabelled = sum(
        name in gold and gold[name].language != prediction.language
        for name, prediction in predictions.items()
    )
    most = max((len(value.answers) for value in gold.values()), default=0)
    return [
        sentence
        for sentence, holds in (
            (f"predictions in {', '.join(unknown)} are left out: unknown language", bool(unknown)),
            (f"{missing} of {len(gold)} questions have no prediction", missing > 0),
            (f"{extra} predictions are for questions that are not in the gold file", extra > 0),
            (
                f"{mislabelled} predictions name another language than their question and do not count",
                mislabelled > 0,
            ),
            (
                f"no question has {annotators} annotations (the most is {most}), so every gold answer counts as null;"
                f" --annotators must not exceed it",
                most < annotators,
            ),
        )
        if holds
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Command line: print the report as JSON, and write it where `--out` says."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--gold", required=True, help="official TyDi QA records with annotations (.jsonl[.gz])"
    )
    arguments.add_argument("--predictions", required=True, help="official prediction lines (.jsonl[.gz])")
    arguments.add_argument(
        "--annotators", type=int, default=2, help="annotators who must have given an answer (default 2)"
    )
    arguments.add_argument("--out", help="also write the report to this file")
    given = arguments.parse_args(argv)
    if given.annotators < 1:
        raise InputError(f"--annotators is {given.annotators}; at least 1 annotator must agree")
    gold, predictions = read_gold(given.gold), read_predictions(given.predictions)
    for name, found in ((given.gold, gold), (given.predictions, predictions)):
        if not found:
            raise InputError(f"{name}: no lines")
    for sentence in doubts(gold, predictions, given.annotators):
        print(f"warning: {sentence}", file=sys.stderr)
    text = json.dumps(evaluate(gold, predictions, given.annotators), indent=1)
    if given.out:
        write_text(given.out, text + "\n")
    print(text)


def _minimal_f1(answers: Sequence[Answer], given: Answer) -> float:
    if given.yes_no != "none":
        return float(any(answer.yes_no == given.yes_no for answer in answers))
    return max((_overlap(answer, given) for answer in answers if answer.start >= 0), default=0.0)


def _overlap(gold: Answer, given: Answer) -> float:
    shared = min(gold.end, given.end) - max(gold.start, given.start)
    if shared <= 0:
        return 0.0
    precision, recall = shared / (given.end - given.start), shared / (gold.end - gold.start)
    return 2 * precision * recall / (precision + recall)


def _outcomes(rows: Sequence[tuple[float, bool, bool, float]]) -> Outcomes:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Outcomes(
        np.array(columns[0], dtype=np.float64),
        np.array(columns[1], dtype=np.bool_),
        np.array(columns[2], dtype=np.bool_),
        np.array(columns[3], dtype=np.float64),
    )


def _divide(upper: NDArray[Any], lower: NDArray[Any]) -> NDArray[np.float64]:
    """Quotients, 0 where the divisor is 0."""
    upper, lower = np.broadcast_arrays(upper, lower)
    return np.divide(upper, lower, out=np.zeros(upper.shape), where=lower != 0)


def _field(record: Any, key: str, kind: type, where: str) -> Any:
    if not isinstance(record, dict) or key not in record:
        raise InputError(f"{where}: {key} is missing")
    if not isinstance(record[key], kind):
        raise InputError(f"{where}: {key} is {_short(record[key])}, not a {kind.__name__}")
    return record[key]


def _integer(record: dict[str, Any], key: str, where: str) -> int:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{where}: {key} is {_short(value)}, not an integer")
    return value


def _example_id(record: Any, where: str) -> str:
    value = _field(record, "example_id", object, where)
    if isinstance(value, bool) or not isinstance(value, int | str):
        # A 64-bit id that has passed through a float has lost its last digits.
        raise InputError(f"{where}: example_id is {_short(value)}, but ids are 64-bit integers")
    return str(value)


def _span(record: dict[str, Any], first: str, last: str, where: str) -> tuple[int, int]:
    start, end = _integer(record, first, where), _integer(record, last, where)
    if (start < 0) != (end < 0) or start > end >= 0:
        raise InputError(
            f"{where}: {first} {start} and {last} {end} are no span; -1 and -1 say that there is none"
        )
    return start, end


def _yes_no(record: dict[str, Any], where: str) -> str:
    value = _field(record, "yes_no_answer", str, where).lower()
    if value not in ("yes", "no", "none"):
        raise InputError(
            f"{where}: yes_no_answer is {_short(record['yes_no_answer'])}; allowed are YES, NO, NONE"
        )
    return value


def _score(record: dict[str, Any], key: str, where: str) -> float:
    value = _field(record, key, object, where)
    try:
        score = float(value)
    except (TypeError, ValueError):
        score = math.nan
    if math.isnan(score):
        raise InputError(f"{where}: {key} is {_short(value)}, not a number")
    return score


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


if __name__ == "__main__":
    run(main)
