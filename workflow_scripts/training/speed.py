"""How much of what the hardware can multiply a training run uses (model FLOP utilisation, Chowdhery et al. 2022).

A piece costs six operations a weight of the blocks' matrices, forward and backward together, and twelve for each pair
of pieces that attention compares, a dimension and a block.  Padding, embeddings, output layers and references that are
only read don't count: what is shown is useful work of the encoder.
"""

import time

import torch
from torch import nn

from workflow_scripts.training.batch import Batch

# Dense peak in bfloat16, 10^12 operations a second, by a part of the name that CUDA gives the device (NVIDIA's data
# sheets); of others, and on processors, the peak is measured.
PEAKS = {
    "H200": 989.0,
    "H100": 989.0,
    "A100": 312.0,
    "L40S": 362.0,
    "A10": 125.0,
    "L4": 121.0,
    "RTX 4090": 165.0,
}
SIDE = 2048  # of the matrices that a peak is measured with


def measured_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product, the best of some."""
    side = SIDE if device.type == "cuda" else SIDE // 2
    matrix = torch.ones(side, side, dtype=dtype, device=device)
    best = float("inf")
    for _ in range(4):
        began = time.perf_counter()
        product = matrix @ matrix
        product[0, 0].item()  # waits for the device
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best


def peak(device: torch.device, mixed: str) -> float:
    """Operations a second that a device has at most in the precision that is trained in ("bf16" or "no")."""
    if device.type == "cuda" and mixed == "bf16":
        name = torch.cuda.get_device_name(device)
        for part, trillions in PEAKS.items():
            if part in name:
                return trillions * 1e12
    return measured_peak(device, torch.bfloat16 if mixed == "bf16" else torch.float32)


class Speed:
    """Counts the useful operations of a run's parts of steps from now on."""

    def __init__(self, model: nn.Module, device: torch.device, mixed: str) -> None:
        named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.ndim == 2]
        blocks = [parameter for name, parameter in named if ".layer." in name and parameter.requires_grad]
        self.weights = sum(parameter.numel() for parameter in blocks)
        config = next((m.config for m in model.modules() if hasattr(m, "config")), None)
        self.compared = 12 * config.num_hidden_layers * config.hidden_size if config is not None else 0
        self.operations = 0.0
        self.began = time.monotonic()
        self.peak = peak(device, mixed) if self.weights else 0.0

    def count(self, part: Batch) -> None:
        """Add a part: attention_mask [rows, pieces], or places [texts, pieces] where a row holds several texts."""
        there = part["places"] >= 0 if "places" in part else part["attention_mask"]
        lengths = there.sum(1).double()
        self.operations += float(6 * self.weights * lengths.sum() + self.compared * lengths.square().sum())

    def shown(self) -> dict[str, float]:
        """Utilisation in percent, for a line of progress."""
        if not self.peak:
            return {}
        return {"mfu": 100 * self.operations / max(time.monotonic() - self.began, 1e-9) / self.peak}
