"""Tables of scores: layout, averages, marks, seeds, and what is refused."""

import csv
import json
import random
import re
import statistics
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.cli import InputError
from workflow_scripts.report.chosen import best_of_each_column
from workflow_scripts.report.tables import figures, heads, in_mix, main

E = ["en-ar", "en-bn", "en-sw", "en-ko"]
F = ["ar-en", "bn-en", "sw-en", "ko-en"]
# Two rows of aligned_qa's Table 2 as printed: mBERT mono and mBERT TYDI-L, passage selection.
MONO = [76.4, 43.0, 60.9, 37.3, 51.8, 43.3, 46.9, 49.8]
TYDI_L = [81.2, 52.1, 65.2, 49.8, 53.2, 52.5, 53.5, 52.9]


def recipe(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Table 2",
        "evaluation": "tydi-test",
        "annotators": 2,
        "seeds": [0],
        "task": "passage",
        "columns": [E, F],
        "rows": [
            {"model": "mono", "label": "mBERT", "training": "mono"},
            {"heading": "mBERT + Alignment FT"},
            {"model": "tydi-l", "label": "TYDI-L", "training": "+aug", "alignment": ["ar", "bn", "sw"]},
        ],
        **changes,
    }


def scores(file: Path, percent: list[float], annotators: int = 2, questions: int = 200) -> str:
    """A file as evaluate.score writes it; minimal answers score half of the passages."""
    pairs = {
        pair: {"n": questions, "passage": {"best_f1": f1 / 100}, "minimal": {"best_f1": f1 / 200}}
        for pair, f1 in zip(E + F, percent, strict=True)
    }
    file.write_text(json.dumps({"annotators": annotators, "pairs": pairs}), "utf-8")
    return str(file)


def write(tmp_path: Path, recipe: dict[str, Any], *files: str) -> tuple[list[list[str]], list[str]]:
    """The rows of the CSV and the lines of the Markdown."""
    out, page = tmp_path / "table.csv", tmp_path / "table.md"
    written = ["--csv", str(out), "--markdown", str(page), "--latex", str(tmp_path / "table.tex")]
    main(["--recipe", json.dumps(recipe), "--scores", *files, *written])
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file)), page.read_text("utf-8").splitlines()


@pytest.fixture
def both(tmp_path: Path) -> list[str]:
    return [f"mono={scores(tmp_path / 'a.json', MONO)}", f"tydi-l={scores(tmp_path / 'b.json', TYDI_L)}"]


def test_a_bar_in_a_label_ends_no_cell(tmp_path: Path, both: list[str]) -> None:
    rows = [
        {"model": "mono", "label": "a|b", "training": "c|d"},
        {"heading": "e|f"},
        {"model": "tydi-l", "label": "TYDI-L", "training": "+aug"},
    ]
    (_, first, _), page = write(tmp_path, recipe(rows=rows), *both)
    assert first[:2] == ["a|b", "c|d"]
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in page[2:]}
    assert bars == {13}
    assert r"| a\|b " in page[4]


def test_the_layout_is_that_of_the_paper(tmp_path: Path, both: list[str]) -> None:
    (head, *rows), page = write(tmp_path, recipe(), *both)
    blocks = ["Q_en,C_ar", "Q_en,C_bn", "Q_en,C_sw", "Q_en,C_ko", "Q_en avg"]
    blocks += ["Q_ar,C_en", "Q_bn,C_en", "Q_sw,C_en", "Q_ko,C_en", "C_en avg"]
    assert head == ["Model", "Tr. Data", *blocks, "Heading", "Alignment languages"]
    assert [row[:2] for row in rows] == [["mBERT", "mono"], ["TYDI-L", "+aug"]]
    assert [row[-2:] for row in rows] == [["", ""], ["mBERT + Alignment FT", "ar bn sw"]]
    assert [float(cell) for cell in rows[0][2:-2]] == pytest.approx(
        [*MONO[:4], 54.4, *MONO[4:], 47.95], abs=1e-9
    )
    # as the paper prints them, but for 47.95, of which it makes 48.0
    assert page[0] == (
        "Table 2. Best F1 in percent on tydi-test: 200 questions a column, an answer where at least 2 annotators gave"
        " one, seed 0. ✓ or ✗: aligned in the language beside English, or not."
    )
    assert page[1] == ""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page[2:]]
    assert cells[0] == ["Model", "Tr. Data", *blocks]
    assert cells[2][:7] == ["mBERT", "mono", "76.4", "43.0", "60.9", "37.3", "54.4"]
    assert cells[3] == ["*mBERT + Alignment FT*", *[""] * 11]
    assert cells[4][:7] == ["TYDI-L", "+aug", "81.2 ✓", "52.1 ✓", "65.2 ✓", "49.8 ✗", "62.1"]
    assert cells[4][7:] == ["53.2 ✓", "52.5 ✓", "53.5 ✓", "52.9 ✗", "53.0"]
    assert len(page) == 7


