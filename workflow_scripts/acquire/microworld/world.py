"""The world: people, cities, companies and rivers, and facts about them, as articles tell them.

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
        self.taken: dict[str, list[int]] = {}
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

    def number(self, slot: str, choices: range) -> int:
        """A year, a number or a row of the lexicon."""
        taken = sorted(choices.index(value) for value in self.taken.get(slot, []) if value in choices)
        place = self.rng.randrange(len(choices) - len(taken))
        for other in taken:  # count on past what is taken
            place += other <= place
        self.taken.setdefault(slot, []).append(choices[place])
        return choices[place]

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


def slots(grammar: Grammar, relation: int) -> list[str]:
    """The slots of a relation's statements, in alphabetical order."""
    return sorted({token.slot for token in grammar.phrasings[f"S{relation}"][0][0] if token.slot})


def split_names(made: dict[str, list[str]], shares: Sequence[float]) -> Iterator[dict[str, list[str]]]:
    """The names of train, dev and test, which have none in common."""
    first = 0.0
    for share in shares:
        yield {
            kind: names[round(len(names) * first) : round(len(names) * (first + share))]
            for kind, names in made.items()
        }
        first += share
