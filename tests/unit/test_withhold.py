"""Held-out pairs: the same whatever the order, never a sentence of theirs among those that are aligned on."""

import json
import random
from pathlib import Path

import pytest

from workflow_scripts.acquire import parallel, withhold
from workflow_scripts.cli import InputError
from workflow_scripts.files import read_lines
from workflow_scripts.pairs import read_links, read_pairs
from workflow_scripts.words import words


def hold(
    folder: Path, pairs: list[tuple[str, str]], sentences: int, gold: list[str] | None = None
) -> list[str]:
    """The lines held out of some pairs; where there is gold, its links lie beside them."""
    for name, side in (("foreign", 0), ("english", 1)):
        (folder / name).write_text("".join(f"{pair[side]}\n" for pair in pairs), "utf-8")
    options = [f"--foreign={folder}/foreign", f"--english={folder}/english", "--language=sw"]
    if gold is not None:
        (folder / "gold").write_text("".join(f"{line}\n" for line in gold), "utf-8")
        options += [f"--gold={folder}/gold", f"--links={folder}/out.links"]
    withhold.main([*options, f"--sentences={sentences}", f"--out={folder}/out"])
    return read_lines(folder / "out")


def trained(folder: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The pairs that are left to train on, and those that are not."""
    options = [f"--foreign={folder}/foreign", f"--english={folder}/english", "--language=sw"]
    options += [f"--held-out={folder}/out", f"--out={folder}/rest", f"--dropped={folder}/dropped"]
    parallel.main(options)
    return read_lines(folder / "rest"), [json.loads(line) for line in read_lines(folder / "dropped")]


PAIRS = [(f"f{n % 90}", f"e{n // 2}") for n in range(100)]  # both sides occur twice here and there


def test_no_sentence_is_on_both_sides(tmp_path: Path) -> None:
    held = hold(tmp_path, PAIRS, 9)
    assert len(held) == 10  # both translations of the last sentence
    rest, dropped = trained(tmp_path)
    for side in (0, 1):
        assert not {line.split(" ||| ")[side] for line in held} & {line.split(" ||| ")[side] for line in rest}
    assert {line["reason"] for line in dropped} == {"held out to be measured"}
    assert len(rest) + len(dropped) == len(PAIRS)


def test_order_other_pairs_and_capitals_change_nothing(tmp_path: Path) -> None:
    held = set(hold(tmp_path, PAIRS, 10))
    shuffled = random.Random(1).sample(PAIRS, len(PAIRS))
    assert set(hold(tmp_path, shuffled, 10)) == held
    assert {line.casefold() for line in hold(tmp_path, [(f, e.upper()) for f, e in PAIRS], 10)} == held
    assert held < set(hold(tmp_path, PAIRS, 20))
    unfit = [("same", "same"), ("x " * 70, "y " * 70)]
    assert set(hold(tmp_path, unfit + PAIRS, 10)) == held


def test_a_line_that_is_not_utf8_is_held_out_of_nothing(tmp_path: Path) -> None:
    held = hold(tmp_path, PAIRS, 10)
    for name in ("foreign", "english"):
        file = tmp_path / name
        file.write_bytes(b"caf\xe9\n" + file.read_bytes())
    options = [
        f"--foreign={tmp_path}/foreign",
        f"--english={tmp_path}/english",
        "--language=sw",
        "--sentences=10",
    ]
    withhold.main([*options, f"--out={tmp_path}/again"])
    assert read_lines(tmp_path / "again") == held
    rest, dropped = trained(tmp_path)
    assert dropped[0] == {"id": "1", "reason": "the foreign side is not UTF-8"}
    assert len(rest) + len(dropped) == len(PAIRS) + 1


def test_what_is_unfit_is_not_trained_on_by_a_wider_filter_either(tmp_path: Path) -> None:
    english = hold(tmp_path, PAIRS, 2)[0].split(" ||| ")[1]
    hold(tmp_path, [*PAIRS, ("x " * 70, english.upper())], 2)
    assert not any(line.startswith("x ") for line in trained(tmp_path)[0])


def test_no_more_than_a_fifth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(hold(tmp_path, PAIRS, 1000)) == 20
    assert "20 pairs of the 1000 asked for in Swahili" in capsys.readouterr().out
    with pytest.raises(
        InputError, match=r"3 of 4 pairs are fit to use; to hold out a fifth, there must be 5"
    ):
        hold(tmp_path, [*PAIRS[:3], ("same", "same")], 1)


def test_gold_links_follow_their_pairs(tmp_path: Path) -> None:
    pairs = [(f"{n}, f", f"e, {n}") for n in range(50)]
    gold = [f"0-2 1-1 2-0 {'' if n % 2 else '0-0'}".strip() for n in range(50)]
    hold(tmp_path, pairs, 10, gold)
    chosen = read_pairs(tmp_path / "out")
    for (foreign, english), links in zip(chosen, read_links(tmp_path / "out.links", chosen), strict=True):
        number = foreign[0]
        assert english == words(f"e, {number}")
        assert ((0, 0) in links) == (int(number) % 2 == 0)
    with pytest.raises(InputError, match="49 lines for 50 sentence pairs"):
        hold(tmp_path, pairs, 10, gold[1:])


def test_files_of_unequal_length(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a\nb\n")
    (tmp_path / "e").write_text("a\n")
    with pytest.raises(InputError, match=r"e has 1 lines, fewer than its other side"):
        withhold.highest(f"{tmp_path}/f", f"{tmp_path}/e", 1)
