"""What the report page shows."""

from pydantic import Field

from workflow_scripts.recipes.base import Recipe
from workflow_scripts.recipes.effects import EffectsTable


class Shown(Recipe):
    """A table on the page."""

    name: str = Field(description="of its files: <name>.csv and <name>.md")
    effects: EffectsTable | None = Field(
        None, description="what a table of effects compares; null for other tables"
    )


class Answered(Recipe):
    """Questions with what models answered."""

    evaluation: str = Field(description="its name, and that of the file: <evaluation>.json")
    labels: dict[str, str] = Field(min_length=1, description="what models are called on the page, by name")


class Page(Recipe):
    """The page of a configuration's results."""

    tables: tuple[Shown, ...] = Field(min_length=1, description="in the order of the page")
    figures: dict[str, str] = Field(
        {}, description="title of each figure by its name, in the order of the page; its file: <name>.svg"
    )
    examples: tuple[Answered, ...] = Field((), description="questions with what models answered")
