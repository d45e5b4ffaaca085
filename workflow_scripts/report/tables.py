"""Write a table of scores in the layout of aligned_qa's Tables 2 and 3, as CSV, Markdown and LaTeX.

A row is a model, a column a pair of question and context language (`Q_en,C_ar`: asked in English of Arabic articles);
after each block of several columns stands their plain mean, `Q_en avg` where the question language is common to them
and `C_en avg` where the context language is.  With several seeds, or several splits of the data (`repeats`), a cell is
the mean over all these runs, and those for people add the standard deviation (n - 1), or half of a 95 % interval of the
mean by Student's t: of the splits' means where there are several splits, else of the seeds.  The CSV then holds this
half, too, in columns of their own.

Behind the cells of aligned models tables for people mark whether the languages of the pair beside English were (✓) or
were not (✗) among those that the encoder was aligned in, as the paper prints it.  A model whose encoder is somebody
else's checkpoint that is not there has "n/a" for figures; the caption says what is missing.  F1 is the best of all
score thresholds on the evaluated questions, or that of thresholds found on others.

Instead of TyDi QA's F1, scores of the answers' texts: SQuAD's exact match and F1, the word Jaccard of ChAII and MuCoT,
and the F1 of MuCoT's code.  Several of them stand one after another, `Jaccard hi`, `Jaccard ta`, `Jaccard overall`,
`EM hi`, …, where a pair of one language goes by its code; `overall` is the mean over all questions of a block.

With `starred`, cells of these models have a star where the model is better than another by paired bootstrap, one-sided
p below .05, as in the papers: the verdicts are those of `evaluate.effects` on the same columns.

With `chosen: columns`, files are not of scores but the steps.jsonl of models, and each cell is of the step that is best
in its own column on dev (see chosen.py).

The CSV is for programs: percent with two decimals, cells that are numbers or n/a only, no lines for headings; its last
columns hold the heading above the row and the alignment's languages.
"""

import csv
import io
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from scipy.special import stdtrit

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.files import read_text, write_text
from workflow_scripts.recipes.table import Heading, Metric, Row, Spread, Table
from workflow_scripts.report.chosen import best_of_each_column, how_chosen, read_steps
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet

Block = Sequence[str]
Scores = dict[str, tuple[float, int]]  # pair -> score in percent, and number of questions
ABSENT = "n/a"
# Metric -> as column heads and as captions call it.
METRICS: dict[Metric, tuple[str, str]] = {
    "em": ("EM", "exact match"),
    "f1": ("F1", "F1"),
    "jaccard": ("Jaccard", "word Jaccard"),
    "mucot_f1": ("MuCoT F1", "F1 as in MuCoT's code"),
}
SIGNIFICANT = 0.05
AVERAGES = {"pairs": "avg", "questions": "overall"}


class Model(NamedTuple):
    """One model's scores in one seed: for TyDi QA's task (None) or each metric, those of every pair."""

    scores: dict[Metric | None, Scores]
    squad: str | None
    annotators: int


def shown_of(recipe: Table) -> list[Metric | None]:
    """The metrics that a table shows, or None for TyDi QA's task."""
    return list(recipe.metrics) or [None]


def score_of(figures: dict[str, Any], metric: Metric | None, recipe: Table) -> float:
    """A score that a table shows, from 0 to 1, of a pair's figures as `evaluate.score` writes them."""
    if metric is not None:
        return float(figures["text"][metric])
    of_task = figures[str(recipe.task)]
    return float(of_task["best_f1"] if recipe.threshold == "swept" else of_task["at_dev_threshold"]["f1"])


def scores_of(content: Any, file: str, recipe: Table) -> Model:
    """The scores of each of the table's pairs, as `evaluate.score` writes them.

    Raises InputError that names the file if they are none, or lack a pair.
    """
    try:
        annotators, pairs = content["annotators"], content["pairs"]
        scores = {
            metric: {pair: (100 * score_of(of, metric, recipe), of["n"]) for pair, of in pairs.items()}
            for metric in shown_of(recipe)
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file}: not a file of scores as evaluate.score writes them ({error})") from None
    for pair in (pair for block in recipe.columns for pair in block):
        if pair not in pairs:
            raise InputError(f"{file}: no scores for {pair}; there are {', '.join(pairs)}")
    return Model(scores, content.get("squad"), annotators)


