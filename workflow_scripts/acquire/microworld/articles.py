"""Articles: which facts they tell, in which words, and what is asked about them.

Statements have two wordings each.  The second wording of the relations in `held_out_statements` is kept from everything
that a QA model is tuned, chosen or ordinarily tested on; the harder test always uses it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from workflow_scripts.acquire.microworld.grammar import Grammar, Sentence, Value, fill
from workflow_scripts.acquire.microworld.world import (
    ASKED,
    RELATIONS,
    SUBJECT,
    YES_NO,
    Draw,
    Fact,
    draw_entity,
    draw_fact,
    slots,
)
from workflow_scripts.recipes.microworld import Microworld

# Articles to tune on, to choose by, to test on, and to test on harder.
Part = Literal["train", "dev", "test", "hard"]
# Which wordings statements of held-out relations have: the first, the second, or either.
Wordings = Literal["taught", "held out", "any"]
HARD_PHRASING = 3  # of questions; stands nowhere but in the harder test


@dataclass(frozen=True)
class Question:
    """A question's key in the tables, its wording, the values it mentions, and what answers it.

    `kind` is span, yes, no or unanswerable; `statement` the index of the statement that answers, or None; `slot` the
    slot of that statement which is the answer ("" for yes and no).
    """

    key: str
    phrasing: int
    kind: str
    values: dict[str, Value]
    statement: int | None
    slot: str


@dataclass(frozen=True)
class Article:
    """An entity's article: its title's slot and value, its statements as (fact, phrasing), one question."""

    slot: str
    title: Value
    statements: list[tuple[Fact, int]]
    question: Question


def schedule(rng: random.Random, count: int, recipe: Microworld) -> list[str]:
    """The kinds of `count` questions, in random order, in the recipe's shares."""
    unanswerable = round(count * recipe.unanswerable)
    half = round(count * recipe.yes_no / 2)
    spans = count - unanswerable - 2 * half
    kinds = ["unanswerable"] * unanswerable + ["yes"] * half + ["no"] * half + ["span"] * spans
    rng.shuffle(kinds)
    return kinds


@dataclass(frozen=True)
class Plan:
    """What an article tells of its own subject and of the other one of the same kind, and what is asked of which."""

    theme: str
    own: list[int]
    other: list[int]
    about_other: bool
    asked: int


def draw_plan(rng: random.Random, recipe: Microworld, kind: str) -> Plan:
    """A plan that allows a question of `kind`.

    The question is chosen after the relations, evenly, so that the choice of relations does not betray it.
    """
    while True:
        # Each relation is as likely as any other, so kinds of entity with more relations come more often.
        theme = rng.choice([theme for theme, relations in ASKED.items() for _ in relations])
        relations = list(RELATIONS[theme])
        rng.shuffle(relations)
        count = rng.randint(*recipe.facts)
        own, unused = relations[:count], relations[count:]
        shared, other = list(own), []
        for _ in range(min(rng.randint(*recipe.distractor_facts), len(relations))):
            pool = shared if shared and (not unused or rng.random() < recipe.shared_relations) else unused
            other.append(pool.pop(rng.randrange(len(pool))))
        about_other = rng.random() < recipe.about_distractor
        told = other if about_other else own
        asked = [
            relation
            for relation in ASKED[theme]
            if (relation in told) == (kind != "unanswerable")
            and (relation in YES_NO or kind not in ("yes", "no"))
        ]
        if asked:
            return Plan(theme, own, other, about_other, rng.choice(asked))


def draw_article(
    draw: Draw, recipe: Microworld, kind: str, phrasings: Sequence[int], wordings: Wordings = "taught"
) -> Article:
    """An article with a question of `kind` (span, yes, no, unanswerable) in one of the question phrasings."""
    rng, grammar = draw.rng, draw.grammar
    plan = draw_plan(rng, recipe, kind)
    own, other = draw_entity(draw, plan.theme), draw_entity(draw, plan.theme)
    facts = [draw_fact(draw, own, relation) for relation in plan.own]
    facts += [draw_fact(draw, other, relation) for relation in plan.other]
    rng.shuffle(facts)
    statements = [(fact, statement_wording(draw, recipe, fact.relation, wordings)) for fact in facts]

    subject = other if plan.about_other else own
    answering = [n for n, f in enumerate(facts) if (f.relation, f.subject) == (plan.asked, subject.name)]
    fact = facts[answering[0]] if answering else draw_fact(draw, subject, plan.asked)
    sceptical = kind == "unanswerable" and plan.asked in YES_NO and rng.random() < recipe.yes_no
    key = f"B{plan.asked}" if kind in ("yes", "no") or sceptical else rng.choice(asking(grammar, plan.asked))
    values = dict(fact.values)
    if kind == "no":
        values[YES_NO[plan.asked]] = _wrong(draw, YES_NO[plan.asked], fact, facts)
    question = Question(
        key,
        draw_wording(rng, grammar, key, phrasings),
        kind,
        values,
        answering[0] if answering else None,
        key[-1] if kind == "span" else "",
    )
    return Article(SUBJECT[plan.theme], own.name, statements, question)


