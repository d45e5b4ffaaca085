"""What an encoder learns so that its hidden states link words: awesome-align's objectives (Dou & Neubig 2021).

For a sentence pair (s, t) in pieces, |s| and |t| of them without the special ones, let S be the dot products of the
hidden states after block `layer`, each sentence encoded by itself, A the softmax of S over t's pieces, B that over s's.

    so    −(Σ A∘G / |s| + Σ B∘G / |t|)   G is 1 where the pieces' words are linked: by given links, or by the encoder
                                         itself as it is now, without dropout (align/neural.py says how), else 0
    co    −tr(A Bᵀ) / min(|s|, |t|)
    mlm   predict masked pieces of s, and those of t (Devlin et al. 2019)
    tlm   predict masked pieces of s that stands in one text with t, and those of t with s; one order of the two
    tlm_full   the same in both orders, in place of tlm
    psi   from the first piece's hidden state after block `layer` + 1, tell a translation from two unrelated sentences

The loss of masked pieces is a sentence's mean; all losses are means over the pairs, and the step's loss is their sum:
awesome-align backpropagates each by itself and adds up the gradients.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers.masking_utils import create_bidirectional_mask

from workflow_scripts.recipes.linker import LinkerTraining
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.masked import IGNORED


class Trainee(nn.Module):
    """An encoder, with its masked-LM head where it has one, and a new head for psi that is not kept."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        width = model.config.hidden_size
        self.psi = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2))
        for layer in (self.psi[0], self.psi[2]):
            nn.init.normal_(layer.weight, std=model.config.initializer_range)
            nn.init.zeros_(layer.bias)

    def logits(self, hidden_states: Tensor) -> Tensor:
        """The masked-LM head: last hidden states [rows, width] to logits [rows, vocabulary]."""
        head = self.model.cls if hasattr(self.model, "cls") else self.model.lm_head
        return head(hidden_states)

    def states(self, ids: Tensor, mask: Tensor, layer: int) -> Tensor:
        """Hidden states after block `layer`, at least in float32, [rows, pieces, width]; blocks above stand still."""
        encoder = self.model.base_model
        hidden = encoder.embeddings(input_ids=ids)
        visible = create_bidirectional_mask(encoder.config, hidden, mask)
        for block in encoder.encoder.layer[:layer]:
            hidden = block(hidden, visible)
        return exact(hidden)


def exact(values: Tensor) -> Tensor:
    """The values in float32 at least."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def softmaxes(states: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
    """A and B, [pairs, pieces of the first, pieces of the second]; nothing falls on special pieces and padding.

    states [2·pairs, pieces, width] and words [2·pairs, pieces]: all first sentences, then all second ones; words are
    negative at special pieces and padding.
    """
    with torch.autocast(states.device.type, enabled=False):
        first, second = states.chunk(2)
        alike = first @ second.transpose(1, 2)
        absent, other = (words < 0).chunk(2)
        over_second = alike.masked_fill(other[:, None, :], -torch.inf).softmax(2)
        over_first = alike.masked_fill(absent[:, :, None], -torch.inf).softmax(1)
    return over_second, over_first


def spread(linked: Tensor, words: Tensor) -> Tensor:
    """G: 1.0 for every two pieces whose words have a linked piece, [pairs, pieces of the first, pieces of the second].

    linked: bool of the same shape; words as for `softmaxes`.
    """
    numbers = torch.arange(int(words.max()) + 1, device=words.device)
    first, second = (words[:, :, None] == numbers).float().chunk(2)
    between = first.transpose(1, 2) @ linked.float() @ second > 0
    return (first @ between.float() @ second.transpose(1, 2)).clamp(max=1)


@torch.no_grad()
def guide(trainee: Trainee, batch: Batch, recipe: LinkerTraining) -> Tensor:
    """G by the encoder's own links, found without dropout."""
    training = trainee.training
    trainee.eval()
    states = trainee.states(batch["input_ids"], batch["attention_mask"], recipe.layer)
    trainee.train(training)
    over_second, over_first = softmaxes(states, batch["words"])
    linked = (over_second > recipe.threshold) & (over_first > recipe.threshold)
    return spread(linked, batch["words"])


def link_losses(trainee: Trainee, batch: Batch, recipe: LinkerTraining) -> dict[str, Tensor]:
    """so and co, those of the two that the recipe has."""
    losses = {}
    states = trainee.states(batch["input_ids"], batch["attention_mask"], recipe.layer)
    over_second, over_first = softmaxes(states, batch["words"])
    first, second = (batch["words"] >= 0).sum(1).chunk(2)
    if "so" in recipe.objectives:
        goal = spread(batch["linked"], batch["words"]) if "linked" in batch else guide(trainee, batch, recipe)
        drawn = (over_second * goal).sum((1, 2)) / first + (over_first * goal).sum((1, 2)) / second
        losses["so"] = -drawn.mean()
    if "co" in recipe.objectives:
        losses["co"] = -((over_second * over_first).sum((1, 2)) / torch.minimum(first, second)).mean()
    return losses


def masked_lm(trainee: Trainee, ids: Tensor, mask: Tensor, labels: Tensor, pairs: int) -> Tensor:
    """Mean cross-entropy of a sentence's masked pieces, added up over the rows and divided by `pairs`.

    ids, mask, labels [rows, pieces]; labels are IGNORED at pieces that are not masked.  A row without any counts as 0.
    """
    states = trainee.model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    masked = labels != IGNORED
    logits = exact(trainee.logits(states[masked]))
    losses = cross_entropy(logits, labels[masked], reduction="none")
    return (losses / masked.sum(1, keepdim=True).expand_as(masked)[masked]).sum() / pairs


def pair_loss(trainee: Trainee, batch: Batch, recipe: LinkerTraining) -> Tensor:
    """psi: cross-entropy of the two kinds of pairs."""
    states = trainee.states(batch["psi_ids"], batch["psi_mask"], recipe.layer + 1)
    return cross_entropy(exact(trainee.psi(states[:, 0])), batch["psi_labels"])


def linker_loss(trainee: Trainee, batch: Batch, recipe: LinkerTraining) -> tuple[Tensor, dict[str, Tensor]]:
    """The sum of the recipe's objectives, and each of them.

    batch: input_ids, attention_mask, words [2·pairs, pieces], all first sentences, then all second ones; with given
    links, linked (bool [pairs, pieces, pieces]); for each of mlm, tlm (of either kind) and psi that the recipe has,
    _ids and _mask [rows, pieces] and _labels, which are pieces for the first two and kinds of pairs [rows] for psi.
    """
    losses: dict[str, Tensor] = {}
    if {"so", "co"} & set(recipe.objectives):
        losses |= link_losses(trainee, batch, recipe)
    pairs = len(batch["input_ids"]) // 2
    for name in ("mlm", "tlm"):
        if f"{name}_ids" in batch:
            ids, mask, labels = (batch[f"{name}_{part}"] for part in ("ids", "mask", "labels"))
            losses[name] = masked_lm(trainee, ids, mask, labels, pairs)
    if "psi" in recipe.objectives:
        losses["psi"] = pair_loss(trainee, batch, recipe)
    return torch.stack(list(losses.values())).sum(), losses
