"""Settings of vocabulary trimming."""

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe, Share


class Trimming(Recipe):
    """Which pieces of a vocabulary are kept, and how much more text may become unknown."""

    min_count: Positive = Field(1, description="pieces that the text has less often are left out")
    max_unknown: Share = Field(
        0.005, description="the run fails when the share of unknown pieces of held-out text rises by more"
    )
