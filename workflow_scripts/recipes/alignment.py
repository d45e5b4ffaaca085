"""Settings of alignment fine-tuning."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Positive
from workflow_scripts.recipes.training import Optimisation


class Alignment(Optimisation):
    """Pull linked words together, keep all words near where they were (aligned_qa section 2, after Cao et al. 2020)."""

    learning_rate: float = Field(1.5e-3, gt=0, description="peak learning rate")
    schedule: Literal["linear", "constant"] = Field(
        "constant", description="what the rate does after warm-up: fall to 0, or stay"
    )
    epochs: Positive = Field(
        1, description="passes over the language with most pairs; shorter ones wrap around"
    )
    batch_size: Positive = Field(16, description="sentence pairs of each language a step")
    regulariser: float = Field(
        1.0, ge=0, description="weight of R, the distance from the encoder before alignment"
    )
    seed: int = Field(0, ge=0, description="of the order of pairs and of dropout")
