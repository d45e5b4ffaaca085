"""Gold answers through the features and back, with mBERT's real vocabulary and with a tiny one."""

import json
from collections import Counter
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from benchmarks.roundtrip import UNACCOUNTED, one_answer_each, outcomes, read_tokenizer, way
from tests.unit.tiny import encoder
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, Question
from workflow_scripts.recipes.features import Features

CUT = "cuts a piece"
EDGE = "blanks or invisible characters at its edge"
RECIPE = Features(max_length=384, stride=128)


@pytest.fixture(scope="module")
def mbert(pack: Path) -> Tokenizer:
    return read_tokenizer(pack / "vocab" / "bert_base_multilingual_cased_vocab.txt")


# Of every answer of every annotator: how many don't come back, because they begin or end inside a piece ("1901년" of
# "1901년부터"), or because blanks and invisible characters have no piece.  All others come back to the character.
ANSWERS = {
    "tydiqa_goldp/arabic_tydiqa_dev.json": (1620, {CUT: 16}),
    "tydiqa_goldp/bengali_tydiqa_dev.json": (193, {CUT: 8}),
    "tydiqa_goldp/english_tydiqa_dev.json": (686, {CUT: 5, EDGE: 1}),
    "tydiqa_goldp/english_tydiqa_train.json": (3696, {CUT: 34, EDGE: 8}),
    "tydiqa_goldp/finnish_tydiqa_dev.json": (1309, {CUT: 27}),
    "tydiqa_goldp/indonesian_tydiqa_dev.json": (958, {CUT: 6}),
    "tydiqa_goldp/korean_tydiqa_dev.json": (448, {CUT: 58}),
    "tydiqa_goldp/korean_tydiqa_train.json": (1625, {CUT: 225}),
    "tydiqa_goldp/russian_tydiqa_dev.json": (1444, {CUT: 7}),
    "tydiqa_goldp/swahili_tydiqa_dev.json": (823, {CUT: 11}),
    "tydiqa_goldp/swahili_tydiqa_train.json": (2755, {CUT: 37}),
    "tydiqa_goldp/telugu_tydiqa_dev.json": (1273, {CUT: 256}),
    "xquad/xquad.ar.json": (1190, {CUT: 3}),
    "xquad/xquad.de.json": (1190, {}),
    "xquad/xquad.el.json": (1190, {CUT: 1}),
    "xquad/xquad.en.json": (1190, {CUT: 1}),
    "xquad/xquad.es.json": (1190, {CUT: 1}),
    "xquad/xquad.hi.json": (1190, {CUT: 2}),
    "arcd/arcd.json": (1395, {CUT: 2}),
    "squad/dev-v1.1.json": (34726, {CUT: 68}),
}
SMALL = ("bengali_tydiqa_dev", "korean_tydiqa_dev", "english_tydiqa_dev", "xquad.hi")


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=[] if Path(file).stem in SMALL else pytest.mark.slow) for file in ANSWERS],
)
def test_real_answers_come_back(pack: Path, mbert: Tokenizer, file: str) -> None:
    found = list(outcomes(str(pack / file), mbert, RECIPE))
    ways = Counter(outcome.way for outcome in found if outcome.way)
    assert (len(found), ways) == ANSWERS[file]
    assert all(outcome.question and outcome.reason for outcome in found if outcome.way)


def test_a_tiny_encoders_folder_serves_too(tmp_path: Path) -> None:
    """An answer longer than a window, one with a blank at its edge, and one without a place in its context."""
    context = "Lora Sako Ruzo " * 60
    asked = [("exact", "Sako", 5), ("edge", " Sako", 4), ("long", context.strip(), 0), ("lost", "Mito", 0)]
    answers = [{"id": n, "question": "?", "answers": [{"text": t, "answer_start": at}]} for n, t, at in asked]
    file = tmp_path / "in.json"
    file.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": answers}]}]}))
    tokenizer = read_tokenizer(encoder(tmp_path / "encoder"))
    found = outcomes(str(file), tokenizer, Features(max_length=96, stride=16))
    assert {outcome.question.partition("#")[0]: outcome.way for outcome in found} == {
        "exact": None,
        "edge": EDGE,
        "long": "no window holds it",
        "lost": "not read",
    }
    with pytest.raises(InputError, match="neither a folder nor a vocabulary file"):
        read_tokenizer(tmp_path / "absent")


TEXT = "the 1960s and \u200ewars"


@pytest.mark.parametrize(
    ("gold", "first", "last", "expected"),
    [
        ((4, 9), (4, 8), (8, 9), None),
        ((4, 8), (4, 9), (4, 9), CUT),
        ((5, 9), (4, 8), (8, 9), CUT),
        ((3, 8), (4, 9), (4, 9), CUT),  # and a blank before it
        ((3, 9), (4, 8), (8, 9), EDGE),
        ((14, 19), (15, 19), (15, 19), EDGE),
        ((4, 9), (4, 8), (4, 8), UNACCOUNTED),  # a piece too few
        ((4, 9), (4, 8), (10, 13), UNACCOUNTED),  # a piece too many
        ((4, 8), (0, 3), (4, 9), UNACCOUNTED),  # cut at the end, but wrong at the beginning
    ],
)
def test_ways(
    gold: tuple[int, int], first: tuple[int, int], last: tuple[int, int], expected: str | None
) -> None:
    assert way(TEXT, gold, {(first, last)})[0] == expected


def test_windows_that_disagree_are_not_accounted_for() -> None:
    assert way(TEXT, (4, 9), {((4, 8), (8, 9)), ((4, 8), (4, 8))})[0] == UNACCOUNTED


def test_every_annotators_answer_is_asked_for() -> None:
    answers = (Annotation(0, 0, 3, "the"), Annotation(), Annotation(0, 4, 8, "1960"))
    asked = one_answer_each([Question("q", "q", "d", "en", "?", answers)])
    assert [(one.question_id, one.annotations) for one in asked] == [
        ("q#0", (answers[0],)),
        ("q#2", (answers[2],)),
    ]
