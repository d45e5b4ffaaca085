"""Figures: which there are, that they show the numbers of their files, and that equal ones have equal bytes."""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from workflow_scripts import figures
from workflow_scripts.cli import InputError
from workflow_scripts.config import Config, load
from workflow_scripts.corpus import QUESTIONS, Question, Relocation, write_table
from workflow_scripts.evaluate import misheard
from workflow_scripts.recipes.figures import DataSizes, HeatMaps, TrainingCurves
from workflow_scripts.recipes.sections import SectionsTable
from workflow_scripts.recipes.table import Heading, Row
from workflow_scripts.report import (
    data_sizes,
    heard,
    heat_maps,
    relocation_figure,
    retrieval_figure,
    training_curves,
)
from workflow_scripts.report.cells import read_cells
from workflow_scripts.report.sections import HEADS

ROOT = Path(__file__).parents[2]
TABLE = {
    "title": "T",
    "evaluation": "e",
    "annotators": 1,
    "seeds": [0],
    "task": "minimal",
    "columns": [["en-ar", "en-sw"], ["ar-en"]],
    "rows": [
        {"heading": "H"},
        {"model": "a", "label": "A", "training": "mono"},
        {"model": "b", "label": "B", "training": "+aug"},
        {"model": "c", "label": "C", "training": "+aug", "missing": "data/c"},
    ],
}
CSV = """Model,Tr. Data,"Q_en,C_ar","Q_en,C_sw",Q_en avg,"Q_ar,C_en",Heading,Alignment languages
A,mono,50.04,60.00,55.02,41.00,H,
B,+aug,51.26,70.00,60.63,42.00,H,ar
C,+aug,n/a,n/a,n/a,n/a,H,
"""


def draw(step: Any, folder: Path, recipe: Any, *arguments: str) -> list[bytes]:
    """The files that a step draws: SVG, PNG and page."""
    files = {option: folder / f"drawn.{option}" for option in ("svg", "png", "page")}
    options = [f"--{option}={file}" for option, file in files.items()]
    step.main(["--recipe", json.dumps(recipe), *arguments, *options])
    svg, png, page = (file.read_bytes() for file in files.values())
    assert png.startswith(b"\x89PNG")
    assert not re.findall(rb"<(?:script|link)[^>]+(?:src|href)=", page)  # nothing is loaded from elsewhere
    return [svg, png, page]


def marks(svg: bytes, *kinds: str) -> list[str]:
    """What is said of the marks of these kinds."""
    found = [mark for mark in ElementTree.fromstring(svg).iter() if mark.get("aria-roledescription") in kinds]
    return [(mark.get("aria-label") or "").replace("−", "-") for mark in found]


@pytest.fixture(scope="module")
def default() -> Config:
    return load(yaml.safe_load((ROOT / "config.yaml").read_text("utf-8")))


def test_figures_follow_from_the_configuration(default: Config) -> None:
    """A grid of pairs has maps, three sizes of the same make a line, questions heard and written are compared."""
    found = list(figures.figures_of(default))
    tables = ["table2", "table3", "table4", "table7", "table8", "dev", "hard", "baselines", "combined"]
    assert found == [
        *(f"effects/{name}" for name in ("mucot-effects", "table2-effects", "table3-effects")),
        *(f"heat_maps/{name}" for name in tables),
        "alignment_size/table4",
        "training_size/mucot_table2",
        "training_size/mucot_table3",
        "heard/table5",
        "retrieval/mbert",
        "relocation",
        "training/mbert",
        "training/xlmr",
    ]


