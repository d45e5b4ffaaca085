"""Settings of the custom development split."""

from pydantic import Field

from workflow_scripts.recipes.base import Recipe


class Splits(Recipe):
    """How training questions are set aside for development where no list of ids names them."""

    per_language: int = Field(
        60, ge=1, description="development questions a language, sampled where no id lists are given"
    )
    seed: int = Field(1, description="of the sample")
