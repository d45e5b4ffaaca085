"""ChAII's files, and whole translated records of its training questions.

train.csv and test.csv have the columns of the official training file: id, context, question, answer_text, answer_start
(in characters), language (hindi, tamil).  The official test file leaves the answers out; this one has them, so that it
can be scored.

chaii/translations/SOURCE-TARGET.jsonl stands in for the translation system of MuCoT (Kumar et al. 2022, section 4), to
which question, answer and every sentence of the context are given by themselves.  A line for each row of train.csv in
SOURCE:

  id            the row's
  sentences     [sentence of the context, its translation] pairs; the sentences joined by blanks are the context
  question      the question's translation
  answer_text   the answer's translation, made without the context: uninflected, names spelled as usual
  gold_text     how the translated context says the answer
  gold_start    where, in characters of the translations joined by blanks

Whoever augments data looks for answer_text in the translated context; gold_text and gold_start tell whether what was
found is right.  The two texts differ where the context inflects the word, and where it spells the name otherwise:
in every sentence each name is, with the probability `mismatch.contexts`.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_scripts.acquire.microworld.articles import (
    Article,
    Part,
    asked,
    draw_articles,
    draw_wording,
    joined,
    question_phrasings,
    sentences,
    span,
)
from workflow_scripts.acquire.microworld.grammar import Grammar, Sentence, fill, surface
from workflow_scripts.acquire.microworld.output import csv_text, number64
from workflow_scripts.acquire.microworld.spelling import respelled
from workflow_scripts.files import write_jsonl, write_text
from workflow_scripts.languages import language
from workflow_scripts.recipes.microworld import Microworld

COLUMNS = ("id", "context", "question", "answer_text", "answer_start", "language")


@dataclass(frozen=True)
class Row:
    """A row of ChAII's, with its language's code, the article that it comes from and the sentences of its context."""

    row_id: str
    code: str
    article: Article
    told: list[Sentence]
    cells: tuple[object, ...]


def write_chaii(
    out: Path,
    grammars: Mapping[str, Grammar],
    pools: Mapping[Part, dict[str, list[str]]],
    recipe: Microworld,
) -> None:
    """chaii/train.csv, chaii/test.csv and chaii/translations/ of the recipe's ChAII languages that the world has."""
    sources = [code for code in recipe.chaii_articles if code in grammars]
    if not sources:
        return
    parts: tuple[Part, Part] = ("train", "test")
    for place, part in enumerate(parts):
        found = [
            row
            for code in sources
            for row in rows(grammars[code], part, pools[part], recipe, recipe.chaii_articles[code][place])
        ]
        # Ids are random: their order mixes languages, as the real files do.
        found.sort(key=lambda row: row.row_id)
        write_text(out / f"chaii/{part}.csv", csv_text([COLUMNS, *(row.cells for row in found)]))
        if part == "train":
            for source in sources:
                for target in recipe.chaii_targets:
                    if target in grammars and target != source:
                        write_jsonl(
                            out / f"chaii/translations/{source}-{target}.jsonl",
                            (
                                translated(row, grammars[target], recipe)
                                for row in found
                                if row.code == source
                            ),
                        )


def rows(
    grammar: Grammar, part: Part, pools: dict[str, list[str]], recipe: Microworld, count: int
) -> list[Row]:
    """The questions of a language, each with an article of its own; a span of it answers every one."""
    where = f"{recipe.seed} {grammar.language} chaii {part}"
    kinds = ["span"] * count
    found = []
    for number, (_, article) in enumerate(
        draw_articles(grammar, pools, recipe, where, kinds, question_phrasings(recipe, part))
    ):
        row_id = f"{number64(where, number):016x}"[:9]
        told = sentences(grammar, article)
        assert article.question.statement is not None
        start, end = span(told, article.question.statement, article.question.slot)
        context = joined(told)
        question = asked(grammar, article.question)
        name = language(grammar.language).tydi
        cells = (row_id, context, question, context[start:end], start, name)
        found.append(Row(row_id, grammar.language, article, told, cells))
    return found


def translated(row: Row, target: Grammar, recipe: Microworld) -> dict[str, Any]:
    """A row as it comes back from the translation system (see the top of this module)."""
    rng = random.Random(f"{recipe.seed} {row.row_id} {target.language}")
    article, question = row.article, row.article.question
    phrasing = draw_wording(rng, target, question.key, question_phrasings(recipe, "train"))
    told = []
    for fact, wording in article.statements:
        spelled = respelled(fact.values, target.language, rng, recipe.mismatch.contexts)
        told.append(fill(target, f"S{fact.relation}", wording, fact.values, spelled))
    assert question.statement is not None
    start, end = span(told, question.statement, question.slot)
    return {
        "id": row.row_id,
        "sentences": [[one.text, other.text] for one, other in zip(row.told, told, strict=True)],
        "question": fill(target, question.key, phrasing, question.values).text,
        "answer_text": surface(target, question.slot, question.values[question.slot]),
        "gold_text": joined(told)[start:end],
        "gold_start": start,
    }
