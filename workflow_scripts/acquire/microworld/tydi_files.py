"""TyDi QA's files: the primary task's records, lists of question ids, and the questions in other languages.

A record has one document and one question, offsets in UTF-8 bytes, a signed 64-bit example id and unsigned 64-bit
annotation ids (Clark et al. 2020).  Annotators of the real files sometimes disagree; so do these.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workflow_scripts.acquire.microworld.articles import (
    Article,
    Part,
    Wordings,
    asked,
    draw_articles,
    draw_wording,
    question_phrasings,
    schedule,
    sentences,
)
from workflow_scripts.acquire.microworld.grammar import Grammar, fill, surface
from workflow_scripts.acquire.microworld.output import lines, number64
from workflow_scripts.acquire.microworld.spelling import respelled
from workflow_scripts.files import write_jsonl, write_text
from workflow_scripts.languages import language
from workflow_scripts.recipes.microworld import Microworld

PIVOT = "en"
# The parts of the world that each file holds: the official train file holds what others set aside as dev, and the
# official dev file is the public test.
FILES: dict[str, tuple[Part, ...]] = {"train": ("train", "dev"), "dev": ("test",), "hard": ("hard",)}
# Three annotators for what is tested on, one for training and development, as in the official files.
ANNOTATORS: dict[Part, int] = {"train": 1, "dev": 1, "test": 3, "hard": 3}
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


def examples(
    grammar: Grammar, pools: dict[str, list[str]], recipe: Microworld, part: Part, count: int
) -> Iterator[Example]:
    """The articles of a language in a part of the world."""
    where = f"{recipe.seed} {grammar.language} {part}"
    kinds = schedule(random.Random(where), count, recipe)
    wordings: Wordings = "held out" if part == "hard" else "taught"
    phrasings = question_phrasings(recipe, part)
    found = draw_articles(grammar, pools, recipe, where, kinds, phrasings, wordings)
    for number, (draw, article) in enumerate(found):
        example_id = number64(where, number) - 2**63
        record = tydi_record(draw.rng, grammar, article, example_id, ANNOTATORS[part])
        yield Example(example_id, grammar.language, article, record)


def tydi_record(
    rng: random.Random, grammar: Grammar, article: Article, example_id: int, annotators: int
) -> dict[str, Any]:
    """An article as a record of TyDi QA's primary task: title line, then a sentence a passage."""
    title = surface(grammar, article.slot, article.title)
    text, candidates, spans = f"\n{title}\n", [], []
    question = article.question
    for number, sentence in enumerate(sentences(grammar, article)):
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
        "question_text": asked(grammar, question),
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


def translation(example: Example, target: Grammar, phrasings: Sequence[int], recipe: Microworld) -> str:
    """An example's question in another language, in a wording drawn without regard to the original's."""
    question = example.article.question
    rng, phrasing = translated_wording(example, target, phrasings, recipe)
    spelled = respelled(question.values, target.language, rng, recipe.mismatch.questions)
    return fill(target, question.key, phrasing, question.values, spelled).text


def translated_wording(
    example: Example, target: Grammar, phrasings: Sequence[int], recipe: Microworld
) -> tuple[random.Random, int]:
    """The wording of an example's question in another language, and what its further draws are taken from."""
    rng = random.Random(f"{recipe.seed} {example.example_id} {target.language}")
    return rng, draw_wording(rng, target, example.article.question.key, phrasings)


def write_records(out: Path, name: str, found: Sequence[Example]) -> None:
    """tydi/tydiqa-v1.0-NAME.jsonl.gz."""
    write_jsonl(out / f"tydi/tydiqa-v1.0-{name}.jsonl.gz", (example.record for example in found))


def write_translations(
    out: Path, name: str, found: Sequence[Example], grammars: Mapping[str, Grammar], recipe: Microworld
) -> None:
    """translations/NAME.SOURCE-TARGET.tsv, `example_id<TAB>question`, for the examples of a file, in their order.

    English questions in each other language, and each other language's in English.
    """
    phrasings = question_phrasings(recipe, FILES[name][0])
    others = [code for code in grammars if code != PIVOT]
    for source, target in [*((PIVOT, code) for code in others), *((code, PIVOT) for code in others)]:
        translated = (
            f"{example.example_id}\t{translation(example, grammars[target], phrasings, recipe)}"
            for example in found
            if example.language == source
        )
        write_text(out / f"translations/{name}.{source}-{target}.tsv", lines(translated))
