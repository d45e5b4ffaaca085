"""Compare systems with others on an evaluation: differences with 95 % intervals and p-values, by paired bootstrap.

An effect is what systems gain over their bases, the mean where there are several such comparisons, such as the
contrastive term with every training set.  It is measured on every pair of question and context language and on the
average of every block, over questions, and over seeds and splits where there are several (`evaluate.significance`;
Koehn 2004).  It is the difference of what tables of scores show: of means over runs, each of which counts the same.
Where splits have questions in common, these are drawn in each by itself, as if they were others; `shared` is their
share, for captions.  The figures are for `report.effects`.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workflow_scripts.cli import InputError, named_files, parser, read_recipe, run
from workflow_scripts.evaluate.outcomes import read_outcomes, read_texts
from workflow_scripts.evaluate.significance import (
    Column,
    Verdict,
    bootstrap,
    holm,
    in_order,
    means,
    together,
    tydi_f1,
)
from workflow_scripts.evaluate.threshold import read_thresholds
from workflow_scripts.evaluate.tydi import Outcomes
from workflow_scripts.files import write_text
from workflow_scripts.recipes.effects import Effect, EffectsTable


class Answered(NamedTuple):
    """A pair's example ids, scores or outcomes in their order, and what an answer must score (NaN: not told)."""

    ids: list[str]
    values: Any
    threshold: float


Run = dict[str, Answered]  # by pair
Runs = dict[str, list[Run]]  # model -> its runs: for each repeat, all seeds


def read_run(file: str, recipe: EffectsTable, thresholds: str | None = None) -> Run:
    """What every question of a run got, with the thresholds of a file.  Raises InputError where a file lacks a pair."""
    pairs = [pair for block in recipe.columns for pair in block]
    if recipe.metric is None:
        assert recipe.task is not None
        of_tasks = read_outcomes(file)
        found: dict[str, tuple[list[str], Any]] = {
            pair: (of.ids, of.tasks[recipe.task]) for pair, of in of_tasks.items()
        }
    else:
        of_texts = read_texts(file)
        found = {pair: (ids, scores.get(recipe.metric, ())) for pair, (ids, scores) in of_texts.items()}
    for pair in pairs:
        if pair not in found:
            raise InputError(f"{file}: no questions of {pair}; there are {', '.join(found)}")
        if recipe.metric is not None and len(found[pair][1]) != len(found[pair][0]):
            raise InputError(f"{file}: not every question of {pair} has {recipe.metric}; score it again")
    points = read_thresholds(thresholds, pairs) if thresholds else {}
    return {
        pair: Answered(*found[pair], points[pair][str(recipe.task)] if points else math.nan) for pair in pairs
    }


def arranged(run: Run, pair: str, ids: list[str]) -> Any:
    """The scores or outcomes of a run in the order of `ids`.  Raises InputError unless they are of these questions."""
    values = run[pair].values
    places = in_order(run[pair].ids, ids)
    return values[places] if isinstance(values, np.ndarray) else Outcomes(*(part[places] for part in values))


def column(system: list[Run], base: list[Run], pair: str, recipe: EffectsTable) -> Column:
    """The difference of two models on a pair, in all seeds."""
    ids = sorted(system[0][pair].ids)  # the same order whichever side is the system
    mine, theirs = ([arranged(run, pair, ids) for run in side] for side in (system, base))
    if recipe.metric is not None:
        return means(np.array(mine), np.array(theirs))
    if recipe.thresholds != "dev":
        return tydi_f1(mine, theirs, recipe.thresholds)
    points = [[run[pair].threshold for run in side] for side in (system, base)]
    return tydi_f1(mine, theirs, (points[0], points[1]))


def asked(
    runs: list[Run], block: Sequence[str], recipe: EffectsTable
) -> dict[tuple[frozenset[str], ...], list[int]]:
    """The questions of each pair of a block -> the repeats of a model, by number, in which it was asked these."""
    found: dict[tuple[frozenset[str], ...], list[int]] = {}
    for repeat in range(len(recipe.repeats)):
        run = runs[repeat * len(recipe.seeds)]
        found.setdefault(tuple(frozenset(run[pair].ids) for pair in block), []).append(repeat)
    return found


