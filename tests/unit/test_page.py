"""The page of results: sentences that follow the numbers, tables as they are, and nothing loaded from elsewhere."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.files import sha256
from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.report import page
from workflow_scripts.report.effects import two_sided
from workflow_scripts.report.effects_figure import values
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
        "resamples": 1000,
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
            "copies: gains 3.1 points of word Jaccard (overall; 95 % interval +1.1 to +5.1, p = .01); clear, also after"
            " correction for all differences of the table.",
        ),
        (
            swapped(verdict(0.031, 0.01, 0.06)),
            "-",
            "copies: loses 3.1 points of word Jaccard (overall; 95 % interval −5.1 to −1.1, p = .01); clear by itself,"
            " but not after correction for all differences of the table.",
        ),
        (
            verdict(0.0002, 0.9, 1.0),
            "",
            "copies: changes nothing in word Jaccard (overall; 95 % interval −2.0 to +2.0, p = .9); not clear: chance"
            " alone could bring this about.",
        ),
    ],
)
def test_sentences_follow_the_numbers(given: dict[str, Any], sign: str, sentence: str) -> None:
    recipe = EffectsTable.model_validate(RECIPE)
    other = verdict(0.5, 0.0, 0.0)
    assert findings(recipe, [[other, other, given]]) == [(sign, sentence, given["p_holm"] < 0.05)]


def test_every_blocks_average_is_told() -> None:
    columns = [["en-ar", "en-ko"], ["ar-en"], ["ko-en", "en-en"]]
    recipe = EffectsTable.model_validate(
        {**RECIPE, "metric": None, "task": "minimal", "average": "pairs", "columns": columns}
    )
    row = [verdict(number / 100, 0.5, 1) for number in range(7)]
    told = [one.sentence for one in findings(recipe, [row])]
    heads = [("Q_en avg", "2.0"), ("Q_ar,C_en", "3.0"), ("C_en avg", "6.0")]
    expected = [f"copies: gains {points} points of F1 (minimal answer) ({head};" for head, points in heads]
    assert [text[: len(start)] for text, start in zip(told, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("p", "resamples", "shown"),
    [
        (0.0018, 10_000, "p = .0018"),
        (0.0, 10_000, "p < .0002"),
        (0.0, 1_000, "p < .002"),
        (0.00004, 50_000, "p = .00004"),
        (0.25, 1_000, "p = .25"),
        (1.0, 1_000, "p = 1"),
    ],
)
def test_no_p_is_shown_as_zero(p: float, resamples: int, shown: str) -> None:
    given = verdict(0.1, p, p) | {"resamples": resamples}
    assert two_sided(given) == shown
    recipe = EffectsTable.model_validate(RECIPE)
    assert f", {shown})" in findings(recipe, [[given] * 3])[0].sentence
    assert {row["p"] for row in values(recipe, [[given] * 3])} == {
        shown.removeprefix("p ").removeprefix("= ")
    }


class Reader(HTMLParser):
    """The texts of table cells and list items, every address that a tag loads from, and every link."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loaded += [given.get("src") or ""] if "src" in given else []
        self.loaded += [given["href"] or ""] if "href" in given and tag != "a" else []
        self.links += [given["href"] or ""] if "href" in given and tag == "a" else []
        if tag in ("td", "th", "li"):
            self.texts.append("")
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and tag == self.open[-1]:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[-1] += data.strip()

    def after(self, text: str, count: int) -> list[str]:
        """A cell's text and those of the cells after it."""
        place = self.texts.index(text)
        return self.texts[place : place + count]


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
        (tmp_path / "tables" / f"{name}.csv").write_text(f"{name}\n")
    shown = {"pair": "en-ar", "question": "</script><!-- ?"}
    (tmp_path / "examples" / "test.json").write_text(json.dumps({"models": ["a"], "examples": [shown]}))
    head = "s\th:m:s\tmax_rss\tcpu_time\n"
    (tmp_path / "costs/models/a/seed0.tsv").write_text(f"{head}3600\t1:0:0\t100\t1800\n")
    (tmp_path / "costs/models/a/seed1.tsv").write_text(f"{head}1800\t0:30:0\t300\tNA\n")
    trainings = {
        "encoders/mine": {"steps": 10, "seconds": 36.0, "pieces": 360_000, "device": "cpu", "processes": 1},
        "encoders/theirs": {"checkpoint": "someone/theirs"},
        "models/a/seed0": {
            "steps": 1000,
            "seconds": 720.0,
            "pieces": 7_200_000,
            "device": "G",
            "processes": 2,
        },
        "models/a/seed1": {
            "steps": 1000,
            "seconds": 360.0,
            "pieces": 3_600_000,
            "device": "G",
            "processes": 1,
        },
        "models/old/seed0": {"steps": 5, "seconds": 0.0, "pieces": 50},
    }
    for place, facts in trainings.items():
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "training.json").write_text(json.dumps(facts))
    return tmp_path


