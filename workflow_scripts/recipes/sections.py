"""What a table of sections shows."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe
from workflow_scripts.recipes.table import Heading, Row, Spread, Task

Source = Literal["text", "gold", "asr"]


class Block(Recipe):
    """Columns that are scores of one evaluation and task; several pairs end with their average."""

    evaluation: str = Field(description="name of the evaluation, as in --scores")
    task: Task = Field(description="TyDi QA's task whose F1 is shown")
    pairs: tuple[str, ...] = Field(min_length=1, description="question-context pairs")
    source: Source = Field(
        "text",
        description="how questions came, for the column's head: as text, or spoken and written down by people (gold)"
        " or by a recogniser (asr)",
    )


class Section(Recipe):
    """Some rows with columns of their own."""

    heading: str | None = Field(None, description="above the section")
    columns: tuple[Block, ...] = Field(min_length=1, description="blocks of columns")
    rows: tuple[Row | Heading, ...] = Field(min_length=1, description="models, and headings between them")


class SectionsTable(Recipe):
    """A table of sections below each other, whose columns may be of several evaluations and tasks."""

    title: str = Field(description="first words of the caption")
    annotators: Positive = Field(description="annotators who had to agree, for the caption")
    seeds: tuple[int, ...] = Field(
        min_length=1, description="seeds of each model's scores, in the order of --scores"
    )
    spread: Spread = Field("deviation", description="of several seeds, as in tables of scores")
    sections: tuple[Section, ...] = Field(min_length=1, description="from top to bottom")
