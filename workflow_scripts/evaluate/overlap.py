"""Score answers by their text: SQuAD's exact match and F1 (v1.1 and v2.0), and ChAII's word Jaccard.

Own implementation of the official programs' rules, equal to them where these are defined by their input alone:

- `squad` (evaluate-v1.1): texts are compared in lower case, without ASCII punctuation, the words a, an and the, and
  superfluous blanks; F1 is that of the words they have in common; the best of several gold answers counts.  A question
  without a prediction scores 0, predictions for other questions are not looked at.
- `squad2` (evaluate-v2.0): gold answers that leave nothing to compare count as none, and a question without any has the
  gold answer "".  With null odds (`--null-odds`), questions above `--threshold` count as unanswered, and the threshold
  is told that would have been best, for exact match and for F1.  Questions without a prediction are left out of the
  averages.
- `jaccard` (ChAII, MuCoT): words in common, as a share of the words of either, in lower case and split at blanks; both
  empty make 1.  `mucot_f1` is the F1 that MuCoT's code computes beside it: words in common count once, however often
  they come.  A question without a prediction is one with the prediction "".

Gold answers are SQuAD-format JSON or ChAII's CSV (id, answer_text, language), predictions a JSON object of texts by id
or ChAII's CSV (id, PredictionString).  Figures are given for all questions, and for each language where it is known:
from the CSV, or as `--gold hi=FILE`.
"""

import csv
import json
import re
import string
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.files import read_lines, read_text, write_jsonl, write_text

METRICS = ("squad", "squad2", "jaccard")
WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)
ARTICLES = {"a", "an", "the"}
ARTICLE = re.compile(r"\b(a|an|the)\b")


class Gold(NamedTuple):
    """The answers to a question that people gave, none where it has none, and its language if it is known."""

    answers: tuple[str, ...]
    language: str | None = None


def normalised(text: str) -> list[str]:
    """The words that SQuAD's programs compare."""
    text = text.lower().translate(WITHOUT_PUNCTUATION)
    words = text.split()
    if "".join(words).isalnum():  # every article is a word between blanks
        return [word for word in words if word not in ARTICLES]
    return ARTICLE.sub(" ", text).split()


def shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two texts have in common, a word as often as it comes in both."""
    if len(one) * len(other) > 256:
        return sum((Counter(one) & Counter(other)).values())
    left = list(other)
    count = 0
    for word in one:
        if word in left:
            left.remove(word)
            count += 1
    return count


def harmonic(common: int, one: int, other: int) -> float:
    """F1 of texts with so many words, of which so many are common."""
    if common == 0:
        return 0.0
    precision, recall = common / one, common / other
    return 2 * precision * recall / (precision + recall)


def f1(prediction: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of normalised words as in SQuAD 1.1; 0 where either has none."""
    if prediction == gold:
        return float(bool(gold))
    return harmonic(shared(prediction, gold), len(prediction), len(gold))


