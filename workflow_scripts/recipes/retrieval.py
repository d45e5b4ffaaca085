"""Settings of retrieval: which vectors are compared, and how."""

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
