"""The control of alignment: the same sentences in the same steps, with pieces to be predicted and nothing linked."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from workflow_scripts.align.bitext import EncodedPair, parts
from workflow_scripts.recipes.alignment import Alignment
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.masked import IGNORED, generator, hide, masked_lm, pad


def masked_parts(
    chosen: Sequence[tuple[int, EncodedPair]],
    tokenizer: PreTrainedTokenizerBase,
    recipe: Alignment,
    seed: Sequence[int],
) -> list[Batch]:
    """The sentences of a step's pairs with pieces hidden, in the recipe's parts.

    input_ids, attention_mask, labels [2 P, pieces]; share [1]: the part's share of all hidden pieces.
    """
    random = generator(seed)
    masked = []
    for part in parts(chosen, recipe.part_pieces):
        rows = [side.pieces for _, pair in part for side in (pair.foreign, pair.english)]
        ids, mask = pad(rows, tokenizer.pad_token_id)
        ids, labels = hide(ids, tokenizer, recipe.mask_share, random)
        masked.append({"input_ids": ids, "attention_mask": mask, "labels": labels})
    hidden = torch.tensor([float((part["labels"] != IGNORED).sum()) for part in masked])
    shares = hidden / hidden.sum().clamp(min=1)
    return [{**part, "share": share[None]} for part, share in zip(masked, shares, strict=True) if share]


def masked_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """A part's contribution to the mean cross-entropy of a step's hidden pieces."""
    value, _ = masked_lm(model, batch)
    return value * batch["share"][0], {}
