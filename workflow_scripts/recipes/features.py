"""Settings of QA windows."""

from typing import Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Recipe


class Features(Recipe):
    """How a question and a long context become windows `[CLS] question [SEP] context [SEP]` (TyDi QA baseline)."""

    max_length: Positive = Field(256, description="pieces a window, question and special tokens included")
    stride: Positive | None = Field(
        64, description="overlap of neighbouring windows in pieces; null when step is given"
    )
    step: Positive | None = Field(
        None, description="distance of window starts in pieces (TyDi's doc_stride); null when stride is given"
    )
    question_length: Positive = Field(64, description="longer questions keep their last pieces")
    max_passages: int = Field(
        45, gt=0, le=46, description="later passages of a document are not seen; markers exist for 46"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.stride is None) == (self.step is None):
            raise ValueError(
                "give either stride (overlap) or step (distance of window starts), and null for the other"
            )
        if self.max_length < self.question_length + 3 + (self.stride or 0) + 1:
            raise ValueError("max_length must exceed question_length + stride + 3 special tokens")
        if self.step is not None and self.step > self.max_length - self.question_length - 3:
            raise ValueError(
                "step must not exceed max_length - question_length - 3 special tokens, or pieces between windows are"
                " not seen"
            )
        return self
