"""How well a model that is being trained answers the questions of an evaluation, so that its best weights can be kept.

The questions are those of a development set: nothing is reported on them, and they are not trained on.
"""

from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from transformers import PreTrainedTokenizerBase

from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Document, Question, example_id
from workflow_scripts.evaluate import overlap, tydi
from workflow_scripts.qa.answering import answer_windows, paired
from workflow_scripts.qa.answers import Candidates, squad_text, tydi_line
from workflow_scripts.qa.batches import Layout, check_fits, read_parts
from workflow_scripts.qa.heads import QuestionAnswerer
from workflow_scripts.recipes.tuning import Prediction, Selected
from workflow_scripts.tydi_format import to_record

Asked = list[tuple[Question, Document]]


def texts(question: Question) -> tuple[str, ...]:
    """The answers that annotators gave, as text: a span, yes or no."""
    said = [
        annotation.text if annotation.start >= 0 else annotation.yes_no.lower()
        for annotation in question.annotations
        if annotation.start >= 0 or annotation.yes_no != "NONE"
    ]
    return tuple(dict.fromkeys(said))


def text_score(asked: Asked, answered: list[Candidates], metric: str) -> float:
    """Mean of SQuAD 2.0's exact match or F1, or of the word Jaccard, over questions in percent.

    With Jaccard, questions without an answer don't count.
    """
    gold, said = {}, {}
    for number, ((question, document), found) in enumerate(zip(asked, answered, strict=True)):
        answers = texts(question)
        if answers or metric != "jaccard":
            gold[str(number)] = overlap.Gold(answers)
            said[str(number)] = squad_text(document, found)
    figure = "exact" if metric == "em" else metric
    kind = "jaccard" if metric == "jaccard" else "squad2"
    scores = overlap.question_scores(gold, said, kind)
    return 100 * float(np.mean([figures[figure] for figures in scores.values()]))


def tydi_score(asked: Asked, answered: list[Candidates], metric: str, annotators: int) -> float:
    """Mean over question-context pairs of languages of TyDi's best F1 in percent, of the task `metric`."""
    gold: dict[str, dict[str, tydi.Gold]] = defaultdict(dict)
    said: dict[str, dict[str, tydi.Prediction]] = defaultdict(dict)
    for (question, document), found in zip(asked, answered, strict=True):
        pair, where = f"{question.language}-{document.language}", f"question {question.question_id}"
        name = str(example_id(question.source_id))
        gold[pair][name] = tydi.gold_of(to_record(question, document), where)
        said[pair][name] = tydi.prediction_of(tydi_line(question, document, found), where)
    best = [
        tydi.best_threshold(tydi.example_scores(gold[pair], said[pair], annotators)[metric]) for pair in gold
    ]
    return 100 * float(np.mean([point.f1 for point in best]))


def scorer(
    model: QuestionAnswerer,
    tokenizer: PreTrainedTokenizerBase,
    layout: Layout,
    arguments: Namespace,
    recipe: Selected,
    prediction: Prediction,
    hide: str,
) -> Callable[[], float]:
    """A function that scores the model as it is on the corpora that `arguments` names with --dev-….

    Raises InputError where their files don't belong together, are another tokenizer's, or hold nothing to score.
    """
    parts = read_parts(arguments.dev_contexts, arguments.dev_windows)
    check_fits(parts, tokenizer)
    files = (arguments.dev_documents, arguments.dev_questions, arguments.dev_windows, parts)
    corpora = [paired(*corpus) for corpus in zip(*files, strict=True)]
    asked = [row for corpus in corpora for row in corpus]
    if not any(texts(question) for question, _ in asked):
        raise InputError(
            f"{arguments.dev_questions[0]}: no question has an answer, so nothing can be selected"
        )

    def score() -> float:
        answered = [
            found for part in parts for found in answer_windows(model, part, layout, prediction, hide)
        ]
        if recipe.metric in ("passage", "minimal"):
            return tydi_score(asked, answered, recipe.metric, arguments.dev_annotators)
        return text_score(asked, answered, recipe.metric)

    return score
