"""Products of linear layers in float32 by oneDNN, in training.

Torch multiplies float32 by MKL, which takes a narrow path on AMD's processors; there, oneDNN is twice as fast.  In
bfloat16 torch uses oneDNN by itself.
"""

from typing import Any

import torch
from torch import Tensor, nn

SMALL = 2**24  # multiplications; a call of oneDNN costs more than it saves below


def product(given: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """given · weightᵀ + bias; given [rows, inputs], weight [outputs, inputs]."""
    done: Tensor = torch.ops.mkldnn._linear_pointwise(given, weight, bias, "none", [], "")
    return done


class Product(torch.autograd.Function):
    """A linear layer's product and its gradients."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """given [rows, inputs]."""
        ctx.save_for_backward(given, weight)
        return product(given, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """gradients: of the product, [rows, outputs]."""
        given, weight = ctx.saved_tensors
        (gradient,) = gradients
        wanted = ctx.needs_input_grad
        return (
            product(gradient, weight.t()) if wanted[0] else None,
            product(gradient.t(), given.t()) if wanted[1] else None,
            gradient.sum(0) if wanted[2] else None,
        )


class OneDNNLinear(nn.Linear):
    """nn.Linear by oneDNN where it pays: float32 on a processor, not small, no autocast to bfloat16."""

    def forward(self, given: Tensor) -> Tensor:
        """given [..., inputs] to [..., outputs]."""
        if (
            given.dtype != torch.float32
            or given.is_cuda
            or given.numel() * self.out_features < SMALL
            or torch.is_autocast_enabled("cpu")
        ):
            return super().forward(given)
        flat = Product.apply(given.reshape(-1, given.shape[-1]), self.weight, self.bias)
        return flat.view(*given.shape[:-1], -1)


def by_onednn(model: nn.Module) -> None:
    """Give a model's linear layers to oneDNN where torch has it; names and weights stay as they are."""
    if torch.backends.mkldnn.is_available():
        for module in model.modules():
            if type(module) is nn.Linear:
                module.__class__ = OneDNNLinear
