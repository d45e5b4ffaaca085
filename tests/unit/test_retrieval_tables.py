"""Tables and plot of retrieval: means of either kind of language, what is missing, and figures where they belong."""

import csv
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.report.retrieval import KEYS, main

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


def write(
    folder: Path, recipe: Any = RECIPE, encoders: Any = ENCODERS
) -> tuple[list[dict[str, str]], str, str]:
    """The rows of the CSV, the Markdown and the plot."""
    (folder / "in.json").write_text(json.dumps({"encoders": encoders}), "utf-8")
    names = ["csv", "markdown", "plot"]
    main(
        ["--recipe", json.dumps(recipe), f"--figures={folder}/in.json"]
        + [f"--{name}={folder}/{name}" for name in names]
    )
    with (folder / "csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, *((folder / name).read_text("utf-8") for name in names[1:])


def test_markdown(tmp_path: Path) -> None:
    _, page, _ = write(tmp_path)
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
    rows, _, _ = write(tmp_path)
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


def test_plot(tmp_path: Path) -> None:
    """Dots lie where the figures are, and nothing is drawn where there are none."""
    _, _, plot = write(tmp_path)
    root = ElementTree.fromstring(plot)
    name = "{http://www.w3.org/2000/svg}"
    dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in root.iter(f"{name}circle")]
    assert (
        len(dots) == 2 * 2 + 2 * 2 * 3 * 2
    )  # legend; alignments, panels, languages with links, before and after
    axis = {text.text: float(text.get("x")) for text in root.iter(f"{name}text") if text.text in ("0", "100")}
    # the last panel: words by CSLS after 111-l, and sw first in it, 21.25 to 71.25 in the mean of both ways
    before, after = ((x - axis["0"]) / (axis["100"] - axis["0"]) * 100 for x, _ in dots[-6:-4])
    assert (before, after) == (pytest.approx(21.25, abs=0.05), pytest.approx(71.25, abs=0.05))
    texts = [text.text for text in root.iter(f"{name}text")]
    assert texts.count("–") == 4
    assert texts.index("fi ✗") > texts.index("ar ✓")
    width, height = float(root.get("width")), float(root.get("height"))
    assert all(0 < x < width and 0 < y < height for x, y in dots)


def test_an_alignment_that_is_not_there(tmp_path: Path) -> None:
    recipe = {"encoder": "mbert", "links": "gold", "alignments": [TYDI_L, ALL_L | {"missing": "data/x"}]}
    rows, page, plot = write(tmp_path, recipe, {name: ENCODERS[name] for name in ("mbert", "tydi-l")})
    assert "n/a: there is no checkpoint in data/x." in page
    assert {row["within en→xx"] for row in rows[8:]} == {"n/a"}
    assert "111-l" not in plot


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
