"""Tables of effects: what is compared with what, over which runs, and how it is shown."""

import csv
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from workflow_scripts import config as module
from workflow_scripts.cli import InputError
from workflow_scripts.evaluate import effects
from workflow_scripts.evaluate.outcomes import Questions, to_lines
from workflow_scripts.evaluate.tydi import Outcomes
from workflow_scripts.files import write_jsonl
from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.report import effects as report
from workflow_scripts.report import effects_figure, tables

ROOT = Path(__file__).parent.parent.parent
PAIRS = {"hi-hi": 67, "ta-ta": 33}  # questions of each


def run(file: Path, scores: np.ndarray, shuffle: int | None = None, split: str = "") -> str:
    """What 100 questions got, as evaluate.score writes it; perhaps in another order; of a split with its own."""
    lines = []
    for number, (pair, count) in enumerate(PAIRS.items()):
        of = scores[67 * number :][:count]
        order = np.random.default_rng(shuffle).permutation(count) if shuffle is not None else np.arange(count)
        one = Outcomes(np.zeros(count), np.full(count, True), np.full(count, True), of[order])
        names = [f"{split}{pair}{place}" for place in order]
        texts = {name: {"jaccard": float(got)} for name, got in zip(names, of[order], strict=True)}
        lines += list(to_lines(pair, Questions(names, dict.fromkeys(("passage", "minimal"), one)), texts))
    write_jsonl(file, lines)
    return str(file)


def recipe(**changes: Any) -> dict[str, Any]:
    return {
        "title": "T",
        "evaluation": "chaii-test-0",
        "seeds": [0],
        "metric": "jaccard",
        "average": "questions",
        "columns": [list(PAIRS)],
        "resamples": 1000,
        "effects": [{"label": "aug|mented", "system": ["aug"], "base": ["mono"]}],
        **changes,
    }


def measured(folder: Path, given: dict[str, Any], **files: list[str]) -> list[list[dict[str, Any]]]:
    """The verdicts."""
    questions = [f"{model}={','.join(names)}" for model, names in files.items()]
    arguments = [
        "--recipe",
        json.dumps(given),
        "--questions",
        *questions,
        "--out",
        str(folder / "effects.json"),
    ]
    effects.main(arguments)
    found: list[list[dict[str, Any]]] = json.loads((folder / "effects.json").read_text("utf-8"))
    return found


@pytest.fixture
def scores() -> np.ndarray:
    """Four runs of a model, [runs, questions]."""
    return np.random.default_rng(0).choice([0.0, 0.5, 1.0], (4, 100))


def test_a_difference_of_two_models(tmp_path: Path, scores: np.ndarray) -> None:
    mono, aug = run(tmp_path / "a", scores[0]), run(tmp_path / "b", scores[1], shuffle=1)
    ((hi, ta, overall),) = measured(tmp_path, recipe(), aug=[aug], mono=[mono])
    gain = scores[1] - scores[0]
    for verdict, of in ((hi, gain[:67]), (ta, gain[67:]), (overall, gain)):
        assert verdict["difference"] == pytest.approx(of.mean())
        assert verdict["low"] < of.mean() < verdict["high"]
        spread = of.std() / len(of) ** 0.5
        assert (verdict["high"] - verdict["low"]) / (2 * 1.96 * spread) == pytest.approx(1, abs=0.1)
        assert verdict["questions"] == len(of)
    assert overall["p_holm"] >= overall["p_two_sided"]
    ((_, _, swapped),) = measured(
        tmp_path,
        recipe(effects=[{"label": "x", "system": ["mono"], "base": ["aug"]}]),
        aug=[aug],
        mono=[mono],
    )
    assert swapped["difference"] == pytest.approx(-overall["difference"])
    assert (swapped["low"], swapped["high"]) == pytest.approx((-overall["high"], -overall["low"]))


