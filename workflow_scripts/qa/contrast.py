"""MuCoT's contrastive term (Kumar et al. 2022): a window and its record in another language are alike, others are not.

Each window of a step gets a partner: a window of another version of its source record, in another language, drawn anew
in each step.  The window's hidden states after block `layer` come out of the pass that answers its question; the
partner's pass ends at that block.  With O and P [pairs, width] the means of these states over the pieces, and
Q = scale · O · Pᵀ, the term is the mean of the cross-entropies of Q's rows and of its columns, whose right class is the
diagonal (CLIP, Radford et al. 2021).

Where a step is computed in parts, or by several processes, windows are compared with the partners of their own part,
and the step's term is the mean over its pairs: a part counts by how many of them it has.  More parts mean fewer windows
to be told apart from; which partner a window has is the same however a step is parted.

Partners come from a random generator of the step's own, so that neither dropout nor the order of windows depends on
them, and a resumed run draws the same.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from workflow_scripts.cli import InputError
from workflow_scripts.corpus import QUESTIONS, read_table
from workflow_scripts.qa.batches import Layout, Part, collate
from workflow_scripts.qa.heads import INPUTS, QuestionAnswerer, encoder_inputs, question_answering
from workflow_scripts.recipes.contrast import Contrast
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.loop import Loss
from workflow_scripts.training.packed import first_position, unpacked

PREFIX = "partner_"  # of a partner's inputs in a batch
STREAM = 1  # of random numbers, beside those of the order of windows
REMEMBERED = 2**16  # windows whose possible partners are kept


class Records:
    """Which windows are of one source record, and which of them hold the same of it.

    A version of a record is one question of one corpus, (part, question row): the original, a translation, a
    transliteration.
    """

    def __init__(self, parts: Sequence[Part], questions: Sequence[Path], recipe: Contrast) -> None:
        """`questions` are the tables of the parts' questions, in the same order.

        Raises InputError where there are not as many, a table lacks a question, or no record has windows in two
        languages.
        """
        if len(questions) != len(parts):
            raise InputError(
                f"contrast: --questions names {len(questions)} tables, --windows {len(parts)} files; give one for one"
            )
        self.parts, self.recipe = parts, recipe
        self.bounds = [
            np.searchsorted(part.windows.question, np.arange(len(part.windows.question_ids) + 1))
            for part in parts
        ]
        self.languages: list[list[str]] = []
        self.sources: list[np.ndarray] = []
        numbers: dict[str, int] = {}
        self.versions: list[list[tuple[int, int]]] = []
        columns = pa.schema([QUESTIONS.field(name) for name in ("question_id", "source_id", "language")])
        for number, (part, table) in enumerate(zip(parts, questions, strict=True)):
            known = {
                row["question_id"]: (row["source_id"], row["language"]) for row in read_table(table, columns)
            }
            languages, sources = [], []
            for question, name in enumerate(part.windows.question_ids):
                if name not in known:
                    raise InputError(f"--questions {table}: question {name} of --windows is not in it")
                source_id, language = known[name]
                source = numbers.setdefault(source_id, len(numbers))
                languages.append(language)
                sources.append(source)
                if source == len(self.versions):
                    self.versions.append([])
                if self.bounds[number][question] < self.bounds[number][question + 1]:
                    self.versions[source].append((number, question))
            self.languages.append(languages)
            self.sources.append(np.array(sources, dtype=np.int64))
        if not recipe.itself and not any(
            len({self.languages[part][question] for part, question in versions}) > 1
            for versions in self.versions
        ):
            raise InputError(
                "contrast: no question of the training set is there in two languages; add a translated or"
                " transliterated corpus, or leave contrast null"
            )
        self.partners = lru_cache(REMEMBERED)(self._partners)
        self.place = lru_cache(REMEMBERED)(self._place)

    def source(self, part: int, window: int) -> int:
        """The number of a window's source record."""
        return int(self.sources[part][self.parts[part].windows.question[window]])

    def _partners(self, part: int, window: int) -> list[tuple[int, int]]:
        """The possible partners (part, window) of a window: one of each version of its record in another language."""
        question = int(self.parts[part].windows.question[window])
        language = self.languages[part][question]
        found = [(part, window)] if self.recipe.itself else []
        for version in self.versions[self.sources[part][question]]:
            if self.languages[version[0]][version[1]] == language:
                continue
            if self.recipe.pairs == "ordinal":
                first, end = self.bounds[version[0]][version[1] : version[1] + 2]
                other = first + window - self.bounds[part][question]
                matching = int(other) if other < end else None
            else:
                matching = self._corresponding((part, question), window, version)
            if matching is not None:
                found.append((version[0], matching))
        return found

    def _place(self, part: int, question: int) -> tuple[np.ndarray, tuple[int, int] | None, int]:
        """How a version's context is divided, in pieces of the context, where its answer is, and where it begins.

        The division is [passages + 1] borders; the answer (first, behind the last) is None where no window holds it;
        the context begins at a piece of the contexts file.
        """
        windows, contexts = self.parts[part].windows, self.parts[part].contexts
        own = slice(*self.bounds[part][question : question + 2])
        first = windows.first[own]
        row = min(int(np.searchsorted(contexts.bounds, first[0], "right")), len(contexts.bounds) - 1)
        begin, end = contexts.bounds[row - 1 : row + 1]
        passages = contexts.passages[begin:end]
        count = int(passages[-1]) + 1 if len(passages) else 1
        borders = np.append(np.searchsorted(passages, np.arange(count)), end - begin)
        held = np.flatnonzero(windows.start[own] >= 0)
        if not len(held):
            return borders, None, int(begin)
        at = first[held[0]] - begin
        start, last = windows.start[own][held[0]], windows.end[own][held[0]]
        return borders, (int(at + start), int(at + last) + 1), int(begin)

    def _corresponding(self, one: tuple[int, int], window: int, other: tuple[int, int]) -> int | None:
        """The window of the version `other` that shares most with a window of the version `one`; None without any.

        Versions of a context have the same passages, and a place in a passage corresponds to the place at the same
        share of its pieces; the answer's edges, where both have an answer, correspond too.  What two windows share is
        counted by intersection over union.  One with the answer has partners with it where there are any, and one
        without has partners without it where any share something with it.
        """
        (borders, answer, begin), (their_borders, their_answer, their_begin) = (
            self.place(*one),
            self.place(*other),
        )
        if len(borders) != len(their_borders):
            borders, their_borders = borders[[0, -1]], their_borders[[0, -1]]
        if answer is not None and their_answer is not None:
            inside = int(np.searchsorted(borders, answer[0], "right"))
            within = inside == np.searchsorted(their_borders, their_answer[0], "right")
            # an answer of several passages has its edges beyond the next border
            if within and answer[1] <= borders[inside] and their_answer[1] <= their_borders[inside]:
                borders = np.insert(borders, inside, answer)
                their_borders = np.insert(their_borders, inside, their_answer)
        mine, theirs = self.parts[one[0]].windows, self.parts[other[0]].windows
        first = mine.first[window] - begin
        end = first + mine.length[window]
        own = slice(*self.bounds[other[0]][other[1] : other[1] + 2])
        starts = theirs.first[own] - their_begin
        edges = np.interp([starts, starts + theirs.length[own]], their_borders, borders)
        shared = np.maximum(np.minimum(edges[1], end) - np.maximum(edges[0], first), 0)
        share = shared / np.maximum(np.maximum(edges[1], end) - np.minimum(edges[0], first), 1)
        answered = mine.start[window] >= 0
        alike = (theirs.start[own] >= 0) == answered
        if not answered:
            alike &= share > 0
        value = share + alike
        best = int(np.argmax(value))
        return int(own.start) + best if value[best] > 0 else None

    def draw(self, rows: np.ndarray, seed: int, step: int) -> np.ndarray:
        """A partner (part, window) for each of `rows` (part, window), int64 [rows, 2]; (-1, -1) where there is none.

        In a step without the term nothing has one.  Partners are drawn with equal chances; what a row gets does not
        depend on the order of the rows.
        """
        drawn = np.full((len(rows), 2), -1, dtype=np.int64)
        if not self.recipe.active(step):
            return drawn
        chances = np.random.default_rng((seed, step, STREAM)).random(len(rows))
        for row, chance in zip(np.lexsort(rows.T[::-1]), chances, strict=True):
            possible = self.partners(*map(int, rows[row]))
            if possible:
                drawn[row] = possible[int(chance * len(possible))]
        return drawn


