"""Settings of encoder pre-training from scratch (vocabulary, shape, masked LM)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Recipe, Share
from workflow_scripts.recipes.training import Optimisation


class Vocabulary(Recipe):
    """How text is cut into pieces."""

    kind: Literal["wordpiece", "unigram"] = Field(
        "wordpiece",
        description="wordpiece: cased WordPiece after NFC, accents kept, as multilingual BERT's; unigram:"
        " SentencePiece's unigram model after NFKC, as XLM-R's",
    )
    size: int = Field(
        5000,
        ge=60,
        description="number of pieces, special tokens included; unigram needs more for texts of the same length",
    )


class Architecture(Recipe):
    """RobertaPreLayerNorm's shape: post-norm encoders of this size stay on the unigram plateau."""

    hidden_size: Positive = Field(128, description="width of the hidden states")
    layers: Positive = Field(2, description="number of transformer blocks")
    heads: Positive = Field(4, description="attention heads a block")
    intermediate_size: Positive = Field(512, description="width of the feed-forward layer")
    max_length: Positive = Field(256, description="longest input, in pieces")
    dropout: Share = Field(0.0, description="dropout on hidden states and attention")
    initial_range: float = Field(0.08, gt=0, description="standard deviation of initial weights")

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.hidden_size % (2 * self.heads):
            raise ValueError(f"hidden_size {self.hidden_size} must be an even multiple of heads {self.heads}")
        return self


class Pretraining(Optimisation):
    """Masked language modelling on monolingual text (Devlin et al. 2019)."""

    vocabulary: Vocabulary = Field(Vocabulary(), description="how text is cut into pieces")
    architecture: Architecture = Field(Architecture(), description="the encoder's shape")
    learning_rate: float = Field(2e-3, gt=0, description="peak learning rate")
    beta2: float = Field(0.98, gt=0, lt=1, description="Adam's second-moment decay (beta1 is 0.9)")
    matrix_rate: float | None = Field(
        0.01,
        gt=0,
        description="learning rate of Muon for the weight matrices inside blocks; null: AdamW for them too",
    )
    weight_decay: float = Field(
        0.06,
        ge=0,
        description="decoupled weight decay; Muon needs more of it than AdamW, or weights grow stiff",
    )
    warmup: Share = Field(0.05, description="share of the steps over which the rate rises from 0")
    start: Literal["guided", "plain"] = Field(
        "guided",
        description="first weights: guided (sinusoid positions, first heads look at neighbours) or plain (all random)",
    )
    steps: int = Field(1800, ge=0, description="optimiser steps; 0 leaves the first weights (a control)")
    batch_size: Positive = Field(32, description="documents a step")
    max_length: Positive = Field(128, description="longer documents are cut into pieces of this length")
    short_share: Share = Field(
        0.4, description="share of the steps, the first ones, that see the beginnings of documents only"
    )
    short_length: Positive = Field(48, description="pieces of a document in these steps")
    max_documents: Positive | None = Field(
        None, description="use the first N documents of each language; null: all"
    )
    mask_share: float = Field(0.2, gt=0, le=1, description="share of the pieces to be predicted")
    held_out: Positive = Field(400, description="documents kept back to measure masked accuracy")
    min_masked_accuracy: Share = Field(
        0.6, description="the run fails when accuracy on the held-out documents is lower"
    )
    seed: int = Field(0, ge=0, description="of initial weights, masks and the order of documents")

    @model_validator(mode="after")
    def _documents_fit(self) -> Self:
        if max(self.max_length, self.short_length) > self.architecture.max_length:
            raise ValueError(
                f"max_length {self.max_length} and short_length {self.short_length} must not exceed"
                f" architecture.max_length {self.architecture.max_length}"
            )
        return self