def read_cells(file: str, recipe: Table) -> tuple[Model, list[float]]:
    """A model's scores in one seed, and its cells of the table: those of its weights, or each column's own step's.

    Raises InputError if the file is none of scores, lacks a pair or was made with another number of annotators.
    """
    if recipe.chosen == "columns":
        steps = [[scores_of(scores, file, recipe) for scores in step] for step in read_steps(file)]
        made = steps[-1][-1]
        dev, reported = zip(*([cells_of(model, recipe) for model in step] for step in steps), strict=True)
        cells = best_of_each_column(dev, reported)
    else:
        try:
            content = json.loads(read_text(file))
        except json.JSONDecodeError as error:
            raise InputError(
                f"{file}: not a file of scores as evaluate.score writes them ({error})"
            ) from None
        made = scores_of(content, file, recipe)
        cells = cells_of(made, recipe)
    if made.annotators != recipe.annotators:
        raise InputError(
            f"{file}: scored with {made.annotators} annotators, but the table says {recipe.annotators}"
        )
    return made, cells


def cells_of(made: Model, recipe: Table) -> list[float]:
    """A model's figures in percent, a column each."""
    return [
        figure
        for scores in made.scores.values()
        for block in recipe.columns
        for figure in figures(block, scores, recipe.average)
    ]


def heads(blocks: Sequence[Block], average: str = "avg", codes: bool = False) -> list[str]:
    """One column head for each pair, and one for the average of each block of several; no two are the same.

    codes: pairs of one language go by its code.
    """
    found: list[str] = []
    for number, block in enumerate(blocks, 1):
        sides = [pair.split("-") for pair in block]
        found += [
            context if codes and question == context else f"Q_{question},C_{context}"
            for question, context in sides
        ]
        if len(block) > 1:
            questions, contexts = {question for question, _ in sides}, {context for _, context in sides}
            common = [f"Q_{code} " for code in questions if len(questions) == 1]
            common += [f"C_{code} " for code in contexts if len(contexts) == 1]
            head = f"{common[0] if common else ''}{average}"
            found.append(head if head not in found else f"{head} of block {number}")
    return found


def heads_of(recipe: Table) -> list[str]:
    """The column heads of a table: those of its blocks, after the name of each metric where there are several."""
    found = heads(recipe.columns, AVERAGES[recipe.average], bool(recipe.metrics))
    names = [f"{METRICS[metric][0]} " for metric in recipe.metrics] if len(recipe.metrics) > 1 else [""]
    return [f"{name}{head}" for name in names for head in found]


def figures(block: Block, scores: Scores, by: str = "pairs") -> list[float]:
    """Percent of each pair of a block, and of several the mean over pairs or over questions (the order of `heads`)."""
    cells = [scores[pair][0] for pair in block]
    weights = [scores[pair][1] for pair in block] if by == "questions" else None
    return cells if len(cells) == 1 else [*cells, statistics.fmean(cells, weights)]


def in_mix(pair: str, alignment: Sequence[str]) -> bool | None:
    """Whether the languages of a pair beside English are among an alignment's; None for English with English."""
    foreign = set(pair.split("-")) - {"en"}
    return foreign <= set(alignment) if foreign else None


def marks(block: Block, alignment: Sequence[str] | None) -> list[str]:
    """✓ or ✗ for each pair of a block, empty for the average and for models that are not aligned."""
    signs = {True: "✓", False: "✗", None: ""}
    cells = [signs[in_mix(pair, alignment)] if alignment is not None else "" for pair in block]
    return cells if len(cells) == 1 else [*cells, ""]


def half_interval(runs: Sequence[float], splits: int) -> float:
    """Half of a 95 % interval of the mean over runs, by Student's t; `splits` equal shares of runs, one after another.

    Of several splits, whose questions differ, the means are the observations; of one split, the seeds are.
    """
    each = len(runs) // splits
    units = (
        [statistics.fmean(runs[at : at + each]) for at in range(0, len(runs), each)] if splits > 1 else runs
    )
    return float(stdtrit(len(units) - 1, 0.975)) * statistics.stdev(units) / len(units) ** 0.5


def spread_of(runs: Sequence[float], spread: Spread, splits: int = 1) -> float:
    """What stands behind the mean of several runs, `splits` equal shares one after another."""
    if spread == "interval":
        return half_interval(runs, splits)
    return statistics.stdev(runs)


