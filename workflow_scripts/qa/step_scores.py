"""What the texts of a model's answers score while it is trained, as `evaluate.score` tells it of its predictions.

They are kept for every step whose weights are scored: a curve of learning, and all that MuCoT's published code looks at
when it chooses a step for each column of its tables.
"""

from collections import defaultdict
from typing import Any, NamedTuple

from workflow_scripts.corpus import Document, Question
from workflow_scripts.evaluate.overlap import Gold
from workflow_scripts.evaluate.texts import SQUAD, Texts, gold_texts, rules_for, text_means, text_scores
from workflow_scripts.evaluate.tydi import gold_of
from workflow_scripts.qa.answers import Candidates, squad_text
from workflow_scripts.qa.batches import Part
from workflow_scripts.tydi_format import to_record

Asked = list[tuple[Question, Document]]


class Questions(NamedTuple):
    """The questions of an evaluation: features of each corpus, its questions one after another, gold texts of these.

    gold is in the order of `asked`; annotators: how many had to agree.
    """

    parts: list[Part]
    asked: Asked
    gold: list[Gold]
    annotators: int


def pair_of(question: Question, document: Document) -> str:
    """The pair of languages that a question belongs to."""
    return f"{question.language}-{document.language}"


def gold_answers(question: Question, document: Document, annotators: int) -> Gold:
    """What `annotators` or more people answered; no answer if fewer did, or nobody was asked."""
    if not question.annotations:
        return Gold(())
    record = to_record(question, document)
    answers = gold_of(record, f"question {question.question_id}").answers
    return gold_texts(answers, record["document_plaintext"].encode(), annotators)


def step_scores(questions: Questions, answered: list[Candidates]) -> dict[str, Any]:
    """Of each pair and of all questions (`overall`) the number and the means of the texts' scores, from 0 to 1.

    answered: in the order of the questions.  Keys are those of files of scores; SQuAD's rules are those of 1.1 where
    every question has an answer, of 2.0 elsewhere.
    """
    texts: dict[str, Texts] = defaultdict(lambda: Texts({}, {}))
    for number, ((question, document), gold, found) in enumerate(
        zip(questions.asked, questions.gold, answered, strict=True)
    ):
        of_pair = texts[pair_of(question, document)]
        of_pair.gold[str(number)] = gold
        of_pair.said[str(number)] = squad_text(document, found)
    rules = rules_for(questions.gold)
    scores = {pair: text_scores(of_pair, rules) for pair, of_pair in texts.items()}
    groups = {
        **scores,
        "overall": {name: got for of_pair in scores.values() for name, got in of_pair.items()},
    }
    means = {name: {"n": len(group), "text": text_means(group)} for name, group in groups.items()}
    return {
        "annotators": questions.annotators,
        "squad": SQUAD[rules],
        "overall": means.pop("overall"),
        "pairs": means,
    }
