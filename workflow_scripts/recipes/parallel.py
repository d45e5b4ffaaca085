"""Settings of the choice of sentence pairs for alignment."""

from typing import Literal, Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Recipe


class Parallel(Recipe):
    """Which sentence pairs of a language are used, and how many."""

    sentences: Positive | Literal["all"] = Field(
        "all",
        description="sentence pairs a language, sampled; with the same other keys a smaller sample is part of a larger",
    )
    min_words: Positive = Field(1, description="fewest words of a sentence")
    max_words: Positive = Field(64, description="most words of a sentence (Cao et al. 2020: 64)")
    max_length_ratio: float = Field(
        4.0, ge=1, description="most words of the longer sentence for each word of the shorter"
    )
    drop_identical: bool = Field(True, description="leave out pairs whose two sides are the same words")
    seed: int = Field(1, description="of the sample")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.min_words > self.max_words:
            raise ValueError(f"min_words is {self.min_words}, more than max_words {self.max_words}")
        return self