def pairing(
    records: Records,
    rows: np.ndarray,
    partners: np.ndarray,
    stretch: slice,
    share: float,
    layout: Layout,
    hide: str,
    batching: str,
) -> Batch:
    """What the term needs of the part `stretch` of a step, beside the part's own inputs; nothing where it has no pair.

    rows, partners: (part, window) of each window of the step and of its partner, (-1, -1) for none; share: what the
    step's mean counts in the loss.  partner_… are the partners' inputs as `collate` makes them; pairs [pairs] are rows
    of the part, sources [pairs] their records; pair_share [] is what the part's mean counts.
    """
    paired = partners[:, 0] >= 0
    own = np.flatnonzero(paired[stretch])
    if not len(own):
        return {}
    inputs = collate(records.parts, partners[stretch][own], layout, hide, batching)
    sources = [records.source(*map(int, row)) for row in rows[stretch][own]]
    return {
        **{PREFIX + name: inputs[name] for name in (*INPUTS, "places") if name in inputs},
        "pairs": torch.from_numpy(own),
        "sources": torch.tensor(sources),
        "pair_share": torch.tensor(share * len(own) / int(paired.sum())),
    }


class Scale(nn.Module):
    """What similarities are multiplied by, 1 / temperature.

    A learned one's logarithm is a parameter of the model in training, and so in its checkpoints; the saved model has
    none.
    """

    def __init__(self, recipe: Contrast) -> None:
        super().__init__()
        self.recipe = recipe
        if recipe.temperature == "learned":
            self.logarithm = nn.Parameter(torch.tensor(-math.log(recipe.tau)))

    def forward(self) -> Tensor | float:
        """The factor; a learned one is first brought down to the limit, as in CLIP, so that it may fall again."""
        if self.recipe.temperature != "learned":
            return 1.0 if self.recipe.temperature == "none" else 1 / self.recipe.tau
        if self.recipe.max_scale is not None:
            with torch.no_grad():
                self.logarithm.clamp_(max=math.log(self.recipe.max_scale))
        return self.logarithm.exp()


