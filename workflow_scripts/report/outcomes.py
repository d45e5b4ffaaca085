"""Write a table of outcomes in the layout of aligned_qa's Table 6, as CSV, Markdown and LaTeX.

For each pair of languages and each system four numbers of questions: answered rightly or wrongly when they are asked in
one way (rows), such as in the language of the article, and in the other (columns), such as in English as a recogniser
heard it.  An answer is right where its F1 is 1, wrong where it is 0 or there is none, whatever its score; a question is
left out where either answer is partly right, and where annotators agree on no answer.  The paper
states no rule; that its systems are counted on different numbers of questions says that questions are left out by what
systems answer.

With several seeds numbers are means over them.  The CSV has a line for each number.
"""

import csv
import io
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.files import read_jsonl, write_text
from workflow_scripts.recipes.outcomes import OutcomesTable, Side
from workflow_scripts.recipes.table import Row
from workflow_scripts.report.sections import SOURCES
from workflow_scripts.report.sheet import Panel, Sheet, write_sheet
from workflow_scripts.report.tables import ABSENT, heads

HEADS = ["Rows", "Columns", "Model", "Tr. Data", "Row", "Column", "Questions", "Partly right"]
OUTCOMES = ("correct", "wrong")
NEAR = 1e-9  # F1 of 1 and 0, but for rounding


class Counts(NamedTuple):
    """Questions by outcome, row and column, and those of which either answer is partly right."""

    crossed: dict[tuple[str, str], float]
    partly: float


def read_outcomes(file: str, task: str) -> dict[str, dict[str, str]]:
    """Pair -> example id -> correct, wrong or partly, of the questions that have an answer.

    Raises InputError naming the line that is not as evaluate.score writes them.
    """
    found: dict[str, dict[str, str]] = {}
    for number, line in read_jsonl(file):
        try:
            of_pair, name, got = found.setdefault(line["pair"], {}), line["example_id"], line[task]
            score = float(got["f1"]) if got["has_pred"] else 0.0
            if got["has_gold"]:
                of_pair[name] = "correct" if score > 1 - NEAR else "wrong" if score < NEAR else "partly"
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{file} line {number}: not an outcome as evaluate.score writes them") from None
    return found


def crossed(rows: dict[str, str], columns: dict[str, str]) -> Counts:
    """How many questions asked in both ways have each outcome in either."""
    both = [(rows[name], columns[name]) for name in rows if name in columns]
    counts = {(row, column): both.count((row, column)) for row in OUTCOMES for column in OUTCOMES}
    return Counts(dict(counts), sum("partly" in pair for pair in both))


def counts_of(recipe: OutcomesTable, model: str, files: dict[str, list[str]]) -> list[Counts]:
    """A system's counts of each pair, means over seeds.  Raises InputError where a file is missing or lacks a pair."""
    read = []
    for side in (recipe.rows, recipe.columns):
        name = f"{model}@{side.evaluation}"
        given = files.get(name, [])
        if len(given) != len(recipe.seeds):
            raise InputError(
                f"--questions: {name} has {len(given)} files, but there are {len(recipe.seeds)} seeds"
            )
        for file in given:
            of_pairs = read_outcomes(file, recipe.task)
            for pair in side.pairs:
                if pair not in of_pairs:
                    raise InputError(f"{file}: no questions of {pair}; there are {', '.join(of_pairs)}")
            read.append([of_pairs[pair] for pair in side.pairs])
    of_seeds = list(zip(read[: len(recipe.seeds)], read[len(recipe.seeds) :], strict=True))
    found = []
    for place in range(len(recipe.rows.pairs)):
        of_pair = [crossed(rows[place], columns[place]) for rows, columns in of_seeds]
        means = {key: statistics.fmean(one.crossed[key] for one in of_pair) for key in of_pair[0].crossed}
        found.append(Counts(means, statistics.fmean(one.partly for one in of_pair)))
    return found


def names_of(side: Side) -> list[str]:
    """What the pairs of a side are called."""
    return [f"{heads([[pair]])[0]}{SOURCES[side.source]}" for pair in side.pairs]


