"""The world: facts about people, cities, companies and rivers, and articles made of them.

Every article is a small world of its own.  Nothing in it contradicts the rest of it: nobody dies before birth,
marries or publishes as a child or after death; no building is older than its city, no factory older than its company.
No answer in it can be taken for another: names, years, numbers and nouns all differ, and no name contains another.
Facts are drawn anew for every article, so that an answer can only be read, not remembered.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workflow_scripts.acquire.microworld.grammar import NAMES, Grammar, Value
from workflow_scripts.acquire.microworld.names import FIRST_NAMES, gender, render
from workflow_scripts.recipes.microworld import Microworld

FIRST_YEAR, LAST_YEAR = 1850, 2005
ADULT = 20
AIRPORTS = 1920  # no building's opening is dated before, as some buildings are airports

# The slot that names an entity of each kind, the relations it has, and those of them that questions ask about.
SUBJECT = {"person": "p", "city": "c", "company": "k", "river": "r"}
RELATIONS = {
    "person": (1, 2, 3, 4, 13, 14, 15),
    "city": (5, 6, 7, 8, 16, 17),
    "company": (9, 10, 11, 12, 18, 19),
    "river": (5, 20, 21, 22),
}
ASKED = {kind: tuple(r for r in of if (kind, r) != ("river", 5)) for kind, of in RELATIONS.items()}
# Relations with a yes/no question, and the slot that is wrong where the answer is no.
YES_NO = {1: "c", 8: "p", 10: "c", 11: "x", 14: "c", 21: "c"}


@dataclass(frozen=True)
class Fact:
    """Relation number, the name of the entity it is told of, and what fills its slots."""

    relation: int
    subject: str
    values: dict[str, Value]


@dataclass(frozen=True)
class Question:
    """A question's key in the tables, the values it mentions, and what answers it.

    `kind` is span, yes, no or unanswerable; `statement` the index of the statement that answers, or None; `slot` the
    slot of that statement which is the answer ("" for yes and no).
    """

    key: str
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
    phrasing: int


@dataclass
class Draw:
    """Draws values for one article, each at most once.

    `pools` holds the phonemic names of each kind; names that contain one another as `grammar`'s language writes them
    do not come together.
    """

    rng: random.Random
    grammar: Grammar
    pools: dict[str, list[str]]

    def __post_init__(self) -> None:
        self.taken: set[tuple[str, Value]] = set()
        self.written: list[str] = []

    def name(self, kind: str) -> str:
        """A city, river, company or surname."""
        while True:
            name = self.rng.choice(self.pools[kind])
            if self._apart(name):
                return name

    def person(self, gender: str = "") -> str:
        """First name and surname."""
        gender = gender or self.rng.choice("mf")
        while True:
            first = self.rng.choice(FIRST_NAMES[gender])
            if self._apart(first):
                return f"{first} {self.name('surname')}"

    def number(self, slot: str, choices: Sequence[int]) -> int:
        """A year, a number or a row of the lexicon."""
        left = [value for value in choices if (slot, value) not in self.taken]
        value = self.rng.choice(left)
        self.taken.add((slot, value))
        return value

    def word(self, slot: str) -> int:
        """A row of the lexicon."""
        return self.number(slot, range(len(self.grammar.lexicon[slot])))

    def year(self, first: int, last: int) -> int:
        """A year between two years, both included."""
        return self.number("y", range(first, last + 1))

    def _apart(self, name: str) -> bool:
        written = render(name, self.grammar.language)
        if any(written in other or other in written for other in self.written):
            return False
        self.written.append(written)
        return True


@dataclass(frozen=True)
class Entity:
    """Kind, phonemic name, and the first and last year in which something may be told of it."""

    kind: str
    name: str
    began: int
    ended: int


def draw_entity(draw: Draw, kind: str) -> Entity:
    """A person with years of birth and death; a city or company with its founding year; a river."""
    if kind == "person":
        born = draw.year(FIRST_YEAR, 1940)
        return Entity(kind, draw.person(), born, draw.year(born + 45, min(born + 90, LAST_YEAR)))
    began = {"city": (FIRST_YEAR, 1940), "company": (1870, 1980)}.get(kind)
    return Entity(kind, draw.name(kind), draw.year(*began) if began else FIRST_YEAR, LAST_YEAR)


def draw_fact(draw: Draw, entity: Entity, relation: int) -> Fact:
    """A fact about an entity, within its years."""
    values: dict[str, Value] = {SUBJECT[entity.kind]: entity.name}
    for slot in slots(draw.grammar, relation):
        if slot == SUBJECT[entity.kind]:
            continue
        if slot == "y":
            values[slot] = _year(draw, entity, relation)
        elif slot == "n":
            values[slot] = draw.number("n", range(20, 91) if relation == 16 else range(20, 991, 10))
        elif slot == "q":
            values[slot] = draw.person("f" if gender(entity.name) == "m" else "m")
        elif slot == "p":
            values[slot] = draw.person()
        elif slot in NAMES:
            values[slot] = draw.name({"c": "city", "r": "river", "k": "company"}[slot])
        else:
            values[slot] = draw.word(slot)
    return Fact(relation, entity.name, values)


def _year(draw: Draw, entity: Entity, relation: int) -> int:
    if relation in (1, 6, 9):
        return entity.began
    if relation == 14:
        return entity.ended
    if entity.kind == "person":
        return draw.year(entity.began + ADULT, entity.ended)
    earliest = AIRPORTS if relation == 17 else FIRST_YEAR
    return draw.year(max(entity.began + 1, earliest), entity.ended)


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


def draw_article(draw: Draw, recipe: Microworld, kind: str, phrasings: Sequence[int]) -> Article:
    """An article with a question of `kind` (span, yes, no, unanswerable) in one of the question phrasings."""
    rng, grammar = draw.rng, draw.grammar
    plan = draw_plan(rng, recipe, kind)
    own, other = draw_entity(draw, plan.theme), draw_entity(draw, plan.theme)
    facts = [draw_fact(draw, own, relation) for relation in plan.own]
    facts += [draw_fact(draw, other, relation) for relation in plan.other]
    rng.shuffle(facts)
    statements = [(fact, rng.randint(1, len(grammar.phrasings[f"S{fact.relation}"]))) for fact in facts]

    subject = other if plan.about_other else own
    answering = [n for n, f in enumerate(facts) if (f.relation, f.subject) == (plan.asked, subject.name)]
    fact = facts[answering[0]] if answering else draw_fact(draw, subject, plan.asked)
    sceptical = kind == "unanswerable" and plan.asked in YES_NO and rng.random() < recipe.yes_no
    key = f"B{plan.asked}" if kind in ("yes", "no") or sceptical else rng.choice(asking(grammar, plan.asked))
    values = dict(fact.values)
    if kind == "no":
        values[YES_NO[plan.asked]] = _wrong(draw, YES_NO[plan.asked], fact, facts)
    question = Question(
        key, kind, values, answering[0] if answering else None, key[-1] if kind == "span" else ""
    )
    return Article(SUBJECT[plan.theme], own.name, statements, question, rng.choice(phrasings))


def slots(grammar: Grammar, relation: int) -> list[str]:
    """The slots of a relation's statements, in alphabetical order."""
    return sorted({token.slot for token in grammar.phrasings[f"S{relation}"][0][0] if token.slot})


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


def split_names(made: dict[str, list[str]], shares: Sequence[float]) -> Iterator[dict[str, list[str]]]:
    """The names of train, dev and test, which have none in common."""
    first = 0.0
    for share in shares:
        yield {
            kind: names[round(len(names) * first) : round(len(names) * (first + share))]
            for kind, names in made.items()
        }
        first += share
