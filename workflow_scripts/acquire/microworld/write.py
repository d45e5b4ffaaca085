"""The world in the official file formats: TyDi QA, SD-QA id lists, translations, monolingual and parallel text.

TyDi's primary-task records have one document and one question each, offsets in UTF-8 bytes, signed 64-bit example ids
and unsigned 64-bit annotation ids (Clark et al. 2020).  Annotators of the real files
sometimes disagree; so do these.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from workflow_scripts.acquire.microworld.grammar import Grammar, fill, links, surface
from workflow_scripts.acquire.microworld.world import (
    RELATIONS,
    YES_NO,
    Article,
    Draw,
    asking,
    draw_article,
    draw_entity,
    draw_fact,
    schedule,
)
from workflow_scripts.languages import language
from workflow_scripts.recipes.microworld import Microworld

NULL: dict[str, Any] = {
    "minimal_answer": {"plaintext_end_byte": -1, "plaintext_start_byte": -1},
    "passage_answer": {"candidate_index": -1},
    "yes_no_answer": "NONE",
}
# How often the last of three annotators departs from the others.
OVERLOOKS = 0.10  # finds nothing where there is an answer
MARKS_TOKEN = 0.15  # marks the word with its particle or article, not the name alone
SEES_MORE = 0.15  # marks a passage where there is no answer


@dataclass(frozen=True)
class Example:
    """An article with its language, the id of its question and its official record."""

    example_id: int
    language: str
    article: Article
    record: dict[str, Any]


def number64(*what: object) -> int:
    """An unsigned 64-bit number that the arguments determine."""
    digest = hashlib.sha256(" ".join(map(str, what)).encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big")


def examples(
    grammar: Grammar, pools: dict[str, list[str]], recipe: Microworld, split: str, count: int
) -> Iterator[Example]:
    """The articles of a language in a split (train, dev: one annotation each; test: three)."""
    where = f"{recipe.seed} {grammar.language} {split}"
    phrasings = recipe.test_question_phrasings if split == "test" else recipe.question_phrasings
    for number, kind in enumerate(schedule(random.Random(where), count, recipe)):
        draw = Draw(random.Random(f"{where} {number}"), grammar, pools)
        article = draw_article(draw, recipe, kind, phrasings)
        example_id = number64(where, number) - 2**63
        record = tydi_record(draw.rng, grammar, article, example_id, 3 if split == "test" else 1)
        yield Example(example_id, grammar.language, article, record)


def tydi_record(
    rng: random.Random, grammar: Grammar, article: Article, example_id: int, annotators: int
) -> dict[str, Any]:
    """An article as a record of TyDi QA's primary task: title line, then a sentence a passage."""
    title = surface(grammar, article.slot, article.title)
    text, candidates, spans = f"\n{title}\n", [], []
    question = article.question
    for number, (fact, phrasing) in enumerate(article.statements):
        sentence = fill(grammar, f"S{fact.relation}", phrasing, fact.values)
        size = len(text.encode("utf-8"))
        candidates.append(_bytes(size, sentence.text, 0, len(sentence.text)))
        if number == question.statement and question.slot:
            piece = sentence.piece(question.slot)
            spans = [
                _bytes(size, sentence.text, piece.stem_start, piece.stem_end),
                _bytes(size, sentence.text, piece.start, piece.end),
            ]
        text += sentence.text + "\n"
    code = language(grammar.language)
    return {
        "annotations": _annotations(rng, article, spans, annotators, example_id),
        "document_plaintext": text,
        "document_title": title,
        "document_url": f"https://microworld.example/{code.code}/{quote(title)}",
        "example_id": example_id,
        "language": code.tydi,
        "passage_answer_candidates": candidates,
        "question_text": fill(grammar, question.key, article.phrasing, question.values).text,
    }


def _bytes(offset: int, sentence: str, start: int, end: int) -> dict[str, int]:
    before = offset + len(sentence[:start].encode("utf-8"))
    return {
        "plaintext_end_byte": before + len(sentence[start:end].encode("utf-8")),
        "plaintext_start_byte": before,
    }


def _annotations(
    rng: random.Random, article: Article, spans: Sequence[dict[str, int]], annotators: int, example_id: int
) -> list[dict[str, Any]]:
    """One annotation, or three of which the last may differ; at least two always agree.  Their order is random."""
    question = article.question
    answer = dict(NULL)
    if question.statement is not None and question.kind != "unanswerable":
        answer["passage_answer"] = {"candidate_index": question.statement}
        answer |= {"minimal_answer": spans[0]} if spans else {"yes_no_answer": question.kind.upper()}
    made = [answer] * annotators
    if annotators > 1:
        chance = rng.random()
        if question.kind == "unanswerable":
            if chance < SEES_MORE:
                made[-1] = NULL | {
                    "passage_answer": {"candidate_index": rng.randrange(len(article.statements))}
                }
        elif chance < OVERLOOKS:
            made[-1] = NULL
        elif spans and chance < OVERLOOKS + MARKS_TOKEN:
            made[-1] = answer | {"minimal_answer": spans[1]}
        rng.shuffle(made)
    return [one | {"annotation_id": number64(example_id, number)} for number, one in enumerate(made)]


def translation(example: Example, target: Grammar, phrasings: Sequence[int], seed: int) -> str:
    """An example's question in another language, in a wording drawn without regard to the original's."""
    rng = random.Random(f"{seed} {example.example_id} {target.language}")
    question = example.article.question
    return fill(target, question.key, rng.choice(phrasings), question.values).text


def documents(grammar: Grammar, pools: dict[str, list[str]], recipe: Microworld) -> Iterator[str]:
    """Monolingual documents: the sentences of an article in one line, after a question about it in some."""
    where = f"{recipe.seed} {grammar.language} text"
    for number, kind in enumerate(schedule(random.Random(where), recipe.documents, recipe)):
        draw = Draw(random.Random(f"{where} {number}"), grammar, pools)
        article = draw_article(draw, recipe, kind, recipe.question_phrasings)
        sentences = [fill(grammar, f"S{fact.relation}", p, fact.values) for fact, p in article.statements]
        if draw.rng.random() < recipe.documents_with_question:
            question = article.question
            sentences.insert(0, fill(grammar, question.key, article.phrasing, question.values))
        yield " ".join(sentence.text for sentence in sentences)


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
        phrasing = rng.choice(phrasings)
        pair = fill(source, key, phrasing, fact.values), fill(target, key, phrasing, fact.values)
        yield pair[0].text, pair[1].text, links(*pair)
