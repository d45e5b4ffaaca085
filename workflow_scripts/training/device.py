"""Which precision the machine multiplies in, what it is called, and what transformers may say meanwhile."""

import os

import torch
from transformers.utils import logging

# Memory for large tensors comes in large pages where the system grants them: for an encoder of mBERT's size, a tenth of
# a step went into pages of 4 KiB.  Read by torch when it first reserves memory.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def mixed_precision(wanted: str) -> str:
    """accelerate's name ("bf16" or "no") for a recipe's `precision`.

    auto means bf16 where the hardware multiplies in it; elsewhere bf16 is emulated and slower than fp32.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no"
        has_mkldnn = torch.backends.mkldnn.is_available()  # the operator below exists only then
        return "bf16" if has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "no"
    return {"bf16": "bf16", "fp32": "no"}[wanted]


def device_name(device: torch.device) -> str:
    """What a device is called: a GPU by its model, such as "NVIDIA H100 80GB HBM3", a processor "cpu"."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def quiet() -> None:
    """Keep transformers' progress bars and reports on new heads out of logs; `training.folders` checks for weights."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
