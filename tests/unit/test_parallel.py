"""Sentence pairs for alignment: one form whatever the text holds, every dropped line accounted for, nested samples."""

import json
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.acquire import parallel
from workflow_scripts.cli import InputError


def choose(
    folder: Path, foreign: str, english: str, language: str = "ar", **recipe: Any
) -> tuple[list[str], dict[int, str]]:
    """The lines written, and the reason for each dropped line number."""
    (folder / "foreign").write_text(foreign, "utf-8", newline="")
    (folder / "english").write_text(english, "utf-8", newline="")
    return convert(folder, folder / "foreign", folder / "english", language, **recipe)


def convert(
    folder: Path, foreign: Path, english: Path, language: str, **recipe: Any
) -> tuple[list[str], dict[int, str]]:
    parallel.main(
        [
            f"--foreign={foreign}",
            f"--english={english}",
            f"--language={language}",
            f"--out={folder}/out.txt",
            f"--dropped={folder}/dropped.jsonl",
            f"--recipe={json.dumps(recipe)}",
        ]
    )
    dropped = [json.loads(line) for line in (folder / "dropped.jsonl").read_text("utf-8").splitlines()]
    lines = (folder / "out.txt").read_text("utf-8").split("\n")
    assert lines.pop() == ""
    return lines, {int(line["id"]): line["reason"] for line in dropped}


def test_words_and_the_separator(tmp_path: Path) -> None:
    lines, dropped = choose(
        tmp_path,
        "نعم، 1,000!\na ||| b\nc|||d\nক্\u200dষ x\u00a0y\u2028z\r\n",
        "Yes, 1,000!\nA ||| B\nC|||D\nIt's well-known.\n",
    )
    assert lines == [
        "نعم ، 1,000 ! ||| Yes , 1,000 !",
        "a | | | b ||| A | | | B",
        "c | | | d ||| C | | | D",
        "ক্\u200dষ x y z ||| It's well-known .",
    ]
    assert dropped == {}
    assert all(line.count(" ||| ") == 1 for line in lines)


def test_each_dropped_line_has_its_reason(tmp_path: Path) -> None:
    foreign = ["ok", "", "a b c", "same", "x " * 6, "a", "Same", "last"]
    english = ["fine", "gone", " ", "same", "y " * 6, "b c d e", "same", "one"]
    lines, dropped = choose(
        tmp_path, "\n".join(foreign) + "\n", "\n".join(english) + "\n", max_words=5, max_length_ratio=3
    )
    assert lines == ["ok ||| fine", "Same ||| same", "last ||| one"]
    assert dropped == {
        2: "no foreign words",
        3: "no English words",
        4: "both sides are the same",
        5: "6 foreign words; 1 to 5 are allowed",
        6: "4 words beside 1; 3 times as many are allowed",
    }
    assert len(choose(tmp_path, "same\nx y\n", "same\nx y\n", drop_identical=False)[0]) == 2
    assert choose(tmp_path, "a\nx y\n", "b\nz u\n", min_words=2)[1] == {
        1: "1 foreign words; 2 to 64 are allowed"
    }


def test_malformed_lines_are_dropped_by_number_and_the_rest_stays(tmp_path: Path) -> None:
    lines = {1: (b"\xef\xbb\xbfone", b"two"), 2: (b"caf\xe9", b"coffee"), 3: (b"tea", "thé".encode("utf-16"))}
    lines |= {
        4: (b"word " * 10_000, b"word"),
        5: (b"", b"x"),
        6: (b"a ||| b", b"c ||| d"),
        7: (b"\xff", b"\xff"),
    }
    for side, name in enumerate(("foreign", "english")):
        (tmp_path / name).write_bytes(b"".join(pair[side] + b"\n" for pair in lines.values()))
    kept, dropped = convert(tmp_path, tmp_path / "foreign", tmp_path / "english", "fr")
    assert kept == ["one ||| two", "a | | | b ||| c | | | d"]
    assert dropped == {
        2: "the foreign side is not UTF-8",
        3: "the English side is not UTF-8",
        4: "10000 foreign words; 1 to 64 are allowed",
        5: "no foreign words",
        7: "the foreign side is not UTF-8",
    }
    assert len(kept) + len(dropped) == len(lines)


def test_samples_are_nested_ordered_and_seeded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    foreign = "".join(f"f{n}\n" for n in range(300))
    english = "".join(f"e{n}\n" for n in range(300))
    every, _ = choose(tmp_path, foreign, english)
    assert len(every) == 300
    samples = [choose(tmp_path, foreign, english, sentences=size)[0] for size in (10, 100, 299, 300)]
    assert [len(lines) for lines in samples] == [10, 100, 299, 300]
    for smaller, larger in zip(samples, [*samples[1:], every], strict=True):
        assert set(smaller) <= set(larger)
        assert smaller == sorted(smaller, key=every.index)
    assert samples[0] == choose(tmp_path, foreign, english, sentences=10)[0]
    assert samples[0] != choose(tmp_path, foreign, english, sentences=10, seed=2)[0]
    capsys.readouterr()
    choose(tmp_path, foreign, english, sentences=1000)
    assert "300 pairs of the 1000 asked for in Arabic" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("foreign", "english", "recipe", "sentence"),
    [
        ("a\nb\n", "a\n", {}, "foreign has 2 lines, .*english 1; each line must translate"),
        ("\n", "\n", {}, "none of 1 pairs is fit"),
        ("", "", {}, "none of 0 pairs is fit"),
        ("a\n", "b\n", {"min_words": 9, "max_words": 3}, "^--recipe: min_words is 9, more than max_words 3$"),
        ("a\n", "b\n", {"sentences": 0}, "sentences"),
        ("a\n", "b\n", {"sentence": 5}, "unknown key sentence"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    tmp_path: Path, foreign: str, english: str, recipe: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        choose(tmp_path, foreign, english, **recipe)
    assert not (tmp_path / "out.txt").exists()


def test_real_pairs(pack: Path, tmp_path: Path) -> None:
    """Zero-width signs, no-break blanks and characters that are not composed, as they come."""
    for code in ("ar", "bn"):
        moses = pack / "parallel" / "moses" / f"{code}-en"
        lines, dropped = convert(tmp_path, moses.with_suffix(f".{code}"), moses.with_suffix(".en"), code)
        total = moses.with_suffix(".en").read_bytes().count(b"\n")
        assert len(lines) + len(dropped) == total
        assert len(dropped) < total / 50
        for line in lines:
            foreign, english = line.split(" ||| ")
            assert foreign.split() == foreign.split(" ")
            assert max(len(foreign.split(" ")), len(english.split(" "))) <= 64