def test_what_figures_are_told(default: Config) -> None:
    (line,) = figures.size_lines(default, "table4", "alignment")
    assert line.label == "xlmr, aligned in ar, bn, sw, ko"
    assert [(row.row, row.data) for row in line.rows] == [
        (f"xlmr-tydi-{size}", (f"tydi-{size}",)) for size in "sml"
    ]
    lines = figures.size_lines(default, "mucot_table2", "training")
    assert [(line.label, len(line.rows)) for line in lines] == [("mBERT", 4), ("mBERT, contrastive", 3)]
    told = figures.heard_recipe(default, "table5")
    columns = [(block.pairs[0], block.evaluation, block.task) for block in told.sections[0].columns]
    # Swahili questions as written are not in the table, but the evaluation has them
    assert columns == [
        (pair, evaluation, task)
        for task in ("passage", "minimal")
        for pair in ("en-bn", "en-sw")
        for evaluation in ("tydi-test", "tydi-heard")
    ]
    rows = figures.heat_maps_recipe(default, "table2").table.model_dump()["rows"]
    labels = [row["label"] for row in rows if "label" in row]
    assert {"TYDI-L (mbert)", "TYDI-L (xlmr)", "CAO-HIGH"} <= set(labels)
    assert figures.relocated(default) == ["chaii-en", "chaii-ml", "chaii-te", "chaii-bn", "chaii-mr"]


