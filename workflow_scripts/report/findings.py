"""What a verdict says, as a sentence: how much, how sure, and whether it is clear.

A difference is clear where its two-sided p is below .05, and remains so where Holm's correction for all differences of
the table leaves it there.  Nothing else is said: a difference that is not clear is not called equality.
"""

from typing import Any

from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.report.effects import SIGNIFICANT, columns_of
from workflow_scripts.report.tables import METRICS


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
    """An effect in one column: who gains or loses how much, its interval, and the verdict."""
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
    return f"{label} ({column}): {does} ({interval}); {verdict_of(verdict)}."


def findings(recipe: EffectsTable, found: list[list[dict[str, Any]]]) -> list[tuple[str, str]]:
    """(sign, sentence) of every effect in the last column, a block's average where there is one; sign is +, - or ""."""
    of = METRICS[recipe.metric][1] if recipe.metric else f"F1 ({recipe.task} answer)"
    name = columns_of(recipe)[-1]
    told = []
    for effect, row in zip(recipe.effects, found, strict=True):
        last = row[-1]
        sign = "" if last["p_two_sided"] >= SIGNIFICANT else "+" if last["difference"] > 0 else "-"
        told.append((sign, sentence(effect.label, name, of, last)))
    return told
