"""What every recipe is: the part of the configuration that one step uses, validated."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]


class Recipe(BaseModel):
    """Base of every recipe: unknown keys are errors, values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def with_preset(given: Any, presets: Mapping[str, Mapping[str, Any]]) -> Any:
    """What a configuration gives, with what its `preset` says where it gives nothing; as it is without a known one."""
    if isinstance(given, dict) and isinstance(name := given.get("preset"), str) and name in presets:
        return {**presets[name], **given}
    return given