def draw_articles(
    grammar: Grammar,
    pools: dict[str, list[str]],
    recipe: Microworld,
    where: str,
    kinds: Sequence[str],
    phrasings: Sequence[int],
    wordings: Wordings = "taught",
) -> Iterator[tuple[Draw, Article]]:
    """An article for each of the `kinds` of question, with its draw; `where` says which part of the world this is."""
    for number, kind in enumerate(kinds):
        draw = Draw(random.Random(f"{where} {number}"), grammar, pools)
        yield draw, draw_article(draw, recipe, kind, phrasings, wordings)


def statement_wording(draw: Draw, recipe: Microworld, relation: int, wordings: Wordings) -> int:
    """The wording (from 1) of a statement; drawn always, so that other draws do not depend on what is held out."""
    drawn = draw.rng.randint(1, len(draw.grammar.phrasings[f"S{relation}"]))
    if wordings == "any" or relation not in recipe.held_out_statements:
        return drawn
    return 2 if wordings == "held out" else 1


def question_phrasings(recipe: Microworld, part: Part) -> tuple[int, ...]:
    """The wordings that questions of a part of the world may have."""
    if part == "hard":
        return (HARD_PHRASING,)
    return recipe.test_question_phrasings if part == "test" else recipe.question_phrasings


def draw_wording(rng: random.Random, grammar: Grammar, key: str, phrasings: Sequence[int]) -> int:
    """One of the allowed wordings; the second for the third where there are two (statements, yes/no questions)."""
    return min(rng.choice(phrasings), len(grammar.phrasings[key]))


def span_questions(draw: Draw, article: Article, phrasings: Sequence[int], count: int) -> list[Question]:
    """Up to `count` different questions that the article's statements answer, in random order."""
    theme = next(theme for theme, slot in SUBJECT.items() if slot == article.slot)
    possible = [
        (number, fact, key)
        for number, (fact, _) in enumerate(article.statements)
        if fact.relation in ASKED[theme]
        for key in asking(draw.grammar, fact.relation)
    ]
    chosen = draw.rng.sample(possible, min(count, len(possible)))
    return [
        Question(
            key, draw_wording(draw.rng, draw.grammar, key, phrasings), "span", fact.values, number, key[-1]
        )
        for number, fact, key in chosen
    ]


def sentences(grammar: Grammar, article: Article) -> list[Sentence]:
    """The article's statements in a language."""
    return [
        fill(grammar, f"S{fact.relation}", phrasing, fact.values) for fact, phrasing in article.statements
    ]


def asked(grammar: Grammar, question: Question) -> str:
    """The question in a language, in its own wording."""
    return fill(grammar, question.key, question.phrasing, question.values).text


def joined(found: Sequence[Sentence]) -> str:
    """The statements as one running text."""
    return " ".join(sentence.text for sentence in found)


def span(found: Sequence[Sentence], statement: int, slot: str) -> tuple[int, int]:
    """[start, end) in characters of the `joined` statements of the value in a slot of the statement of that index."""
    before = sum(len(sentence.text) + 1 for sentence in found[:statement])
    piece = found[statement].piece(slot)
    return before + piece.stem_start, before + piece.stem_end


def asking(grammar: Grammar, relation: int) -> list[str]:
    """The keys of the questions about a relation, one for each slot that may be asked for."""
    keys = (f"Q{relation}{slot}" for slot in slots(grammar, relation))
    return [key for key in keys if key in grammar.phrasings]


def _wrong(draw: Draw, slot: str, fact: Fact, facts: list[Fact]) -> Value:
    """A value other than the fact's: half the time one that the article tells of something else."""
    mentioned = [f.values[slot] for f in facts if slot in f.values and f.values[slot] != fact.values[slot]]
    if mentioned and draw.rng.random() < 0.5:
        return draw.rng.choice(mentioned)
    if slot == "p":
        return draw.person()
    return draw.name("city") if slot == "c" else draw.word(slot)