def blocks(encoder: nn.Module) -> nn.ModuleList:
    """The blocks of one of transformers' encoders.  Raises InputError where it is not built of blocks as BERT is."""
    found = getattr(getattr(encoder, "encoder", None), "layer", None)
    if not isinstance(found, nn.ModuleList):
        raise InputError(
            f"contrast: an encoder of kind {type(encoder).__name__} is not built of blocks as BERT is"
        )
    return found


@contextmanager
def read_states(encoder: nn.Module, layer: int) -> Iterator[list[Tensor]]:
    """A list that takes what block `layer` gives, [rows, pieces, width], in every pass meanwhile."""
    states: list[Tensor] = []

    def take(module: nn.Module, given: Any, output: Any) -> None:
        states.append(output[0] if isinstance(output, tuple) else output)

    handle = blocks(encoder)[layer - 1].register_forward_hook(take)
    try:
        yield states
    finally:
        handle.remove()


@contextmanager
def cut_off(encoder: Any, layer: int) -> Iterator[None]:
    """The encoder without the blocks above `layer` meanwhile."""
    whole = blocks(encoder)
    encoder.encoder.layer = whole[:layer]
    try:
        yield
    finally:
        encoder.encoder.layer = whole


def looked_up(encoder: Any, batches: Sequence[Batch]) -> list[Batch]:
    """Batches with their pieces' vectors in the place of pieces, looked up together.

    The gradient of a table of 100,000 vectors, nearly all of it zeros, is a tenth of a training step on a processor:
    one look-up has one, two have two and their sum.
    """
    table = encoder.get_input_embeddings()
    vectors = table(torch.cat([batch["input_ids"].flatten() for batch in batches]))
    sizes = [batch["input_ids"].numel() for batch in batches]
    first = first_position(encoder)
    made = []
    for batch, own in zip(batches, vectors.split(sizes), strict=True):
        inputs = {name: value for name, value in batch.items() if name != "input_ids"}
        inputs["inputs_embeds"] = own.view(*batch["input_ids"].shape, -1)
        if first and "position_ids" not in batch:  # RoBERTa's kind counts pieces, which it doesn't see now
            mask = batch["attention_mask"]
            inputs["position_ids"] = mask.cumsum(1) * mask + first - 1
        made.append(inputs)
    return made


