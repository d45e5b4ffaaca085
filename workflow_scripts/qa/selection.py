"""How well a model that is being trained answers the questions of an evaluation, so that its best weights can be kept.

The questions are those of a development set: nothing is reported on them, and they are not trained on.  Those of
another evaluation may be answered beside them, so that it is known what each step scores there; this never changes the
choice.
"""

from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from transformers import PreTrainedTokenizerBase

from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Question, example_id
from workflow_scripts.evaluate import overlap, tydi
from workflow_scripts.qa.answering import answer_windows, paired
from workflow_scripts.qa.answers import Candidates, squad_text, tydi_line
from workflow_scripts.qa.batches import Layout, check_fits, read_parts
from workflow_scripts.qa.heads import QuestionAnswerer
from workflow_scripts.qa.step_scores import Asked, Questions, gold_answers, pair_of, step_scores
from workflow_scripts.recipes.tuning import Prediction, Selected
from workflow_scripts.training.loop import Scored
from workflow_scripts.tydi_format import to_record

DEV, REPORTED = "dev", "reported"  # what --dev-… and --reported-… name
PairsGold = dict[
    str, dict[str, tydi.Gold]
]  # question-context pair of languages -> example id -> gold answers


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


def tydi_gold(asked: Asked) -> PairsGold:
    """TyDi's gold answers.  Raises InputError where a pair has two questions of one source, as its files cannot."""
    gold: PairsGold = defaultdict(dict)
    for question, document in asked:
        pair, name = pair_of(question, document), str(example_id(question.source_id))
        if name in gold[pair]:
            raise InputError(
                f"question {question.question_id}: its source, {question.source_id}, has another question in the pair"
                f" {pair}; select on one of them"
            )
        gold[pair][name] = tydi.gold_of(to_record(question, document), f"question {question.question_id}")
    return gold


def tydi_score(
    gold: PairsGold, asked: Asked, answered: list[Candidates], metric: str, annotators: int
) -> float:
    """Mean over question-context pairs of languages of TyDi's best F1 in percent, of the task `metric`."""
    said: dict[str, dict[str, tydi.Prediction]] = defaultdict(dict)
    for (question, document), found in zip(asked, answered, strict=True):
        said[pair_of(question, document)][str(example_id(question.source_id))] = tydi.prediction_of(
            tydi_line(question, document, found), f"question {question.question_id}"
        )
    best = [
        tydi.best_threshold(tydi.example_scores(gold[pair], said[pair], annotators)[metric]) for pair in gold
    ]
    return 100 * float(np.mean([point.f1 for point in best]))


def read_asked(arguments: Namespace, name: str, tokenizer: PreTrainedTokenizerBase) -> Questions:
    """The questions of the corpora that `arguments` names with --dev-… or --reported-….

    Raises InputError where their files don't belong together or are another tokenizer's, or too few annotators answered
    any question of --reported-….
    """
    tables, questions, contexts, windows, annotators = (
        getattr(arguments, f"{name}_{what}")
        for what in ("documents", "questions", "contexts", "windows", "annotators")
    )
    parts = read_parts(contexts, windows)
    check_fits(parts, tokenizer)
    asked = [row for corpus in zip(tables, questions, windows, parts, strict=True) for row in paired(*corpus)]
    gold = [gold_answers(*row, annotators) for row in asked]
    if name == REPORTED and not any(question.answers for question in gold):
        raise InputError(
            f"{questions[0]}: no question has {annotators} annotators who gave an answer, so there is nothing to score;"
            " lower --reported-annotators (annotators of the evaluation), or give other questions"
        )
    return Questions(parts, asked, gold, annotators)


def scorer(
    model: QuestionAnswerer,
    tokenizer: PreTrainedTokenizerBase,
    layout: Layout,
    arguments: Namespace,
    recipe: Selected,
    prediction: Prediction,
    hide: str,
) -> Callable[[], Scored]:
    """A function that scores the model as it is on the corpora that `arguments` names with --dev-….

    Its details are what the texts of answers score there, and on the corpora of --reported-… if there are any.  Raises
    InputError where files don't belong together, are another tokenizer's, or hold nothing to score.
    """
    names = [DEV, REPORTED] if arguments.reported_questions else [DEV]
    evaluations = {name: read_asked(arguments, name, tokenizer) for name in names}
    asked, metric, annotators = evaluations[DEV].asked, recipe.metric, arguments.dev_annotators
    gold: PairsGold = {}
    if metric in ("passage", "minimal"):
        gold = tydi_gold(asked)
        if not any(tydi.example_scores(of, {}, annotators)[metric].has_gold.any() for of in gold.values()):
            raise InputError(
                f"{arguments.dev_questions[0]}: no question has {annotators} annotators who gave a {metric} answer, so"
                " nothing can be selected; lower --dev-annotators (annotators of the evaluation), or give other"
                " questions"
            )
    elif not any(texts(question) for question, _ in asked):
        raise InputError(
            f"{arguments.dev_questions[0]}: no question has an answer, so nothing can be selected"
        )

    def score() -> Scored:
        answered = {
            name: [
                found
                for part in questions.parts
                for found in answer_windows(model, part, layout, prediction, hide)
            ]
            for name, questions in evaluations.items()
        }
        details = {name: step_scores(questions, answered[name]) for name, questions in evaluations.items()}
        if gold:
            return Scored(tydi_score(gold, asked, answered[DEV], metric, annotators), details)
        return Scored(text_score(asked, answered[DEV], metric), details)

    return score