def test_heat_maps(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    given = {"table": TABLE}
    made = draw(heat_maps, tmp_path, given, "--table", str(tmp_path / "t.csv"))
    assert draw(heat_maps, tmp_path, given, "--table", str(tmp_path / "t.csv")) == made
    svg = made[0]
    (own,) = re.findall(
        rb'id="(id-[^"]+)"', svg
    )  # of the legend's gradient: no other figure of a page has it
    assert b"url(#" + own + b")" in svg
    told = marks(svg, "rect mark")
    assert len(told) == 6  # two models, three pairs: averages and what is missing are not drawn
    assert "context: ar; question: en; score: 50.0; model: A mono" in told[0].replace(
        "score: 50;", "score: 50.0;"
    )
    cells = heat_maps.values(read_cells(tmp_path / "t.csv", HeatMaps.model_validate({"table": TABLE}).table))
    assert [(cell["model"], cell["question"], cell["context"], cell["score"]) for cell in cells][3:] == [
        ("B +aug", "en", "ar", 51.3),
        ("B +aug", "en", "sw", 70.0),
        ("B +aug", "ar", "en", 42.0),
    ]
    (tmp_path / "t.csv").write_text(CSV.replace("Q_ar,C_en", "Q_sw,C_en"))
    with pytest.raises(InputError, match=r"t.csv: not the table that --recipe tells of"):
        heat_maps.main(["--recipe", json.dumps({"table": TABLE}), "--table", f"{tmp_path}/t.csv", *NOWHERE])
    missing = CSV.replace("A,mono", "X").splitlines()[0] + "\n" + "C,+aug,n/a,n/a,n/a,n/a,H,\n"
    (tmp_path / "t.csv").write_text(missing)
    only = {"table": {**TABLE, "rows": TABLE["rows"][3:]}}  # type: ignore[index]
    with pytest.raises(InputError, match=r"t.csv: no scores to draw; none of its models is there"):
        heat_maps.main(["--recipe", json.dumps(only), "--table", f"{tmp_path}/t.csv", *NOWHERE])


NOWHERE = ["--svg=x.svg", "--png=x.png", "--page=x.html"]


def test_scores_by_size(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    recipe = {
        "table": TABLE,
        "of": "alignment",
        "lines": [{"label": "L", "rows": [{"row": "a", "data": ["s"]}, {"row": "b", "data": ["m", "l"]}]}],
    }
    for name, pairs in (("s", 3), ("m", 10), ("l", 31)):
        (tmp_path / name).write_text("x ||| y\n" * pairs)
    files = [f"{name}/{code}={tmp_path}/{name}" for name in "sml" for code in ("ar", "sw")]
    given = ["--table", f"{tmp_path}/t.csv", "--pairs"]
    svg, *_ = draw(data_sizes, tmp_path, recipe, *given, *files)
    assert sorted(marks(svg, "point"))[:3] == [
        "A mono, ar-en: 41.0 at 6",
        "A mono, ar: 50.0 at 6",
        "A mono, average: 55.0 at 6",
    ]
    assert "B +aug, sw: 70.0 at 41" in marks(svg, "point")  # a row of two runs: the mean of both amounts
    with pytest.raises(InputError, match=r"^--pairs: no file of l, which the figure shows$"):
        data_sizes.main(["--recipe", json.dumps(recipe), *given, *files[:4], *NOWHERE])


def test_a_line_goes_through_the_mean_of_equal_sizes(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV.replace("C,+aug,n/a,n/a,n/a,n/a", "C,+aug,61.26,80.00,70.63,52.00"))
    for name, pairs in (("small", 3), ("large", 30)):
        (tmp_path / name).write_text("x ||| y\n" * pairs)
    rows = [{"row": row, "data": [data]} for row, data in (("a", "small"), ("b", "large"), ("c", "large"))]
    recipe = {"table": TABLE, "of": "alignment", "lines": [{"label": "L", "rows": rows}]}
    pairs = [f"{name}/ar={tmp_path}/{name}" for name in ("small", "large")]
    svg, *_ = draw(data_sizes, tmp_path, recipe, "--table", f"{tmp_path}/t.csv", "--pairs", *pairs)
    lines = re.findall(r'class="mark-line[^>]*><path d="([^"]*)"', svg.decode())
    assert len(lines) == 4  # a column or average each
    assert all(len(re.findall("[ML]", line)) == 2 for line in lines)
    assert len(marks(svg, "point")) == 12


def write_questions(file: Path, some: Sequence[Question]) -> None:
    write_table(file, [asdict(question) for question in some], QUESTIONS)


def test_questions_are_counted_without_those_left_out(tmp_path: Path) -> None:
    asked = [Question(str(name), str(name), "d", "hi", "?") for name in range(5)]
    write_questions(tmp_path / "q.parquet", asked)
    (tmp_path / "left_out").write_text('{"corpus":"q","id":"1"}\n')
    rows = [{"row": name, "data": ["set"]} for name in "ab"]
    recipe = DataSizes.model_validate(
        {
            "table": TABLE,
            "of": "training",
            "lines": [{"label": "L", "rows": rows}],
            "corpora": {"set": ["q", "r"]},
        }
    )
    files = dict.fromkeys(("q", "r"), f"{tmp_path}/q.parquet")
    assert data_sizes.sizes(recipe, {}, files, {"set": f"{tmp_path}/left_out"}) == {"set": 9}
    with pytest.raises(InputError, match=r"^--questions: no table of r, which set has$"):
        data_sizes.sizes(recipe, {}, {"q": files["q"]}, {"set": f"{tmp_path}/left_out"})


def scores(file: Path, n: int = 9, **figures: float) -> str:
    pairs = {
        pair.replace("_", "-"): {"n": n, "passage": {"best_f1": f1}, "minimal": {"best_f1": f1 / 2}}
        for pair, f1 in figures.items()
    }
    file.write_text(json.dumps({"annotators": 1, "pairs": pairs}))
    return str(file)


def questions(file: Path, **texts: str) -> str:
    lines = (json.dumps({"example_id": name, "question_text": text}) for name, text in texts.items())
    file.write_text("".join(f"{line}\n" for line in lines))
    return str(file)


def test_questions_as_they_were_heard(tmp_path: Path) -> None:
    """Words misheard are counted by pair; a model has what it scores both ways, the mean over seeds."""
    written = questions(tmp_path / "w", a="Who is the mayor?", b="Where ?", c="Not heard ?")
    misheard_ = questions(tmp_path / "h", a="who is a mare ?", b="where", d="unknown ?")
    rates = tmp_path / "rates.json"
    misheard.main([f"--written=heard/en-bn={written}", f"--heard=heard/en-bn={misheard_}", f"--out={rates}"])
    assert json.loads(rates.read_text()) == {
        "heard/en-bn": {"questions": 2, "words": 5, "rate": 0.4, "mean": 0.25}
    }
    blocks = [
        {"evaluation": evaluation, "task": "minimal", "pairs": ["en-bn"], "source": source}
        for evaluation, source in (("test", "gold"), ("heard", "asr"))
    ]
    rows = [
        {"model": "a", "label": "A", "training": "mono"},
        {"model": "b", "label": "B", "training": "x", "missing": "d"},
    ]
    recipe = {"title": "T", "annotators": 1, "seeds": [0, 1], "sections": [{"columns": blocks, "rows": rows}]}
    given = [
        f"a@test={scores(tmp_path / 't0', en_bn=0.8)},{scores(tmp_path / 't1', en_bn=0.6)}",
        f"a@heard={scores(tmp_path / 'h0', en_bn=0.5)},{scores(tmp_path / 'h1', en_bn=0.5)}",
    ]
    svg, *_ = draw(heard, tmp_path, recipe, "--scores", *given, "--misheard", str(rates))
    told = SectionsTable.model_validate(recipe)
    files = {name: paths.split(",") for name, _, paths in (one.partition("=") for one in given)}
    assert heard.values(told, told.sections[0], files, json.loads(rates.read_text())) == [
        {
            "model": "A mono",
            "pair": "English about Bengali",
            "task": "minimal answer",
            "rate": 40.0,
            "panel": "minimal answer, 40 % misheard\nEnglish about Bengali",
            "written": 35.0,
            "heard": 25.0,
            "change": -10.0,
        }
    ]
    assert len(marks(svg, "point")) == 3
    for seed in range(2):  # some were not heard: scores are of different questions
        scores(tmp_path / f"h{seed}", n=7, en_bn=0.5)
    (row,) = heard.values(told, told.sections[0], files, json.loads(rates.read_text()))
    assert row["panel"].split("\n")[2:] == ["7 questions heard, 9 written"]
    with pytest.raises(InputError, match=r"^--misheard: no rate of heard/en-bn"):
        heard.values(told, told.sections[0], files, {})
    questions(tmp_path / "w", z="Other ?")
    with pytest.raises(InputError, match=r"h: none of its questions is in .*w$"):
        misheard.main([f"--written=x/en-bn={written}", f"--heard=x/en-bn={misheard_}", f"--out={rates}"])


def test_answers_found_again(tmp_path: Path) -> None:
    """Shares are of records, by where they come from; one that lost one of two answers, and a notice, count once."""

    def found(name: str, method: str | None, confidence: float = 0.0) -> Question:
        place = Relocation(method, confidence) if method else None
        return Question(f"{name}@bn", name, "d@bn", "bn", "?", relocation=place)

    translated = [
        found("h1", "exact", 0.96),
        found("h2", "links", 0.7),
        found("h3", None),
        found("t1", "exact", 0.8),
    ]
    languages = {"h1": "hi", "h2": "hi", "h3": "hi", "h4": "hi", "h5": "hi", "t1": "ta"}
    dropped = [
        ("h2@bn", "the sentence with its answer 'x' has no translation"),
        ("h4@bn", "its answer is found again with label low, below high"),
        ("h4@bn", "its answer 'y' is nothing but blanks"),
        ("h5@bn", "its document is of another world"),
        ("d@bn", "the sentence 'z' has no translation and stays as it is"),
    ]
    shares, sure = relocation_figure.values("c", translated, languages, dropped)
    assert [(row["bar"], row["outcome"], row["records"], row["share"]) for row in shares] == [
        ("c from Hindi", "by linked words", 1, 25.0),
        ("c from Hindi", "left out: not sure enough", 1, 25.0),
        ("c from Hindi", "left out: other reasons", 1, 25.0),
        ("c from Hindi", "the same text", 1, 25.0),
        ("c from Tamil", "the same text", 1, 100.0),
    ]
    assert sure[0] == {"bar": "c from Hindi", "low": 0.765, "median": 0.83, "high": 0.895, "least": 0.7}
    originals = [Question(name, name, "d", code, "?") for name, code in languages.items()]
    write_questions(tmp_path / "of.parquet", originals)
    write_questions(tmp_path / "c.parquet", translated)
    lines = (json.dumps({"id": name, "reason": reason}) for name, reason in dropped)
    (tmp_path / "dropped").write_text("".join(f"{line}\n" for line in lines))
    given = [f"--questions=c={tmp_path}/c.parquet", f"--dropped=c={tmp_path}/dropped"]
    recipe = {"corpora": [{"name": "c", "of": "of"}]}
    svg, *_ = draw(relocation_figure, tmp_path, recipe, *given, f"--originals=of={tmp_path}/of.parquet")
    assert sum("records: 1" in mark for mark in marks(svg, "bar")) == 5
    with pytest.raises(InputError, match=r"^--originals: no file of of, which the figure shows$"):
        relocation_figure.main(
            ["--recipe", json.dumps(recipe), *given, f"--originals=x={tmp_path}/c.parquet", *NOWHERE]
        )


def test_the_course_of_training(tmp_path: Path) -> None:
    """Lines are means over runs; what was selected by stands in panels of its own."""
    files = []
    for name, losses in (
        ("a/seed0", [[1, 4.0], [21, 2.0]]),
        ("a/seed1", [[1, 2.0]]),
        ("b/seed0", [[1, 1e-9]]),
    ):
        told = {"losses": losses} | ({"scores": [[20, 31.234]]} if name == "b/seed0" else {})
        file = tmp_path / name.replace("/", "-")
        file.write_text(json.dumps(told))
        files.append(f"{name}={file}")
    runs = [{"name": name, "label": "A", "training": "mono"} for name in ("a/seed0", "a/seed1")]
    runs.append({"name": "b/seed0", "label": "B", "training": "mono → more", "selected_by": "jaccard"})
    recipe = {"title": "T", "runs": runs}
    given = dict(file.split("=") for file in files)
    losses, scored = training_curves.values(TrainingCurves.model_validate(recipe), given)
    assert [(row["model"], row["step"], row["runs"], row["figure"]) for row in losses] == [
        ("A", 1, 2, 3.0),
        ("A", 21, 1, 2.0),
        ("B", 1, 1, 1e-6),
    ]
    assert [(row["model"], row["step"], row["figure"]) for row in scored] == [("B", 20, 31.23)]
    svg, *_ = draw(training_curves, tmp_path, recipe, "--training", *files)
    assert marks(svg, "line mark").count("A") == 1
    Path(given["b/seed0"]).write_text('{"loss": 1}')
    with pytest.raises(InputError, match=r"b-seed0: tells no losses; tune the model again$"):
        training_curves.main(["--recipe", json.dumps(recipe), "--training", *files, *NOWHERE])
    with pytest.raises(InputError, match=r"^--training: no file of b/seed0, which the figure shows$"):
        training_curves.main(["--recipe", json.dumps(recipe), "--training", *files[:2], *NOWHERE])


def test_retrieval_is_drawn(tmp_path: Path) -> None:
    def told(figure: float | None) -> dict[str, Any]:
        ways = ("from_english", "to_english", "chance_from_english", "chance_to_english")
        of = None if figure is None else dict.fromkeys(ways, figure)
        measures = ("within", "words", "sentences", "sentences_cosine")
        return {"pairs": 1, "links": 1, "words": [1, 1], "scores": dict.fromkeys(measures, of)}

    encoders = {name: {"ar": told(figure), "sw": told(None)} for name, figure in (("m", 0.2), ("x", 0.6))}
    (tmp_path / "in.json").write_text(json.dumps({"encoders": encoders}))
    recipe = {"encoder": "m", "links": "gold", "alignments": [{"name": "x", "languages": ["ar"]}]}
    svg, *_ = draw(retrieval_figure, tmp_path, recipe, "--figures", f"{tmp_path}/in.json")
    assert len(marks(svg, "point")) == 4  # Swahili has none
    assert len(marks(svg, "tick")) == 2


def test_sections_are_read(tmp_path: Path) -> None:
    """Cells of different tasks are told apart; a table that was written otherwise is refused."""
    sections = [
        {
            "heading": task,
            "columns": [{"evaluation": "e", "task": task, "pairs": ["en-ar", "en-sw"]}],
            "rows": [{"model": "a", "label": "A", "training": "mono"}],
        }
        for task in ("passage", "minimal")
    ]
    recipe = SectionsTable.model_validate({"title": "T", "annotators": 1, "seeds": [0], "sections": sections})
    head = HEADS
    heads = ["Q_en,C_ar", "Q_en,C_sw", "Q_en avg"]
    lines = [
        [task, "", "A", "mono", column, f"{number}.50", "", "9", ""]
        for task in ("passage", "minimal")
        for number, column in enumerate(heads)
    ]
    file = tmp_path / "s.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([head, *lines])
    cells = read_cells(file, recipe)
    assert [(cell.part, cell.head, cell.pairs, cell.score) for cell in cells[1:4]] == [
        ("passage selection", "Q_en,C_sw", ("en-sw",), 1.5),
        ("passage selection", "Q_en avg", ("en-ar", "en-sw"), 2.5),
        ("minimal answer", "Q_en,C_ar", ("en-ar",), 0.5),
    ]
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([head, *lines[:-1]])
    with pytest.raises(InputError, match=r"s.csv: not the table"):
        read_cells(file, recipe)


def test_averages_of_blocks_stay_apart() -> None:
    """Two blocks of languages by themselves have nothing in common in their names: each has its panel."""
    blocks = [("ar-ar", "bn-bn"), ("sw-sw", "ko-ko"), ("en-en",), ("en-ar", "en-bn")]
    assert data_sizes.titles_of(blocks) == {
        blocks[0]: "ar, bn",
        blocks[1]: "sw, ko",
        blocks[2]: "",
        blocks[3]: "questions in en",
    }


@pytest.mark.parametrize("amounts", [[8300, 8400, 8600], [85, 90, 99], [3, 5, 9], [800, 9_000, 70_000]])
def test_an_axis_of_amounts_has_ticks(amounts: list[int]) -> None:
    """Also where amounts are close to each other."""
    found = data_sizes.ticks(amounts)
    assert found
    assert all(min(amounts) / 1.15 <= value <= max(amounts) * 1.15 for value in found)


def test_rows_that_only_headings_tell_apart(default: Config) -> None:
    """Maps of two models must not lie upon one another, in whichever section of a table they are."""
    first, *others = (
        Row(model=model, label="X", training="mono")
        for model in ("xlmr-tydi-s", "xlmr-tydi-m", "mbert-tydi-l")
    )
    parts = figures.told_apart(default, [[Heading(heading="H"), first], [*others, first]])
    assert [[row.label for row in rows if isinstance(row, Row)] for rows in parts] == [
        ["X (xlmr, xlmr-tydi-s)"],
        ["X (xlmr, xlmr-tydi-m)", "X (mbert)", "X (xlmr, xlmr-tydi-s)"],
    ]
    same = [Heading(heading="H"), first, first]
    assert figures.told_apart(default, [same]) == [tuple(same)]  # it is the same model


def test_nothing_is_drawn_of_what_is_not_there(default: Config) -> None:
    """A page of tables whose checkpoints are all missing has its tables, and no figures of them."""
    gone = default.model_copy(
        update={
            "alignments": {
                name: entry.model_copy(update={"checkpoint": f"data/{name}"})
                for name, entry in default.alignments.items()
            },
            "tables": {"table4": default.tables["table4"]},
            "examples": {},
        }
    )
    assert figures.figures_of(gone) == {}
    assert "heat_maps/table4" in figures.figures_of(default)


def test_models_of_one_label_are_one_line_only_if_made_alike() -> None:
    """Splits are averaged; another tuning or alignment of the same label is another line."""
    mucot = load(yaml.safe_load((ROOT / "config/mucot.yaml").read_text("utf-8")))
    lines = {(run.label, run.training) for run in figures.curves_recipe(mucot, "mbert").runs}
    assert ("mBERT", "SQuAD → ChAII") in lines
    assert not [label for label, _ in lines if "(" in label]
    name = "mbert-squad-chaii-0"
    settings = mucot.tuning[mucot.models[name].tuning].model_copy(update={"learning_rate": 1e-3})
    other = mucot.model_copy(
        update={
            "tuning": {**mucot.tuning, "other": settings},
            "models": {**mucot.models, name: mucot.models[name].model_copy(update={"tuning": "other"})},
        }
    )
    labels = {run.name.partition("/")[0]: run.label for run in figures.curves_recipe(other, "mbert").runs}
    assert labels[name] == f"mBERT ({name})"
    assert labels["mbert-squad-chaii-1"] == labels["mbert-squad-chaii-2"] == "mBERT (mbert-squad-chaii-1)"


def test_labels_are_no_markup(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    table = {**TABLE, "title": "a < b</script><i>"}
    svg, _, page = draw(heat_maps, tmp_path, {"table": table}, "--table", str(tmp_path / "t.csv"))
    assert "a < b</script><i>" in "".join(ElementTree.fromstring(svg).itertext())
    assert b"<i>" not in page
    (spec,) = re.findall(rb"(?m)^ *const spec = (.*);$", page)
    assert json.loads(spec)["title"] == table["title"]
