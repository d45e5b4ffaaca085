"""Settings of QA windows."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Recipe

# What the sources cut windows to.  PrimeQA puts no markers before passages and cuts questions at 128 characters; here
# markers stay, and a question keeps as many pieces.
PRESETS: dict[str, dict[str, Any]] = {
    "tydi": {"max_length": 512, "stride": None, "step": 128, "question_length": 64, "max_passages": 45},
    "primeqa": {
        "max_length": 512,
        "stride": 128,
        "step": None,
        "question_length": 128,
        "max_passages": 46,
    },
    "squad": {"max_length": 384, "stride": 128, "step": None, "question_length": 64, "max_passages": 45},
}


class Features(Recipe):
    """How a question and a long context become windows `[CLS] question [SEP] context [SEP]` (TyDi QA baseline)."""

    preset: Literal["tydi", "primeqa", "squad"] | None = Field(
        None,
        description="keys left out are as in TyDi QA's baseline, PrimeQA or SQuAD's examples (MuCoT); null: as here",
    )
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

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(name := given.get("preset"), str) and name in PRESETS:
            filled = PRESETS[name] | given
            # Whoever gives one of stride and step means it in the place of the preset's other.
            for one, other in (("stride", "step"), ("step", "stride")):
                if given.get(one) is not None and other not in given:
                    filled[other] = None
            return filled
        return given

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
