"""Words of scripts without blanks, found in nothing but the text: made-up Thai and Chinese, whose words are known."""

import itertools
import random

import pytest

from workflow_scripts.align.statistical import link
from workflow_scripts.joined import LEAST, NO_JOINS, learn_joins
from workflow_scripts.recipes.links import Links
from workflow_scripts.words import words

THAI = [chr(code) for code in range(0xE01, 0xE2F)]
HAN = [chr(code) for code in range(0x4E00, 0x4E80)]


def made_up(letters: list[str], sizes: list[int], rng: random.Random) -> list[list[str]]:
    """Sentences of words of so many letters; some words are frequent, most are not."""
    known = ["".join(rng.choices(letters, k=rng.choice(sizes))) for _ in range(80)]
    weights = [1 / (rank + 3) for rank in range(80)]
    return [rng.choices(known, weights, k=12) for _ in range(300)]


def ends(parts: list[str]) -> set[int]:
    return set(itertools.accumulate(map(len, parts)))


@pytest.mark.parametrize(("letters", "sizes"), [(THAI, [3, 4, 5, 6]), (HAN, [1, 2, 2, 3])])
def test_words_are_found_in_text_without_blanks(letters: list[str], sizes: list[int]) -> None:
    told = made_up(letters, sizes, random.Random(0))
    texts = [words("".join(sentence)) for sentence in told]
    assert all(len(one) == 1 for text in texts for one in text)
    joins, again = learn_joins(texts), learn_joins(texts)
    found = [["".join(text[one.start : one.stop]) for one in joins.groups(text)] for text in texts]
    right = sum(len(ends(a) & ends(b)) for a, b in zip(found, told, strict=True))
    assert right > 0.8 * sum(map(len, told))
    assert right > 0.75 * sum(map(len, found))
    assert [joins.groups(text) for text in texts] == [again.groups(text) for text in texts]


def test_every_word_is_in_one_group_whatever_the_text() -> None:
    rng = random.Random(1)
    joins = learn_joins([words("".join(sentence)) for sentence in made_up(THAI, [3, 4], rng)])
    signs = [
        *THAI[:9],
        "ที่",
        "ำ",
        "東",
        "カ",
        "゙",
        "\u3099",
        "က",
        "𠀀",
        "a",
        "bc ",
        " ",
        "12",
        "。",
        "๑",
        "\u0e4d",
    ]
    for _ in range(1500):
        text = words("".join(rng.choices(signs, k=rng.randint(0, 30))))
        groups = joins.groups(text)
        assert [number for one in groups for number in one] == list(range(len(text)))
        assert all(len(one) == 1 for one in groups if text[one.start].isascii())


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [["the", "river"] * LEAST],
        [["ก", "ข"]],
    ],
)
def test_where_there_is_nothing_to_learn_from_nothing_is_joined(texts: list[list[str]]) -> None:
    assert learn_joins(texts) is NO_JOINS
    assert NO_JOINS.groups(["ก", "ข", "a"]) == [range(1), range(1, 2), range(2, 3)]


@pytest.mark.parametrize(
    "texts",
    [[["ก"] * LEAST], [[chr(0x4E00 + number) for number in range(LEAST)]], [["ก", "ข"]] * LEAST],
)
def test_odd_texts_are_learned_from(texts: list[list[str]]) -> None:
    groups = learn_joins(texts).groups(texts[0])
    assert [number for one in groups for number in one] == list(range(len(texts[0])))


def test_links_of_joined_characters_are_those_of_their_words() -> None:
    rng = random.Random(2)
    told = made_up(THAI, [3, 4, 5, 6], rng)
    numbers = {word: f"w{number}" for number, word in enumerate(dict.fromkeys(itertools.chain(*told)))}
    pairs = [([numbers[word] for word in sentence], words("".join(sentence))) for sentence in told]
    found = link(pairs, Links(stems=True))
    joins = learn_joins(text for _, text in pairs)
    right = 0
    for sentence, (_, text), line in zip(told, pairs, found, strict=True):
        owner = [number for number, word in enumerate(sentence) for _ in word]
        right += sum(owner[j] == i for i, j in line)
        partners = [{i for i, j in line if j == at} for at in range(len(text))]
        assert all(partners[at] == partners[one.start] for one in joins.groups(text) for at in one)
    assert right > 0.9 * sum(len(text) for _, text in pairs)
