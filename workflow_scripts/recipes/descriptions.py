"""What tables of alignments and of settings show."""

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe


class DescribedAlignment(Recipe):
    """An alignment, in a row."""

    name: str = Field(description="its name, as in --pairs")
    label: str = Field(description="printed under Model")
    description: str = Field(description="printed under Description")
    languages: tuple[str, ...] = Field(description="languages beside English")
    published: bool = Field(description="taken from a checkpoint, so that its sentences are not known here")
    encoders: tuple[str, ...] = Field(description="heads of the encoders that are aligned so")
    printed: Positive | None = Field(None, description="number of the row in the paper's Table 1; null: none")


class AlignmentsTable(Recipe):
    """A table of what encoders are aligned on."""

    title: str = Field(description="first words of the caption")
    encoders: tuple[str, ...] = Field(min_length=1, description="heads of columns with a check mark")
    rows: tuple[DescribedAlignment, ...] = Field(min_length=1, description="alignments")


class Setting(Recipe):
    """A hyper-parameter."""

    name: str = Field(description="as MuCoT's Table 1 calls it")
    value: str = Field(description="what it is here")


class SettingsTable(Recipe):
    """A table of a model's hyper-parameters."""

    title: str = Field(description="first words of the caption")
    model: str = Field(description="whose they are, for the caption")
    settings: tuple[Setting, ...] = Field(min_length=1, description="rows")
