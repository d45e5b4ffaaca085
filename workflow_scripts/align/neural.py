"""Links of words from an encoder's hidden states, after awesome-align (Dou & Neubig 2021), at any scale.

Both sentences of a pair are encoded by themselves up to block `layer`.  With S = H_source · H_targetᵀ (plain dot
products of pieces, special pieces left out), two pieces are linked where both softmaxes of S, over the target's and
over the source's pieces, exceed the threshold; two words where any of their pieces are.  A link's score, from 0 to 1,
is awesome-align's: 2ab / (a + b + 1e-9) of both softmaxes of S / √(length of the other side), the highest of its
pieces.

Cost: nearly all of it is the encoder's matrix products.  The sentences of some thousand pairs are therefore one pool,
in which each is encoded once, however often it comes.  A batch is one row of pieces, sorted by the length of their
sentences: nothing is padded, and attention needs no mask (`training.packed`).  Blocks above `layer` are not computed.
Links are read off a whole batch at once.  What is held in memory depends on CHUNK, not on the number of pairs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedTokenizerBase
from transformers.activations import GELUActivation

from workflow_scripts.cli import InputError
from workflow_scripts.pairs import Linked, Pair
from workflow_scripts.recipes.links import Links as Recipe
from workflow_scripts.training.device import mixed_precision, quiet
from workflow_scripts.training.folders import load_model, load_tokenizer
from workflow_scripts.training.packed import NAME as PACKED
from workflow_scripts.training.packed import Texts, first_position

CHUNK = 60_000  # pieces whose hidden states are in memory at once
MASKED = float("-inf")
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Pieces:
    """A sentence in pieces, special ones included: ids [pieces], and the word of each inner piece [pieces - 2]."""

    ids: Array
    words: Array


class LaidOut(nn.Module):
    """A linear layer without gradient whose weights lie as oneDNN multiplies them, and what is done to each product."""

    def __init__(self, layer: nn.Linear, then: str = "none") -> None:
        super().__init__()
        self.then = then
        self.weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach())
        self.bias = None if layer.bias is None else layer.bias.detach()

    def forward(self, given: Tensor) -> Tensor:
        """then(given · weightᵀ + bias)"""
        return torch.ops.mkldnn._linear_pointwise(given, self.weight, self.bias, self.then, [], "none")


def laid_out(module: nn.Module) -> None:
    """Give a module's linear layers to oneDNN, where torch has it.

    By itself torch multiplies float32 by MKL, which takes a narrow path on AMD's processors: there, oneDNN is twice as
    fast.  In bfloat16, torch uses oneDNN too, but lays the weights out anew in every batch.
    """
    if not (torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")):
        return
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            # BERT's kind calls it so: the activation follows the one linear layer of this module
            gelu = isinstance(getattr(module, "intermediate_act_fn", None), GELUActivation)
            setattr(module, name, LaidOut(child, "gelu" if gelu else "none"))
            if gelu:
                module.intermediate_act_fn = nn.Identity()
        else:
            laid_out(child)


class Linker:
    """An encoder, cut off after block `layer`, with its tokeniser."""

    def __init__(
        self,
        folder: Path,
        layer: int,
        threshold: float,
        dtype: torch.dtype,
        budget: int,
        chunk: int = CHUNK,
    ) -> None:
        """Load an encoder's folder; `budget` pieces are encoded in a batch, `chunk` are in memory at once.

        Raises InputError where the encoder has fewer blocks than `layer`, or is not built of blocks as BERT is.
        """
        self.tokenizer: PreTrainedTokenizerBase = load_tokenizer(folder)
        on_processor = not torch.cuda.is_available()
        model = load_model(AutoModel, folder, PACKED, new=("pooler.",))
        blocks = getattr(getattr(model, "encoder", None), "layer", None)
        table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
        if not isinstance(blocks, nn.ModuleList) or not isinstance(table, nn.Embedding):
            raise InputError(f"{folder}: a {type(model).__name__}, but links need an encoder of BERT's kind")
        if layer > len(blocks):
            raise InputError(f"{folder}: links are to be read from block {layer}, but it has {len(blocks)}")
        model.encoder.layer = blocks[:layer]
        self.device = torch.device("cpu" if on_processor else "cuda")
        self.model = model.to(self.device, dtype).eval()
        if on_processor and dtype in (torch.float32, torch.bfloat16):
            laid_out(self.model.encoder)
        self.threshold, self.budget, self.chunk = threshold, budget, chunk
        self.first_position = first_position(self.model)
        self.longest = int(table.num_embeddings) - self.first_position

    def pieces(self, sentences: Sequence[Sequence[str]]) -> list[Pieces]:
        """The pieces of sentences of words."""
        encoded = self.tokenizer([list(words) for words in sentences], is_split_into_words=True)
        return [
            Pieces(np.array(ids, np.int64), np.array(encoded.word_ids(row)[1:-1], np.int64))
            for row, ids in enumerate(encoded["input_ids"])
        ]

    def link(self, pairs: Iterable[Pair]) -> Iterator[Linked]:
        """The links of each pair, in order."""
        source = iter(pairs)
        sides: list[tuple[Pieces, Pieces]] = []
        total = 0
        # a few hundred at a time are tokenised, so that memory does not grow with the number of pairs
        while some := list(islice(source, 256)):
            both = self.pieces([sentence for pair in some for sentence in pair])
            for pair in zip(both[::2], both[1::2], strict=True):
                sides.append(pair)
                total += sum(min(len(side.ids), self.longest) for side in pair)
                if total >= self.chunk:
                    yield from self._chunk(sides)
                    sides, total = [], 0
        yield from self._chunk(sides)

    def _chunk(self, sides: Sequence[tuple[Pieces, Pieces]]) -> Iterator[Linked]:
        found = [self._skip(pair) for pair in sides]
        used = [number for number, one in enumerate(found) if not one.skipped]
        if used:
            states, first = self.states([side for number in used for side in sides[number]])
            for number, one in zip(used, self._extract([sides[n] for n in used], states, first), strict=True):
                found[number] = one
        yield from found

    def _skip(self, pair: tuple[Pieces, Pieces]) -> Linked:
        for name, side in zip(("first", "second"), pair, strict=True):
            if len(side.words) == 0:
                return Linked([], [], f"no piece: the {name} sentence has none of the encoder's")
            if len(side.ids) > self.longest:
                sizes = f"{len(side.ids)} pieces, the encoder reads {self.longest}"
                return Linked([], [], f"too long: the {name} sentence has {sizes}")
        return Linked([], [])

    @torch.inference_mode()
    def states(self, sentences: Sequence[Pieces]) -> tuple[Tensor, Array]:
        """Hidden states [pieces, hidden] of all sentences, special pieces included, and each sentence's first row."""
        numbers: dict[bytes, int] = {}
        number = np.array([numbers.setdefault(one.ids.tobytes(), len(numbers)) for one in sentences])
        ids = [np.frombuffer(content, np.int64) for content in numbers]
        lengths = np.array([len(of) for of in ids])
        order = np.argsort(lengths, kind="stable")
        ends = np.cumsum(lengths[order])
        first = np.empty(len(ids), np.int64)
        first[order] = ends - lengths[order]
        states: Tensor | None = None
        at = 0
        while at < len(order):
            begin = ends[at - 1] if at else 0
            until = max(at + 1, int(np.searchsorted(ends, begin + self.budget, side="right")))
            rows = order[at:until]
            positions = np.arange(ends[until - 1] - begin) - np.repeat(first[rows] - begin, lengths[rows])
            given = torch.from_numpy(np.stack([np.concatenate([ids[row] for row in rows]), positions]))
            given = given.to(self.device)
            embedded = self.model.embeddings(
                input_ids=given[:1], position_ids=given[1:] + self.first_position
            )
            texts = Texts.in_order(lengths[rows], self.device)
            hidden = self.model.encoder(embedded, texts=texts)[0][0]
            if states is None:
                states = hidden.new_empty((int(ends[-1]), hidden.shape[-1]))
            states[begin : ends[until - 1]] = hidden
            at = until
        assert states is not None
        return states, first[number]

    @torch.inference_mode()
    def _extract(self, sides: Sequence[tuple[Pieces, Pieces]], states: Tensor, first: Array) -> list[Linked]:
        """The links of pairs whose sentences have hidden states from row `first`, source and target in turn."""
        sizes = np.array([[len(side.words) for side in pair] for pair in sides])
        order = np.lexsort((sizes[:, 1], sizes[:, 0]))
        found: list[Linked] = [Linked([], [])] * len(sides)
        at = 0
        while at < len(order):
            # pairs of like sizes, together no more than a quarter of a million cells
            until, widest = at, np.zeros(2, int)
            while until < len(order):
                grown = np.maximum(widest, sizes[order[until]])
                if until > at and grown.prod() * (until + 1 - at) > 250_000:
                    break
                widest, until = grown, until + 1
            rows = order[at:until]
            self._read([sides[row] for row in rows], rows, states, first, widest, found)
            at = until
        return found

    def _read(
        self,
        pairs: Sequence[tuple[Pieces, Pieces]],
        rows: Array,
        states: Tensor,
        first: Array,
        widest: Array,
        found: list[Linked],
    ) -> None:
        places = [np.zeros((len(pairs), size), np.int64) for size in widest]
        words = [np.zeros((len(pairs), size), np.int64) for size in widest]
        counts = np.array([[len(side.words) for side in pair] for pair in pairs])
        for n, (pair, row) in enumerate(zip(pairs, rows, strict=True)):
            for side in (0, 1):
                size = counts[n, side]
                places[side][n, :size] = first[2 * row + side] + 1 + np.arange(size)
                words[side][n, :size] = pair[side].words
        vectors = [states[torch.from_numpy(place).to(self.device)] for place in places]
        alike = torch.bmm(vectors[0].float(), vectors[1].float().transpose(1, 2))
        lengths = torch.from_numpy(counts).to(self.device)
        absent = [
            torch.arange(int(size), device=self.device)[None, :] >= lengths[:, side, None]
            for side, size in enumerate(widest)
        ]
        hidden = (absent[1][:, None, :].expand_as(alike), absent[0][:, :, None].expand_as(alike))
        roots = (lengths[:, 1, None, None].float().sqrt(), lengths[:, 0, None, None].float().sqrt())
        masked = [alike.masked_fill(cells, MASKED) for cells in hidden]
        chosen = (masked[0].softmax(2) > self.threshold) & (masked[1].softmax(1) > self.threshold)
        chosen &= ~(hidden[0] | hidden[1])
        pair, i, j = chosen.nonzero(as_tuple=True)
        one, other = (
            (values / root).softmax(dim)[pair, i, j]
            for values, root, dim in zip(masked, roots, (2, 1), strict=True)
        )
        score = (2 * one * other / (one + other + 1e-9)).cpu().numpy()
        pair, i, j = (index.cpu().numpy() for index in (pair, i, j))
        source, target = words[0][pair, i], words[1][pair, j]
        width = np.int64(max(int(words[0].max()), int(words[1].max())) + 1)
        keys, place = np.unique((pair * width + source) * width + target, return_inverse=True)
        best = np.zeros(len(keys), score.dtype)
        np.maximum.at(best, place, score)
        starts = np.searchsorted(keys // (width * width), np.arange(len(pairs) + 1))
        links = np.stack([keys // width % width, keys % width], 1).tolist()
        for n, row in enumerate(rows):
            held = slice(starts[n], starts[n + 1])
            found[row] = Linked([(i, j) for i, j in links[held]], best[held].tolist())


def from_recipe(folder: Path, recipe: Recipe) -> Linker:
    """The linker that a recipe asks for."""
    quiet()
    dtype = torch.bfloat16 if mixed_precision(recipe.precision) == "bf16" else torch.float32
    return Linker(folder, recipe.layer, recipe.threshold, dtype, recipe.batch_pieces)
