"""What a table of outcomes shows."""

from pydantic import Field

from workflow_scripts.recipes.base import Recipe
from workflow_scripts.recipes.sections import Source
from workflow_scripts.recipes.table import Row, Task


class Side(Recipe):
    """Where the outcomes of one side are from."""

    evaluation: str = Field(description="name of the evaluation, as in --questions")
    pairs: tuple[str, ...] = Field(
        min_length=1, description="question-context pairs, each beside that at its place on the other side"
    )
    source: Source = Field("text", description="how questions came, as in tables of sections")


class OutcomesTable(Recipe):
    """A table of how many questions systems answer rightly when asked in one way, and in another."""

    title: str = Field(description="first words of the caption")
    task: Task = Field("minimal", description="TyDi QA's task whose answers are right or wrong")
    seeds: tuple[int, ...] = Field(
        min_length=1, description="seeds of each model, in the order of --questions"
    )
    rows: Side = Field(description="one way of asking")
    columns: Side = Field(description="the other")
    models: tuple[Row, ...] = Field(min_length=1, description="systems, beside each other")
