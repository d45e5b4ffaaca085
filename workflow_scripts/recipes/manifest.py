"""What a manifest of results tells of."""

from typing import Any

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe
from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.recipes.table import Table


class Run(Recipe):
    """A model of one seed, and what it answered on an evaluation."""

    model: str = Field(description="name of the model")
    seed: int = Field(description="what it was tuned with")
    split: str = Field("", description="values of the variables of for_each; empty: there are none")
    evaluation: str = Field(description="name of the evaluation")
    annotators: Positive = Field(description="annotators who had to agree")
    gold: dict[str, str] = Field({}, description="pair -> file of gold answers")
    predictions: dict[str, str] = Field({}, description="pair -> file of predictions")
    scores: str = Field(
        description="file of scores, or steps.jsonl where tables choose a step for each column"
    )
    thresholds: str | None = Field(None, description="file of thresholds that were found elsewhere")
    config: str = Field(description="digest of the parts of the configuration that all of this was made by")
    trained: str = Field(description="digest of those that the model was made by")
    code: dict[str, str] = Field(description="step -> digest of its code: tuning, answering, scoring")
    weights: tuple[str, ...] = Field(description="files of the model")
    encoder: tuple[str, ...] = Field(description="files of the encoder that it started from")
    data: tuple[str, ...] = Field(description="files that its corpora, encoder and alignment were read from")

    def files(self) -> list[str]:
        """Every file that it names."""
        one = [self.scores, *([self.thresholds] if self.thresholds else [])]
        return [
            *self.gold.values(),
            *self.predictions.values(),
            *one,
            *self.weights,
            *self.encoder,
            *self.data,
        ]


class Shown(Recipe):
    """A table, and the runs that its rows are means of."""

    csv: str = Field(description="the table for programs")
    scores: Table | None = Field(None, description="a table of scores, or")
    effects: EffectsTable | None = Field(None, description="a table of differences")
    runs: dict[str, tuple[str, ...]] = Field(description="row (or system) -> names of its runs")


class Manifest(Recipe):
    """Everything that tables of scores and of differences show, and what that was made from."""

    configurations: dict[str, dict[str, Any]] = Field(
        description="digest -> section -> entries of the configuration"
    )
    runs: dict[str, Run] = Field(description="name of a run -> what it was made from")
    tables: dict[str, Shown] = Field(description="name of a table -> its file and runs")

    def files(self) -> list[str]:
        """Every file that it names, each once, sorted."""
        of_runs = (file for made in self.runs.values() for file in made.files())
        return sorted({*(shown.csv for shown in self.tables.values()), *of_runs})