def f1_with_empty(prediction: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of normalised words as in SQuAD 2.0; 1 where neither has any."""
    return f1(prediction, gold) if prediction or gold else 1.0


def mucot_f1(prediction: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of normalised words as MuCoT's code has it, in which a common word counts once; 1 where neither has any."""
    if not prediction or not gold:
        return float(prediction == gold)
    return harmonic(len(set(prediction) & set(gold)), len(prediction), len(gold))


def jaccard(prediction: str, gold: str) -> float:
    """Words in common as a share of the words of either, in lower case; 1 where neither has any."""
    one, other = set(prediction.lower().split()), set(gold.lower().split())
    either = one | other
    return len(one & other) / len(either) if either else 1.0


def question_scores(
    gold: dict[str, Gold], predictions: dict[str, str], metric: str
) -> dict[str, dict[str, float]]:
    """The scores of every question that takes part, in the order of `gold`.

    Figures are exact and f1, or jaccard and mucot_f1, between 0 and 1.  Raises InputError where a question has no gold
    answer that the metric could take.
    """
    words = cache(normalised)
    scores: dict[str, dict[str, float]] = {}
    for name, (answers, _) in gold.items():
        said = predictions.get(name)
        if metric == "squad2":
            if said is None:
                continue
            texts = [answer for answer in answers if words(answer)] or [""]
        elif not answers:
            raise InputError(f"question {name} has no gold answer; --metric squad2 takes such questions")
        else:
            texts = list(answers)
        if metric == "jaccard":
            said = said or ""
            scores[name] = {
                "jaccard": max(jaccard(said, text) for text in texts),
                "mucot_f1": max(mucot_f1(words(said), words(text)) for text in texts),
            }
        elif said is None:
            scores[name] = {"exact": 0.0, "f1": 0.0}
        else:
            measure = f1_with_empty if metric == "squad2" else f1
            heard = words(said)
            compared = [words(text) for text in texts]
            scores[name] = {
                "exact": float(heard in compared),
                "f1": max(measure(heard, text) for text in compared),
            }
    return scores


def above_threshold(
    scores: dict[str, dict[str, float]], gold: dict[str, Gold], odds: dict[str, float], threshold: float
) -> dict[str, dict[str, float]]:
    """The scores with questions of higher null odds than `threshold` left unanswered."""
    return {
        name: dict.fromkeys(figures, float(not gold[name].answers)) if odds[name] > threshold else figures
        for name, figures in scores.items()
    }


def best_threshold(
    scores: dict[str, float], gold: dict[str, Gold], predictions: dict[str, str], odds: dict[str, float]
) -> tuple[float, float]:
    """(highest sum of scores, null odds up to which questions must be answered for it).

    As in the official program, questions are answered one after another by rising odds, equal ones in their order in
    the file, so that the best point may lie between questions of equal odds.
    """
    names = [name for name in odds if name in scores]
    order = np.argsort(np.array([odds[name] for name in names]), kind="stable")
    gains = np.array(
        [scores[name] if gold[name].answers else (-1.0 if predictions[name] else 0.0) for name in names]
    )[order]
    unanswerable = float(sum(not question.answers for question in gold.values()))
    reached = np.cumsum(np.concatenate([[unanswerable], gains]))
    best = int(np.argmax(reached))
    return float(reached[best]), odds[names[order[best - 1]]] if best else 0.0


def means(scores: dict[str, dict[str, float]], names: Sequence[str]) -> dict[str, float]:
    """Means of the questions named, in percent, but Jaccard and its F1 as they are, under the official names."""
    chosen = [scores[name] for name in names if name in scores]
    if not chosen:
        return {"total": 0}
    whole = 100.0 if "exact" in chosen[0] else 1.0
    figures = {key: whole * sum(row[key] for row in chosen) / len(chosen) for key in chosen[0]}
    return {**figures, "total": len(chosen)}


def evaluate(
    gold: dict[str, Gold],
    predictions: dict[str, str],
    metric: str,
    odds: dict[str, float] | None = None,
    threshold: float = 1.0,
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The report, and the scores of every question.

    squad: exact_match, f1, total; squad2: exact, f1, total, the same as HasAns_… and NoAns_…, and with null odds
    best_exact, best_exact_thresh, best_f1, best_f1_thresh; jaccard: jaccard, mucot_f1, total.  `languages`: the same
    averages of each language that is known.
    """
    raw = question_scores(gold, predictions, metric)
    scores = raw if odds is None else above_threshold(raw, gold, odds, threshold)
    report: dict[str, Any] = means(scores, list(gold))
    if metric == "squad" and "exact" in report:
        report = {"exact_match": report.pop("exact"), **report}
    if metric == "squad2":
        for prefix, wanted in (("HasAns", True), ("NoAns", False)):
            some = [name for name, question in gold.items() if bool(question.answers) == wanted]
            if some:
                report |= {f"{prefix}_{key}": value for key, value in means(scores, some).items()}
        if odds is not None and raw:
            for key in ("exact", "f1"):
                single = {name: figures[key] for name, figures in raw.items()}
                best, at = best_threshold(single, gold, predictions, odds)
                report |= {f"best_{key}": 100.0 * best / len(raw), f"best_{key}_thresh": at}
    languages = sorted({question.language for question in gold.values() if question.language})
    if languages:
        report["languages"] = {
            code: means(scores, [name for name, question in gold.items() if question.language == code])
            for code in languages
        }
    return report, scores


def read_gold(path: Path | str, language: str | None = None) -> dict[str, Gold]:
    """Gold answers by question id, from SQuAD-format JSON or ChAII's CSV.

    Raises InputError where the file is neither, or an id occurs twice.
    """
    gold: dict[str, Gold] = {}
    for name, answers, told in _chaii(path) if str(path).endswith(".csv") else _squad(path):
        if name in gold:
            raise InputError(f"{path}: question {name} occurs twice; ids must be unique")
        gold[name] = Gold(answers, language or told)
    return gold


def read_predictions(path: Path | str) -> dict[str, str]:
    """Predicted texts by question id, from a JSON object or ChAII's CSV.  Raises InputError where it is neither."""
    if str(path).endswith(".csv"):
        return {row["id"]: row["PredictionString"] or "" for row in _rows(path, ("id", "PredictionString"))}
    content = _json(path)
    if not isinstance(content, dict) or not all(isinstance(text, str) for text in content.values()):
        raise InputError(f"{path}: not predictions, which are a JSON object {{question id: text}}")
    return content


def read_odds(path: Path | str, predictions: dict[str, str]) -> dict[str, float]:
    """Null odds by question id, of every prediction.  Raises InputError where one is missing or no number."""
    content = _json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: not null odds, which are a JSON object {{question id: number}}")
    for name in predictions:
        value = content.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise InputError(f"{path}: question {name} has the null odds {json.dumps(value)}, not a number")
    return content


def doubts(gold: dict[str, Gold], predictions: dict[str, str], metric: str) -> list[str]:
    """What makes scores misleading without making them wrong, a sentence each."""
    missing = sum(name not in predictions for name in gold)
    extra = sum(name not in gold for name in predictions)
    how = "are left out" if metric == "squad2" else "score as unanswered"
    return [
        *([f"{missing} of {len(gold)} questions have no prediction and {how}"] if missing else []),
        *([f"{extra} predictions are for questions that are not in the gold file"] if extra else []),
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Command line: print the report as JSON, and write it where `--out` says."""
    arguments = parser(__doc__)
    arguments.add_argument(
        "--gold",
        required=True,
        nargs="+",
        metavar="[LANGUAGE=]FILE",
        help="SQuAD-format JSON, or ChAII's CSV",
    )
    arguments.add_argument("--predictions", required=True, help="JSON object of texts, or ChAII's CSV")
    arguments.add_argument("--metric", required=True, choices=METRICS, help="see above")
    arguments.add_argument(
        "--null-odds", help="squad2: JSON object of numbers, high where there is no answer"
    )
    arguments.add_argument(
        "--threshold", type=float, default=1.0, help="squad2: null odds above which nothing is answered (1)"
    )
    arguments.add_argument("--scores", help="also write the scores of every question, JSON lines")
    arguments.add_argument("--out", help="also write the report to this file")
    given = arguments.parse_args(argv)
    if given.null_odds and given.metric != "squad2":
        raise InputError(f"--null-odds belongs to --metric squad2, not {given.metric}")
    gold: dict[str, Gold] = {}
    for argument in given.gold:
        language, _, file = argument.rpartition("=") if not Path(argument).exists() else ("", "", argument)
        for name, question in read_gold(file, language or None).items():
            if name in gold:
                raise InputError(f"{file}: question {name} is in another gold file, too; score them apart")
            gold[name] = question
    predictions = read_predictions(given.predictions)
    if not gold:
        raise InputError(f"{', '.join(given.gold)}: no questions")
    if not any(name in gold for name in predictions):
        raise InputError(
            f"{given.predictions}: no prediction for any question of {', '.join(given.gold)}; give files with the"
            " same ids"
        )
    odds = read_odds(given.null_odds, predictions) if given.null_odds else None
    for sentence in doubts(gold, predictions, given.metric):
        print(f"warning: {sentence}", file=sys.stderr)
    report, scores = evaluate(gold, predictions, given.metric, odds, given.threshold)
    if given.scores:
        write_jsonl(given.scores, ({"id": name, **figures} for name, figures in scores.items()))
    text = json.dumps(report, indent=1)
    if given.out:
        write_text(given.out, text + "\n")
    print(text)


def _squad(path: Path | str) -> list[tuple[str, tuple[str, ...], str | None]]:
    """(id, answers, None) of every question of a SQuAD-format file."""
    content = _json(path)
    try:
        return [
            (str(asked["id"]), tuple(str(answer["text"]) for answer in asked["answers"]), None)
            for article in content["data"]
            for paragraph in article["paragraphs"]
            for asked in paragraph["qas"]
        ]
    except (KeyError, TypeError):
        raise InputError(
            f"{path}: not a SQuAD-format file, which is {{data: [{{paragraphs: [{{qas: [{{id, answers}}]}}]}}]}}"
        ) from None


def _chaii(path: Path | str) -> list[tuple[str, tuple[str, ...], str | None]]:
    """(id, answers, language) of every row of a file with ChAII's columns."""
    rows = _rows(path, ("id", "answer_text"))
    return [(row["id"], (row["answer_text"],), row.get("language")) for row in rows]


def _rows(path: Path | str, columns: Sequence[str]) -> list[dict[str, str]]:
    read_lines(path)  # which tells what is wrong with a file
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
            raise InputError(f"{path}: column {missing[0]} is missing; {', '.join(columns)} are needed")
        return list(reader)


def _json(path: Path | str) -> Any:
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path} line {error.lineno}: not JSON ({error.msg})") from None


if __name__ == "__main__":
    run(main)