def test_several_comparisons_are_one_effect_over_seeds_and_splits(tmp_path: Path, scores: np.ndarray) -> None:
    """The mean of aug - mono and of big - mono, over two seeds of one split, and over one seed of two splits."""
    both = [{"label": "x", "system": ["aug", "big"], "base": ["mono", "mono"]}]
    expected = np.mean([scores[2:].mean() - scores[:2].mean(), scores[[3, 0]].mean() - scores[:2].mean()])

    def of(*names: str) -> dict[str, list[str]]:
        """Two runs of three models."""
        return {
            model: [
                run(tmp_path / f"{model}{split}{number}", scores[number], split=split)
                for number, split in zip(numbers, names, strict=True)
            ]
            for model, numbers in {"mono": (0, 1), "aug": (2, 3), "big": (3, 0)}.items()
        }

    ((*_, seeds),) = measured(tmp_path, recipe(seeds=[0, 1], effects=both), **of("", ""))
    ((*_, splits),) = measured(tmp_path, recipe(repeats=["k = 0", "k = 1"], effects=both), **of("a", "b"))
    ((*_, others),) = measured(tmp_path, recipe(repeats=["m = x", "m = y"], effects=both), **of("", ""))
    for found in (seeds, splits, others):
        assert found["difference"] == pytest.approx(expected)
    assert [(found["runs"], found["splits"], found["questions"]) for found in (seeds, splits, others)] == [
        (2, 1, 100),
        (1, 2, 200),
        (1, 1, 100),  # values of a variable that is no split: the same questions
    ]


@pytest.mark.parametrize("average", ["pairs", "questions"])
def test_a_difference_is_that_of_the_means_in_a_table_of_scores(tmp_path: Path, average: str) -> None:
    """Three splits of different sizes, two of which have questions in common, and two seeds."""
    draw, given, printed = np.random.default_rng(1), recipe(average=average, seeds=[0, 1]), {}
    given["repeats"] = ["k = 0", "k = 1", "k = 2"]
    asked = [{"hi-hi": range(12), "ta-ta": range(3)}, {"hi-hi": range(8, 12), "ta-ta": range(3, 23)}]
    asked.append({"hi-hi": range(20, 80), "ta-ta": range(50, 55)})
    runs: dict[str, list[str]] = {"mono": [], "aug": []}
    shown = tmp_path / "table.csv"
    for model, files in runs.items():
        scores = []
        for k, of_pairs in enumerate(asked):
            for seed in (0, 1):
                lines, figures = [], {}
                for pair, places in of_pairs.items():
                    many, names = len(places), [f"{pair}{place}" for place in places]
                    got = draw.uniform(0, 1, many)
                    one = Outcomes(np.zeros(many), np.full(many, True), np.full(many, True), got)
                    of_tasks = dict.fromkeys(("passage", "minimal"), one)
                    texts = {name: {"jaccard": float(of)} for name, of in zip(names, got, strict=True)}
                    lines += list(to_lines(pair, Questions(names, of_tasks), texts))
                    figures[pair] = {"n": many, "text": {"jaccard": float(got.mean())}}
                files.append(f"{tmp_path}/{model}{k}{seed}.jsonl")
                write_jsonl(files[-1], lines)
                scores.append(f"{tmp_path}/{model}{k}{seed}.json")
                Path(scores[-1]).write_text(json.dumps({"annotators": 1, "pairs": figures}), "utf-8")
        table = {key: given[key] for key in ("title", "evaluation", "seeds", "repeats", "average", "columns")}
        row = {"model": model, "label": model, "training": ""}
        told = json.dumps({**table, "annotators": 1, "metrics": ["jaccard"], "rows": [row]})
        written = [
            f"--{form}={shown.with_suffix(end)}" for form, end in (("markdown", ".md"), ("latex", ".tex"))
        ]
        tables.main(
            [f"--recipe={told}", "--scores", f"{model}={','.join(scores)}", f"--csv={shown}", *written]
        )
        with shown.open(newline="") as text:
            (line,) = csv.DictReader(text)
        printed[model] = [
            float(line[head]) for head in ("hi", "ta", "overall" if average == "questions" else "avg")
        ]
    (found,) = measured(tmp_path, given, **runs)
    differences = [100 * verdict["difference"] for verdict in found]
    assert differences == pytest.approx(np.subtract(printed["aug"], printed["mono"]), abs=0.0101)
    assert [verdict["splits"] for verdict in found] == [3, 3, 3]
    assert [verdict["shared"] for verdict in found] == pytest.approx([8 / 76, 0, 8 / 104])


