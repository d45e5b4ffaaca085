"""Encoders and models are Hugging Face folders; what is loaded from one is whole, or one sentence says what lacks."""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoTokenizer, PreTrainedTokenizerBase

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
    check_folder(folder)
    model, found = kind.from_pretrained(
        folder, attn_implementation=kernel(attention), dtype=torch.float32, output_loading_info=True
    )
    missing = sorted(name for name in found["missing_keys"] if not name.startswith(new))
    if missing:
        raise InputError(f"{folder}: the weights of {missing[0]} are missing; the folder is not whole")
    return model
