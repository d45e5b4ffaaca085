"""Settings of the translators: which program or service translates, and what its answers depend on.

`settings()` of a recipe are the keys that change a translation; together with the languages they say which part of the
cache holds it.  Batch sizes, limits, prices and addresses may change without anything being translated again.
"""

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from workflow_scripts.recipes.base import Positive, Recipe

CODES = "what the translator calls a language, where that is not found by itself: {ar: arb_Arab}"
Precision = Literal["auto", "bf16", "fp32"]


class Google(Recipe):
    """Cloud Translation, version 3.  Credentials are found as Google's own programs do (Application Default)."""

    kind: Literal["google"] = Field("google", description="Google Cloud Translation, version 3")
    project: str = Field(min_length=1, description="id of the Google Cloud project that pays")
    location: str = Field("global", min_length=1, description="region; glossaries and own models need theirs")
    endpoint: str | None = Field(
        None, description="host:port of another server that speaks Translation v3 without TLS; null: Google's"
    )
    model: str = Field(
        "general/nmt", min_length=1, description="model, as <kind>/<name> or as its whole path"
    )
    glossary: str | None = Field(None, description="glossary, by its id or as its whole path; null: none")
    codes: dict[str, str] = Field(default_factory=dict, description=CODES)
    max_characters: int | None = Field(
        ge=0,
        description="most characters that all jobs with these settings together may send, whatever the languages;"
        " null: no limit",
    )
    price_per_million_characters: float = Field(20.0, ge=0, description="for the estimate of the cost")
    request_characters: Positive = Field(
        5_000, le=30_000, description="characters a request (Google advises 5,000); a longer text goes alone"
    )
    request_texts: Positive = Field(128, le=1024, description="texts a request")
    attempts: Positive = Field(
        8,
        description="times that a request is tried while quota or service fail; 8 attempts outlast a quota per minute",
    )
    backoff: float = Field(1.0, ge=0, description="seconds before the second attempt; doubled from then on")
    timeout: float = Field(60.0, gt=0, description="seconds that a request may take")

    def settings(self) -> dict[str, Any]:
        """What a translation depends on besides the languages."""
        return {
            "kind": self.kind,
            "location": self.location,
            "model": self.model,
            "glossary": self.glossary,
        }

    def name(self) -> str:
        """Who translated, for the record."""
        return f"google {PurePath(self.model).name}"


class Local(Recipe):
    """What all models that run here have in common."""

    kind: str
    model: str
    revision: str | None = Field(
        None, description="commit or tag on the hub; for a folder, a name that you change with its content"
    )
    codes: dict[str, str] = Field(default_factory=dict, description=CODES)
    beam: Positive = Field(4, description="beams; 1 is greedy")
    max_length: Positive = Field(
        256,
        ge=16,
        description="most pieces of a text and of its translation; longer texts are cut into parts",
    )
    batch_tokens: Positive = Field(4096, description="pieces a batch, padding included")

    def settings(self) -> dict[str, Any]:
        """What a translation depends on besides the languages."""
        return self.model_dump(exclude={"codes", "batch_tokens"})

    def name(self) -> str:
        """Who translated, for the record: the model, of a folder its last name."""
        return PurePath(self.model).name


class Seq2Seq(Local):
    """A sequence-to-sequence model of Hugging Face: NLLB, M2M-100, MADLAD-400, OPUS-MT and their like."""

    kind: Literal["seq2seq"] = Field("seq2seq", description="a Hugging Face sequence-to-sequence model")
    model: str = Field(min_length=1, description="name on the hub, or a folder")
    precision: Precision = Field("auto", description="auto: bf16 where the hardware multiplies in it")


class CTranslate2(Local):
    """A model converted for CTranslate2, with the tokeniser of the Hugging Face model that it was made from."""

    kind: Literal["ctranslate2"] = Field("ctranslate2", description="a converted model")
    model: str = Field(min_length=1, description="folder that ct2-transformers-converter wrote")
    tokenizer: str = Field(
        min_length=1, description="name on the hub, or a folder, of the original's tokeniser"
    )
    compute_type: str = Field("auto", description="as CTranslate2 calls it: int8, bfloat16, float32, …")


AnyTranslator = Google | Seq2Seq | CTranslate2
KINDS: tuple[type[Recipe], ...] = (Google, Seq2Seq, CTranslate2)


class Translator(RootModel[Annotated[AnyTranslator, Field(discriminator="kind")]]):
    """One of the recipes above, told by its `kind`."""


def code(recipe: AnyTranslator, language: str) -> str:
    """What the recipe says that its translator calls a language; the language's own code where it says nothing."""
    return recipe.codes.get(language, language)
