"""Batches of QA windows, assembled from the mapped arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from workflow_scripts.cli import InputError
from workflow_scripts.qa.features import Contexts, Windows, load_contexts, load_windows, vocabulary_digest
from workflow_scripts.qa.windows import SPECIAL_PIECES
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.packed import first_position, packed


@dataclass(frozen=True)
class Layout:
    """The ids that frame a window, and whether its two parts have token types (0 and 1, as BERT's; XLM-R has one).

    first_position is that of a window's first piece: 0, or behind the padding's as RoBERTa's kind counts.
    """

    cls: int
    sep: int
    pad: int
    mask: int
    two_types: bool
    first_position: int

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase, encoder: Any) -> "Layout":
        """The layout that a tokeniser and an encoder, one of transformers' models, ask for.

        Raises InputError where the tokeniser has pieces that the encoder has no embedding for.
        """
        known = encoder.get_input_embeddings().num_embeddings
        if len(tokenizer) > known:
            raise InputError(
                f"a tokenizer of {len(tokenizer)} pieces for an encoder with embeddings for {known}; give the folder"
                " tokenizer and encoder of one vocabulary"
            )
        return cls(
            tokenizer.cls_token_id,
            tokenizer.sep_token_id,
            tokenizer.pad_token_id,
            tokenizer.mask_token_id,
            getattr(encoder.config, "type_vocab_size", 1) > 1,
            first_position(encoder.base_model),
        )


@dataclass(frozen=True)
class Part:
    """Windows with the contexts they are cut from."""

    windows: Windows
    contexts: Contexts

    def question(self, window: int) -> np.ndarray:
        """The question's pieces, `[Q]` first."""
        bounds = self.windows.question_bounds
        row = self.windows.question[window]
        return self.windows.question_pieces[bounds[row] : bounds[row + 1]]

    def lengths(self) -> np.ndarray:
        """Pieces of every window's input, int64 [windows]."""
        asked = np.diff(self.windows.question_bounds)[self.windows.question]
        return asked + self.windows.length + SPECIAL_PIECES

    def offsets(self) -> np.ndarray:
        """Position of every window's first context piece in its input, int64 [windows]."""
        return np.diff(self.windows.question_bounds)[self.windows.question] + SPECIAL_PIECES - 1


def read_parts(contexts: list[Path], windows: list[Path]) -> list[Part]:
    """Corpora from two parallel lists of files; a contexts file named twice is mapped once."""
    if len(contexts) != len(windows):
        raise InputError(
            f"--contexts names {len(contexts)} files, --windows {len(windows)}; give one for one"
        )
    mapped = {path: load_contexts(path) for path in dict.fromkeys(contexts)}
    return [Part(load_windows(w), mapped[c]) for c, w in zip(contexts, windows, strict=True)]


def collate(
    parts: Sequence[Part],
    rows: Sequence[tuple[int, int]] | np.ndarray,
    layout: Layout,
    hide: str,
    batching: str = "padded",
) -> Batch:
    """Inputs and labels of windows given as (part, window), pairs or int [rows, 2].

    input_ids, attention_mask (and token_type_ids where the encoder has types) [rows, pieces]; start, end, answer_type
    [rows].  `hide` masks every piece of the "question" or of the "context", or "nothing".  With `batching` "packed",
    inputs are one row [1, pieces], as `training.packed` describes; labels are the same.
    """
    inputs = []
    labels = np.empty((len(rows), 3), dtype=np.int64)
    for number, (part, window) in enumerate(rows):
        windows, contexts = parts[part].windows, parts[part].contexts
        question = parts[part].question(window)
        first = windows.first[window]
        context = contexts.pieces[first : first + windows.length[window]]
        if hide == "question":
            question = np.full_like(question, layout.mask)
        elif hide == "context":
            context = np.full_like(context, layout.mask)
        inputs.append((question, context))
        at = len(question) + SPECIAL_PIECES - 1
        start, end = windows.start[window], windows.end[window]
        labels[number] = (start + at, end + at, windows.answer_type[window]) if start >= 0 else (0, 0, 0)
    lengths = np.array([len(question) + len(context) for question, context in inputs]) + SPECIAL_PIECES
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    ids, types = np.full_like(mask, layout.pad), np.zeros_like(mask)
    for row, (question, context) in enumerate(inputs):
        ids[row, : lengths[row]] = np.concatenate(
            [[layout.cls], question, [layout.sep], context, [layout.sep]]
        )
        types[row, len(question) + 2 : lengths[row]] = 1
    arrays = {"input_ids": ids, "attention_mask": mask}
    if layout.two_types:
        arrays["token_type_ids"] = types
    batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
    if batching == "packed":
        batch = packed(batch, layout.first_position)
    start, end, kind = torch.from_numpy(labels.T.copy())
    return {**batch, "start": start, "end": end, "answer_type": kind}


def check_fits(parts: Sequence[Part], tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise InputError where a window is longer than the encoder reads, or the features are of another vocabulary."""
    longest = max((int(part.lengths().max()) for part in parts if len(part.windows.first)), default=0)
    if longest > tokenizer.model_max_length:
        raise InputError(
            f"windows of {longest} pieces for an encoder that reads {tokenizer.model_max_length};"
            " lower features.max_length"
        )
    vocabulary = vocabulary_digest(tokenizer.backend_tokenizer)
    for part in parts:
        for name, features in (("contexts", part.contexts), ("windows", part.windows)):
            if features.vocabulary != vocabulary:
                raise InputError(
                    f"the {name} were made with another encoder's tokenizer; make them with the tokenizer.json of"
                    " this one"
                )
