"""Settings of alignment fine-tuning, and the sources' own."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Share, with_preset
from workflow_scripts.recipes.training import Optimisation

# aligned_qa's paper gives the objective and nothing else; its optimiser is taken to be that of Cao et al.
_CAO: dict[str, Any] = {
    "learning_rate": 5e-5,
    "schedule": "constant",
    "weight_decay": 0.0,
    "beta2": 0.98,
    "epsilon": 1e-9,
    "batch_size": 8,
    "attention": "sdpa",
}
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {**_CAO},
    "cao": {
        **_CAO,
        "target": "frozen",
        "regularised": "english",
        "reduction": "mean",
        "special_pieces": True,
    },
    "wu_dredze": {
        "learning_rate": 1e-4,
        "warmup": 0.04,
        "schedule": "linear",
        "weight_decay": 0.0,
        "batch_size": 128,
        "steps": 100_000,
        "attention": "sdpa",
        "pool": "first",
        "drop_identical": True,
        "reduction": "mean_links",
        "regularised": "parameters",
        "sampling": "proportional",
        "max_pieces": 96,
    },
}


class Alignment(Optimisation):
    """Pull linked words together, keep all words near where they were (aligned_qa section 2, after Cao et al. 2020)."""

    preset: Literal["paper", "cao", "wu_dredze"] | None = Field(
        None,
        description="keys left out are as in aligned_qa, Cao et al. (2020) or Wu & Dredze (2020, L2); null: as here",
    )
    task: Literal["align", "masked_lm"] = Field(
        "align",
        description="masked_lm: a control that reads the same sentences in the same steps, and links nothing",
    )
    learning_rate: float = Field(1.5e-3, gt=0, description="peak learning rate")
    schedule: Literal["linear", "constant"] = Field(
        "constant", description="what the rate does after warm-up: fall to 0, or stay"
    )
    sampling: Literal["cyclic", "proportional", "temperature"] = Field(
        "cyclic",
        description="cyclic: batch_size pairs of every language a step, shorter languages wrap around; proportional:"
        " batch_size pairs a step from all languages in one shuffled order; temperature: likewise, but small languages"
        " come more often",
    )
    temperature: float = Field(
        3.0,
        ge=1,
        description="sampling temperature: a language of n pairs comes n ** (1 / temperature) times",
    )
    epochs: Positive = Field(
        1, description="passes over the language with most pairs (cyclic) or over as many pairs as there are"
    )
    steps: Positive | None = Field(None, description="optimiser steps, instead of epochs; null: epochs")
    batch_size: Positive = Field(16, description="sentence pairs a step, of each language if cyclic")
    part_pieces: Positive | None = Field(
        None,
        description="pieces, padding included, that are computed at once; a step's gradients add up, so that this"
        " changes memory and time, and no result beyond rounding; null: all of the step",
    )
    layer: int = Field(
        -1, ge=-1, description="block whose hidden states are aligned, counted from 1; -1: the last"
    )
    pool: Literal["last", "first", "mean"] = Field(
        "last", description="a word's vector: that of its last piece, its first, or their mean"
    )
    links: Literal["one_to_one", "all"] = Field(
        "one_to_one", description="one_to_one: only links both of whose words are linked once"
    )
    drop_identical: bool = Field(False, description="leave out links between words that are the same string")
    special_pieces: bool = Field(
        False, description="[CLS] and [SEP] count as words, linked with those of the other sentence"
    )
    max_pieces: Positive | None = Field(
        None,
        description="most pieces of a sentence, [CLS] and [SEP] included; longer ones end after a word; null: what the"
        " encoder reads",
    )
    target: Literal["live", "frozen"] = Field(
        "live",
        description="live: linked words are drawn to one another; frozen: foreign words to where English ones were",
    )
    reduction: Literal["sum", "mean", "mean_links"] = Field(
        "sum",
        description="of the squared distances of a step: sum; mean over words or links and dimensions; mean_links: mean"
        " over words or links. Means are of each language by itself if cyclic, and then added",
    )
    regulariser: float = Field(
        1.0, ge=0, description="weight of R, the distance from the encoder before alignment"
    )
    regularised: Literal["both", "english", "parameters"] = Field(
        "both",
        description="what R holds: the words of both sides, of the English side, or the encoder's parameters (L2 norm)",
    )
    mask_share: Share = Field(0.15, description="masked_lm: share of the pieces to be predicted")
    seed: int = Field(0, ge=0, description="of the order of pairs, of masks and of dropout")

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, given: Any) -> Any:
        return with_preset(given, PRESETS)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.task == "masked_lm" and not self.mask_share:
            raise ValueError("mask_share is 0; masked_lm needs pieces to predict")
        return self
