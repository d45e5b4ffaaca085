"""Score one model's predictions on one evaluation: TyDi QA's primary-task F1, SQuAD's and ChAII's scores of texts.

Example ids repeat over the pairs (a translated question keeps the id of its original), so gold answers and predictions
of each pair are files of their own, `<question language>-<context language>.jsonl`, each under one official language
label, that of the context.

The best F1 is that of a threshold which is found on the evaluated questions themselves, as TyDi QA's program does.
With `--thresholds`, F1 at those of `evaluate.threshold` stands beside it, as `at_dev_threshold`.  Texts are scored as
they are, whatever their score (`text`: means of em, f1, jaccard and mucot_f1); `squad` says by which rules, those of
SQuAD 1.1 or, where any question of the evaluation has no answer, of SQuAD 2.0.  `--questions` keeps what every question
got.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.evaluate.outcomes import Questions, to_lines
from workflow_scripts.evaluate.texts import (
    SQUAD,
    Scores,
    Texts,
    article_of,
    gold_texts,
    rules_for,
    text_means,
    text_of,
    text_scores,
)
from workflow_scripts.evaluate.threshold import read_thresholds
from workflow_scripts.evaluate.tydi import (
    TASKS,
    Gold,
    at_threshold,
    doubts,
    each_gold,
    example_scores,
    read_predictions,
    summary,
)
from workflow_scripts.files import write_jsonl, write_text


def score_pair(gold_file: Path, prediction_file: Path, annotators: int) -> tuple[Questions, Texts]:
    """What every question of one pair of files got in TyDi's tasks, and its texts.

    Raises InputError unless both files hold the same one language label and at least one line each, and some question
    has `annotators` annotations.  What else is odd, such as missing predictions, is told on stderr.
    """
    predictions = read_predictions(prediction_file)
    gold: dict[str, Gold] = {}
    texts = Texts({}, {})
    for name, asked_of, record in each_gold(gold_file):
        gold[name] = asked_of
        article = article_of(record, f"{gold_file}: example {name}")
        texts.gold[name] = gold_texts(asked_of.answers, article, annotators)
        if name in predictions:
            texts.said[name] = text_of(predictions[name].answer, article)
    labels = {
        str(gold_file): {value.language for value in gold.values()},
        str(prediction_file): {value.language for value in predictions.values()},
    }
    for name, found in labels.items():
        if len(found) != 1:
            raise InputError(
                f"{name}: the languages are {', '.join(sorted(found)) or '(no lines)'}, but the file of a pair has"
                " exactly one, its context's"
            )
    if len(set.union(*labels.values())) != 1:
        (asked,), (said,) = labels.values()
        raise InputError(f"{prediction_file}: the language is {said}, but that of {gold_file} is {asked}")
    most = max(len(value.answers) for value in gold.values())
    if most < annotators:
        raise InputError(
            f"{gold_file}: no question has {annotators} annotations (the most is {most}), so no answer would count;"
            f" --annotators must not exceed {most}"
        )
    for sentence in doubts(gold, predictions, annotators):
        print(f"warning: {prediction_file}: {sentence}", file=sys.stderr)
    return Questions(list(gold), example_scores(gold, predictions, annotators)), texts


def figures_of(questions: Questions, texts: Scores, thresholds: dict[str, float] | None) -> dict[str, Any]:
    """The number of questions, the means of their texts' scores, and each task's figures, also with `thresholds`."""
    figures: dict[str, Any] = {"n": len(questions.ids), "text": text_means(texts)}
    for task in TASKS:
        figures[task] = summary(questions.tasks[task])
        if thresholds is not None:
            figures[task]["at_dev_threshold"] = at_threshold(
                questions.tasks[task], thresholds[task]
            )._asdict()
    return figures


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--gold", required=True, help="folder of gold files, <pair>.jsonl")
    arguments.add_argument("--predictions", required=True, help="folder of prediction files, <pair>.jsonl")
    arguments.add_argument("--pairs", required=True, nargs="+", help="pairs to score, such as en-ar ar-en")
    arguments.add_argument(
        "--annotators",
        required=True,
        type=int,
        help="annotators who must have given an answer: 2 of TyDi dev's 3, 1 where there is one",
    )
    arguments.add_argument("--thresholds", help="scores that answers must have, found elsewhere (JSON)")
    arguments.add_argument("--out", required=True, help="the scores, as JSON")
    arguments.add_argument("--questions", help="what every question got (.jsonl)")
    given = arguments.parse_args(argv)
    if given.annotators < 1:
        raise InputError(f"--annotators is {given.annotators}; at least 1 annotator must agree")
    thresholds = read_thresholds(given.thresholds, given.pairs) if given.thresholds else {}
    read = {
        pair: score_pair(
            Path(given.gold, f"{pair}.jsonl"), Path(given.predictions, f"{pair}.jsonl"), given.annotators
        )
        for pair in given.pairs
    }
    rules = rules_for([question for _, texts in read.values() for question in texts.gold.values()])
    got = {pair: (questions, text_scores(texts, rules)) for pair, (questions, texts) in read.items()}
    scores = {pair: figures_of(*of, thresholds.get(pair)) for pair, of in got.items()}
    if given.questions:
        write_jsonl(given.questions, (line for pair, of in got.items() for line in to_lines(pair, *of)))
    content = {"annotators": given.annotators, "squad": SQUAD[rules], "pairs": scores}
    write_text(given.out, json.dumps(content, indent=1) + "\n")
    for pair, figures in scores.items():
        print(
            f"{pair}: {figures['n']} questions, passage F1 {100 * figures['passage']['best_f1']:.1f},"
            f" minimal F1 {100 * figures['minimal']['best_f1']:.1f},"
            f" word Jaccard {100 * figures['text']['jaccard']:.1f}"
        )


if __name__ == "__main__":
    run(main)
