"""Settings of a split where no list of ids names the development questions."""

from typing import Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Recipe

PER_LANGUAGE = 60  # questions a language that are set aside where nothing else is said


class Splits(Recipe):
    """How questions are set aside where no list of ids names them: so many a language, or so many altogether."""

    per_language: Positive | None = Field(
        None, description="questions a language that are set aside; when left out: 60, unless size is given"
    )
    size: Positive | None = Field(
        None,
        description="questions altogether, each language in its share, as scikit-learn's train_test_split draws them"
        " (MuCoT's published splits)",
    )
    seed: int = Field(1, description="of the sample", json_schema_extra={"type": ["integer", "string"]})

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.per_language is not None and self.size is not None:
            raise ValueError(
                "give one of per_language (questions a language) and size (questions altogether)"
            )
        return self