TRAINED = [
    ("encoder", "mine", "encoders/mine"),
    ("encoder", "theirs", "encoders/theirs"),
    ("alignment", "mine, ar", "aligned/mine/ar"),  # which is not there any more
    ("model", "A, seed 0", "models/a/seed0"),
    ("model", "A, seed 1", "models/a/seed1"),
    ("model", "Old, seed 0", "models/old/seed0"),
]
WHOLE = {
    "tables": [
        {"name": "scores", "title": "Caption"},
        {"name": "worth", "title": "Another", "effects": RECIPE},
    ],
    "figures": {"effects/worth": "Worth & more"},
    "examples": [{"evaluation": "test", "labels": {"a": "A"}}],
    "seeds": [0, 7],
    "config": "abc123",
    "trained": [dict(zip(("kind", "label", "folder"), one, strict=True)) for one in TRAINED],
    "sources": [
        {"name": "squad", "licence": "CC-BY-SA-4.0", "homepage": "https://example.org/squad"},
        {"name": "translations by someone", "licence": None},
    ],
    "files": [{"name": "squad/dev.json", "sha256": "5" * 64}, {"name": "squad/other.json"}],
}


def write(folder: Path, **changes: Any) -> tuple[str, Reader]:
    """The page, and what is in it."""
    names = ("tables", "effects", "figures", "examples", "costs")
    folders = [f"--results={folder}", *(f"--{name}={folder / name}" for name in names)]
    out = folder / "report.html"
    page.main(["--recipe", json.dumps(WHOLE | changes), *folders, f"--template={TEMPLATE}", f"--out={out}"])
    read = Reader()
    read.feed(out.read_text("utf-8"))
    return out.read_text("utf-8"), read


def test_the_page(folder: Path) -> None:
    text, read = write(folder)
    assert read.loaded == ["data:,"]  # the icon, which browsers ask for otherwise
    assert not re.search(r"url\(|@import", text)
    assert "What it is worth &lt;&amp;&gt;" in text
    assert '<figure id="figure-effects-worth" aria-label="Worth &amp; more">' in text
    assert '<svg id="drawn"></svg>' in text
    assert read.texts.count("a|b <i>") == 2
    assert read.after("Head", 3) == ["Head", "a|b <i>", "50.1∗"]
    assert any(item.startswith("copies: gains 10.0 points") for item in read.texts)
    assert "1 difference: 1 clear, also after correction" in text
    data = re.search(r'id="examples">(.*)</script>', text)
    assert data
    assert "<" not in data[1]
    assert json.loads(data[1])[0]["examples"] == [{"pair": "en-ar", "question": "</script><!-- ?"}]


def test_what_it_cost(folder: Path) -> None:
    _, read = write(folder)
    steps = read.texts[read.texts.index("Memory, MB") + 1 :]
    assert steps[:10] == ["task-tuning", "2", "1.50", "0.50", "300", "all", "2", "1.50", "0.50", "300"]
    assert read.after("pretraining", 7) == ["pretraining", "cpu", "1", "0.01", "0.00", "360,000", "10,000"]
    tuned = read.after("task-tuning", 14)
    assert tuned[:7] == ["task-tuning", "G", "2", "0.30", "0.50", "10,800,000", "10,000"]
    assert tuned[7:] == ["task-tuning", "not told", "1", "0.00", "n/a", "50", "n/a"]
    assert read.after("A, seed 1", 6) == ["A, seed 1", "task-tuning", "1,000", "6.0", "10,000", "card"]
    assert read.after("mine, ar", 5) == ["mine, ar", "alignment", "n/a", "n/a", "n/a"]


def test_where_everything_is_from(folder: Path) -> None:
    _, read = write(folder)
    assert read.after("squad", 4) == ["squad", "CC-BY-SA-4.0", "translations by someone", "not known here"]
    assert read.after("squad/dev.json", 2)[1] == "5" * 64
    assert read.after("squad/other.json", 2)[1] == "not known beforehand"
    assert read.after("worth.csv", 2)[1] == sha256(folder / "tables" / "worth.csv")
    assert read.after("seeds", 4) == ["seeds", "0, 7", "digest of the configuration", "abc123"]
    expected = {f"tables/{name}.{form}" for name in ("scores", "worth") for form in ("csv", "md", "tex")}
    expected |= {f"figures/effects/worth.{form}" for form in ("svg", "png", "html")}
    expected |= {f"models/{model}/README.md" for model in ("a/seed0", "a/seed1", "old/seed0")}
    expected |= {"manifest.json", "https://example.org/squad"}
    assert {link for link in read.links if not link.startswith("#")} == expected


def test_the_same_results_give_the_same_page(folder: Path) -> None:
    assert write(folder)[0] == write(folder)[0]


def test_a_configuration_with_little_to_show(folder: Path) -> None:
    """No effects, no examples, nothing measured, no number at all: every section says so."""
    for name in ("costs", "models", "encoders"):
        shutil.rmtree(folder / name)
    (folder / "tables" / "scores.md").write_text(
        "Caption. n/a: no checkpoint.\n\n| Model | hi |\n| :-- | -: |\n| a | n/a |\n"
    )
    only = {
        "tables": WHOLE["tables"][:1],
        "figures": {},
        "examples": [],
        "trained": [],
        "sources": [],
        "files": [],
    }
    text, read = write(folder, **only)
    assert read.after("a", 2) == ["a", "n/a"]
    for sentence in (
        "This configuration has no table of effects",
        "None: this configuration has nothing to draw.",
        "This configuration shows none (section <code>examples</code>).",
        "Nothing was measured: there are no files in <code>logs/costs</code>.",
    ):
        assert sentence in text
    assert "Data and published encoders" not in text
    assert "<tbody>\n</tbody>" not in text


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
