"""Texts behind one another in one row, without padding: `batching: packed`.

A packed batch has `input_ids`, `position_ids` (which restart with each text), `attention_mask` (all ones; the loop
counts pieces by it) and perhaps `token_type_ids`, each [1, pieces], its texts in order of length; and `places`, int64
[texts, longest text], which says where in the row each text's pieces are, -1 beyond its end.  `unpacked` reads anything
that the encoder gives for the row back into the padded shape, so losses are written once.

Nothing is computed for padding, and there is no mask: on processors, attention is a few plain products for all texts of
one length at a time, which in bfloat16 is three times as fast as torch's fused kernel on texts of up to 512 pieces; on
GPUs it is torch's scaled_dot_product_attention over a jagged tensor, which runs the variable-length kernels.

On processors, torch draws dropout's coins one by one, which takes as long as all products of attention together.  Here
64 random bits are four coins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface

from workflow_scripts.training.batch import Batch

NAME = "packed"
COINS = 2**16
TOGETHER = 2**21  # scores that are computed at once: what a processor's cache holds


@dataclass(frozen=True)
class Texts:
    """Where texts lie in a row: (how many, their length) in the order of the row for processors, bounds for GPUs."""

    groups: Sequence[tuple[int, int]]
    bounds: Tensor | None
    longest: int

    @classmethod
    def in_order(cls, lengths: np.ndarray, device: torch.device) -> "Texts":
        """Texts of ascending `lengths`, int64 [texts], in a row on a device."""
        if device.type == "cuda":
            ends = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]))
            return cls((), ends.to(device), int(lengths[-1]))
        sizes, counts = np.unique(lengths, return_counts=True)
        return cls(list(zip(counts.tolist(), sizes.tolist(), strict=True)), None, int(lengths[-1]))

    @classmethod
    def of(cls, places: Tensor) -> "Texts":
        """The texts of a packed batch.  On a GPU, nothing waits for its results."""
        lengths = (places >= 0).sum(1)
        if places.is_cuda:
            return cls((), pad(lengths.sort().values.cumsum(0), (1, 0)), places.shape[1])
        sizes, counts = lengths.unique(return_counts=True)
        return cls(list(zip(counts.tolist(), sizes.tolist(), strict=True)), None, places.shape[1])


def coins(like: Tensor, kept: int) -> Tensor:
    """As many 1 and 0, in the shape and precision of `like`; `kept` of 65,536 are 1."""
    drawn = torch.empty(-(-like.numel() // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    mask = torch.empty_like(like, requires_grad=False)
    return torch.lt(drawn[: like.numel()].view(like.shape), kept - COINS // 2, out=mask)


def side_by_side(
    query: Tensor, key: Tensor, value: Tensor, groups: Sequence[tuple[int, int]], dropout: float
) -> Tensor:
    """Attention, on processors, of query (scaled), key and value, each [pieces, heads, size], within each text."""
    heads, size = query.shape[1:]
    cut = [
        (min(at_once, count - at), length)
        for count, length in groups
        for at_once in [max(1, TOGETHER // (heads * length * length))]
        for at in range(0, count, at_once)
    ]
    sizes = [count * length for count, length in cut]
    read = []
    for (count, length), *parts in zip(
        cut, *(states.split(sizes) for states in (query, key, value)), strict=True
    ):
        q, k, v = (part.view(count, length, heads, size).transpose(1, 2) for part in parts)
        weights = torch.softmax(q @ k.transpose(2, 3), -1)
        if dropout:
            kept = round((1 - dropout) * COINS)
            weights, v = weights * coins(weights, kept), v * (COINS / kept)
        read.append((weights @ v).transpose(1, 2).reshape(count * length, heads, size))
    return torch.cat(read)


def jagged(query: Tensor, key: Tensor, value: Tensor, bounds: Tensor, longest: int, dropout: float) -> Tensor:
    """The same by torch's variable-length kernels."""
    q, k, v = (
        torch.nested.nested_tensor_from_jagged(part, bounds, min_seqlen=1, max_seqlen=longest).transpose(1, 2)
        for part in (query, key, value)
    )
    read = scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=1.0)
    return read.transpose(1, 2).values()


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    texts: Texts,
    dropout: float = 0.0,
    **arguments: Any,
) -> tuple[Tensor, None]:
    """Attention of query, key and value, each [1, heads, pieces, size], within each text; [1, pieces, heads, size]."""
    q, k, v = (states[0].transpose(0, 1) for states in (query * scaling, key, value))
    with torch.autocast(query.device.type, enabled=False):
        if texts.bounds is None:
            return side_by_side(q, k, v, texts.groups, dropout)[None], None
        return jagged(q, k, v, texts.bounds, texts.longest, dropout)[None], None


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, lambda **arguments: None)


def first_position(encoder: nn.Module) -> int:
    """The position of a text's first piece: 0, or behind the padding's, from where RoBERTa's kind counts."""
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return 0 if padding is None else int(padding) + 1


def packed(batch: Batch, first: int) -> Batch:
    """The inputs of a padded batch, each [rows, pieces], as one row; positions count from `first`."""
    mask = batch["attention_mask"].bool()
    lengths = mask.sum(1)
    order = lengths.argsort(stable=True)
    held = mask[order]
    row = {name: inputs[order][held][None] for name, inputs in batch.items()}
    row["position_ids"] = (torch.arange(mask.shape[1]).expand_as(mask)[held] + first)[None]
    places = torch.full_like(batch["attention_mask"], -1)
    places[order] = places.masked_scatter(held, torch.arange(int(lengths.sum())))
    return {**row, "places": places}


def unpacked(states: Tensor, places: Tensor) -> Tensor:
    """What a model gives for the row, [1, pieces, …], by text, [texts, longest, …]; beyond a text's end is anything."""
    return states[0][places.clamp(min=0)]


def absent(batch: Batch) -> Tensor:
    """Bool [rows, pieces]: where a padded batch, or a packed one in its padded shape, has no piece."""
    return batch["places"] < 0 if "places" in batch else batch["attention_mask"] == 0
