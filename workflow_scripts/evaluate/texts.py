"""TyDi QA's answers as texts, and what these score by SQuAD's and ChAII's rules.

A span's text is what it delimits in the article, YES and NO are "yes" and "no", no answer is "".  A question's gold
answers are those of all annotators who gave one, if they are as many as must agree; it has none otherwise.
"""

import statistics
from typing import Any, NamedTuple

from workflow_scripts.cli import InputError
from workflow_scripts.evaluate.overlap import Gold, question_scores
from workflow_scripts.evaluate.tydi import Answer

Scores = dict[str, dict[str, float]]  # question -> metric -> from 0 to 1
SQUAD = {"squad": "1.1", "squad2": "2.0"}  # whose rules count -> as files of scores say it


class Texts(NamedTuple):
    """Questions by example id: what people answered, and what a system did, unless it left the question out."""

    gold: dict[str, Gold]
    said: dict[str, str]


def article_of(record: dict[str, Any], where: str) -> bytes:
    """The article of a gold record, which offsets count the bytes of.  Raises InputError where there is none."""
    text = record.get("document_plaintext")
    if not isinstance(text, str):
        raise InputError(f"{where}: document_plaintext is missing, which holds the texts of answers")
    return text.encode()


def text_of(answer: Answer, article: bytes) -> str:
    """The text of one answer; halves of a character at the edges of a span are left out."""
    if answer.yes_no != "none":
        return answer.yes_no
    return article[answer.start : answer.end].decode(errors="ignore") if answer.start >= 0 else ""


def gold_texts(answers: tuple[Answer, ...], article: bytes, annotators: int) -> Gold:
    """What `annotators` or more people answered; no answer if fewer did."""
    given = [answer for answer in answers if not answer.is_null]
    return Gold(tuple(text_of(answer, article) for answer in given) if len(given) >= annotators else ())


def rules_for(gold: list[Gold]) -> str:
    """Whose rules count for EM and F1: squad (1.1), or squad2 (2.0) where a question has no answer."""
    return "squad" if all(question.answers for question in gold) else "squad2"


def text_scores(texts: Texts, rules: str) -> Scores:
    """What every question gets: em and f1 by SQuAD's rules ("squad" or "squad2"), jaccard, and MuCoT's own F1.

    A question without an answer has the gold answer "" in Jaccard, too, as it has in SQuAD 2.0.  One without a
    prediction counts as unanswered, where SQuAD 2.0's program would leave it out.
    """
    said = {name: texts.said.get(name, "") for name in texts.gold} if rules == "squad2" else texts.said
    squad = question_scores(texts.gold, said, rules)
    told = {
        name: question._replace(answers=question.answers or ("",)) for name, question in texts.gold.items()
    }
    return {
        name: {"em": squad[name]["exact"], "f1": squad[name]["f1"], **figures}
        for name, figures in question_scores(told, texts.said, "jaccard").items()
    }


def text_means(scores: Scores) -> dict[str, float]:
    """The mean of each metric over questions, of which there is at least one."""
    metrics = next(iter(scores.values()))
    return {metric: statistics.fmean(got[metric] for got in scores.values()) for metric in metrics}
