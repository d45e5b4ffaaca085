"""Settings of the contrastive term of QA tuning, and MuCoT's own (Kumar et al. 2022)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Recipe, with_preset

# The paper leaves open which translation's windows belong together and what the mean is over; it writes Q = O·Pᵀ
# without normalisation or temperature.  The published code pairs by number, a window perhaps with itself, takes the
# mean over padding, too, and learns an unclamped temperature from 0.07; its script ships weight 0 (no contrast), so the
# paper's weight and steps stand here.
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {"normalise": False, "temperature": "none", "mask_same_source": False},
    "code": {
        "pairs": "ordinal",
        "itself": True,
        "pool": "padding",
        "max_scale": None,
        "mask_same_source": False,
    },
}


class Contrast(Recipe):
    """Windows of one source record in two languages are drawn together, those of other records apart (CLIP's loss)."""

    preset: Literal["paper", "code"] | None = Field(
        None,
        description="keys left out are then as in MuCoT's paper or as in its published code; null: the defaults here",
    )
    weight: float = Field(0.05, ge=0, description="of the term in the loss; 0: a run without it, to the byte")
    schedule: Annotated[str, Field(pattern=r"^(always|(until|every):[1-9][0-9]*)$")] = Field(
        "until:1000",
        description="steps that have the term: until:N, the first N; every:N, multiples of N; always",
    )
    layer: Positive = Field(
        3, description="block whose hidden states are compared, counted from 1; the partner's pass ends there"
    )
    pairs: Literal["content", "ordinal"] = Field(
        "content",
        description="a window's partner in another version of its record: content, the window of most corresponding"
        " text, with the answer if this one has it; ordinal, the window of the same number",
    )
    itself: bool = Field(False, description="a window is one of its own possible partners")
    pool: Literal["pieces", "padding"] = Field(
        "pieces",
        description="a window's vector is the mean over its pieces, or over the padding of its batch, too (padded"
        " batching only)",
    )
    normalise: bool = Field(True, description="vectors have length 1, similarities are cosines")
    temperature: Literal["none", "fixed", "learned"] = Field(
        "learned",
        description="what similarities are divided by: nothing, tau, or a number that starts at tau",
    )
    tau: float = Field(0.07, gt=0, description="temperature, or where a learned one starts")
    max_scale: float | None = Field(
        100.0,
        gt=0,
        description="most that a learned temperature multiplies similarities by, as in CLIP; null: no limit",
    )
    mask_same_source: bool = Field(
        True, description="other windows of a window's own record don't count as different from it"
    )

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, given: Any) -> Any:
        return with_preset(given, PRESETS)

    def active(self, step: int) -> bool:
        """Whether a step, counted from 0, has the term."""
        kind, _, number = self.schedule.partition(":")
        if kind == "until":
            return step < int(number)
        return kind == "always" or step % int(number) == 0