def test_plain_text_is_aligned(tmp_path: Path, both: list[str]) -> None:
    _, page = write(tmp_path, recipe(), *both)
    assert len({len(line) for line in page[2:]}) == 1
    dots = [[place for place, sign in enumerate(line) if sign == "."] for line in (page[4], page[6])]
    assert dots[0] == dots[1]


def test_the_other_task(tmp_path: Path, both: list[str]) -> None:
    (_, first, *_), _ = write(tmp_path, recipe(task="minimal"), *both)
    assert float(first[2]) == pytest.approx(38.2)


def test_thresholds_of_another_evaluation(tmp_path: Path, both: list[str]) -> None:
    honest = recipe(threshold="dev", thresholds_from="tydi-dev", rows=recipe()["rows"][:1])
    with pytest.raises(InputError, match="not a file of scores"):
        write(tmp_path, honest, both[0])
    file = tmp_path / "a.json"
    content = json.loads(file.read_text("utf-8"))
    for number, pair in enumerate(content["pairs"].values()):
        pair["passage"]["at_dev_threshold"] = {"f1": number / 100}
    file.write_text(json.dumps(content), "utf-8")
    (_, row), page = write(tmp_path, honest, both[0])
    assert [float(cell) for cell in row[2:7]] == [0, 1, 2, 3, 1.5]
    assert page[0].startswith("Table 2. F1 in percent on tydi-test: 200 questions a column, ")
    assert page[0].endswith("seed 0. Thresholds are those of the best F1 on tydi-dev.")


def test_several_seeds_give_mean_and_standard_deviation(tmp_path: Path) -> None:
    seeds = [[value + shift for value in MONO] for shift in (-2.0, 0.5, 3.0)]
    files = ",".join(scores(tmp_path / f"{number}.json", percent) for number, percent in enumerate(seeds))
    rows = [{"model": "mono", "label": "mBERT", "training": "mono"}]
    (_, row), page = write(tmp_path, recipe(seeds=[3, 4, 5], rows=rows), f"mono={files}")
    assert float(row[2]) == pytest.approx(76.9)
    spread = statistics.stdev([-2.0, 0.5, 3.0])
    assert page[4].split("|")[3].strip() == f"76.9 ± {spread:.1f}"
    assert "seeds 3, 4, 5 (mean ± standard deviation)" in page[0]
    assert "✓" not in page[0]


def test_several_splits_give_mean_and_interval(tmp_path: Path) -> None:
    """Student's t over the splits' means; over the seeds where there is one split."""
    percent = [[40.0, 44.0], [50.0, 56.0], [61.0, 61.0]]  # of each split in two seeds
    files = [
        scores(tmp_path / f"{split}.{seed}.json", [value] * 8, questions=200 + split)
        for split, values in enumerate(percent)
        for seed, value in enumerate(values)
    ]
    changes = {"seeds": [0, 1], "repeats": ["k = 0", "k = 1", "k = 2"], "spread": "interval", "columns": [E]}
    one_row = recipe(**changes, rows=[{"model": "m-{k}", "label": "mBERT", "training": "mono"}])
    (head, cells), page = write(tmp_path, one_row, f"m-{{k}}={','.join(files)}")
    half = 4.30265 * statistics.stdev([42, 53, 61]) / 3**0.5
    assert head[2:12] == [*heads([E], "avg"), *(f"{name} ±" for name in heads([E], "avg"))]
    assert cells[2:12] == ["52.00"] * 5 + [f"{half:.2f}"] * 5
    assert f"| 52.0 ± {half:.1f} |" in page[-1]
    assert "k = 0, k = 1, k = 2, seeds 0, 1 (mean ± half of a 95 % interval over 3 repeats)" in page[0]
    assert "200 to 202 questions a column" in page[0]
    one_split = {**one_row, "repeats": [""]}
    (_, cells), _ = write(tmp_path, one_split, f"m-{{k}}={','.join(files[:2])}")
    assert cells[7] == f"{12.7062 * statistics.stdev([40, 44]) / 2**0.5:.2f}"
    with pytest.raises(
        InputError, match=r"^--scores: model m-{k} has 5 files, but there are 2 seeds of 3 splits$"
    ):
        write(tmp_path, one_row, f"m-{{k}}={','.join(files[:5])}")


