"""Sentences as intervals: they hold every character that is not a blank once, and end where a reader would say."""

import json
import random
from pathlib import Path

import pytest
import regex

from workflow_scripts.augment.sentences import sentences, split, touched
from workflow_scripts.corpus import Document


def texts(text: str, language: str, longest: int = 2000) -> list[str]:
    """The sentences of a text as texts."""
    return [text[start:end] for start, end in split(text, language, longest)]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            ["Dr. Smith of the U.S. Army paid 3.5 dollars.", '"Why?" he asked.', "Because…", '"Now!"', "No"],
        ),
        (
            "en",
            ["It began in 1990.", "J. R. R. Tolkien wrote.[2]", "1. An item, i.e. one.", "(So.)", "Vs. her."],
        ),
        ("de", ["Am 1. Januar kam z. B. Ludwig XIV. nach Ulm.", "Es war 1990.", "„Ja.“", "Dr. Ott ging."]),
        ("hi", ["यह है।", "वह है।[2]", "डॉ. राम ई. पू. 300 में थे।", "क्या?", "हाँ।।", "3.5 और।"]),
        ("ta", ["எம். ஜி. ஆர். நடித்தார்.", "அவர் கி.மு. 300 இல் பிறந்தார்.", "சரி."]),
        ("bn", ["ডাঃ রায় এলেন।", "ড. সেন গেলেন।", "কেন?"]),
        ("ar", ["هل هذا؟", "نعم!", "د. محمد هنا."]),
        ("ur", ["یہ ہے۔", "وہ ہے۔"]),
        ("am", ["ሰላም።", "ደህና ነህ፧"]),
        ("ko", ["그는 갔다.", "끝.", "다음 3.5%."]),
        ("el", ["Τι είναι;", "Αυτό."]),
        ("my", ["မင်္ဂလာပါ။", "သွားမယ်။"]),
        ("km", ["សួស្តី។", "បាទ។"]),
    ],
)
def test_where_sentences_end(language: str, expected: list[str]) -> None:
    assert texts(" ".join(expected), language) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("彼は「行く。」と言った。終わり！？次", ["彼は「行く。」と言った。", "終わり！？", "次"]),
        ("है।वह", ["है।", "वह"]),  # without a blank, as it often is
        ("a\nb\r\n\n  c\u2028d", ["a", "b", "c", "d"]),
        (" \n\t ", []),
        ("", []),
        (". . .", [".", ".", "."]),
        ("a. b", ["a. b"]),
    ],
)
def test_ends_without_blanks_and_lines(text: str, expected: list[str]) -> None:
    assert texts(text, "hi") == expected


def test_semicolons_end_questions_in_greek_only() -> None:
    assert texts("One; Two.", "en") == ["One; Two."]


def random_text(rng: random.Random) -> str:
    """Stops, blanks, marks, joiners, direction marks, letters of many scripts, all in no order."""
    signs = '..!?…।॥؟۔。 \n\r\t\u00a0\u2028\x00,;:،、"”)]」[1]aAzZéक्षि்தமিক'
    signs += "\u0301\u0327\u200d\u200c\u200f\u202e한漢😀👨\u200d👩🇮🇳12"
    return "".join(rng.choices(signs, k=rng.randrange(1, 80)))


def test_every_character_that_is_no_blank_stands_in_one_sentence() -> None:
    rng = random.Random(1)
    for _ in range(4000):
        text = random_text(rng)
        longest = rng.choice([1, 2, 5, 20, 2000])
        spans = split(text, rng.choice(["en", "de", "hi", "el", "xx"]), longest)
        reached = 0
        for start, end in spans:
            assert reached <= start < end <= len(text), (text, spans)
            assert text[reached:start].strip() == ""
            assert text[start:end].strip() == text[start:end]
            assert end - start <= longest
            reached = end
        assert text[reached:].strip() == ""


def test_no_sentence_begins_inside_what_a_reader_sees_as_one_character() -> None:
    rng = random.Random(2)
    for _ in range(2000):
        text = random_text(rng).replace(" ", "x").replace("\u00a0", "x")  # a mark on a blank
        edges = {found.start() for found in regex.finditer(r"\X", text)} | {len(text)}
        assert all(start in edges for start, _ in split(text, "hi")), text


def test_a_long_sentence_is_cut_where_it_hurts_least() -> None:
    assert all(part.endswith(",") for part in texts("abcd, " * 30, "en", 50))
    assert all(set(part.split()) == {"abcd"} for part in texts("abcd " * 50, "en", 33))
    clusters = "क्षि" * 100  # one character to a reader, four to a computer
    assert all(len(part) % 4 == 0 and len(part) <= 30 for part in texts(clusters, "hi", 30))
    assert [len(part) for part in texts("a" * 100_000, "en")] == [2000] * 50
    assert [len(part) for part in texts("\u0301" * 4500, "en")] == [2000, 2000, 500]


def test_no_sentence_crosses_the_border_of_a_passage() -> None:
    text = "One and two. Three"
    document = Document("d", "en", "", "", text, ((0, 3), (4, 12), (13, 18)), "d")
    assert [text[start:end] for start, end in sentences(document)] == ["One", "and two.", "Three"]


def test_which_sentences_an_answer_touches() -> None:
    spans = [(0, 3), (4, 12), (13, 18)]
    for span in ((0, 3), (2, 5), (3, 4), (11, 14), (0, 18), (17, 18), (3, 13), (12, 13)):
        expected = [n for n, (start, end) in enumerate(spans) if start < span[1] and span[0] < end]
        assert list(touched(spans, span)) == expected, span


def test_sentences_of_peoples_texts_are_of_a_usual_length(pack: Path) -> None:
    for code in ("en", "hi", "ar"):
        data = json.loads((pack / "xquad" / f"xquad.{code}.json").read_text("utf-8"))["data"]
        text = "\n".join(paragraph["context"] for article in data for paragraph in article["paragraphs"])
        assert 80 < len(text) / len(split(text, code)) < 250
