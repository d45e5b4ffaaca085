"""Tables of retrieval: means of either kind of language, what is missing, and what is drawn of it."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.recipes.retrieval_table import RetrievalTable
from workflow_scripts.report.retrieval import KEYS, main
from workflow_scripts.report.retrieval_figure import values

MEASURES = ["within", "words", "sentences", "sentences_cosine"]
TYDI_L = {"name": "tydi-l", "languages": ["ar", "sw"]}
ALL_L = {"name": "111-l", "languages": ["ar", "sw", "ko", "fi"]}
RECIPE = {"encoder": "mbert", "links": "gold", "alignments": [TYDI_L, ALL_L]}


def told(base: float, words: bool = True) -> dict[str, Any]:
    """One language's figures: every measure and direction another one."""
    scores: dict[str, Any] = {}
    for number, measure in enumerate(MEASURES):
        figure = (base + number) / 100
        scores[measure] = {
            "from_english": figure,
            "to_english": figure + 0.005,
            "chance_from_english": 0.1,
            "chance_to_english": 0.12,
        }
    if not words:
        scores |= {"within": None, "words": None}
    return {
        "pairs": 200,
        "left_out": {},
        "links": 900 if words else 0,
        "words": [300, 280],
        "sentences": [200, 199],
        "scores": scores,
    }


def figures(**bases: float) -> dict[str, Any]:
    return {code: told(base, words=code != "fi") for code, base in bases.items()}


ENCODERS = {
    "mbert": figures(sw=20, fi=40, ar=10, ko=30),
    "tydi-l": figures(sw=60, fi=45, ar=52, ko=28),
    "111-l": figures(sw=70, fi=75, ar=80, ko=85),
}


def write(folder: Path, recipe: Any = RECIPE, encoders: Any = ENCODERS) -> tuple[list[dict[str, str]], str]:
    """The rows of the CSV, and the Markdown."""
    (folder / "in.json").write_text(json.dumps({"encoders": encoders}), "utf-8")
    names = ["csv", "markdown"]
    main(
        ["--recipe", json.dumps(recipe), f"--figures={folder}/in.json"]
        + [f"--{name}={folder}/{name}" for name in names]
    )
    with (folder / "csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, (folder / "markdown").read_text("utf-8")


def test_markdown(tmp_path: Path) -> None:
    _, page = write(tmp_path)
    about, first, second, last = page.split("\n## ")
    assert "held-out sentence pairs with gold links. " in about
    lines = {
        cells[0]: cells[1:]
        for cells in (
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in first.splitlines()[2:]
        )
    }
    assert list(lines) == [
        "Language",
        ":----------",
        "sw ✓",
        "ar ✓",
        "*mean of ✓*",
        "fi ✗",
        "ko ✗",
        "*mean of ✗*",
    ]
    assert lines["Language"][:2] == ["within sentence en→xx", "within sentence xx→en"]
    assert lines["sw ✓"][:4] == ["20.0 → 60.0", "20.5 → 60.5", "21.0 → 61.0", "21.5 → 61.5"]
    assert lines["*mean of ✓*"][:2] == ["15.0 → 56.0", "15.5 → 56.5"]
    # Finnish has no links: its words don't count, its sentences do
    assert lines["fi ✗"][:5] == ["–"] * 4 + ["42.0 → 47.0"]
    assert lines["*mean of ✗*"][0] == "30.0 → 28.0"
    assert lines["*mean of ✗*"][4] == "37.0 → 38.5"
    assert second.startswith("111-l\n")
    assert "✗" not in second
    assert re.search(r"\| ko +\| +200 \| +900 \| +300 \| +280 \| +11\.0 \|", last)


def test_csv(tmp_path: Path) -> None:
    rows, _ = write(tmp_path)
    assert [(row["Alignment"], row["Language"], row["Aligned"]) for row in rows[:6]] == [
        ("", "sw", ""),
        ("", "fi", ""),
        ("", "ar", ""),
        ("", "ko", ""),
        ("tydi-l", "sw", "yes"),
        ("tydi-l", "fi", "no"),
    ]
    assert rows[4]["words xx→en"] == "61.50"
    assert rows[5]["words xx→en"] == rows[5]["chance of words xx→en"] == ""
    assert rows[4]["chance of within xx→en"] == "12.00"
    assert len(rows) == 12
    assert len(rows[0]) == 8 + 2 * len(KEYS)


def test_what_is_drawn() -> None:
    """Means of both directions before and after, aligned languages first, and nothing where nothing counts."""
    rows = values(RetrievalTable.model_validate(RECIPE), ENCODERS)
    assert [row["language"] for row in rows[:4]] == ["Swahili", "Arabic", "Finnish", "Korean"]
    assert [row["panel"] for row in rows[::4]] == [
        f"{alignment}\n{measure}"
        for alignment in ("tydi-l", "111-l")
        for measure in ("within sentence", "words (CSLS)")
    ]
    first, finnish, last = rows[0], rows[2], rows[12]
    assert first["aligned"] == "aligned in"
    assert finnish["aligned"] == "not aligned in"
    assert (first["before"], first["after"], first["chance"]) == (20.25, 60.25, 11.0)
    assert (last["language"], last["before"], last["after"]) == ("Swahili", 21.25, 71.25)
    assert finnish["before"] is finnish["after"] is finnish["chance"] is None


def test_an_alignment_that_is_not_there(tmp_path: Path) -> None:
    recipe = {"encoder": "mbert", "links": "gold", "alignments": [TYDI_L, ALL_L | {"missing": "data/x"}]}
    rows, page = write(tmp_path, recipe, {name: ENCODERS[name] for name in ("mbert", "tydi-l")})
    assert "n/a: there is no checkpoint in data/x." in page
    assert {row["within en→xx"] for row in rows[8:]} == {"n/a"}
    drawn = values(RetrievalTable.model_validate(recipe), ENCODERS)
    assert not any("111-l" in row["panel"] for row in drawn)


@pytest.mark.parametrize(
    ("encoders", "sentence"),
    [
        ({"mbert": ENCODERS["mbert"]}, "no figures of tydi-l; there are mbert"),
        ({"mbert": {"sw": {"scores": {"within": None}}}}, "not a file of figures"),
        ([], "not a file of figures"),
    ],
)
def test_what_is_refused(tmp_path: Path, encoders: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        write(tmp_path, RECIPE, encoders)