def test_stars_are_where_a_model_is_better(tmp_path: Path, both: list[str]) -> None:
    """One-sided, and never where it is worse, however surely; other rows leave room for them."""
    verdicts = [{"difference": 0.1, "p": 0.2}] * 10
    verdicts[0] = {"difference": 0.1, "p": 0.049}
    verdicts[1] = {"difference": -0.1, "p": 0.01}
    verdicts[4] = {"difference": 0.1, "p": 0.0}
    (tmp_path / "effects.json").write_text(json.dumps([verdicts]), "utf-8")
    given = recipe(starred=["tydi-l"], over=["mBERT +aug"])
    _, page = write(tmp_path, given, *both, f"--effects={tmp_path / 'effects.json'}")
    assert r" \*: better than mBERT +aug, p < 0.05, one-sided, by paired bootstrap." in page[0]
    cells = [cell.strip() for cell in page[6].split(" | ")]
    assert cells[2:7] == [r"81.2\* ✓", "52.1 ✓", "65.2 ✓", "49.8 ✗", r"62.1\*"]
    assert "76.4 " in page[4]
    (tmp_path / "effects.json").write_text(json.dumps([verdicts[1:]]), "utf-8")
    with pytest.raises(InputError, match=r"effects.json: not 1 effects in 10 columns$"):
        write(tmp_path, given, *both, f"--effects={tmp_path / 'effects.json'}")
    with pytest.raises(InputError, match=r"^--effects: none is given, but starred names models"):
        write(tmp_path, given, *both)


def test_heads() -> None:
    assert heads([["en-ar"]]) == ["Q_en,C_ar"]
    same = ["en-en", "ar-ar"]
    assert heads([same, same[::-1]])[2::3] == ["avg", "avg of block 2"]


@pytest.mark.parametrize(
    ("pair", "expected"),
    [("en-en", None), ("en-ar", True), ("ar-en", True), ("ko-en", False), ("ar-ar", True), ("ar-ko", False)],
)
def test_marks_are_about_the_languages_beside_english(pair: str, expected: bool | None) -> None:
    assert in_mix(pair, ["ar", "bn"]) is expected


def test_what_is_refused(tmp_path: Path, both: list[str]) -> None:
    for files, sentence in (
        (both[:1], "--scores: model tydi-l has 0 files, but there are 1 seeds"),
        ([both[0], f"{both[1]},x.json"], "--scores: model tydi-l has 2 files, but there are 1 seeds"),
        ([both[0], "tydi-l=nowhere.json"], "nowhere.json: no such file"),
        ([both[0], f"tydi-l={scores(tmp_path / 'c.json', MONO, 1)}"], "scored with 1 annotators"),
        (
            [both[0], f"tydi-l={scores(tmp_path / 'd.json', MONO, 2, 7)}"],
            "7 questions for en-ar, but 200 in other",
        ),
    ):
        with pytest.raises(InputError, match=sentence):
            write(tmp_path, recipe(), *files)
    broken = tmp_path / "e.json"
    for text in ("", "[]", '{"annotators": 2}', '{"annotators": 2, "pairs": {"en-ar": {}}}'):
        broken.write_text(text, "utf-8")
        with pytest.raises(InputError, match="not a file of scores"):
            write(tmp_path, recipe(), both[0], f"tydi-l={broken}")
    with pytest.raises(InputError, match=r"no scores for en-hi; there are en-ar, en-bn"):
        write(tmp_path, recipe(columns=[["en-hi"]]), *both)
    assert not (tmp_path / "table.csv").exists()


def test_the_papers_averages(shared: Path) -> None:
    """All averages printed in Tables 2 and 3 are means of the cells beside them, as ours are."""
    for table in ("2", "3"):
        with (shared / "paper_tables" / f"aligned_qa_table{table}.csv").open(
            encoding="utf-8", newline=""
        ) as file:
            printed = list(csv.DictReader(file))
        for row in {line["row_order"] for line in printed}:
            lines = [line for line in printed if line["row_order"] == row]
            for side in ("question_language", "context_language"):
                block = [line for line in lines if line[side] == "en"]
                cells = {
                    f"{line['question_language']}-{line['context_language']}": (float(line["score"]), 1)
                    for line in block
                    if line["is_average"] == "no"
                }
                (average,) = (float(line["score"]) for line in block if line["is_average"] == "yes")
                assert average == pytest.approx(figures(list(cells), cells)[-1], abs=0.051)


