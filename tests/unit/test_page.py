"""The page of results: sentences that follow the numbers, tables as they are, and nothing loaded from elsewhere."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.report import page
from workflow_scripts.report.findings import findings

TEMPLATE = Path(__file__).parents[2] / "resources" / "report" / "page.html.j2"
RECIPE = {
    "title": "What it is worth <&>",
    "evaluation": "e",
    "seeds": [0],
    "metric": "jaccard",
    "average": "questions",
    "columns": [["hi-hi", "ta-ta"]],
    "effects": [{"label": "copies", "system": ["a"], "base": ["b"]}],
}


def verdict(difference: float, p: float, holm: float) -> dict[str, Any]:
    return {
        "difference": difference,
        "low": difference - 0.02,
        "high": difference + 0.02,
        "p_two_sided": p,
        "p_holm": holm,
    }


def swapped(given: dict[str, Any]) -> dict[str, Any]:
    """The verdict on the same two systems, the other one named first."""
    return given | {"difference": -given["difference"], "low": -given["high"], "high": -given["low"]}


@pytest.mark.parametrize(
    ("given", "sign", "sentence"),
    [
        (
            verdict(0.031, 0.01, 0.02),
            "+",
            "copies (overall): gains 3.1 points of word Jaccard (95 % interval +1.1 to +5.1); clear, also after"
            " correction for all differences of the table.",
        ),
        (
            swapped(verdict(0.031, 0.01, 0.06)),
            "-",
            "copies (overall): loses 3.1 points of word Jaccard (95 % interval −5.1 to −1.1); clear by itself, but not"
            " after correction for all differences of the table.",
        ),
        (
            verdict(0.0002, 0.9, 1.0),
            "",
            "copies (overall): changes nothing in word Jaccard (95 % interval −2.0 to +2.0); not clear: chance alone"
            " could bring this about.",
        ),
    ],
)
def test_sentences_follow_the_numbers(given: dict[str, Any], sign: str, sentence: str) -> None:
    recipe = EffectsTable.model_validate(RECIPE)
    other = verdict(0.5, 0.0, 0.0)
    assert findings(recipe, [[other, other, given]]) == [(sign, sentence)]


class Reader(HTMLParser):
    """The texts of table cells and list items, and every address that a tag names."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        self.within = tag
        if tag in ("td", "th", "li"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.within in ("td", "th", "li"):
            self.texts[-1] += data.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a configuration with a table of scores and one of effects leaves."""
    for name in ("tables", "effects", "figures", "examples", "costs/models/a"):
        (tmp_path / name).mkdir(parents=True)
    row = [verdict(0.1, 0.01, 0.01)] * 3
    (tmp_path / "effects" / "worth.json").write_text(json.dumps([row]))
    (tmp_path / "figures" / "effects").mkdir()
    (tmp_path / "figures" / "effects" / "worth.svg").write_text('<svg id="drawn"></svg>')
    text = "Caption \\*.\n\n| Model | hi |\n| :---- | -: |\n| *Head* |  |\n| a\\|b <i> | 50.1 \\* |\n"
    for name in ("scores", "worth"):
        (tmp_path / "tables" / f"{name}.md").write_text(text)
    shown = {"pair": "en-ar", "question": "</script><!-- ?"}
    (tmp_path / "examples" / "test.json").write_text(json.dumps({"models": ["a"], "examples": [shown]}))
    head = "s\th:m:s\tmax_rss\tcpu_time\n"
    (tmp_path / "costs/models/a/seed0.tsv").write_text(f"{head}3600\t1:0:0\t100\t1800\n")
    (tmp_path / "costs/models/a/seed1.tsv").write_text(f"{head}1800\t0:30:0\t300\tNA\n")
    return tmp_path


def write(folder: Path) -> tuple[str, Reader]:
    """The page, and what is in it."""
    recipe = {
        "tables": [{"name": "scores"}, {"name": "worth", "effects": RECIPE}],
        "figures": {"effects/worth": "Worth & more"},
        "examples": [{"evaluation": "test", "labels": {"a": "A"}}],
    }
    folders = [f"--{name}={folder / name}" for name in ("tables", "effects", "figures", "examples", "costs")]
    out = folder / "report.html"
    page.main(["--recipe", json.dumps(recipe), *folders, f"--template={TEMPLATE}", f"--out={out}"])
    read = Reader()
    read.feed(out.read_text("utf-8"))
    return out.read_text("utf-8"), read


def test_the_page(folder: Path) -> None:
    text, read = write(folder)
    assert all(address.startswith("#") for address in read.addresses)
    assert not re.search(r"url\(|@import|https?://", text.replace("http://www.w3.org", ""))
    assert "What it is worth &lt;&amp;&gt;" in text
    assert (
        '<figure id="figure-effects-worth" aria-label="Worth &amp; more"><svg id="drawn"></svg></figure>'
        in text
    )
    assert read.texts.count("a|b <i>") == 2
    assert read.texts[read.texts.index("Head") :][:4] == ["Head", "", "a|b <i>", "50.1 ∗"]
    assert any(item.startswith("copies (overall): gains 10.0 points") for item in read.texts)
    data = re.search(r'id="examples">(.*)</script>', text)
    assert data
    assert "<" not in data[1]
    assert json.loads(data[1])[0]["examples"] == [{"pair": "en-ar", "question": "</script><!-- ?"}]
    costs = read.texts[read.texts.index("models") :]
    assert costs[:10] == ["models", "2", "1.50", "0.50", "300", "all", "2", "1.50", "0.50", "300"]


def test_a_table_that_is_none(folder: Path) -> None:
    (folder / "tables" / "scores.md").write_text("nothing")
    with pytest.raises(InputError, match=r"scores.md: not a table as report.tables writes them$"):
        write(folder)
    assert not (folder / "report.html").exists()


def test_panels_of_a_table_are_tables_of_their_own(tmp_path: Path) -> None:
    grid = "| M | hi |\n| :-- | --: |\n| a | 1 |\n"
    (tmp_path / "t.md").write_text(f"Caption.\n\n**First \\*one**\n\n{grid}\n**Second**\n\n{grid}| b | 2 |\n")
    first, second = page.read_table(tmp_path / "t.md")["panels"]
    assert (first["title"], first["rows"]) == ("First *one", [["a", "1"]])
    assert (second["title"], second["head"], len(second["rows"])) == ("Second", ["M", "hi"], 2)
