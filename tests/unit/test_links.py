"""The two linkers as a step, what is kept of their links, and the files that links travel in."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit import tiny
from workflow_scripts.align.links import Level, sift
from workflow_scripts.cli import InputError
from workflow_scripts.files import read_jsonl, read_lines
from workflow_scripts.pairs import Linked, each_linked, read_links, read_pairs
from workflow_scripts.recipes.links import LinkFilter, Links
from workflow_scripts.words import words

HEAD = [sys.executable, "-m", "workflow_scripts.align.links"]


def link(folder, lines, *more, **recipe):
    (folder / "pairs").write_text("".join(line + "\n" for line in lines), "utf-8")
    named = [
        item
        for name in ("pairs", "dropped", "report")
        for item in (f"--{name}", folder / f"{name.replace('report', 'report.json')}")
    ]
    return subprocess.run(
        [*HEAD, *named, "--out", folder / "links", "--recipe", json.dumps(recipe), *more],
        capture_output=True,
        text=True,
    )


def report(folder):
    return json.loads((folder / "report.json").read_text())


def shuffled_dictionary(count=300):
    """Pairs whose second side translates the first word by word (w7 → v7), neighbours swapped here and there."""
    dice = random.Random(0)
    lines, gold = [], []
    for _ in range(count):
        words = dice.sample(range(60), 6)
        order = list(range(6))
        at = dice.randrange(5)
        order[at], order[at + 1] = order[at + 1], order[at]
        lines.append(" ".join(f"w{w}" for w in words) + " ||| " + " ".join(f"v{words[i]}" for i in order))
        gold.append({(i, order.index(i)) for i in range(6)})
    return lines, gold


def test_a_dictionary_is_recovered(tmp_path):
    lines, gold = shuffled_dictionary()
    assert link(tmp_path, lines).returncode == 0
    found = [set(line) for line in read_links(tmp_path / "links", read_pairs(tmp_path / "pairs"))]
    right = sum(len(a & b) for a, b in zip(found, gold, strict=True))
    assert right / sum(map(len, gold)) > 0.95
    assert right / sum(map(len, found)) > 0.9


def test_further_pairs_are_counted_and_not_written(tmp_path):
    lines, _ = shuffled_dictionary()
    assert link(tmp_path, lines).returncode == 0
    whole = (tmp_path / "links").read_text().splitlines()
    (tmp_path / "more").write_text("\n".join(lines[5:]) + "\n")
    assert link(tmp_path, lines[:5], "--more", tmp_path / "more").returncode == 0
    assert (tmp_path / "links").read_text().splitlines() == whole[:5]
    assert report(tmp_path)["pairs"] == 5


def test_the_same_pairs_give_the_same_links(tmp_path):
    lines, _ = shuffled_dictionary(100)
    link(tmp_path, lines)
    first = (tmp_path / "links").read_bytes()
    link(tmp_path, lines)
    assert (tmp_path / "links").read_bytes() == first
    assert first.count(b"\n") == 100


@pytest.mark.parametrize(
    "odd", [([], ["b"]), (["a"], []), (["|||", "a"], ["b", "|||"]), (["´", "ﷺ"], ["b", "¨"])]
)
def test_what_the_aligner_cannot_read_breaks_nothing(odd):
    pairs = [(["a"], ["b"]), odd, (["c"], ["d"])]
    script = (
        "import sys, json; from workflow_scripts.align.statistical import link; from workflow_scripts.recipes.links"
        " import Links; print(json.dumps(link(json.loads(sys.argv[1]), Links(stems=True))))"
    )  # the aligner would take its process with it
    told = subprocess.run(
        [sys.executable, "-c", script, json.dumps(pairs * 9)], capture_output=True, text=True, check=True
    )
    found = json.loads(told.stdout)
    assert found[0] == found[2] == [[0, 0]]
    assert len(found) == 27
    assert all(odd) or found[1] == []


MALFORMED = {
    2: "malformed: not 'words ||| words'",
    4: "malformed: not 'words ||| words'",
    5: "malformed: not 'words ||| words'",
    6: "malformed: an empty word; separate words by one blank",
    7: "malformed: not UTF-8; convert the file to UTF-8",
}


def malformed(folder):
    """Pairs of which some lines are none, and what is written of them."""
    good, _ = shuffled_dictionary(20)
    lines = [line.encode() for line in good]
    for number, bad in zip(
        MALFORMED, (b"a b c", b"a ||| b ||| c", b"a ||| ", b"a  b ||| c", b"\xe9 ||| e"), strict=True
    ):
        lines[number - 1] = bad
    (folder / "pairs").write_bytes(b"".join(line + b"\n" for line in lines))


def test_lines_that_are_no_pairs_are_named_and_the_rest_is_linked_in_its_place(tmp_path):
    malformed(tmp_path)
    command = [*HEAD, "--pairs", tmp_path / "pairs", "--dropped", tmp_path / "dropped"]
    command += ["--out", tmp_path / "links", "--report", tmp_path / "report.json"]
    subprocess.run(command, check=True, capture_output=True)
    links = read_lines(tmp_path / "links")
    assert [number for number, line in enumerate(links, 1) if not line] == list(MALFORMED)
    dropped = [value for _, value in read_jsonl(tmp_path / "dropped")]
    assert {line["line"]: line["reason"] for line in dropped} == MALFORMED
    told = report(tmp_path)
    assert (told["pairs"], told["with_links"], told["dropped"]) == (20, 15, {"malformed": 5})
    assert told["first"]["words"] == 15 * 6


def test_nothing_is_linked_where_no_line_is_a_pair(tmp_path):
    result = link(tmp_path, ["a b c", "d"])
    assert result.returncode == 2
    assert "pairs: none of 2 lines is a pair" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["pairs"]


def test_pairs_and_links_are_read_line_by_line_with_reasons(tmp_path):
    malformed(tmp_path)
    lines = [b"0-0 1-1"] * 20
    lines[9], lines[10], lines[11], lines[12] = b"0-6", b"1:1", b"\xff", b""
    (tmp_path / "links").write_bytes(b"\n".join(lines) + b"\n")
    read = dict(enumerate(each_linked(tmp_path / "pairs", tmp_path / "links"), 1))
    reasons = {number: line for number, line in read.items() if isinstance(line, str)}
    assert reasons == {number: reason.removeprefix("malformed: ") for number, reason in MALFORMED.items()} | {
        10: "link 0-6 reaches outside sentences of 6 and 6 words; links count from 0",
        11: "'1:1' is no link; links are written i-j, counted from 0",
        12: "links that are not UTF-8",
    }
    assert (read[1][1], read[13][1]) == ([(0, 0), (1, 1)], [])
    (tmp_path / "links").write_bytes(b"0-0\n" * 21)
    with pytest.raises(InputError, match="links: 21 lines for 20 sentence pairs"):
        list(each_linked(tmp_path / "pairs", tmp_path / "links"))


def test_words_without_one_blank_between_them_are_refused(tmp_path):
    (tmp_path / "pairs").write_text("a b ||| c\na  b ||| c\n")
    with pytest.raises(InputError, match="line 2: an empty word; separate words by one blank"):
        read_pairs(tmp_path / "pairs")


def test_a_line_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "pairs").write_bytes("é ||| e\n".encode() + "é ||| e\n".encode("latin-1"))
    with pytest.raises(InputError, match="pairs line 2: not UTF-8"):
        read_pairs(tmp_path / "pairs")


def test_lines_end_at_line_feeds_only_and_a_byte_order_mark_is_no_word(tmp_path):
    (tmp_path / "pairs").write_text("\ufeffa\u2028b ||| c\x0cd\ne ||| f", "utf-8")
    assert read_pairs(tmp_path / "pairs") == [(["a\u2028b"], ["c\x0cd"]), (["e"], ["f"])]


@pytest.mark.parametrize(
    ("links", "sentence"),
    [("0-0\n", "1 lines for 2"), ("0-0\n0_0\n", "'0_0' is no link"), ("0-0\n0-5\n", "counts? from 0")],
)
def test_bad_links_are_told(tmp_path, links, sentence):
    (tmp_path / "pairs").write_text("a ||| b\na ||| b c\n")
    (tmp_path / "links").write_text(links)
    with pytest.raises(InputError, match=sentence):
        read_links(tmp_path / "links", read_pairs(tmp_path / "pairs"))


# Filters


FOUND = Linked([(0, 0), (1, 1), (1, 2), (2, 3)], [0.9, 0.1, 0.2, 0.5])


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ({}, FOUND),
        ({"one_to_one": True}, Linked([(0, 0), (2, 3)], [0.9, 0.5])),
        ({"min_score": 0.425}, FOUND),
        ({"min_score": 0.43}, Linked([], [], "min_score: the mean of 4 links is 0.425000")),
        ({"one_to_one": True, "min_score": 0.7}, Linked([(0, 0), (2, 3)], [0.9, 0.5])),
        ({"min_coverage": 0.7}, FOUND),  # 7 of 10
        ({"min_coverage": 0.71}, Linked([], [], "min_coverage: 7 of 10 words are linked")),
        ({"one_to_one": True, "min_coverage": 0.5}, Linked([], [], "min_coverage: 4 of 10 words are linked")),
        ({"max_length_ratio": 1.5}, FOUND),  # 6 to 4
        ({"max_length_ratio": 1.4}, Linked([], [], "max_length_ratio: 6 words beside 4")),
        ({"drop_identical": True}, FOUND),
    ],
)
def test_filters(keep, expected):
    pair = (["a", "b", "c", "d"], ["e", "f", "g", "h", "i", "j"])
    assert sift(pair, FOUND, LinkFilter(**keep)) == expected
    swapped = Linked([(j, i) for i, j in FOUND.links], FOUND.scores)
    assert sift(pair[::-1], swapped, LinkFilter(**keep)).skipped == expected.skipped


def test_filters_of_whole_pairs():
    same = (["a", "b"], ["a", "b"])
    crossed = Linked([(0, 0), (0, 1)], [1.0, 1.0])
    assert sift(same, crossed, LinkFilter()) == crossed
    assert sift(same, crossed, LinkFilter(drop_identical=True)).skipped.startswith("drop_identical: ")
    assert sift(same, crossed, LinkFilter(one_to_one=True)).skipped.startswith("one_to_one: ")
    none = Linked([], [])
    assert sift(same, none, LinkFilter(one_to_one=True)) == none
    assert sift(same, none, LinkFilter(min_score=0.1)).skipped == "min_score: the mean of 0 links is 0.000000"
    skipped = Linked([], [], "too long: …")
    assert sift(same, skipped, LinkFilter(drop_identical=True)) == skipped


def test_counts_add_up(tmp_path):
    lines, _ = shuffled_dictionary(100)
    lines[10:10] = ["w1 w2 ||| w1 w2", "w1 ||| " + " ".join(["v1"] * 9)]
    keep = {"one_to_one": True, "drop_identical": True, "max_length_ratio": 3}
    assert link(tmp_path, lines, filter=keep).returncode == 0
    found = read_lines(tmp_path / "links")
    dropped = [record for _, record in read_jsonl(tmp_path / "dropped")]
    assert dropped[:2] == [
        {"line": 11, "reason": "drop_identical: both sentences are the same"},
        {"line": 12, "reason": "max_length_ratio: 9 words beside 1"},
    ]
    told = report(tmp_path)
    assert told["pairs"] == len(found) == 102
    assert told["with_links"] + told["without_links"] + sum(told["dropped"].values()) == 102
    assert sum(told["dropped"].values()) == len(dropped)
    assert all(not found[record["line"] - 1] for record in dropped)
    assert told["with_links"] == sum(map(bool, found))
    assert told["links"] == sum(len(line.split()) for line in found)


# Levels


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (["東京タワーは、高い。", "Mito 4"], "characters"),
        (["กรุงเทพ"], "characters"),
        (["The city of Ramor, 4 km"], "words"),
        (["라모르시는 테시강"], "words"),
        (["Ramor (ラモル) lies on the river Tesi"], "words"),
    ],
)
def test_the_level_is_told(text, level):
    side = Level()
    for sentence in text:
        side.add(words(sentence))
    assert side.told()["level"] == level


def test_segmented_text_is_words():
    side = Level()
    side.add(["足利", "義満", "は", "室町", "幕府", "の", "将軍"])
    assert side.told() == {"words": 7, "single_characters": 2, "level": "words"}


# The step with an encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    return tiny.encoder(tmp_path_factory.mktemp("encoder"))


def test_the_neural_linker_writes_a_line_and_its_scores_for_every_pair(encoder, tmp_path):
    lines = [
        "The city of Ramor ||| Mji wa Ramor",
        "long " * 94 + "river ||| The city",  # 97 pieces
        "The river ||| mto Tesi",
    ]
    done = link(
        tmp_path,
        lines,
        *("--encoder", encoder, "--scores", tmp_path / "scores"),
        linker="neural",
        layer=2,
        precision="fp32",
    )
    assert done.returncode == 0, done.stderr
    assert "link: 3/3 pairs, 100 %" in done.stderr
    found, scores = (read_lines(tmp_path / name) for name in ("links", "scores"))
    assert [len(line.split()) for line in found] == [len(line.split()) for line in scores]
    assert (found[1], scores[1]) == ("", "")
    assert found[0] == " ".join(sorted(found[0].split())) != ""
    assert all(0 <= float(score) <= 1 for line in scores for score in line.split())
    assert [record for _, record in read_jsonl(tmp_path / "dropped")] == [
        {"line": 2, "reason": "too long: the first sentence has 97 pieces, the encoder reads 96"}
    ]
    assert report(tmp_path)["dropped"] == {"too long": 1}


def test_no_pairs_have_no_links(encoder, tmp_path):
    given = ("--encoder", encoder, "--scores", tmp_path / "scores")
    assert link(tmp_path, [], *given, linker="neural", layer=1).returncode == 0
    assert [(tmp_path / name).read_bytes() for name in ("links", "scores", "dropped")] == [b""] * 3
    assert report(tmp_path)["pairs"] == 0


@pytest.mark.parametrize(
    ("recipe", "more", "sentence"),
    [
        ({"linker": "neural"}, [], "--encoder is missing; linker neural reads an encoder's folder"),
        ({}, ["--encoder", "x"], "--encoder belongs to linker neural, but linker is statistical"),
        ({}, ["--scores", "x"], "--scores belongs to linker neural, but linker is statistical"),
        ({"layer": 3}, [], "--recipe: layer belongs to linker neural, but linker is statistical"),
        (
            {"linker": "neural", "stems": True},
            [],
            "--recipe: stems belongs to linker statistical, but linker is neural",
        ),
        (
            {"filter": {"min_score": 0.1}},
            [],
            "--recipe: filter.min_score needs linker neural; fast_align gives no scores",
        ),
        (
            {"linker": "neural", "layer": 9},
            ["--encoder", "ENCODER"],
            "links are to be read from block 9, but it has 2",
        ),
    ],
)
def test_what_does_not_go_together_is_told(encoder, tmp_path, recipe, more, sentence):
    more = [encoder if item == "ENCODER" else item for item in more]
    done = link(tmp_path, ["a ||| b"], *more, **recipe)
    assert done.returncode == 2
    assert done.stderr.strip().endswith(sentence)
    assert [file.name for file in tmp_path.iterdir()] == ["pairs"]


def test_a_recipe_in_full_is_read_again():
    for recipe in (Links(stems=True), Links(linker="neural", layer=6, filter=LinkFilter(min_score=0.5))):
        assert Links.model_validate_json(recipe.model_dump_json()) == recipe


def test_links_that_seem_to_count_from_one_are_refused_by_whoever_reads_them(tmp_path):
    (tmp_path / "pairs").write_text("a b ||| x y\nc ||| z\n")
    (tmp_path / "links").write_text("1-1 2-2\n1-1\n")
    with pytest.raises(
        InputError, match=r"links line 1: link 2-2 reaches outside .* has a 0; take 1 from both"
    ):
        list(each_linked(tmp_path / "pairs", tmp_path / "links"))
    (tmp_path / "links").write_text("1-1 2-2\n0-0\n")
    assert [isinstance(one, str) for one in each_linked(tmp_path / "pairs", tmp_path / "links")] == [
        True,
        False,
    ]
