"""Take an encoder from the Hugging Face hub or from a folder, and give its vocabulary the markers of QA inputs.

Multilingual BERT's WordPiece vocabulary has 99 unused pieces; `[Q]` takes `[unused1]` and `[ContextId=N]` takes
`[unused(N+52)]`, the slots that TyDi QA's baseline chose, so nothing is resized.  Other vocabularies get new pieces at
the end and the embeddings grow.  The result is a folder like the ones that pre-training writes.
"""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast, set_seed

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.files import atomic_folder
from workflow_scripts.markers import MARKERS, PASSAGES, QUESTION
from workflow_scripts.training.device import quiet

UNUSED = {QUESTION: "[unused1]", **{name: f"[unused{52 + number}]" for number, name in enumerate(PASSAGES)}}


def add_markers(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """The tokeniser with a piece for every marker: BERT's unused pieces renamed, or pieces added at the end."""
    vocabulary = tokenizer.get_vocab()
    if all(name in vocabulary for name in MARKERS):
        return tokenizer
    if not all(slot in vocabulary for slot in UNUSED.values()):
        tokenizer.add_tokens(list(MARKERS), special_tokens=True)
        return tokenizer
    inner = json.loads(tokenizer.backend_tokenizer.to_str())
    pieces = inner["model"]["vocab"]
    for name, slot in UNUSED.items():
        pieces[name] = pieces.pop(slot)
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(inner))
    return tokenizer


def positions(model: nn.Module) -> int:
    """The longest input that the encoder has positions for; many folders leave it out of the tokeniser's settings.

    RoBERTa's family counts positions from behind the padding's.
    """
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if not isinstance(table, nn.Embedding):
        return int(model.config.max_position_embeddings)
    return table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1)


def main() -> None:
    arguments_parser = parser(__doc__)
    arguments_parser.add_argument("--source", required=True, help="name on the hub, or a folder")
    arguments_parser.add_argument("--out", type=Path, required=True, help="folder of the encoder")
    arguments = arguments_parser.parse_args()
    set_seed(0)  # of the vectors of pieces that are added
    try:
        tokenizer = AutoTokenizer.from_pretrained(arguments.source, use_fast=True)
        model, found = AutoModel.from_pretrained(
            arguments.source, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        what = (
            "not a whole encoder folder"
            if Path(arguments.source).is_dir()
            else "neither a folder nor reachable on the hub"
        )
        raise InputError(f"encoder {arguments.source}: {what} ({reason})") from None
    missing = sorted(name for name in found["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise InputError(f"encoder {arguments.source}: the weights of {missing[0]} are missing")
    if len(tokenizer) > model.config.vocab_size or tokenizer.get_vocab().keys() <= set(
        tokenizer.all_special_tokens
    ):
        raise InputError(
            f"encoder {arguments.source}: {len(tokenizer)} pieces in the tokeniser, {model.config.vocab_size} in the"
            " model; give a folder with both from one source"
        )
    tokenizer = add_markers(tokenizer)
    if len(tokenizer) > model.config.vocab_size:
        model.resize_token_embeddings(len(tokenizer))
    tokenizer.model_max_length = min(tokenizer.model_max_length, positions(model))
    with atomic_folder(arguments.out, last="model.safetensors") as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        (folder / "training.json").write_text(
            json.dumps({"source": arguments.source, "pieces": len(tokenizer)}) + "\n"
        )


if __name__ == "__main__":
    quiet()
    run(main)
