"""What a table of effects shows."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe
from workflow_scripts.recipes.table import Metric, Task


class Effect(Recipe):
    """What systems gain over others: the mean of the differences of each system to the base at its place."""

    label: str = Field(description="what the row is called")
    system: tuple[str, ...] = Field(min_length=1, description="names of models, as in --questions")
    base: tuple[str, ...] = Field(min_length=1, description="as many: what each is compared with")


class EffectsTable(Recipe):
    """A table of differences between systems, with intervals and p-values by paired bootstrap."""

    title: str = Field(description="first words of the caption")
    evaluation: str = Field(description="name of the evaluation, for the caption")
    seeds: tuple[int, ...] = Field(min_length=1, description="seeds of each model")
    repeats: tuple[str, ...] = Field(
        ("",), min_length=1, description="what else each model was made for several times, such as splits"
    )
    task: Task | None = Field(None, description="TyDi QA's task whose F1 is compared; null: metric is")
    metric: Metric | None = Field(None, description="score of the answers' texts that is compared")
    thresholds: Literal["best", "resampled", "dev"] = Field(
        "best",
        description="task: those of each system's best F1 on all questions, found anew in every resample, or those of"
        " another evaluation",
    )
    thresholds_from: str | None = Field(
        None, description="dev: name of that evaluation, for the caption; thresholds come by --thresholds"
    )
    columns: tuple[tuple[str, ...], ...] = Field(description="blocks of question-context pairs")
    average: Literal["pairs", "questions"] = Field(
        "pairs", description="what counts the same in a block's average"
    )
    resamples: Positive = Field(10_000, description="of the bootstrap; 1,000 as in aligned_qa")
    seed: int = Field(0, ge=0, description="of the bootstrap")
    effects: tuple[Effect, ...] = Field(min_length=1, description="rows")