def text_scores(file: Path, jaccard: tuple[float, float], squad: str = "1.1") -> str:
    """Scores of texts as evaluate.score writes them, of Hindi and Tamil questions; EM is half of Jaccard."""
    pairs = {
        pair: {"n": questions, "text": {"jaccard": score, "em": score / 2}}
        for pair, questions, score in zip(("hi-hi", "ta-ta"), (67, 33), jaccard, strict=True)
    }
    file.write_text(json.dumps({"annotators": 1, "squad": squad, "pairs": pairs}), "utf-8")
    return str(file)


def test_scores_of_texts_in_mucots_layout(tmp_path: Path) -> None:
    """Two columns of its Table 2, as rows here."""
    asked = recipe(
        title="MuCoT",
        evaluation="chaii",
        annotators=1,
        task=None,
        metrics=["jaccard", "em"],
        average="questions",
        columns=[["hi-hi", "ta-ta"]],
        rows=[
            {"model": "none", "label": "mBERT", "training": "SQuAD → ChAII"},
            {"model": "all", "label": "mBERT", "training": "SQuAD → ChAII+ml+te+bn+mr", "alignment": ["hi"]},
        ],
    )
    files = [
        f"none={text_scores(tmp_path / 'a.json', (0.57, 0.37))}",
        f"all={text_scores(tmp_path / 'b.json', (0.54, 0.39))}",
    ]
    (head, *rows), page = write(tmp_path, asked, *files)
    assert head[2:-2] == ["Jaccard hi", "Jaccard ta", "Jaccard overall", "EM hi", "EM ta", "EM overall"]
    assert rows[0][2:-2] == ["57.00", "37.00", "50.40", "28.50", "18.50", "25.20"]
    assert page[0] == (
        "MuCoT. Word Jaccard, exact match in percent on chaii: 33 to 67 questions a column, an answer where at least 1"
        " annotator gave one, seed 0. Rules of SQuAD 1.1. Overall: the mean over questions. ✓ or ✗: aligned in the"
        " language beside English, or not."
    )
    assert [cell.strip() for cell in page[5].split("|")[3:-1]] == [
        "54.0 ✓",
        "39.0 ✗",
        "49.0",
        "27.0 ✓",
        "19.5 ✗",
        "24.5",
    ]
    (head, *_), page = write(tmp_path, {**asked, "metrics": ["jaccard"], "average": "pairs"}, *files)
    assert head[2:-2] == ["hi", "ta", "avg"]
    assert "SQuAD 1.1" not in page[0]


def test_the_papers_overall_jaccard(shared: Path) -> None:
    """All of MuCoT's overall scores are means over its 67 Hindi and 33 Tamil questions, as ours are."""
    for table in ("2", "3"):
        with (shared / "paper_tables" / f"mucot_table{table}.csv").open(encoding="utf-8", newline="") as file:
            printed = list(csv.DictReader(file))
        for column in {line["column_order"] for line in printed}:
            score = {
                line["language"]: float(line["score"]) for line in printed if line["column_order"] == column
            }
            cells = {"hi-hi": (score["hi"], 67), "ta-ta": (score["ta"], 33)}
            assert figures(list(cells), cells, "questions")[-1] == pytest.approx(score["overall"], abs=0.0101)


def test_a_model_without_its_checkpoint_is_not_available(tmp_path: Path, both: list[str]) -> None:
    rows = recipe()["rows"]
    rows.insert(
        2,
        {"model": "cao", "label": "CAO-HIGH", "training": "+aug", "alignment": ["de"], "missing": "data/cao"},
    )
    csv_rows, page = write(tmp_path, recipe(rows=rows), *both)
    assert [row[0] for row in csv_rows] == ["Model", "mBERT", "CAO-HIGH", "TYDI-L"]
    assert csv_rows[2][2:12] == ["n/a"] * 10
    assert csv_rows[2][12:] == ["mBERT + Alignment FT", "de"]
    assert "n/a" not in csv_rows[1] + csv_rows[3]
    assert page[0].endswith("n/a: there is no checkpoint in data/cao.")
    (line,) = [line for line in page if "CAO-HIGH" in line]
    assert line.count("n/a") == 10


