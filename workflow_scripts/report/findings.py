"""What a verdict says, as a sentence: how much, how sure, and whether it is clear.

A difference is clear where its two-sided p is below .05, and remains so where Holm's correction for all differences of
the table leaves it there.  Nothing else is said: a difference that is not clear is not called equality.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.report.effects import SIGNIFICANT, columns_of, two_sided
from workflow_scripts.report.tables import METRICS


class Finding(NamedTuple):
    """A sentence; its sign, + or - where the difference is clear, else ""; whether it is after correction, too."""

    sign: str
    sentence: str
    corrected: bool


def points(value: float) -> str:
    """A difference in percentage points, with its sign and a real minus."""
    return f"{100 * value:+.1f}".replace("-", "−")


def verdict_of(verdict: dict[str, Any]) -> str:
    """What the p-values say of a difference."""
    if verdict["p_holm"] < SIGNIFICANT:
        return "clear, also after correction for all differences of the table"
    if verdict["p_two_sided"] < SIGNIFICANT:
        return "clear by itself, but not after correction for all differences of the table"
    return "not clear: chance alone could bring this about"


def sentence(label: str, column: str, of: str, verdict: dict[str, Any]) -> str:
    """An effect in one column: who gains or loses how much, its interval and p, and the verdict."""
    difference = verdict["difference"]
    amount = f"{abs(100 * difference):.1f} points of {of}"
    does = (
        f"gains {amount}"
        if round(100 * difference, 1) > 0
        else f"loses {amount}"
        if round(100 * difference, 1) < 0
        else f"changes nothing in {of}"
    )
    interval = f"95 % interval {points(verdict['low'])} to {points(verdict['high'])}"
    return f"{label}: {does} ({column}; {interval}, {two_sided(verdict)}); {verdict_of(verdict)}."


def told_columns(blocks: Sequence[Sequence[str]]) -> list[int]:
    """The places of the columns that are told: each block's average, or its only column."""
    places, end = [], 0
    for block in blocks:
        end += len(block) + (len(block) > 1)
        places.append(end - 1)
    return places


def findings(recipe: EffectsTable, found: list[list[dict[str, Any]]]) -> list[Finding]:
    """What is found of every effect on average over each block of columns."""
    of = METRICS[recipe.metric][1] if recipe.metric else f"F1 ({recipe.task} answer)"
    names = columns_of(recipe)
    told = []
    for effect, row in zip(recipe.effects, found, strict=True):
        for place in told_columns(recipe.columns):
            verdict = row[place]
            clear = verdict["p_two_sided"] < SIGNIFICANT
            sign = "" if not clear else "+" if verdict["difference"] > 0 else "-"
            text = sentence(effect.label, names[place], of, verdict)
            told.append(Finding(sign, text, verdict["p_holm"] < SIGNIFICANT))
    return told