def to_csv(recipe: Table, cells: dict[str, list[list[float]]]) -> str:
    """The table for programs; `cells` holds each model's figures, a list for each run."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = heads_of(recipe)
    spread = recipe.spread == "interval" and len(recipe.seeds) * len(recipe.repeats) > 1
    halves = [f"{head} ±" for head in columns] if spread else []
    writer.writerow(["Model", "Tr. Data", *columns, *halves, "Heading", "Alignment languages"])
    above = ""
    for row in recipe.rows:
        if isinstance(row, Heading):
            above = row.heading
            continue
        of_columns = list(zip(*cells[row.model], strict=True))
        means = [f"{statistics.fmean(runs):.2f}" for runs in of_columns]
        means += (
            [f"{spread_of(runs, recipe.spread, len(recipe.repeats)):.2f}" for runs in of_columns]
            if spread
            else []
        )
        means = [ABSENT] * len([*columns, *halves]) if row.missing else means
        writer.writerow([row.label, row.training, *means, above, " ".join(row.alignment or ())])
    return text.getvalue()


def read_stars(file: str | None, recipe: Table) -> dict[str, list[bool]]:
    """Model -> whether each of its cells has a star.  Raises InputError unless verdicts are of this table's columns."""
    if not recipe.starred:
        return {}
    if file is None:
        raise InputError(
            "--effects: none is given, but starred names models; give what evaluate.effects found"
        )
    verdicts = json.loads(read_text(file))
    columns = len(heads_of(recipe))
    if [len(row) for row in verdicts] != [columns] * len(recipe.starred):
        raise InputError(f"{file}: not {len(recipe.starred)} effects in {columns} columns")
    return {
        model: [one["difference"] > 0 and one["p"] < SIGNIFICANT for one in row]
        for model, row in zip(recipe.starred, verdicts, strict=True)
    }


def to_sheet(
    recipe: Table,
    cells: dict[str, list[list[float]]],
    questions: Sequence[int],
    squad: str | None = None,
    stars: Mapping[str, Sequence[bool]] = MappingProxyType({}),
) -> Sheet:
    """The table for people."""
    models = [row for row in recipe.rows if isinstance(row, Row)]
    signs = {
        row.model: [sign for block in recipe.columns for sign in marks(block, row.alignment)]
        * len(shown_of(recipe))
        for row in models
    }
    marked = [any(column) for column in zip(*signs.values(), strict=True)]
    columns = heads_of(recipe)
    starry = [any(column) for column in zip(*stars.values(), strict=True)] or [False] * len(columns)
    lines: list[list[str] | str] = []
    for row in recipe.rows:
        if isinstance(row, Heading):
            lines.append(row.heading)
            continue
        values = [
            shown(runs, recipe.spread, len(recipe.repeats)) for runs in zip(*cells[row.model], strict=True)
        ]
        values = [ABSENT] * len(columns) if row.missing else values
        own = stars.get(row.model, [False] * len(columns))
        ends = [("*" if star else " ") if room else "" for star, room in zip(own, starry, strict=True)]
        values = [value + end for value, end in zip(values, ends, strict=True)]
        lines.append([row.label, row.training, *with_marks(values, signs[row.model], marked)])
    panel = Panel(["Model", "Tr. Data", *columns], lines, left=2)
    return Sheet(caption(recipe, questions, any(marked), squad), [panel])


def with_marks(values: Sequence[str], signs: Sequence[str], marked: Sequence[bool]) -> list[str]:
    """Cells with what stands behind them; digits stand under digits where others of a column are marked."""
    ends = [f" {sign or ' '}" if room else "" for sign, room in zip(signs, marked, strict=True)]
    return [value + end for value, end in zip(values, ends, strict=True)]


