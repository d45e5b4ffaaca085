"""What a model card tells that no file beside the model does."""

from pydantic import Field

from workflow_scripts.recipes.base import Recipe
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.table import Metric, RecordsSet, Task
from workflow_scripts.recipes.tuning import Prediction, Tuning


class Source(Recipe):
    """Where data were had from."""

    name: str = Field(description="what the card calls it")
    licence: str | None = Field(description="its licence; null: not known here")
    homepage: str | None = Field(None, description="where it is described")
    hub: str | None = Field(None, description="its name on the Hugging Face hub")


class Scored(Recipe):
    """An evaluation that the card has scores of."""

    measures: tuple[Task | Metric, ...] = Field(min_length=1, description="scores that tables show of it")
    annotators: int = Field(description="annotators who had to agree that there is an answer")


class Card(Recipe):
    """A model of one seed."""

    model: str = Field(description="its name")
    label: str = Field(description="what tables print under Model")
    seed: int = Field(description="what it was tuned with")
    folder: str = Field(description="where it lies")
    languages: tuple[str, ...] = Field(description="codes of the languages that it was trained on")
    sets: tuple[RecordsSet, ...] = Field(
        min_length=1, description="what it was tuned on, one set after another; it is of the last"
    )
    encoder: tuple[str, ...] = Field(description="how its encoder was made, in sentences without full stops")
    base: str | None = Field(None, description="a published encoder's name on the Hugging Face hub")
    tuning: Tuning = Field(description="settings of the last tuning")
    selected_on: str | None = Field(None, description="evaluation that the weights were selected on")
    features: Features = Field(description="how question and text become windows")
    prediction: Prediction = Field(description="how answers are read")
    sources: tuple[Source, ...] = Field((), description="where its data were had from")
    generated: bool = Field(False, description="whether they are of the generated world")
    config: str = Field(description="digest of the parts of the configuration that it was made by")
    evaluations: dict[str, Scored] = Field({}, description="name of an evaluation -> what is told of it")
