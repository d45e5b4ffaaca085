"""Settings of the word linkers, and of what is kept of their links."""

from typing import Literal, Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Recipe, Share

KEYS = {
    "statistical": ("iterations", "stems"),
    "neural": ("layer", "threshold", "precision", "batch_pieces"),
}


class LinkFilter(Recipe):
    """Which links are kept, and which pairs keep any.  As it stands, all."""

    one_to_one: bool = Field(False, description="keep links both of whose words are linked once")
    min_score: Share = Field(
        0.0, description="least mean score of a pair's links, from 0 to 1; fast_align gives no scores"
    )
    min_coverage: Share = Field(0.0, description="least share of a pair's words that are linked")
    max_length_ratio: float | None = Field(
        None, ge=1, description="most words of the longer sentence for each word of the shorter; null: any"
    )
    drop_identical: bool = Field(False, description="leave out pairs whose two sides are the same words")


class Links(Recipe):
    """Which linker links words, and how; keys of the other linker stay at their defaults."""

    linker: Literal["statistical", "neural"] = Field(
        "statistical",
        description="statistical: fast_align (Dyer et al. 2013) as packaged in systran-align; neural: an encoder's"
        " hidden states, as awesome-align's (Dou & Neubig 2021)",
    )
    iterations: Positive = Field(5, description="statistical: rounds of expectation maximisation")
    stems: bool = Field(
        False,
        description="statistical: count words by their first letters, and in scripts without blanks by what comes again"
        " and again, which helps in a few thousand sentences",
    )
    layer: Positive = Field(8, description="neural: block whose hidden states are compared, counted from 1")
    threshold: float = Field(
        0.001, ge=0, lt=1, description="neural: what the softmaxes of both directions must exceed"
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="neural: bf16, fp32, or auto: bf16 where the hardware multiplies in it"
    )
    batch_pieces: Positive = Field(4096, description="neural: pieces that are encoded in a batch")
    filter: LinkFilter = Field(LinkFilter(), description="which links are kept")

    @model_validator(mode="after")
    def _of_this_linker(self) -> Self:
        for linker, names in KEYS.items():
            for name in names:
                if linker != self.linker and getattr(self, name) != Links.model_fields[name].default:
                    raise ValueError(f"{name} belongs to linker {linker}, but linker is {self.linker}")
        if self.linker == "statistical" and self.filter.min_score:
            raise ValueError("filter.min_score needs linker neural; fast_align gives no scores")
        return self
