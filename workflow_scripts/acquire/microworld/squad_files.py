"""SQuAD 1.1's files: paragraphs with questions that a span of the paragraph answers (Rajpurkar et al. 2016).

An article is one paragraph.  `answer_start` counts characters; three people answered each question of the dev file, one
of whom sometimes marks more ("in 1900").
"""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from workflow_scripts.acquire.microworld.articles import (
    Article,
    Question,
    asked,
    draw_articles,
    joined,
    question_phrasings,
    sentences,
    span,
    span_questions,
)
from workflow_scripts.acquire.microworld.grammar import Grammar, Sentence, surface
from workflow_scripts.acquire.microworld.output import number64
from workflow_scripts.acquire.microworld.tydi_files import MARKS_TOKEN
from workflow_scripts.acquire.microworld.world import Draw
from workflow_scripts.files import write_text
from workflow_scripts.recipes.microworld import Microworld

ANNOTATORS = {"train": 1, "dev": 3}


def write_squad(
    out: Path,
    grammar: Grammar,
    part: Literal["train", "dev"],
    pools: dict[str, list[str]],
    recipe: Microworld,
) -> None:
    """squad/squad-LANG-PART.json."""
    count = dict(zip(("train", "dev"), recipe.squad_articles, strict=True))[part]
    where = f"{recipe.seed} {grammar.language} squad {part}"
    phrasings = question_phrasings(recipe, part)
    found = draw_articles(grammar, pools, recipe, where, ["span"] * count, phrasings)
    data = []
    for draw, article in found:
        questions = span_questions(draw, article, phrasings, recipe.squad_questions)
        data.append(squad_article(draw, article, questions, ANNOTATORS[part]))
    text = json.dumps({"data": data, "version": "1.1"}, ensure_ascii=False)
    write_text(out / f"squad/squad-{grammar.language}-{part}.json", text + "\n")


def squad_article(
    draw: Draw, article: Article, questions: Sequence[Question], annotators: int
) -> dict[str, Any]:
    """An article in SQuAD's form; the ids of its questions follow from its paragraph and their text."""
    found = sentences(draw.grammar, article)
    context = joined(found)
    qas = []
    for question in questions:
        text = asked(draw.grammar, question)
        qas.append(
            {
                "answers": answers(draw.rng, found, question, annotators),
                "id": f"{number64(context, text):016x}",
                "question": text,
            }
        )
    title = surface(draw.grammar, article.slot, article.title)
    return {"paragraphs": [{"context": context, "qas": qas}], "title": title.replace(" ", "_")}


def answers(
    rng: random.Random, found: Sequence[Sentence], question: Question, annotators: int
) -> list[dict[str, Any]]:
    """What so many people answered; at least two agree, and their order is random."""
    assert question.statement is not None
    start, end = span(found, question.statement, question.slot)
    marked = [(start, end)] * annotators
    if annotators > 1 and rng.random() < MARKS_TOKEN:
        sentence = found[question.statement]
        stem, (first, last) = sentence.piece(question.slot), more(sentence, question.slot)
        marked[-1] = (start - stem.stem_start + first, end - stem.stem_end + last)
        rng.shuffle(marked)
    context = joined(found)
    return [{"answer_start": start, "text": context[start:end]} for start, end in marked]


def more(sentence: Sentence, slot: str) -> tuple[int, int]:
    """[start, end) of the word that holds a slot, with its particle or article or else with the word before it."""
    place = next(number for number, piece in enumerate(sentence.pieces) if piece.slot == slot)
    word = sentence.pieces[place]
    plain = (word.start, word.end) == (word.stem_start, word.stem_end)
    return sentence.pieces[max(place - plain, 0)].start, word.end
