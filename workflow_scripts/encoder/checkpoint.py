"""Take an encoder from the Hugging Face hub or from a folder, and give its vocabulary the markers of QA inputs.

Multilingual BERT's WordPiece vocabulary has 99 unused pieces; `[Q]` takes `[unused1]` and `[ContextId=N]` takes
`[unused(N+52)]`, the slots that TyDi QA's baseline chose, so nothing is resized.  Other vocabularies, XLM-R's among
them, get new pieces at the end and the embeddings grow.  The result is a folder like the ones that pre-training
writes; its tokenizer.json alone says how text is cut, where the source's may be completed by settings of its class.
A masked-LM head that the source has whole is kept, for those who train the encoder further (align/linker.py).

`--like` names the folder of the encoder that others aligned to make the source: the source must have the same pieces,
so that features made for the one hold for the other, or no tokeniser at all.
"""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast, set_seed
from transformers.utils import is_protobuf_available

from workflow_scripts.cli import InputError, parser, run
from workflow_scripts.encoder.unigram import split_names
from workflow_scripts.files import atomic_folder, read_text
from workflow_scripts.markers import MARKERS, PASSAGES, QUESTION
from workflow_scripts.training.device import quiet
from workflow_scripts.training.folders import load_tokenizer, with_head

UNUSED = {QUESTION: "[unused1]", **{name: f"[unused{52 + number}]" for number, name in enumerate(PASSAGES)}}
NEEDED = ("cls_token", "sep_token", "pad_token", "mask_token", "unk_token")


def add_markers(tokenizer: Tokenizer) -> Tokenizer:
    """The tokeniser with a piece for every marker: BERT's unused pieces renamed, or pieces added at the end."""
    vocabulary = tokenizer.get_vocab()
    if all(name in vocabulary for name in MARKERS):
        return tokenizer
    if not all(slot in vocabulary for slot in UNUSED.values()):
        tokenizer.add_special_tokens(list(MARKERS))
        return tokenizer
    inner = json.loads(tokenizer.to_str())
    pieces = inner["model"]["vocab"]
    for name, slot in UNUSED.items():
        pieces[name] = pieces.pop(slot)
    return Tokenizer.from_str(json.dumps(inner))


def like_sentencepiece(tokenizer: Tokenizer, special: list[str]) -> None:
    """Undo two differences between a unigram model in the tokenizers package and the same one in sentencepiece.

    tokenizers composes clusters of at most five bytes, so that decomposed Hangul would be unknown; and it reads the
    names of `special` pieces, such as "<s>", in text as these pieces.
    """
    given = [tokenizer.normalizer] if tokenizer.normalizer else []
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), *given])
    given = [tokenizer.pre_tokenizer] if tokenizer.pre_tokenizer else []
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*given, split_names(special)])