def steps_file(file: Path, steps: list[dict[str, Any]]) -> str:
    """A file as qa.tune_selected writes it; steps: for dev and for the reported questions the Jaccard of hi and ta."""
    lines = []
    for number, parts in enumerate(steps, 1):
        line: dict[str, Any] = {"step": 100 * number, "score": 0.0}
        for part, jaccard in parts.items():
            counts = (67, 33) if part == "reported" else (50, 50)
            pairs = {
                pair: {"n": n, "text": {"jaccard": score, "em": 1 - score}}
                for pair, n, score in zip(("hi-hi", "ta-ta"), counts, jaccard, strict=True)
            }
            line[part] = {"annotators": 1, "squad": "1.1", "pairs": pairs}
        lines.append(json.dumps(line) + "\n")
    file.write_text("".join(lines), "utf-8")
    return str(file)


def by_column(**changes: Any) -> dict[str, Any]:
    return recipe(
        title="MuCoT",
        evaluation="test",
        annotators=1,
        task=None,
        metrics=["jaccard", "em"],
        average="questions",
        columns=[["hi-hi", "ta-ta"]],
        rows=[{"model": "a", "label": "mBERT", "training": "ChAII"}],
        chosen="columns",
        chosen_on=["dev"],
        **changes,
    )


def test_each_column_is_of_its_own_best_step_on_dev(tmp_path: Path) -> None:
    """hi: the third, ta: the first, overall: both are equal, so the later of the two; em is the other way round."""
    steps = [
        {"dev": (0.2, 0.8), "reported": (0.10, 0.40)},
        {"dev": (0.1, 0.7), "reported": (0.99, 0.99)},
        {"dev": (0.7, 0.3), "reported": (0.30, 0.20)},
    ]
    (head, row), page = write(tmp_path, by_column(), f"a={steps_file(tmp_path / 'steps.jsonl', steps)}")
    assert head[2:-2] == ["Jaccard hi", "Jaccard ta", "Jaccard overall", "EM hi", "EM ta", "EM overall"]
    assert row[2:-2] == [
        "30.00",
        "40.00",
        f"{67 * 0.3 + 33 * 0.2:.2f}",
        "1.00",
        "80.00",
        f"{67 * 0.01 + 33 * 0.01:.2f}",
    ]
    assert page[0] == (
        "MuCoT. Word Jaccard, exact match in percent on test: 33 to 67 questions a column, an answer where at least 1"
        " annotator gave one, seed 0. Rules of SQuAD 1.1. Overall: the mean over questions. How steps are chosen: each"
        " cell is of the step that is best in its own column on dev, as MuCoT's published code chooses: columns of a"
        " row may be of different weights, and a row tends to score higher than any one of them."
    )
    both = f"a={tmp_path / 'steps.jsonl'},{steps_file(tmp_path / 'other.jsonl', steps[:1])}"
    (_, row), _ = write(tmp_path, by_column(seeds=[0, 1]), both)
    assert row[2:4] == ["20.00", "40.00"]


def test_of_equal_scores_the_later_step_counts() -> None:
    """As in MuCoT's code, written out: a step that is at least as good as the best so far takes its place."""
    draw = random.Random(0)
    for _ in range(200):
        steps = draw.randint(1, 6)
        dev = [[draw.choice([0.0, 25.0, 100 / 3]) for _ in range(3)] for _ in range(steps)]
        test = [[draw.random() for _ in range(3)] for _ in range(steps)]
        expected = []
        for column in range(3):
            best, result = -1.0, -1.0
            for of_dev, of_test in zip(dev, test, strict=True):
                if of_dev[column] >= best:
                    best, result = of_dev[column], of_test[column]
            expected.append(result)
        rounded = [[score + draw.uniform(-1, 1) * 1e-12 for score in step] for step in dev]
        assert best_of_each_column(dev, test) == best_of_each_column(rounded, test) == expected


def test_files_that_no_column_can_be_chosen_from_are_refused(tmp_path: Path) -> None:
    for steps, sentence in (
        ([], "no step was scored"),
        ([{"dev": (0.5, 0.5)}], "line 1: not the scores of dev and of reported questions"),
    ):
        with pytest.raises(InputError, match=sentence):
            write(tmp_path, by_column(), f"a={steps_file(tmp_path / 'steps.jsonl', steps)}")
    one = {"dev": (0.5, 0.5), "reported": (0.5, 0.5)}
    file = steps_file(tmp_path / "steps.jsonl", [one])
    Path(file).write_text(Path(file).read_text("utf-8").replace("text", "texts"), "utf-8")
    with pytest.raises(InputError, match="not a file of scores as"):
        write(tmp_path, by_column(), f"a={file}")
    with pytest.raises(InputError, match="scored with 1 annotators, but the table says 2"):
        write(tmp_path, {**by_column(), "annotators": 2}, f"a={steps_file(tmp_path / 'steps.jsonl', [one])}")
