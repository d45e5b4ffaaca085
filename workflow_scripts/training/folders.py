"""Encoders and models are Hugging Face folders; what is loaded from one is whole, or one sentence says what lacks."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, PreTrainedTokenizerBase

from workflow_scripts.cli import InputError
from workflow_scripts.training.attention import kernel

FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def check_folder(folder: Path) -> None:
    """Raise InputError where a file is missing; transformers would go on to look for the name on the hub."""
    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(
                f"{folder}: no {name}; give the folder of an encoder or model that this workflow wrote"
            )


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokeniser of a folder; text such as "[SEP]" in a sentence is text, not a special piece.

    Raises InputError where the folder is not whole.
    """
    check_folder(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.split_special_tokens = True
    return tokenizer


def load_model(kind: Any, folder: Path, attention: str, new: tuple[str, ...]) -> nn.Module:
    """The model of a folder in float32; `kind` is one of transformers' Auto classes.

    Raises InputError where the folder is not whole, or a weight is missing whose name does not begin as in `new`: it
    would be random without a word.
    """
    return _load(kind, folder, attention, new)[0]


def load_encoder(folder: Path, attention: str) -> tuple[nn.Module, bool]:
    """The encoder of a folder with the masked-LM head that the folder has, and whether it has one.

    Raises InputError as `load_model` does; only the pooler may be missing.
    """
    encoder, missing = _load(AutoModel, folder, attention, ("pooler.",))
    headed = with_head(str(folder), encoder, missing, attn_implementation=kernel(attention))
    return (encoder, False) if headed is None else (headed, True)


def with_head(source: str, encoder: nn.Module, missing: Collection[str], **options: Any) -> nn.Module | None:
    """The model of a folder, or of a name on the hub, with its masked-LM head; None where it has no whole one.

    `encoder` is what AutoModel made of the same source, without weights for `missing`: transformers' masked-LM models
    have no pooler, so its pooler is handed on if it is the source's.
    """
    try:
        model, found = AutoModelForMaskedLM.from_pretrained(
            source, dtype=torch.float32, output_loading_info=True, **options
        )
    except ValueError:  # a kind of model that predicts no masked pieces
        return None
    if found["missing_keys"]:
        return None
    pooler = getattr(encoder, "pooler", None)
    if pooler is not None and not any(name.startswith("pooler.") for name in missing):
        model.base_model.pooler = pooler
    return model


def _load(kind: Any, folder: Path, attention: str, new: tuple[str, ...]) -> tuple[nn.Module, Collection[str]]:
    """The model of a folder, and the names of the weights that it lacks."""
    check_folder(folder)
    model, found = kind.from_pretrained(
        folder, attn_implementation=kernel(attention), dtype=torch.float32, output_loading_info=True
    )
    missing = sorted(name for name in found["missing_keys"] if not name.startswith(new))
    if missing:
        raise InputError(f"{folder}: the weights of {missing[0]} are missing; the folder is not whole")
    return model, found["missing_keys"]
