"""The statistical linker on sentences whose links are known, and the files that links travel in."""

import json
import random
import subprocess
import sys

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.pairs import read_links, read_pairs


def link(tmp_path, lines):
    (tmp_path / "pairs").write_text("".join(line + "\n" for line in lines))
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "workflow_scripts.align.links",
            "--pairs",
            tmp_path / "pairs",
            "--out",
            tmp_path / "links",
        ],
        capture_output=True,
        text=True,
    )


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
        "import sys, json; from workflow_scripts.align.links import link; from workflow_scripts.recipes.links import"
        " Links; print(json.dumps(link(json.loads(sys.argv[1]), Links(stems=True))))"
    )  # the aligner would take its process with it
    told = subprocess.run(
        [sys.executable, "-c", script, json.dumps(pairs * 9)], capture_output=True, text=True, check=True
    )
    found = json.loads(told.stdout)
    assert found[0] == found[2] == [[0, 0]]
    assert len(found) == 27
    assert all(odd) or found[1] == []


def test_a_line_that_is_no_pair_is_named_and_nothing_is_written(tmp_path):
    result = link(tmp_path, ["a b ||| c", "a b c"])
    assert result.returncode == 2
    assert result.stderr.strip().endswith("pairs line 2: not 'words ||| words'")
    assert not (tmp_path / "links").exists()


def test_words_without_one_blank_between_them_are_refused(tmp_path):
    (tmp_path / "pairs").write_text("a b ||| c\na  b ||| c\n")
    with pytest.raises(InputError, match="line 2: an empty word; separate words by one blank"):
        read_pairs(tmp_path / "pairs")


@pytest.mark.parametrize(
    ("links", "sentence"),
    [("0-0\n", "1 lines for 2"), ("0-0\n0_0\n", "'0_0' is no link"), ("0-0\n0-5\n", "counts? from 0")],
)
def test_bad_links_are_told(tmp_path, links, sentence):
    (tmp_path / "pairs").write_text("a ||| b\na ||| b c\n")
    (tmp_path / "links").write_text(links)
    with pytest.raises(InputError, match=sentence):
        read_links(tmp_path / "links", read_pairs(tmp_path / "pairs"))
