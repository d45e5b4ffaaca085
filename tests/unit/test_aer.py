"""Alignment error rates: of awesome-align's own output as published, of small cases by hand, and of wrong files."""

import json
import sys
from pathlib import Path

import pytest

from workflow_scripts.align import aer
from workflow_scripts.cli import InputError


@pytest.fixture
def scored(tmp_path, monkeypatch, capsys):
    """The step on texts of gold and links."""

    def call(gold, links, base, *more, pairs=None):
        files = {"gold": gold, "links": links} | ({"pairs": pairs} if pairs is not None else {})
        arguments = ["--gold-base", str(base), *more]
        for name, text in files.items():
            if not isinstance(text, Path):
                (tmp_path / name).write_text(text)
            arguments += [f"--{name}", str(text if isinstance(text, Path) else tmp_path / name)]
        monkeypatch.setattr(sys, "argv", ["aer", *arguments])
        aer.main()
        return json.loads(capsys.readouterr().out)

    return call


@pytest.mark.parametrize(
    ("language", "lines", "error"),
    [("enfr", 447, 0.0407), ("jaen", 582, 0.3736)],
)
def test_what_awesome_align_shipped(pack, scored, language, lines, error):
    """447 and 582 pairs.  Six ja-en links of gold lie outside their sentences; they count, as in its own script."""
    folder = pack / "align_gold/awesome-align"
    gold, links = folder / f"{language}.gold", folder / f"{language}.awesome-align.out"
    assert len(links.read_text().splitlines()) == lines
    assert round(scored(gold, links, 1)["aer"], 4) == error


def test_gold_of_japanese_reaches_outside(pack, scored):
    folder = pack / "align_gold/awesome-align"
    given = folder / "jaen.gold", folder / "jaen.awesome-align.out", 1
    with pytest.raises(InputError, match=r"jaen\.gold line \d+: link .* reaches outside sentences of"):
        scored(*given, pairs=folder / "jaen.src-tgt")
    given = folder / "enfr.gold", folder / "enfr.awesome-align.out", 1
    assert round(scored(*given, pairs=folder / "enfr.src-tgt")["aer"], 4) == 0.0407


def test_gold_that_counts_from_one_is_found_out_where_it_can_be(pack, scored):
    folder = pack / "align_gold/awesome-align"
    given = folder / "enfr.gold", folder / "enfr.awesome-align.out", 0
    assert scored(*given)["aer"] > 0.4
    with pytest.raises(InputError, match=r"line 1: link 2-2 reaches outside .* if links count from 0"):
        scored(*given, pairs=folder / "enfr.src-tgt")


def test_by_hand(scored):
    # A: 4 links; S: 0-0 1-1 3-3; possible: 1-2 too
    gold, links = "0-0 1-1 1p2\n3-3\n", "0-0 1-2 0-0\n3-3 4-4\n"
    assert scored(gold, links, 0) == {
        "precision": 3 / 4,
        "recall": 2 / 3,
        "aer": pytest.approx(1 - 5 / 7),
    }
    assert scored(gold, links, 0, "--ignore-possible") == {
        "precision": 2 / 4,
        "recall": 2 / 3,
        "aer": pytest.approx(1 - 4 / 7),
    }
    shifted = "1-1 2-2 2p3\n4-4\n"
    assert scored(shifted, links, 1) == scored(gold, links, 0)


def test_a_link_marked_both_ways_is_sure(scored):
    for gold in ("0p0 0-0\n", "0-0 0p0\n"):
        assert scored(gold, "0-0\n", 0)["recall"] == 1.0


def test_nothing_to_divide_by(scored):
    assert scored("\n", "\n", 0) == {"precision": None, "recall": None, "aer": None}
    assert scored("0-0\n", "\n", 0) == {"precision": None, "recall": 0.0, "aer": 1.0}
    assert scored("0p0\n", "0-0\n", 0) == {"precision": 1.0, "recall": None, "aer": 0.0}


@pytest.mark.parametrize(
    ("gold", "links", "base", "sentence"),
    [
        ("1-1\n1-0\n", "\n\n", 1, "gold line 2: link 1-0 has index 0, so links do not count from 1"),
        ("0-0\n0p0\n", "\n\n", 1, "gold line 1: link 0-0 has index 0, so links do not count from 1"),
        (
            "1-1\n2-1\n",
            "\n\n",
            0,
            "gold line 1: link 1-1 reaches outside sentences of 2 and 1 words, if links count",
        ),
        (
            "1-1\n3p1\n",
            "\n\n",
            1,
            "gold line 2: link 3p1 reaches outside sentences of 1 and 2 words, if links count",
        ),
        ("1-1\n1-1\n", "0-0\n0-2\n", 1, "links line 2: link 0-2 reaches outside sentences of 1 and 2 words"),
        ("1-1\n", "0-0\n0-1\n", 1, "gold: 1 lines for 2 sentence pairs; there must be one line a pair"),
        ("1-1\n1-1\n", "0-0\n0p1\n", 1, "links line 2: a possible link; only gold links can be possible"),
        ("1-1\n1\n", "0-0\n0-1\n", 1, "gold line 2: '1' is no link; links are written i-j or ipj"),
        ("1--1\n1\n", "0-0\n0-1\n", 1, "gold line 1: '1--1' is no link"),
    ],
)
def test_wrong_files_are_told(scored, gold, links, base, sentence):
    with pytest.raises(InputError) as caught:
        scored(gold, links, base, pairs="a b ||| c\na ||| b c\n")
    assert sentence in str(caught.value)


def test_files_of_different_length_are_told(scored):
    with pytest.raises(InputError, match=r"links: 1 lines, but 2 in .*gold; there must be one line a pair"):
        scored("0-0\n0-0\n", "0-0\n", 0)