def compared(effect: Effect, runs: Runs, block: Sequence[str], recipe: EffectsTable) -> Verdict:
    """What an effect came to on a block of pairs.

    Questions are drawn once for all that asks the same: comparisons, repeats, and pairs, such as those of one question
    in several languages.  Repeats that ask others are splits.
    """
    sides = list(zip(effect.system, effect.base, strict=True))
    seeds = [
        slice(repeat * len(recipe.seeds), (repeat + 1) * len(recipe.seeds))
        for repeat in range(len(recipe.repeats))
    ]
    repeats = asked(runs[effect.system[0]], block, recipe)
    splits: list[list[Column]] = [
        [
            together(
                [
                    column(runs[one][seeds[repeat]], runs[other][seeds[repeat]], pair, recipe)
                    for one, other in sides
                    for repeat in same
                ]
            )
            for pair in block
        ]
        for same in repeats.values()
    ]
    if all(len(set(of_pairs)) == 1 for of_pairs in repeats):
        splits = [[together(columns)] for columns in splits]
    counts = [len(same) for same in repeats.values()]
    return bootstrap(splits, recipe.average, recipe.resamples, recipe.seed, counts)


def shared(effect: Effect, runs: Runs, block: Sequence[str], recipe: EffectsTable) -> float:
    """The share of the questions of a block's splits that another split asks, too."""
    sets = [frozenset().union(*of_pairs) for of_pairs in asked(runs[effect.system[0]], block, recipe)]
    often = Counter(name for names in sets for name in names)
    return sum(count for count in often.values() if count > 1) / often.total()


def groups(recipe: EffectsTable) -> list[Sequence[str]]:
    """The pairs behind each column."""
    return [
        group
        for block in recipe.columns
        for group in (*([pair] for pair in block), *([block] if len(block) > 1 else []))
    ]


def verdicts(recipe: EffectsTable, runs: Runs) -> list[list[Verdict]]:
    """What every effect came to in every column."""
    return [[compared(effect, runs, group, recipe) for group in groups(recipe)] for effect in recipe.effects]


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    arguments = parser(__doc__, EffectsTable)
    arguments.add_argument(
        "--questions",
        required=True,
        nargs="+",
        metavar="MODEL=FILE,…",
        help="what every question got (evaluate.score), for each repeat and seed of the recipe, in its order",
    )
    arguments.add_argument(
        "--thresholds",
        nargs="+",
        default=[],
        metavar="MODEL=FILE,…",
        help="thresholds: dev: those of each run (evaluate.threshold), in the same order",
    )
    arguments.add_argument(
        "--out",
        type=Path,
        required=True,
        help="a list of verdicts for each effect, one for each column (JSON)",
    )
    given = arguments.parse_args(argv)
    recipe = read_recipe(given.recipe, EffectsTable)
    files = {model: names.split(",") for model, names in named_files(given.questions, "--questions").items()}
    points = {
        model: names.split(",")
        for model, names in (
            named_files(given.thresholds, "--thresholds") if given.thresholds else {}
        ).items()
    }
    expected = len(recipe.seeds) * len(recipe.repeats)
    for effect in recipe.effects:
        if len(effect.system) != len(effect.base):
            raise InputError(
                f"--recipe: effect {effect.label} has {len(effect.system)} systems and {len(effect.base)} bases; give"
                " as many of both"
            )
        for model in (*effect.system, *effect.base):
            if (there := len(files.get(model, []))) != expected:
                raise InputError(
                    f"--questions: model {model} has {there} files, but there are {expected} runs"
                )
            if recipe.thresholds == "dev" and (there := len(points.get(model, []))) != expected:
                raise InputError(
                    f"--thresholds: model {model} has {there} files, but there are {expected} runs"
                )
    runs = {
        model: [
            read_run(file, recipe, thresholds)
            for file, thresholds in zip(names, points.get(model, [None] * len(names)), strict=True)
        ]
        for model, names in files.items()
    }
    found = verdicts(recipe, runs)
    corrected = iter(holm([verdict.p_two_sided for row in found for verdict in row]))
    figures = [
        [
            {**asdict(verdict), "p_holm": next(corrected), "shared": shared(effect, runs, group, recipe)}
            for verdict, group in zip(row, groups(recipe), strict=True)
        ]
        for effect, row in zip(recipe.effects, found, strict=True)
    ]
    write_text(given.out, json.dumps(figures, indent=1) + "\n")
    for effect, row in zip(recipe.effects, found, strict=True):
        last = row[-1]
        print(f"{effect.label}: {100 * last.difference:+.2f} [{100 * last.low:+.2f}, {100 * last.high:+.2f}]")


if __name__ == "__main__":
    run(main)
