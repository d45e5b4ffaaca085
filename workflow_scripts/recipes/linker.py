"""Settings of the training of an encoder that links words."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Share
from workflow_scripts.recipes.training import Optimisation

Objective = Literal["mlm", "tlm", "tlm_full", "so", "psi", "co"]
PRESETS: dict[str, dict[str, Any]] = {
    "fast": {"objectives": ("tlm", "so"), "steps": 20_000},
    "full": {"objectives": ("mlm", "tlm", "tlm_full", "so", "psi"), "steps": 40_000},
}


class LinkerTraining(Optimisation):
    """Train an encoder on sentence pairs so that its hidden states link words (Dou & Neubig 2021)."""

    preset: Literal["fast", "full"] = Field(
        "fast",
        description="objectives and steps that are left out: fast (tlm and so, 20,000) or full (mlm, tlm, tlm_full, so,"
        " psi, 40,000), as awesome-align's authors advise",
    )
    objectives: tuple[Objective, ...] = Field(
        ("tlm", "so"),
        min_length=1,
        description="what is learnt, added up: mlm (masked pieces of a sentence), tlm (of one that stands beside its"
        " translation), tlm_full (tlm in both orders), so (links that the encoder finds itself), psi (tell"
        " translations from other pairs), co (both directions agree)",
    )
    steps: Positive = Field(20_000, description="optimiser steps")
    batch_size: Positive = Field(8, description="sentence pairs a step")
    max_pieces: int = Field(
        256, ge=3, description="longer sentences are cut to so many pieces, special ones included"
    )
    layer: Positive = Field(
        8, description="so, co: block whose hidden states link, counted from 1; psi reads the next one"
    )
    threshold: float = Field(
        0.001, ge=0, lt=1, description="so: what the softmaxes of both directions must exceed in a link"
    )
    mask_share: Share = Field(0.15, description="mlm, tlm: share of the pieces to be predicted")
    learning_rate: float = Field(2e-5, gt=0, description="peak learning rate")
    warmup: Share = Field(0.0, description="share of the steps over which the rate rises from 0")
    weight_decay: float = Field(0.0, ge=0, description="AdamW's decoupled weight decay")
    epsilon: float = Field(1e-8, gt=0, description="Adam's epsilon")
    attention: Literal["folded", "sdpa"] = Field(
        "sdpa",
        description="attention kernel: folded is faster for very small encoders on processors, sdpa for others",
    )
    seed: int = Field(0, ge=0, description="of the order of pairs, of masks, of new weights and of dropout")

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        preset = given.get("preset")
        return {**(PRESETS.get(preset, {}) if isinstance(preset, str) else {}), **given}

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError(f"objectives: {', '.join(self.objectives)}; each may stand there once")
        return self

    def blocks(self) -> int:
        """How many blocks the encoder must have."""
        paired = self.layer if {"so", "co"} & set(self.objectives) else 1
        return self.layer + 1 if "psi" in self.objectives else paired
