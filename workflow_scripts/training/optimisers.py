"""What changes the weights: AdamW, Muon for the blocks' matrices where a recipe asks for it, and learning rates."""

from collections.abc import Callable

import torch
from torch import nn

from workflow_scripts.recipes.training import Optimisation


def optimisers(model: nn.Module, recipe: Optimisation) -> list[torch.optim.Optimizer]:
    """AdamW, and Muon for the weight matrices inside blocks where the recipe gives it a rate.

    Biases and norms don't decay.  Muon orthogonalises each matrix's update, which takes a small encoder off the plateau
    of unigram statistics in a third of the steps; its steps are scaled to the size of AdamW's.
    """
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    matrices = [p for name, p in trained if recipe.matrix_rate and p.ndim == 2 and ".layer." in name]
    taken = {id(parameter) for parameter in matrices}
    groups = [
        {
            "params": [p for _, p in trained if (p.ndim > 1) == decays and id(p) not in taken],
            "weight_decay": decay,
        }
        for decays, decay in ((True, recipe.weight_decay), (False, 0.0))
    ]
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=recipe.learning_rate,
            betas=(0.9, recipe.beta2),
            eps=recipe.epsilon,
            fused=True,
        )
    ]
    if matrices:
        made.append(
            torch.optim.Muon(
                matrices,
                lr=recipe.matrix_rate,
                weight_decay=recipe.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    return made


def rate_factor(recipe: Optimisation, steps: int) -> Callable[[int], float]:
    """Factor on the learning rate at a step: linear warm-up, then linear to 0 or constant."""
    warmup = max(1, round(recipe.warmup * steps))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (steps - step) / max(1, steps - warmup)) if recipe.schedule == "linear" else 1.0

    return factor
