"""Settings of the word aligner."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe


class Links(Recipe):
    """Which program links words, and for how long it learns."""

    linker: Literal["statistical"] = Field(
        "statistical", description="statistical: fast_align (Dyer et al. 2013) as packaged in systran-align"
    )
    iterations: Positive = Field(5, description="rounds of expectation maximisation")
    stems: bool = Field(
        False,
        description="count words by their first letters, and in scripts without blanks by what comes again and again,"
        " which helps in a few thousand sentences",
    )
