"""Settings of QA task-tuning and of prediction."""

from typing import Literal, Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Recipe, Share
from workflow_scripts.recipes.contrast import Contrast
from workflow_scripts.recipes.training import Optimisation


class Selected(Recipe):
    """Which of a run's weights become the model: those that answer the questions of an evaluation best."""

    metric: Literal["minimal", "passage", "em", "f1", "jaccard"] = Field(
        "minimal",
        description="minimal, passage: TyDi's best F1, mean of the pairs of languages; em, f1: SQuAD 2.0's; jaccard:"
        " words in common (ChAII); means of the questions",
    )
    every: Positive = Field(100, description="steps from one score to the next; there is one at the end, too")
    patience: Positive | None = Field(
        None,
        description="training ends when so many scores in a row were no better than the best; null: never",
    )


class Tuning(Optimisation):
    """Start, end and answer-type heads trained on windows (TyDi QA baseline)."""

    learning_rate: float = Field(2e-3, gt=0, description="peak learning rate")
    beta2: float = Field(0.98, gt=0, lt=1, description="Adam's second-moment decay (beta1 is 0.9)")
    weight_decay: float = Field(0.3, ge=0, description="AdamW's decoupled weight decay")
    steps: Positive = Field(700, description="optimiser steps")
    epochs: float | None = Field(
        None, gt=0, description="passes over the windows that are trained on, instead of steps; null: steps"
    )
    batch_size: Positive | None = Field(32, description="windows a step; null when batch_pieces is given")
    batch_pieces: Positive | None = Field(
        None,
        description="most pieces a step, instead of batch_size; every window counts the same, though steps have"
        " different numbers of them",
    )
    part_pieces: Positive | None = Field(
        None,
        description="most pieces that are computed at once, padding included; a step's gradients add up, so that this"
        " changes memory and no result beyond rounding; null: all of the step",
    )
    batching: Literal["padded", "packed", "auto"] = Field(
        "padded",
        description="padded: windows as long as the step's longest; packed: one behind another in one row, which is two"
        " to four times as fast for encoders of mBERT's size; auto: whichever is faster in the first steps. The result"
        " is the same to rounding and dropout's draws",
    )
    include_unknowns: Share = Field(
        1.0, description="probability that a window without the answer is trained on"
    )
    yes_no: Literal["fixed", "baseline"] = Field(
        "fixed",
        description="fixed: YES and NO are answer types; baseline: both become PASSAGE, as TyDi's code did",
    )
    selection: Selected | None = Field(
        None, description="keep the weights that do best on a development set; null: the last ones"
    )
    hide: Literal["nothing", "question", "context"] = Field(
        "nothing",
        description="control: mask every piece of the question or of the context, in training and prediction",
    )
    contrast: Contrast | None = Field(
        None,
        description="a further term that draws a record's windows in two languages together (MuCoT); windows are"
        " compared within a part of the step",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.batch_size is None) == (self.batch_pieces is None):
            raise ValueError(
                "give either batch_size (windows a step) or batch_pieces (pieces a step), and null for the other"
            )
        return self

    @model_validator(mode="after")
    def _padding_where_it_is_read(self) -> Self:
        if self.contrast is not None and self.contrast.pool == "padding" and self.batching != "padded":
            raise ValueError(
                f"contrast.pool is padding, which batching {self.batching} may not have; give batching padded or"
                " contrast.pool pieces"
            )
        return self


class Prediction(Recipe):
    """How an answer is read off the logits."""

    batch_size: Positive = Field(64, description="windows a forward pass")
    batch_pieces: Positive | None = Field(
        None, description="most pieces a forward pass, padding included; null: only batch_size counts"
    )
    batching: Literal["padded", "packed"] = Field("padded", description="as in training")
    max_answer_length: Positive = Field(100, description="longest minimal answer in pieces")
    n_best: int = Field(
        0,
        ge=0,
        description="best spans of each question that are written to a file of their own; 0: no such file",
    )
    squad: bool = Field(False, description="also write answers and null odds in SQuAD's format")
    precision: Literal["auto", "bf16", "fp32"] = Field("auto", description="as in training")
    attention: Literal["folded", "sdpa"] = Field("folded", description="as in training")
