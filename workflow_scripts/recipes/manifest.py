"""What a manifest of results tells of."""

from typing import Any, Literal

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe
from workflow_scripts.recipes.effects import EffectsTable
from workflow_scripts.recipes.outcomes import OutcomesTable
from workflow_scripts.recipes.sections import SectionsTable
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


class Line(Recipe):
    """A line of a table that shows no model's answers."""

    name: str = Field(description="what it is about")
    config: str | None = Field(
        None, description="digest of the parts of the configuration that it was made by"
    )
    files: dict[str, tuple[str, ...]] = Field(
        description="column that holds a number -> the files that this was read from; none: from the configuration"
    )


class Counts(Recipe):
    """A table of what is counted or set: sentence pairs, alignments, records, hyper-parameters."""

    kind: Literal["pairs", "alignments", "records", "settings"] = Field(description="kind of the table")
    title: str = Field(description="first words of the caption")
    lines: tuple[Line, ...] = Field(description="lines of the CSV")


class Shown(Recipe):
    """A table, and the runs that its rows are means of."""

    csv: str = Field(description="the table for programs")
    scores: Table | None = Field(None, description="a table of scores, or")
    sections: SectionsTable | None = Field(None, description="of sections, or")
    outcomes: OutcomesTable | None = Field(None, description="of outcomes, or")
    effects: EffectsTable | None = Field(None, description="of differences, or")
    counts: Counts | None = Field(None, description="of what is counted or set")
    code: dict[str, str] = Field({}, description="step that made it of scores or files -> digest of its code")
    compared: str | None = Field(
        None, description="the CSV that has it beside a published one, if there is one"
    )
    printed: str | None = Field(None, description="that published one")
    runs: dict[str, tuple[str, ...]] = Field(
        {}, description="row (or system, or MODEL@EVALUATION in sections and outcomes) -> names of its runs"
    )

    def files(self) -> list[str]:
        """Every file that it names, but for those of its runs."""
        lines = self.counts.lines if self.counts else ()
        counted = (file for line in lines for files in line.files.values() for file in files)
        return [self.csv, *filter(None, (self.compared, self.printed)), *counted]


class Manifest(Recipe):
    """Everything that tables show, and what that was made from."""

    configurations: dict[str, dict[str, Any]] = Field(
        description="digest -> section -> entries of the configuration"
    )
    runs: dict[str, Run] = Field(description="name of a run -> what it was made from")
    tables: dict[str, Shown] = Field(description="name of a table -> its file and runs")

    def files(self) -> list[str]:
        """Every file that it names, each once, sorted."""
        of_runs = (file for made in self.runs.values() for file in made.files())
        of_tables = (file for shown in self.tables.values() for file in shown.files())
        return sorted({*of_tables, *of_runs})
