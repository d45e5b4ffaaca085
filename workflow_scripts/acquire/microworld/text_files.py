"""Monolingual documents and parallel sentences, for encoders to read and to be aligned on.

Their names are the text's own, so that an encoder learns to copy a name, not to remember those of the training set.
They have both wordings of every statement, held-out ones too: an encoder reads widely, and the harder test asks whether
a QA model carries over what only its encoder has met.  The third wording of questions stands in neither.
"""

import random
from collections.abc import Iterator
from pathlib import Path

from workflow_scripts.acquire.microworld.articles import (
    asked,
    asking,
    draw_articles,
    draw_wording,
    schedule,
    sentences,
)
from workflow_scripts.acquire.microworld.grammar import Grammar, fill, links
from workflow_scripts.acquire.microworld.output import lines
from workflow_scripts.acquire.microworld.world import RELATIONS, YES_NO, Draw, draw_entity, draw_fact
from workflow_scripts.files import write_text
from workflow_scripts.recipes.microworld import Microworld


def write_documents(out: Path, grammar: Grammar, pools: dict[str, list[str]], recipe: Microworld) -> None:
    """text/LANG.txt, a document a line."""
    write_text(out / f"text/{grammar.language}.txt", lines(documents(grammar, pools, recipe)))


def write_parallel(
    out: Path, source: Grammar, target: Grammar, pools: dict[str, list[str]], recipe: Microworld
) -> None:
    """Sentence pairs as Moses files under parallel/, with their gold links (Pharaoh format) beside them."""
    stem = f"{source.language}-{target.language}"
    pairs = list(sentence_pairs(source, target, pools, recipe))
    write_text(out / f"parallel/{stem}.{source.language}", lines(pair[0] for pair in pairs))
    write_text(out / f"parallel/{stem}.{target.language}", lines(pair[1] for pair in pairs))
    gold = (" ".join(f"{i}-{j}" for i, j in pair[2]) for pair in pairs)
    write_text(out / f"parallel/{stem}.links", lines(gold))


def documents(grammar: Grammar, pools: dict[str, list[str]], recipe: Microworld) -> Iterator[str]:
    """Monolingual documents: the sentences of an article in one line, after a question about it in some."""
    where = f"{recipe.seed} {grammar.language} text"
    sizes = {"facts": recipe.document_facts, "distractor_facts": recipe.document_distractor_facts}
    recipe = recipe.model_copy(update=sizes)
    kinds = schedule(random.Random(where), recipe.documents_of(grammar.language), recipe)
    for draw, article in draw_articles(
        grammar, pools, recipe, where, kinds, recipe.question_phrasings, "any"
    ):
        found = [sentence.text for sentence in sentences(grammar, article)]
        if draw.rng.random() < recipe.documents_with_question:
            found.insert(0, asked(grammar, article.question))
        yield " ".join(found)


def sentence_pairs(
    source: Grammar, target: Grammar, pools: dict[str, list[str]], recipe: Microworld
) -> Iterator[tuple[str, str, list[tuple[int, int]]]]:
    """(sentence, its translation, gold links over their words): statements and questions, wordings that match."""
    where = f"{recipe.seed} {source.language} {target.language} parallel"
    for number in range(recipe.sentence_pairs):
        draw = Draw(random.Random(f"{where} {number}"), source, pools)
        rng = draw.rng
        theme, relation = rng.choice([(theme, r) for theme, of in RELATIONS.items() for r in of])
        fact = draw_fact(draw, draw_entity(draw, theme), relation)
        key = f"S{relation}"
        phrasings = tuple(range(1, len(source.phrasings[key]) + 1))
        if rng.random() < recipe.question_pairs:
            phrasings = recipe.question_phrasings
            key = rng.choice(asking(source, relation))
            if relation in YES_NO and rng.random() < 0.5:
                key = f"B{relation}"
        phrasing = draw_wording(rng, source, key, phrasings)
        pair = fill(source, key, phrasing, fact.values), fill(target, key, phrasing, fact.values)
        yield pair[0].text, pair[1].text, links(*pair)
