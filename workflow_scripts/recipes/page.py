"""What the report page shows."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Recipe
from workflow_scripts.recipes.card import Source
from workflow_scripts.recipes.effects import EffectsTable


class Shown(Recipe):
    """A table on the page."""

    name: str = Field(description="of its files: <name>.csv, <name>.md and <name>.tex")
    title: str = Field(description="first words of its caption")
    effects: EffectsTable | None = Field(
        None, description="what a table of effects compares; null for other tables"
    )


class Answered(Recipe):
    """Questions with what models answered."""

    evaluation: str = Field(description="its name, and that of the file: <evaluation>.json")
    labels: dict[str, str] = Field(min_length=1, description="what models are called on the page, by name")


class Trained(Recipe):
    """Something that was trained for the tables."""

    kind: Literal["encoder", "alignment", "model"] = Field(description="what it is")
    label: str = Field(description="what the page calls it")
    folder: str = Field(description="where it lies, from the page's folder; training.json in it tells costs")


class DataFile(Recipe):
    """A public file that was read."""

    name: str = Field(description="as in resources/datasets.yaml: <data set>/<file>")
    sha256: str | None = Field(None, description="its checksum there; null: not known before it is obtained")


class Page(Recipe):
    """The page of a configuration's results."""

    tables: tuple[Shown, ...] = Field(min_length=1, description="in the order of the page")
    figures: dict[str, str] = Field(
        {}, description="title of each figure by its name, in the order of the page; its file: <name>.svg"
    )
    examples: tuple[Answered, ...] = Field((), description="questions with what models answered")
    seeds: tuple[int, ...] = Field(min_length=1, description="seeds of each model")
    config: str = Field(description="digest of the parts of the configuration that the tables depend on")
    trained: tuple[Trained, ...] = Field((), description="what was trained, in its order")
    sources: tuple[Source, ...] = Field((), description="where data and published encoders were had from")
    files: tuple[DataFile, ...] = Field((), description="public files that were read")