def complete(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerFast:
    """A tokeniser with the markers and the source's special pieces, all of it in its tokenizer.json."""
    inner = tokenizer.backend_tokenizer
    if isinstance(inner.model, models.Unigram) and not all(name in tokenizer.get_vocab() for name in MARKERS):
        like_sentencepiece(inner, tokenizer.all_special_tokens)
    return PreTrainedTokenizerFast(
        tokenizer_object=add_markers(inner),
        model_max_length=tokenizer.model_max_length,
        model_input_names=tokenizer.model_input_names,
        clean_up_tokenization_spaces=False,
        **{name: str(piece) for name, piece in tokenizer.special_tokens_map.items()},
    )


def check_readable(source: str) -> None:
    """Raise InputError where a folder's vocabulary is in a form that takes a package which is not installed."""
    folder = Path(source)
    models_only = sorted(folder.glob("*.model")) if not (folder / "tokenizer.json").is_file() else []
    if models_only and not is_protobuf_available():
        raise InputError(
            f"encoder {source}: {models_only[0].name} without a tokenizer.json; give a folder with both, as the hub has"
            " them, or install protobuf, which reads the former"
        )


def check_tokenizer(source: str, tokenizer: PreTrainedTokenizerBase, config: Any) -> None:
    """Raise InputError where the tokeniser is not that of the model with this `config`, or not whole."""
    vocabulary = tokenizer.get_vocab()
    if len(tokenizer) > config.vocab_size or vocabulary.keys() <= set(tokenizer.all_special_tokens):
        raise InputError(
            f"encoder {source}: {len(tokenizer)} pieces in the tokeniser, {config.vocab_size} in the model; give a"
            " folder with both from one source"
        )
    for name in NEEDED:
        if getattr(tokenizer, name) is None:
            raise InputError(
                f"encoder {source}: the tokeniser has no {name}; give an encoder of BERT's or XLM-R's kind"
            )
    if config.pad_token_id is not None and config.pad_token_id != tokenizer.pad_token_id:
        raise InputError(
            f"encoder {source}: piece {tokenizer.pad_token_id} pads in the tokeniser, piece {config.pad_token_id} in"
            " the model; give a folder with both from one source"
        )
    normalizer = tokenizer.backend_tokenizer.normalizer
    if normalizer and normalizer.normalize_str("A") == "a" and not vocabulary.keys().isdisjoint(("A", "▁A")):
        raise InputError(
            f"encoder {source}: the tokeniser turns capitals into small letters, but the vocabulary has capitals; give"
            ' a folder whose tokenizer_config.json says "do_lower_case": false'
        )


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder says how text is cut, in any of the forms that transformers reads."""
    return any(
        (folder / name).is_file() for name in ("tokenizer.json", "vocab.txt", "sentencepiece.bpe.model")
    )


def model_type(folder: Path) -> str:
    """The type of the model in a folder, such as "bert"."""
    return str(json.loads(read_text(folder / "config.json"))["model_type"])


def positions(model: nn.Module) -> int:
    """The longest input that the encoder has positions for; many folders leave it out of the tokeniser's settings.

    RoBERTa's family counts positions from behind the padding's.
    """
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if not isinstance(table, nn.Embedding):
        return int(model.config.max_position_embeddings)
    return table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1)


def read_tokenizer(source: str, like: Path | None, config: Any) -> PreTrainedTokenizerFast:
    """The source's tokeniser with the markers, or that of `like` where a folder has none.

    Raises InputError where it does not fit the model's `config`, or has other pieces than `like`.
    """
    original = load_tokenizer(like) if like else None
    if original and Path(source).is_dir() and not has_tokenizer(Path(source)):
        return original
    given = AutoTokenizer.from_pretrained(source, use_fast=True)
    check_tokenizer(source, given, config)
    tokenizer = complete(given)
    if original and tokenizer.get_vocab() != original.get_vocab():
        raise InputError(
            f"encoder {source}: its pieces are not those of {like}; give a checkpoint that was made from that encoder"
        )
    return tokenizer


def main() -> None:
    arguments_parser = parser(__doc__)
    arguments_parser.add_argument("--source", required=True, help="name on the hub, or a folder")
    arguments_parser.add_argument(
        "--like", type=Path, help="folder of the encoder that the source was made from"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="folder of the encoder")
    arguments = arguments_parser.parse_args()
    check_readable(arguments.source)
    set_seed(0)  # of the vectors of pieces that are added
    try:
        model, found = AutoModel.from_pretrained(
            arguments.source, dtype=torch.float32, output_loading_info=True
        )
        tokenizer = read_tokenizer(arguments.source, arguments.like, model.config)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
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
    if arguments.like and model.config.model_type != (wanted := model_type(arguments.like)):
        raise InputError(
            f"encoder {arguments.source}: a model of type {model.config.model_type}, but {arguments.like} is of type"
            f" {wanted}; give a checkpoint that was made from that encoder"
        )
    model = with_head(arguments.source, model, found["missing_keys"]) or model
    if len(tokenizer) > model.config.vocab_size:
        model.resize_token_embeddings(len(tokenizer))
    tokenizer.model_max_length = min(tokenizer.model_max_length, positions(model.base_model))
    with atomic_folder(arguments.out, last="model.safetensors") as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        (folder / "training.json").write_text(
            json.dumps({"source": arguments.source, "pieces": len(tokenizer)}) + "\n"
        )


if __name__ == "__main__":
    quiet()
    run(main)
