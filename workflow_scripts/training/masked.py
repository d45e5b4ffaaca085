"""Masked language modelling (Devlin et al. 2019): which pieces are hidden, and how well they are told."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import PreTrainedTokenizerBase

from workflow_scripts.training.batch import Batch, padded

IGNORED = -100


def generator(seed: Sequence[int]) -> torch.Generator:
    """A source of random numbers that several numbers, such as a recipe's seed and a step, decide."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))


def pad(rows: Sequence[np.ndarray], pad_id: int) -> tuple[Tensor, Tensor]:
    """Ragged int rows as input_ids and attention_mask, both int64 [rows, longest]."""
    mask = padded([np.ones(len(row)) for row in rows], 0)
    return torch.from_numpy(padded(rows, pad_id)), torch.from_numpy(mask)


def hide(
    ids: Tensor, tokenizer: PreTrainedTokenizerBase, share: float, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Pieces [rows, pieces] with a share of them hidden, and the labels, IGNORED where none is hidden.

    Of the chosen pieces, no special ones among them, 80 % become [MASK], 10 % another piece, 10 % stay.
    """
    special = torch.tensor(sorted(tokenizer.all_special_ids))
    chosen = (torch.rand(ids.shape, generator=random) < share) & ~torch.isin(ids, special)
    labels = torch.where(chosen, ids, IGNORED)
    dice = torch.rand(ids.shape, generator=random)
    ids = torch.where(chosen & (dice < 0.8), tokenizer.mask_token_id, ids)
    other = torch.randint(len(tokenizer), ids.shape, generator=random)
    return torch.where(chosen & (dice >= 0.9), other, ids), labels


def head(model: nn.Module) -> nn.Module:
    """The output layer of one of transformers' masked-LM models, as RoBERTa's kind or as BERT's calls it."""
    found: nn.Module = model.lm_head if hasattr(model, "lm_head") else model.cls
    return found


def masked_logits(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Logits of the hidden pieces, float [hidden, vocabulary], and the pieces themselves, int64 [hidden].

    model: one of transformers' masked-LM models of BERT's kind.  batch: input_ids, attention_mask, labels, perhaps
    position_ids, each [rows, pieces].  Only hidden pieces go through the output layer.
    """
    names = [name for name in ("input_ids", "attention_mask", "position_ids") if name in batch]
    hidden_states = model.base_model(**{name: batch[name] for name in names}).last_hidden_state
    hidden = batch["labels"] != IGNORED
    return head(model)(hidden_states[hidden]).float(), batch["labels"][hidden]


def masked_lm(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean cross-entropy of the hidden pieces."""
    return cross_entropy(*masked_logits(model, batch)), {}
