"""Settings of retrieval: which vectors are compared, and what the tables of it show."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe


class Retrieval(Recipe):
    """Which vectors stand for words, and how they are compared."""

    layer: int = Field(
        -1,
        description="hidden states that are compared: after block N, counted from 1; 0 before any; -1 the last",
    )
    pool: Literal["last", "first", "mean"] = Field(
        "last",
        description="a word's vector: its last piece's (what alignment moves), its first's, or their mean",
    )
    neighbours: Positive = Field(10, description="nearest neighbours that CSLS takes the mean similarity of")
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "fp32",
        description="in which the encoder multiplies: bf16, fp32, or auto: bf16 where the hardware does",
    )
    batch_pieces: Positive = Field(4096, description="pieces that are encoded in a batch")


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
