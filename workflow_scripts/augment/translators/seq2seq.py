"""Any sequence-to-sequence model of Hugging Face: NLLB, M2M-100, MADLAD-400, OPUS-MT, mBART-50."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSeq2SeqLM

from workflow_scripts.augment.translators import Journal, Translated
from workflow_scripts.augment.translators.pieces import Pieces, batches, load_tokenizer
from workflow_scripts.cli import InputError
from workflow_scripts.recipes.translators import Seq2Seq
from workflow_scripts.training.device import mixed_precision, quiet

UNFINISHED = "broken off at max_length"


def load_model(name: str, revision: str | None, precision: str) -> Any:
    """The model of a folder or of the hub, ready to generate.  Raises InputError where there is none, or not whole."""
    options: dict[str, Any] = {} if Path(name).is_dir() or revision is None else {"revision": revision}
    dtype = torch.bfloat16 if mixed_precision(precision) == "bf16" else torch.float32
    try:
        model, found = AutoModelForSeq2SeqLM.from_pretrained(
            name, dtype=dtype, output_loading_info=True, **options
        )
    except (OSError, ValueError):
        raise InputError(
            f"{name}: no sequence-to-sequence model there; give its folder or its name on the hub"
        ) from None
    except Exception as error:  # damaged weights make it stumble anywhere
        raise InputError(
            f"{name}: its weights cannot be read ({type(error).__name__}); fetch the model again"
        ) from None
    if found["missing_keys"]:
        raise InputError(
            f"{name}: the weights of {min(found['missing_keys'])} are missing; the model is not whole"
        )
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


class Seq2SeqTranslator:
    """Implements `Translator`.  In fp32 a text's translation does not depend on the other texts of its batch."""

    def __init__(self, recipe: Seq2Seq, source: str, target: str) -> None:
        quiet()
        self.recipe = recipe
        tokenizer = load_tokenizer(recipe.model, recipe.revision)
        self.model = load_model(recipe.model, recipe.revision, recipe.precision)
        positions = getattr(self.model.config, "max_position_embeddings", None) or recipe.max_length
        limit = min(recipe.max_length, positions)
        self.pieces = Pieces(tokenizer, recipe.codes, source, target, recipe.model, limit)

    def cut(self, text: str) -> list[str]:
        """Parts of at most `max_length` pieces."""
        return self.pieces.cut(text)

    def translate(self, texts: Sequence[str], journal: Journal) -> Iterator[Mapping[int, Translated]]:
        """One mapping a batch; nothing is announced, since nothing is paid."""
        encoded = [self.pieces.encode(text) for text in texts]
        for numbers in batches([len(ids) for ids in encoded], self.recipe.batch_tokens):
            yield dict(zip(numbers, self._generate([encoded[number] for number in numbers]), strict=True))

    @torch.inference_mode()
    def _generate(self, encoded: list[list[int]]) -> list[Translated]:
        tokenizer, first = self.pieces.tokenizer, self.pieces.manner.first
        inputs = tokenizer.pad(
            {"input_ids": encoded}, padding=True, padding_side="right", return_tensors="pt"
        ).to(self.model.device)
        written = self.model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            num_beams=self.recipe.beam,
            do_sample=False,
            max_new_tokens=self.pieces.limit,
            **({} if first is None else {"forced_bos_token_id": self.pieces.identify(first)}),
        )
        ends = self.model.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        translated = []
        for row in written.tolist():
            pieces = row[1:]  # the decoder's start
            # A model may be made to write the end as its last piece; then it did not come to one by itself.
            end = next((place for place, piece in enumerate(pieces) if piece in ends), len(pieces))
            finished = end < self.pieces.limit - 1
            translated.append(Translated(self.pieces.decode(pieces[:end]), "" if finished else UNFINISHED))
        return translated
