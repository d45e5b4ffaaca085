"""Settings that every training step has: optimiser, schedule, precision."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Recipe, Share


class Optimisation(Recipe):
    """AdamW with linear warm-up; no weight decay on biases and layer norms (Devlin et al. 2019)."""

    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate")
    warmup: Share = Field(0.1, description="share of the steps over which the rate rises from 0")
    schedule: Literal["linear", "constant"] = Field(
        "linear", description="what the rate does after warm-up: fall to 0, or stay"
    )
    weight_decay: float = Field(0.01, ge=0, description="AdamW's decoupled weight decay")
    beta2: float = Field(0.999, gt=0, lt=1, description="Adam's second-moment decay (beta1 is 0.9)")
    epsilon: float = Field(1e-6, gt=0, description="Adam's epsilon")
    clip: float = Field(
        1.0, gt=0, description="largest norm of the gradient; longer ones are shortened to it"
    )
    matrix_rate: float | None = Field(
        None,
        gt=0,
        description="learning rate of Muon (Jordan 2024) for the weight matrices inside blocks; null: AdamW there too",
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="bf16 (matrix products), fp32, or auto: bf16 where the processor multiplies in it"
    )
    attention: Literal["folded", "sdpa"] = Field(
        "folded",
        description="attention kernel: folded is faster for very small encoders on processors, sdpa for others",
    )