@pytest.mark.parametrize("average", ["pairs", "questions"])
def test_one_question_in_several_languages_is_drawn_once(
    tmp_path: Path, scores: np.ndarray, average: str
) -> None:
    """An average of two pairs that got the same on the same questions is no surer than one; whatever their order."""
    files = []
    for number in range(2):
        lines = []
        for pair, order in (("hi-hi", range(100)), ("ta-ta", range(99, -1, -1))):
            of = scores[number][list(order)]
            one = Outcomes(np.zeros(100), np.full(100, True), np.full(100, True), of)
            names = [str(place) for place in order]
            texts = {name: {"jaccard": float(got)} for name, got in zip(names, of, strict=True)}
            lines += list(to_lines(pair, Questions(names, dict.fromkeys(("passage", "minimal"), one)), texts))
        write_jsonl(tmp_path / str(number), lines)
        files.append(str(tmp_path / str(number)))
    ((hi, _, overall),) = measured(tmp_path, recipe(average=average), aug=files[:1], mono=files[1:])
    assert overall["difference"] == pytest.approx(hi["difference"])
    assert (overall["low"], overall["high"]) == pytest.approx((hi["low"], hi["high"]))
    assert overall["questions"] == 100


def test_tydis_f1(tmp_path: Path, scores: np.ndarray) -> None:
    mono, aug = run(tmp_path / "a", scores[0]), run(tmp_path / "b", scores[1])
    given = recipe(metric=None, task="minimal", average="pairs")
    ((hi, ta, average),) = measured(tmp_path, given, aug=[aug], mono=[mono])
    gain = scores[1] - scores[0]
    assert hi["difference"] == pytest.approx(gain[:67].mean())  # all have answers and are answered
    assert average["difference"] == pytest.approx((hi["difference"] + ta["difference"]) / 2)


def test_thresholds_of_another_evaluation(tmp_path: Path) -> None:
    """Answers below them count as none: with half of the answers of one model cut off, that is F1 at this threshold."""
    given = recipe(metric=None, task="minimal", average="pairs", thresholds="dev")
    score, f1 = np.arange(100.0), np.tile([1.0, 0.5], 50)
    files, points = {}, {}
    for model, at in (("aug", {"hi-hi": 20.0, "ta-ta": 80.0}), ("mono", {"hi-hi": -1.0, "ta-ta": -1.0})):
        lines = []
        for pair, place in (("hi-hi", slice(0, 67)), ("ta-ta", slice(67, 100))):
            there = np.full(PAIRS[pair], True)
            one = Outcomes(score[place], there, there, f1[place])
            names = [f"{pair}{number}" for number in range(PAIRS[pair])]
            texts: dict[str, dict[str, float]] = {name: {} for name in names}
            lines += list(to_lines(pair, Questions(names, dict.fromkeys(("passage", "minimal"), one)), texts))
        files[model] = f"{tmp_path}/{model}.jsonl"
        write_jsonl(files[model], lines)
        points[model] = tmp_path / f"{model}.json"
        tasks = {
            pair: {task: {"threshold": of} for task in ("passage", "minimal")} for pair, of in at.items()
        }
        points[model].write_text(json.dumps({"pairs": tasks}), "utf-8")
    told = [f"{model}={file}" for model, file in files.items()]
    arguments = ["--recipe", json.dumps(given), "--questions", *told, "--out", f"{tmp_path}/out.json"]
    effects.main([*arguments, "--thresholds", *(f"{model}={file}" for model, file in points.items())])
    ((hi, ta, _),) = json.loads((tmp_path / "out.json").read_text("utf-8"))
    for verdict, place, cut in ((hi, slice(0, 67), 20), (ta, slice(67, 100), 13)):
        above = f1[place][cut:]
        expected = 2 * above.sum() / (len(above) + len(f1[place])) - f1[place].mean()
        assert verdict["difference"] == pytest.approx(expected)
    with pytest.raises(InputError, match=r"^--thresholds: model aug has 0 files, but there are 1 runs$"):
        effects.main(arguments)
    verdict = {"questions": 67, "splits": 1}
    shown = EffectsTable.model_validate({**given, "thresholds_from": "tydi-dev"})
    caption = report.caption(shown, [[verdict, verdict, verdict]])
    assert "Differences of F1 of minimal answers" in caption
    assert "Thresholds are those of the best F1 on tydi-dev. " in caption


