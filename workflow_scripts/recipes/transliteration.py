"""Settings of transliteration."""

from typing import Literal

from pydantic import Field

from workflow_scripts.recipes.base import Recipe


class Transliteration(Recipe):
    """How text is written in another script."""

    latin: Literal["iso", "plain"] = Field(
        "iso",
        description="Latin letters: iso (ISO 15919, dāla) or plain (the same without its marks, dala; target only)",
    )
    digits: Literal["target", "keep"] = Field(
        "target", description="digits of the source's script: those of the target's script, or kept"
    )
