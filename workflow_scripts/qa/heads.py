"""The QA model: start and end logits over the pieces, answer type from the pooled first piece (TyDi QA baseline).

The span part is Hugging Face's `AutoModelForQuestionAnswering`, so the folder loads there as it is; the
answer-type head lies beside it in `answer_type.safetensors`.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import AutoModelForQuestionAnswering

from workflow_scripts.cli import InputError
from workflow_scripts.qa.features import ANSWER_TYPES
from workflow_scripts.training.attention import kernel
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.folders import load_model
from workflow_scripts.training.packed import NAME as PACKED
from workflow_scripts.training.packed import Texts, absent, unpacked

INPUTS = ("input_ids", "inputs_embeds", "attention_mask", "token_type_ids", "position_ids")
ANSWER_TYPE_FILE = "answer_type.safetensors"


def start_head(layer: nn.Linear) -> None:
    """Initial weights of a head, as in TyDi QA's baseline: truncated normal, and no bias."""
    nn.init.trunc_normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)


class AnswerType(nn.Module):
    """Pooled first piece (dense, tanh) to a logit for each answer type."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pooler = nn.Linear(width, width)
        self.classifier = nn.Linear(width, len(ANSWER_TYPES))
        for layer in (self.pooler, self.classifier):
            start_head(layer)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """hidden_states [rows, pieces, width] to logits [rows, answer types]."""
        return self.classifier(torch.tanh(self.pooler(hidden_states[:, 0])))


class QuestionAnswerer(nn.Module):
    """Encoder with span head and answer-type head."""

    def __init__(self, span: nn.Module) -> None:
        super().__init__()
        self.span = span
        self.answer_type = AnswerType(span.config.hidden_size)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of start [rows, pieces], end [rows, pieces] and answer type [rows, answer types].

        Of a packed batch they come in the shape that its windows would have, padded.
        """
        places = batch.get("places")
        hidden_states = self.span.base_model(**encoder_inputs(batch)).last_hidden_state
        hidden_states = hidden_states.to(torch.promote_types(hidden_states.dtype, torch.float32))
        # In bf16, which has three digits, the scores of different questions would tie.
        with torch.autocast(hidden_states.device.type, enabled=False):
            logits = self.span.qa_outputs(hidden_states)
            if places is not None:
                logits, hidden_states = unpacked(logits, places), unpacked(hidden_states, places[:, :1])
            start, end = logits.unbind(-1)
            return start, end, self.answer_type(hidden_states)

    def use(self, batching: str, attention: str) -> None:
        """Take batches that are "padded", with a recipe's `attention`, or "packed"."""
        self.span.set_attn_implementation(PACKED if batching == "packed" else kernel(attention))

    def save(self, folder: Path) -> None:
        """Write both parts to a folder."""
        self.span.save_pretrained(folder)
        save_file(self.answer_type.state_dict(), folder / ANSWER_TYPE_FILE)


def encoder_inputs(batch: Batch) -> dict[str, Any]:
    """What an encoder takes of a batch, padded or packed; inputs_embeds may stand for input_ids."""
    inputs: dict[str, Any] = {name: batch[name] for name in INPUTS if name in batch}
    if "places" in batch:
        inputs |= {"attention_mask": None, "texts": Texts.of(batch["places"])}
    return inputs


def from_encoder(folder: Path, attention: str) -> QuestionAnswerer:
    """New heads on the encoder in `folder`; heads take the random state of torch."""
    span = load_model(AutoModelForQuestionAnswering, folder, attention, ("qa_outputs.",))
    start_head(span.qa_outputs)
    return QuestionAnswerer(span)


def load(folder: Path, attention: str) -> QuestionAnswerer:
    """A trained model as `QuestionAnswerer.save` wrote it."""
    if not (folder / ANSWER_TYPE_FILE).is_file():
        raise InputError(
            f"{folder}: {ANSWER_TYPE_FILE} is missing; give the folder of a model that qa.tune wrote"
        )
    model = QuestionAnswerer(load_model(AutoModelForQuestionAnswering, folder, attention, ()))
    model.answer_type.load_state_dict(load_file(folder / ANSWER_TYPE_FILE))
    return model


def question_answering(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean of the cross-entropies of start, end and answer type, each the mean over the windows.

    batch: the model's inputs; start, end [rows] (position of the first and last answer piece in the window, 0 without
    an answer); answer_type [rows]; perhaps share [], by which all figures are multiplied.  A window's softmax is over
    its own pieces.
    """
    start, end, kind = model(batch)
    hidden = absent(batch)
    losses = [
        cross_entropy(start.masked_fill(hidden, -1e4), batch["start"]),
        cross_entropy(end.masked_fill(hidden, -1e4), batch["end"]),
        cross_entropy(kind, batch["answer_type"]),
    ]
    if "share" in batch:
        losses = [loss * batch["share"] for loss in losses]
    return sum(losses) / 3, {"start": losses[0], "end": losses[1], "type": losses[2]}