def test_how_it_is_shown(tmp_path: Path) -> None:
    verdict = {
        "low": -0.01,
        "high": 0.05,
        "p": 0.06,
        "questions": 67,
        "runs": 3,
        "splits": 1,
        "resamples": 1000,
    }
    row = [
        {**verdict, "difference": 0.031, "p_two_sided": two, "p_holm": holm}
        for two, holm in ((0.12, 0.3), (0.04, 0.08), (0.001, 0.003))
    ]
    (tmp_path / "effects.json").write_text(json.dumps([row]), "utf-8")
    out, page = tmp_path / "out.csv", tmp_path / "out.md"
    arguments = ["--effects", f"{tmp_path}/effects.json", "--csv", str(out), "--markdown", str(page)]
    arguments += ["--latex", f"{tmp_path}/out.tex"]
    report.main(["--recipe", json.dumps(recipe(seeds=[0, 1, 2])), *arguments])
    lines = page.read_text("utf-8").splitlines()
    assert "word Jaccard in percentage points on chaii-test-0 (seeds 0, 1, 2)" in lines[0]
    assert "over questions and seeds (1,000 resamples, 67 questions). \\*: " in lines[0].replace(
        "Overall: the mean over questions. ", ""
    )
    assert [cell.strip() for cell in re.split(r"(?<!\\)\|", lines[-1])[1:-1]] == [
        r"aug\|mented",
        "+3.1 [-1.0, +5.0]",
        r"+3.1 [-1.0, +5.0] \*",
        r"+3.1 [-1.0, +5.0] \*\*",
    ]
    with out.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1:][2] == [
        "aug|mented",
        "overall",
        "3.10",
        "-1.00",
        "5.00",
        "0.0600",
        "0.0010",
        "0.0030",
        "67",
        "3",
        "1",
    ]
    with pytest.raises(InputError, match=r"effects.json: not 1 effects in 1 columns$"):
        report.main(["--recipe", json.dumps(recipe(columns=[["hi-hi"]])), *arguments])


def test_how_it_is_drawn(tmp_path: Path) -> None:
    verdict = {"low": -0.01, "high": 0.05, "p_two_sided": 0.04, "resamples": 1000}
    row = [{**verdict, "difference": difference} for difference in (0.031, 0.012, -0.004)]
    (tmp_path / "effects.json").write_text(json.dumps([row]), "utf-8")

    def draw(name: str) -> list[bytes]:
        files = [tmp_path / f"{name}.{end}" for end in ("svg", "png", "html")]
        options = zip(("--svg", "--png", "--page"), map(str, files), strict=True)
        given = ["--recipe", json.dumps(recipe()), "--effects", f"{tmp_path}/effects.json"]
        effects_figure.main([*given, *(word for pair in options for word in pair)])
        return [file.read_bytes() for file in files]

    svg, png, page = draw("a")
    assert [svg, png, page] == draw("b")
    marks = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")
    points = [mark for mark in marks if mark.get("aria-roledescription") == "point"]
    assert [(point.get("aria-label") or "").replace("−", "-") for point in points] == [
        f"difference: {points:g}; effect: aug|mented; points: {points:+}; from: -1.0; to: +5.0; p, two-sided: .04"
        for points in (3.1, 1.2, -0.4)
    ]
    assert png.startswith(b"\x89PNG")
    assert not re.findall(rb"<(?:script|link)[^>]+(?:src|href)=", page)  # nothing is loaded from elsewhere


