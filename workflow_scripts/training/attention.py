"""An attention kernel for very small encoders on processors: `attention: folded`.

For them, attention's cost is not its two matrix products but the passes over the scores in between: scaling, adding the
mask, changing precision.  Here the scale is multiplied into the queries, which are smaller, and the mask is one more
column of the keys, against a column of ones of the queries, so that the product adds it; softmax is the only pass left.
The result equals the eager kernel's to rounding.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface

NAME = "folded"
HIDDEN = -1e4


def padding(
    attention_mask: Tensor | None = None, allow_is_bidirectional_skip: bool = False, **arguments: Any
) -> Tensor | None:
    """The mask that `folded` takes: bool [rows, pieces], True at pieces that may be looked at; None: all may."""
    if attention_mask is None or (allow_is_bidirectional_skip and bool(attention_mask.all())):
        return None
    return attention_mask.bool()


def folded(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **arguments: Any,
) -> tuple[Tensor, None]:
    """Attention of query, key and value, each [rows, heads, pieces, size], as [rows, pieces, heads, size]."""
    with torch.autocast(query.device.type, enabled=False):
        query = query * scaling
        if attention_mask is not None:
            column = torch.where(attention_mask, 0.0, HIDDEN).to(key.dtype)[:, None, :, None]
            key = torch.cat([key, column.expand(*key.shape[:3], 1)], -1)
            query = torch.cat([query, query.new_ones(1).expand(*query.shape[:3], 1)], -1)
        weights = torch.softmax(query @ key.transpose(2, 3), -1)
        if dropout:
            weights = nn.functional.dropout(weights, dropout)
        return (weights @ value).transpose(1, 2).contiguous(), None


def kernel(name: str) -> str:
    """The name by which transformers knows a recipe's `attention`; ours is made known to it."""
    if name == NAME:
        AttentionInterface.register(NAME, folded)
        AttentionMaskInterface.register(NAME, padding)
    return name