def pooled(states: Tensor, batch: Batch, pool: str) -> Tensor:
    """The mean over its pieces, or its padding, too, for each window [windows, width], in float32 or more."""
    states = states.to(torch.promote_types(states.dtype, torch.float32))
    if pool == "padding":
        return states.mean(1)
    if "places" in batch:
        states, there = unpacked(states, batch["places"]), batch["places"] >= 0
    else:
        there = batch["attention_mask"] > 0
    total = states.masked_fill(~there[..., None], 0).sum(1)
    return total / there.sum(1, keepdim=True)


def contrastive(
    windows: Tensor, partners: Tensor, sources: Tensor, scale: Tensor | float, recipe: Contrast
) -> Tensor:
    """The term for vectors [pairs, width] of windows and of their partners; sources [pairs] are their records."""
    if recipe.normalise:
        windows, partners = normalize(windows, dim=-1), normalize(partners, dim=-1)
    similar = scale * windows @ partners.T
    right = torch.arange(len(similar), device=similar.device)
    if recipe.mask_same_source:
        same = (sources[:, None] == sources) & (right[:, None] != right)
        similar = similar.masked_fill(same, -math.inf)
    return (cross_entropy(similar, right) + cross_entropy(similar.T, right)) / 2


def contrasted(model: QuestionAnswerer, batch: Batch, recipe: Contrast) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of `question_answering` and, where the batch has pairs, the term with its weight.

    `model.contrast` is a Scale; further figures as in `question_answering`, and the term.
    """
    encoder = model.span.base_model
    assert isinstance(encoder, nn.Module)
    factor = model.contrast()
    if "pairs" not in batch:
        loss, figures = question_answering(model, batch)
        # A learned temperature has a gradient of 0 then, as it would have beside other processes' pairs.
        return loss + 0 * factor, {**figures, "contrast": torch.zeros_like(loss.detach())}
    partners = {name.removeprefix(PREFIX): value for name, value in batch.items() if name.startswith(PREFIX)}
    batch, partners = looked_up(encoder, [batch, partners])
    with read_states(encoder, recipe.layer) as states:
        loss, figures = question_answering(model, batch)
    with cut_off(encoder, recipe.layer), read_states(encoder, recipe.layer) as their_states:
        encoder(**encoder_inputs(partners))
    with torch.autocast(loss.device.type, enabled=False):
        ours = pooled(states[0], batch, recipe.pool)[batch["pairs"]]
        theirs = pooled(their_states[0], partners, recipe.pool)
        term = batch["pair_share"] * contrastive(ours, theirs, batch["sources"], factor, recipe)
    return loss + recipe.weight * term, {**figures, "contrast": term.detach()}


def contrasting(
    model: QuestionAnswerer, parts: Sequence[Part], questions: Sequence[Path], recipe: Contrast
) -> tuple[Records, Loss]:
    """Make a model ready for the term: its windows' records, and the loss.

    Raises InputError where the encoder has fewer blocks than `layer`, and as Records does.
    """
    encoder = model.span.base_model
    assert isinstance(encoder, nn.Module)
    if recipe.layer > len(blocks(encoder)):
        raise InputError(
            f"contrast.layer is {recipe.layer}, but the encoder has {len(blocks(encoder))} blocks; give one of them"
        )
    model.contrast = Scale(recipe)
    return Records(parts, questions, recipe), partial(contrasted, recipe=recipe)