def test_what_intervals_are_about() -> None:
    def told(splits: int = 1, shared: float = 0.0, **changes: Any) -> str:
        common = {"splits": splits, "shared": shared}
        found = [[{"questions": 100, **common}, {"questions": 200, **common}]]
        return report.caption(EffectsTable.model_validate(recipe(**changes)), found)

    assert "over questions (1,000 resamples, 100 to 200 questions). An interval over one seed says" in told()
    splits = told(2, repeats=["k = 0", "k = 1"])
    assert (
        "(k = 0, k = 1, seed 0), with 95 % intervals by paired bootstrap over values of k and questions ("
        in splits
    )
    assert "as if" not in splits
    languages = ["k = 0, to = bn", "k = 0, to = hi"]
    assert "bootstrap over values of to and questions (" in told(2, repeats=languages)
    assert (
        " Up to 12 % of the questions are asked for several values of k, which are drawn as if they were different"
        " questions, which narrows intervals."
    ) in told(2, shared=0.123, repeats=["k = 0", "k = 1"])
    assert "says nothing of other seeds" not in splits  # each split is trained by itself
    task = {"metric": None, "task": "minimal", "average": "pairs"}
    assert "of best F1 of minimal answers in" in told(**task)
    assert "Thresholds are found anew in every resample. " in told(**task, thresholds="resampled")


def test_what_is_refused(tmp_path: Path, scores: np.ndarray) -> None:
    one = run(tmp_path / "a", scores[0])
    with pytest.raises(InputError, match=r"^--questions: model mono has 0 files, but there are 1 runs$"):
        measured(tmp_path, recipe(), aug=[one])
    with pytest.raises(InputError, match=r"a: no questions of bn-bn; there are hi-hi, ta-ta$"):
        measured(tmp_path, recipe(columns=[["bn-bn"]]), aug=[one], mono=[one])
    with pytest.raises(InputError, match=r"a: not every question of hi-hi has em; score it again$"):
        measured(tmp_path, recipe(metric="em"), aug=[one], mono=[one])
    wrong = recipe(effects=[{"label": "x", "system": ["aug"], "base": ["mono", "aug"]}])
    with pytest.raises(
        InputError, match=r"^--recipe: effect x has 1 systems and 2 bases; give as many of both$"
    ):
        measured(tmp_path, wrong, aug=[one], mono=[one])


def test_models_that_are_compared_are_guarded() -> None:
    raw = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    raw["tables"] = {name: raw["tables"][name] for name in ("table2", "mucot-effects")}
    for of in raw["tables"].values():
        of.pop("stars", None)
    config = module.load(raw)
    assert "chaii-test-0" in module.evaluations_of(config, "chaii-in-dravidian-0")
    spoil = {"label": "x", "system": ["squad-chaii-{k}"], "base": []}
    for base, sentence in (
        (["chaii-{fold}"], "tables.mucot-effects: for_each gives no values to fold"),
        (["mbret"], "tables.mucot-effects.effects: unknown model 'mbret'; known are "),
        ([], "tables.mucot-effects.effects.0.base is []: list should have at least 1 item"),
        (
            ["a", "b"],
            "tables.mucot-effects.effects.0: 1 in system and 2 in base; each system needs its own base",
        ),
    ):
        raw["tables"]["mucot-effects"]["effects"] = [{**spoil, "base": base}]
        with pytest.raises(InputError) as caught:
            module.load(raw)
        assert str(caught.value).startswith(sentence)


def test_thresholds_of_effects_are_those_of_the_tables_that_they_star() -> None:
    raw = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    raw["tables"]["table2-effects"]["thresholds"] = "dev"
    sentence = "tables.table2.stars: thresholds of tables.table2-effects are others; they must be the same"
    with pytest.raises(InputError, match=sentence):
        module.load(raw)
    del raw["tables"]["table2"]["stars"]
    with pytest.raises(InputError, match=r"thresholds is dev, but evaluations.tydi-test.thresholds_from"):
        module.load(raw)
    raw["evaluations"]["tydi-test"]["thresholds_from"] = "tydi-dev"
    assert module.effects_recipe(module.load(raw), "table2-effects").thresholds_from == "tydi-dev"
    raw["tables"]["mucot-effects"]["thresholds"] = "resampled"
    with pytest.raises(InputError, match="resampled belongs to task"):
        module.load(raw)
