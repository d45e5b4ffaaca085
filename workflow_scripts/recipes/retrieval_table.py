"""What tables of retrieval show."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Recipe


class Aligned(Recipe):
    """An encoder after alignment."""

    name: str = Field(description="its name, as in the measured file")
    languages: tuple[str, ...] = Field(description="languages that it was aligned in")
    missing: str | None = Field(None, description="folder of the checkpoint that it is and that is not there")


class RetrievalTable(Recipe):
    """An encoder and alignments of it, in the order in which they are shown."""

    encoder: str = Field(description="name of the encoder before alignment, as in the measured file")
    links: Literal["gold", "statistical", "neural"] = Field(
        description="whose links tell what is right: gold ones, or a linker's"
    )
    alignments: tuple[Aligned, ...] = Field(min_length=1, description="the encoder after alignments")
