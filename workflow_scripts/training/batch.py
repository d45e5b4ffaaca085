"""What a batch is, for models and for the loop that feeds them."""

from torch import Tensor

Batch = dict[str, Tensor]  # tensors by name, rows first; the loop counts pieces by `attention_mask`