def number(mean: float) -> str:
    """A number of questions, with a decimal where it is a mean that needs one."""
    return f"{mean:,.1f}".removesuffix(".0")


def systems(models: Sequence[Row]) -> list[str]:
    """What systems are called in heads: their labels, with the training data where labels repeat."""
    labels = [model.label for model in models]
    return [
        f"{model.label} {model.training}" if labels.count(model.label) > 1 else model.label
        for model in models
    ]


def caption(recipe: OutcomesTable, asked: Sequence[float]) -> str:
    """Title, what is counted by which rule, and over which seeds."""
    sources = {recipe.rows.source, recipe.columns.source} - {"text"}
    missing = list(dict.fromkeys(row.missing for row in recipe.models if row.missing))
    seeds = ", ".join(map(str, recipe.seeds))
    span = " to ".join(dict.fromkeys((number(min(asked)), number(max(asked)))))
    sentences = [
        recipe.title,
        f"Questions answered rightly (correct) or not (wrong) on {recipe.rows.evaluation} (rows) and on"
        f" {recipe.columns.evaluation} (columns), {'means over seeds' if len(recipe.seeds) > 1 else 'seed'} {seeds}",
        f"correct: F1 of the {recipe.task} answer is 1, whatever its score; wrong: it is 0",
        f"Left out: questions without an answer, and those of which either answer is partly right ({span} of a"
        " system's)",
        "gold: questions as they are written" if "gold" in sources else "",
        "ASR: as a speech recogniser heard them" if "asr" in sources else "",
        f"{ABSENT}: there is no checkpoint in {', '.join(missing)}" if missing else "",
    ]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, OutcomesTable)
    arguments.add_argument(
        "--questions",
        required=True,
        nargs="+",
        metavar="MODEL@EVALUATION=FILE,…",
        help="what every question got (evaluate.score), of each model on both evaluations, one file for each seed",
    )
    arguments.add_argument("--csv", type=Path, required=True, help="the table for programs")
    arguments.add_argument("--markdown", type=Path, required=True, help="the table for people")
    arguments.add_argument("--latex", type=Path, required=True, help="the table for papers")
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, OutcomesTable)
    if len(recipe.rows.pairs) != len(recipe.columns.pairs):
        raise InputError(
            f"--recipe: {len(recipe.rows.pairs)} pairs in rows and {len(recipe.columns.pairs)} in columns; give as many"
        )
    files = {name: text.split(",") for name, text in named_files(given.questions, "--questions").items()}
    found = [None if one.missing else counts_of(recipe, one.model, files) for one in recipe.models]
    partly = [counts.partly for of_model in found if of_model for counts in of_model]
    if not partly:
        raise InputError("--recipe: no model of the table is there")
    lines, panels = [HEADS], []
    for place, (row_name, column_name) in enumerate(
        zip(names_of(recipe.rows), names_of(recipe.columns), strict=True)
    ):
        shown = [[f"{row_name} {row}"] for row in OUTCOMES]
        for model, of_model in zip(recipe.models, found, strict=True):
            for line, row in zip(shown, OUTCOMES, strict=True):
                for column in OUTCOMES:
                    cell = number(of_model[place].crossed[row, column]) if of_model else ABSENT
                    left = number(of_model[place].partly) if of_model else ABSENT
                    line.append(cell)
                    plain = [cell.replace(",", ""), left.replace(",", "")]
                    lines.append([row_name, column_name, model.label, model.training, row, column, *plain])
        head = [f"{system}: {column}" for system in systems(recipe.models) for column in OUTCOMES]
        panels.append(Panel(["", *head], shown, 1, f"{column_name} (columns)"))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    write_text(given.csv, text.getvalue())
    write_sheet(Sheet(caption(recipe, partly), panels), given.markdown, given.latex)
    print(f"{given.csv}, {given.markdown}: {len(recipe.models)} systems, {len(panels)} pairs")


if __name__ == "__main__":
    run(main)
