"""What figures show."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Recipe
from workflow_scripts.recipes.sections import SectionsTable
from workflow_scripts.recipes.table import Metric, Table, Task

AnyTable = Table | SectionsTable


class HeatMaps(Recipe):
    """A table of scores or of sections as maps, one for each model."""

    table: AnyTable = Field(description="the table, whose rows have labels that tell them apart")


class SizedRow(Recipe):
    """A row of a table, and what it was trained on."""

    row: str = Field(description="name of the model, as in the table")
    data: tuple[str, ...] = Field(
        min_length=1, description="alignments or training sets; of several, the mean size is shown"
    )


class SizeLine(Recipe):
    """Rows that differ in their data only."""

    label: str = Field(description="what they have in common")
    rows: tuple[SizedRow, ...] = Field(min_length=2, description="the rows")


class DataSizes(Recipe):
    """The rows of a table of scores or of sections by the size of what they were trained on."""

    table: AnyTable = Field(description="the table")
    of: Literal["alignment", "training"] = Field(
        description="what grows: sentence pairs of alignments, or questions of training sets"
    )
    lines: tuple[SizeLine, ...] = Field(min_length=1, description="the rows that are shown, in lines")
    corpora: dict[str, tuple[str, ...]] = Field(
        {}, description="training: the corpora of each training set that is shown"
    )


class RelocatedCorpus(Recipe):
    """A corpus whose answers were found again in translation."""

    name: str = Field(description="its name, as in --questions and --dropped")
    of: str = Field(description="the corpus that it is a translation of, as in --originals")


class Relocations(Recipe):
    """How answers were found again in translated corpora."""

    corpora: tuple[RelocatedCorpus, ...] = Field(min_length=1, description="from top to bottom")


class TrainedModel(Recipe):
    """A model in one seed."""

    name: str = Field(description="as in --training")
    label: str = Field(description="what it is called")
    training: str = Field(description="what it is trained on, the title of its panel")
    selected_by: Metric | Task | None = Field(
        None, description="what its weights are selected by, if they are"
    )


class TrainingCurves(Recipe):
    """The course of training of some models."""

    title: str = Field(description="of the figure")
    runs: tuple[TrainedModel, ...] = Field(min_length=1, description="the models, each in each seed")
