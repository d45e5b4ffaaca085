"""Models converted for CTranslate2 (`ct2-transformers-converter`), read with their original's tokeniser."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import ctranslate2

from workflow_scripts.augment.translators import Journal, Translated
from workflow_scripts.augment.translators.pieces import Pieces, batches, load_tokenizer
from workflow_scripts.cli import InputError
from workflow_scripts.recipes.translators import CTranslate2

UNFINISHED = "broken off at max_length"


class CTranslate2Translator:
    """Implements `Translator`."""

    def __init__(self, recipe: CTranslate2, source: str, target: str) -> None:
        self.recipe = recipe
        if not (Path(recipe.model) / "model.bin").is_file():
            raise InputError(
                f"{recipe.model}: no model.bin; give a folder that ct2-transformers-converter wrote"
            )
        tokenizer = load_tokenizer(recipe.tokenizer, None)
        self.pieces = Pieces(tokenizer, recipe.codes, source, target, recipe.model, recipe.max_length)
        try:
            self.model = ctranslate2.Translator(
                recipe.model,
                device="cuda" if ctranslate2.get_cuda_device_count() else "cpu",
                compute_type=recipe.compute_type,
                intra_threads=int(os.environ.get("OMP_NUM_THREADS", 0)),
            )
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{recipe.model}: CTranslate2 cannot load it ({error})") from None

    def cut(self, text: str) -> list[str]:
        """Parts of at most `max_length` pieces."""
        return self.pieces.cut(text)

    def translate(self, texts: Sequence[str], journal: Journal) -> Iterator[Mapping[int, Translated]]:
        """One mapping a batch; nothing is announced, since nothing is paid."""
        tokenizer, first = self.pieces.tokenizer, self.pieces.manner.first
        encoded = [tokenizer.convert_ids_to_tokens(self.pieces.encode(text)) for text in texts]
        for numbers in batches([len(pieces) for pieces in encoded], self.recipe.batch_tokens):
            results = self.model.translate_batch(
                [encoded[number] for number in numbers],
                target_prefix=None if first is None else [[first]] * len(numbers),
                beam_size=self.recipe.beam,
                max_input_length=0,
                max_decoding_length=self.pieces.limit,
                return_end_token=True,
            )
            translated = {}
            for number, result in zip(numbers, results, strict=True):
                pieces = result.hypotheses[0]
                finished = bool(pieces) and pieces[-1] == tokenizer.eos_token
                text = self.pieces.decode(tokenizer.convert_tokens_to_ids(pieces))
                translated[number] = Translated(text, "" if finished else UNFINISHED)
            yield translated
