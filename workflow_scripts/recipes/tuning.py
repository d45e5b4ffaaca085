"""Settings of QA task-tuning and of prediction."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe, Share
from workflow_scripts.recipes.training import Optimisation


class Tuning(Optimisation):
    """Start, end and answer-type heads trained on windows (TyDi QA baseline)."""

    learning_rate: float = Field(2e-3, gt=0, description="peak learning rate")
    beta2: float = Field(0.98, gt=0, lt=1, description="Adam's second-moment decay (beta1 is 0.9)")
    weight_decay: float = Field(0.3, ge=0, description="AdamW's decoupled weight decay")
    steps: Positive = Field(700, description="optimiser steps")
    epochs: float | None = Field(
        None, gt=0, description="passes over the windows that are trained on, instead of steps; null: steps"
    )
    batch_size: Positive = Field(32, description="windows a step")
    include_unknowns: Share = Field(
        1.0, description="probability that a window without the answer is trained on"
    )
    yes_no: Literal["fixed", "baseline"] = Field(
        "fixed",
        description="fixed: YES and NO are answer types; baseline: both become PASSAGE, as TyDi's code did",
    )
    hide: Literal["nothing", "question", "context"] = Field(
        "nothing",
        description="control: mask every piece of the question or of the context, in training and prediction",
    )


class Prediction(Recipe):
    """How an answer is read off the logits."""

    batch_size: Positive = Field(64, description="windows a forward pass")
    max_answer_length: Positive = Field(100, description="longest minimal answer in pieces")
    n_best: int = Field(
        0,
        ge=0,
        description="best spans of each question that are written to a file of their own; 0: no such file",
    )
    squad: bool = Field(False, description="also write answers and null odds in SQuAD's format")
    precision: Literal["auto", "bf16", "fp32"] = Field("auto", description="as in training")
    attention: Literal["folded", "sdpa"] = Field("folded", description="as in training")