def caption(recipe: Table, questions: Sequence[int], marked: bool, squad: str | None = None) -> str:
    """Title, evaluation, number of questions, annotator threshold, seeds, SQuAD's rules, and what the marks say."""
    fewest, most = min(questions), max(questions)
    span = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    many = f"{span} {'question' if most == 1 else 'questions'} a column"
    agree = "1 annotator" if recipe.annotators == 1 else f"{recipe.annotators} annotators"
    seeds = ", ".join(map(str, recipe.seeds))
    missing = [row.missing for row in recipe.rows if isinstance(row, Row) and row.missing]
    runs = f"{', '.join(recipe.repeats)}, " if any(recipe.repeats) else ""
    runs += f"seed{'s' if len(recipe.seeds) > 1 else ''} {seeds}"
    many_runs = len(recipe.seeds) * len(recipe.repeats) > 1
    repeats, seeds_each = len(recipe.repeats), len(recipe.seeds)
    over = f"{repeats} repeats" if repeats > 1 else f"{seeds_each} seeds"
    what_spread = (
        f"half of a 95 % interval over {over}" if recipe.spread == "interval" else "standard deviation"
    )
    several = f"{runs} (mean ± {what_spread})" if many_runs else runs
    best = "best F1" if recipe.threshold == "swept" else "F1"
    what = ", ".join(METRICS[metric][1] for metric in recipe.metrics) or best
    sentences = [
        recipe.title,
        f"{what[0].upper()}{what[1:]} in percent on {recipe.evaluation}: {many}, an answer where at least {agree} gave"
        f" one, {several}",
        f"Thresholds are those of the best F1 on {recipe.thresholds_from}"
        if recipe.threshold == "dev"
        else "",
        f"Rules of SQuAD {squad}" if {"em", "f1"} & set(recipe.metrics) else "",
        "Overall: the mean over questions" if recipe.average == "questions" else "",
        f"How steps are chosen: {how_chosen(recipe.chosen_on)}" if recipe.chosen == "columns" else "",
        f"*: better than {' and '.join(recipe.over)}, p < {SIGNIFICANT:g}, one-sided, by paired bootstrap"
        if recipe.starred
        else "",
        "✓ or ✗: aligned in the language beside English, or not" if marked else "",
        f"{ABSENT}: there is no checkpoint in {', '.join(missing)}" if missing else "",
    ]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def shown(runs: Sequence[float], spread: Spread, splits: int = 1) -> str:
    """A cell: one decimal, as the papers print it; of several runs their mean and spread."""
    mean = f"{statistics.fmean(runs):.1f}"
    return f"{mean} ± {spread_of(runs, spread, splits):.1f}" if len(runs) > 1 else mean


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, Table)
    arguments.add_argument(
        "--scores",
        required=True,
        nargs="+",
        metavar="MODEL=FILE,…",
        help="each model's score files, or its steps.jsonl, one for each repeat and seed of the recipe, in its order",
    )
    arguments.add_argument(
        "--effects",
        help="of a recipe with starred: what evaluate.effects found on each of these models (JSON)",
    )
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the table for people")
    arguments.add_argument("--latex", type=Path, required=True, help="the table for papers")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, Table)
    files = {model: names.split(",") for model, names in named_files(given.scores, "--scores").items()}
    cells: dict[str, list[list[float]]] = {}
    questions: dict[tuple[int, str], int] = {}
    squad: set[str | None] = set()
    for row in recipe.rows:
        if isinstance(row, Heading):
            continue
        model = row.model
        if row.missing:
            cells[model] = []
            continue
        given_files = files.get(model, [])
        runs = len(recipe.seeds) * len(recipe.repeats)
        if len(given_files) != runs:
            splits = f" of {len(recipe.repeats)} splits" if len(recipe.repeats) > 1 else ""
            raise InputError(
                f"--scores: model {model} has {len(given_files)} files, but there are {len(recipe.seeds)} seeds{splits}"
            )
        cells[model] = []
        for number, file in enumerate(given_files):
            split = number // len(recipe.seeds)
            made, found = read_cells(file, recipe)
            squad.add(made.squad)
            cells[model].append(found)
            for pair in (pair for block in recipe.columns for pair in block):
                asked = next(iter(made.scores.values()))[pair][1]
                if questions.setdefault((split, pair), asked) != asked:
                    raise InputError(
                        f"{file}: {asked} questions for {pair}, but {questions[split, pair]} in other files"
                    )
    write_text(given.csv, to_csv(recipe, cells))
    stars = read_stars(given.effects, recipe)
    rules = " and ".join(sorted(filter(None, squad)))
    write_sheet(to_sheet(recipe, cells, list(questions.values()), rules, stars), given.markdown, given.latex)
    pairs = len({pair for _, pair in questions})
    print(f"{given.csv}, {given.markdown}: {sum(map(bool, cells.values()))} models, {pairs} pairs")


if __name__ == "__main__":
    run(main)
