"""The alignment objective: how far linked words are from one another, and all words from where they were.

See finetune.py for the formula and for whose it is.  A batch holds sums for each pair, what each of them counts in the
step's loss, and of what language it is, so that parts of a step add up to what the whole would give.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from workflow_scripts.align.bitext import EncodedPair, parts
from workflow_scripts.recipes.alignment import Alignment
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.masked import pad

TENTHS = 10


def weights(
    units: np.ndarray, counts: np.ndarray, width: int, reduction: Literal["sum", "mean", "mean_links"]
) -> np.ndarray:
    """What a squared distance counts in the loss of a step, for each pair, float64 [pairs].

    counts [pairs] is how many distances a pair has, units [pairs] within what means are taken.
    """
    if reduction == "sum":
        return np.ones(len(units))
    whole = np.maximum(np.bincount(units, counts)[units], 1)
    return 1 / (whole * (width if reduction == "mean" else 1))


def collate(
    chosen: Sequence[tuple[int, EncodedPair]], pad_id: int, width: int, recipe: Alignment
) -> list[Batch]:
    """The pairs of a step, each with the number of its language, as tensors, in the recipe's parts.

    In a part of P pairs, input_ids and attention_mask [2 P, pieces] hold all foreign sentences, then all English ones;
    foreign_words and english_words [words, 3] are (pair, positions of first and last piece); links [links, 3] are
    (pair, index into foreign_words, index into english_words); languages, link_weights and word_weights [P]; parts [1]
    is how many parts the step has.
    """
    cut = parts(chosen, recipe.part_pieces)
    chosen = [one for part in cut for one in part]
    languages = np.array([language for language, _ in chosen])
    # means are over a language if every step has all of them, else over the whole step
    units = languages if recipe.sampling == "cyclic" else np.zeros_like(languages)
    links = np.array([len(pair.links) for _, pair in chosen])
    words = np.array([[len(pair.foreign.words), len(pair.english.words)] for _, pair in chosen])
    held = words[:, 1] if recipe.regularised == "english" else words.sum(1)
    by_pair = {
        "languages": languages,
        "link_weights": weights(units, links, width, recipe.reduction),
        "word_weights": weights(units, held, width, recipe.reduction),
    }
    batches, at = [], 0
    for part in cut:
        rows = slice(at, at + len(part))
        batch = tensors([pair for _, pair in part], pad_id)
        batch |= {name: torch.from_numpy(values[rows]) for name, values in by_pair.items()}
        batches.append({**batch, "parts": torch.tensor([len(cut)])})
        at = rows.stop
    return batches


def tensors(pairs: Sequence[EncodedPair], pad_id: int) -> Batch:
    """The pieces, words and links of `collate`."""
    ids, mask = pad([pair.foreign.pieces for pair in pairs] + [pair.english.pieces for pair in pairs], pad_id)
    made = {"input_ids": ids, "attention_mask": mask}
    first = []
    for name, words in (
        ("foreign_words", [pair.foreign.words for pair in pairs]),
        ("english_words", [pair.english.words for pair in pairs]),
    ):
        made[name] = numbered(words)
        first.append(np.cumsum([0, *map(len, words[:-1])]))
    shifts = np.stack(first, 1)
    made["links"] = numbered([pair.links + shift for pair, shift in zip(pairs, shifts, strict=True)])
    return made


def numbered(rows: Sequence[np.ndarray]) -> Tensor:
    """All rows [n, 2] of all pairs under one another, each behind the number of its pair, int64 [rows, 3]."""
    pairs = np.repeat(np.arange(len(rows)), [len(of) for of in rows])
    return torch.from_numpy(np.column_stack([pairs, np.concatenate(rows)]).astype(np.int64))


class Aligned(nn.Module):
    """The encoder being aligned beside its frozen original, and what L and R were so far.

    A checkpoint holds the encoder and the sums, not the original.
    """

    sums: Tensor  # float64 [tenths of the run, languages, 4]: Σ‖·‖² of links, links, Σ‖·‖² of words, words
    seen: Tensor  # parts of steps

    def __init__(self, encoder: nn.Module, original: nn.Module, languages: int, steps: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.original = [original.eval().requires_grad_(False)]  # in a list: neither trained nor saved
        self.register_buffer("sums", torch.zeros(TENTHS, languages, 4, dtype=torch.float64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.steps = steps

    @torch.no_grad()
    def note(self, batch: Batch, drawn: Tensor, held: Tensor, held_words: Tensor) -> None:
        """Add up a part of a step: Σ‖·‖² of each pair's links and of its words, and how many words these are."""
        tenth = (self.seen * TENTHS // (self.steps * batch["parts"])).clamp(max=TENTHS - 1)
        figures = torch.stack([drawn, counted(batch["links"], drawn), held, held_words], 1)
        places = (tenth.expand(len(drawn)), batch["languages"])
        self.sums.index_put_(places, figures.to(self.sums), accumulate=True)
        self.seen += 1

    def curves(self, languages: Sequence[str]) -> dict[str, dict[str, list[float | None]]]:
        """For each language, in tenths of the run, the mean squared distance of linked words, and of words from before.

        None where a tenth had none, or where R is not of words.
        """
        told = {}
        for row, language in enumerate(languages):
            figures = self.sums[:, row].tolist()
            told[language] = {
                "L": [round(drawn / links, 6) if links else None for drawn, links, _, _ in figures],
                "R": [round(held / words, 6) if words else None for _, _, held, words in figures],
            }
        return told


def counted(rows: Tensor, like: Tensor) -> Tensor:
    """How many of `rows` belong to each pair, their first column; of the type and shape of `like` [pairs]."""
    return torch.zeros_like(like).index_add_(0, rows[:, 0], like.new_ones(1).expand(len(rows)))


def hidden_states(encoder: nn.Module, ids: Tensor, mask: Tensor, layer: int) -> Tensor:
    """Hidden states [rows, pieces, width] after a block, counted from 1, or (-1) at the encoder's end."""
    if layer < 0:
        return encoder(ids, attention_mask=mask).last_hidden_state
    return encoder(ids, attention_mask=mask, output_hidden_states=True).hidden_states[layer]


def word_vectors(states: Tensor, words: Tensor, pool: Literal["last", "first", "mean"]) -> Tensor:
    """A vector [width] for each of words [words, 3], in float32 or more, from states [rows, pieces, width]."""
    full = torch.promote_types(states.dtype, torch.float32)
    row, first, last = words.unbind(1)
    if pool != "mean":
        return states[row, last if pool == "last" else first].to(full)
    lengths = last - first + 1
    word = torch.repeat_interleave(lengths)
    inside = torch.arange(len(word), device=word.device) - (lengths.cumsum(0) - lengths)[word]
    pieces = states[row[word], first[word] + inside].to(full)
    return pieces.new_zeros(len(words), pieces.shape[1]).index_add(0, word, pieces) / lengths[:, None]


def per_pair(squares: Tensor, rows: Tensor, pairs: int) -> Tensor:
    """Sums [pairs] of squared distances, the difference vectors [n, width] of which belong to the pairs `rows` [n]."""
    return squares.new_zeros(pairs).index_add(0, rows, squares.square().sum(1))


def parameter_distance(encoder: nn.Module, original: nn.Module) -> Tensor:
    """The L2 norm of what training has changed in the parameters (Wu & Dredze 2020)."""
    pairs = zip(encoder.parameters(), original.parameters(), strict=True)
    return torch.linalg.vector_norm(
        torch.stack([torch.linalg.vector_norm(now - then) for now, then in pairs])
    )


def alignment_loss(model: Aligned, batch: Batch, recipe: Alignment) -> tuple[Tensor, dict[str, Tensor]]:
    """L + regulariser · R of a part of a step, each distance counted as the batch says, and both terms."""
    ids, mask, pairs = batch["input_ids"], batch["attention_mask"], len(batch["languages"])
    states = hidden_states(model.encoder, ids, mask, recipe.layer)
    foreign = word_vectors(states[:pairs], batch["foreign_words"], recipe.pool)
    english = word_vectors(states[pairs:], batch["english_words"], recipe.pool)
    original = model.original[0]
    if next(original.parameters()).device != ids.device:
        original.to(ids.device)
    of_words = bool(recipe.regulariser) and recipe.regularised != "parameters"
    before: list[Tensor | None] = [None, None]
    with torch.no_grad():
        if of_words and recipe.regularised == "both":
            was = hidden_states(original, ids, mask, recipe.layer)
            before[0] = word_vectors(was[:pairs], batch["foreign_words"], recipe.pool)
            before[1] = word_vectors(was[pairs:], batch["english_words"], recipe.pool)
        elif of_words or recipe.target == "frozen":
            was = hidden_states(original, ids[pairs:], mask[pairs:], recipe.layer)
            before[1] = word_vectors(was, batch["english_words"], recipe.pool)
    target = before[1] if recipe.target == "frozen" else english
    assert target is not None
    row, i, j = batch["links"].unbind(1)
    drawn = per_pair(foreign[i] - target[j], row, pairs)
    held, held_words = torch.zeros_like(drawn), torch.zeros_like(drawn)
    if of_words:
        for now, then, name in zip(
            (foreign, english), before, ("foreign_words", "english_words"), strict=True
        ):
            if then is not None:
                held = held + per_pair(now - then, batch[name][:, 0], pairs)
                held_words = held_words + counted(batch[name], held_words)
    model.note(batch, drawn.detach(), held.detach(), held_words)
    attraction = (drawn * batch["link_weights"].to(drawn)).sum()
    restraint = (held * batch["word_weights"].to(held)).sum()
    if recipe.regulariser and recipe.regularised == "parameters":
        restraint = parameter_distance(model.encoder, original) / batch["parts"][0]
    return attraction + recipe.regulariser * restraint, {"L": attraction.detach(), "R": restraint.detach()}
