"""Leave out of an encoder's vocabulary what the languages at hand do not use: smaller models, the same outputs.

Of multilingual BERT's 178 million parameters 92 are vectors of pieces, most of them of languages that a run never
reads.  Kept are the pieces that the given text is cut into, special pieces, the markers, and all pieces of one
character, so that words which the text does not have are cut smaller, not lost.  Pieces keep their order, and so the
numbers of those before the padding's; tokenizer.json and the vectors (and those of a masked-LM head) are renumbered
alike.

Text that is cut into kept pieces is cut the same way afterwards, and its hidden states are equal: the longest match
among fewer pieces, or the best of fewer ways, is the same as before if it is still there.  What that is worth for other
text is measured on text held out: the share of unknown pieces before and after.  Where it rises by more than the recipe
allows, the step fails.
"""

import json
from argparse import Namespace
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from workflow_scripts.cli import InputError, Progress, parser, read_recipe, run
from workflow_scripts.files import atomic_folder, each_line, read_text
from workflow_scripts.markers import MARKERS
from workflow_scripts.qa.features import load_tokenizer as read_tokenizer
from workflow_scripts.qa.features import unknown_piece
from workflow_scripts.recipes.trimming import Trimming
from workflow_scripts.training.device import quiet
from workflow_scripts.training.folders import load_tokenizer

LINES = 1000  # tokenised at a time
# The ends of the names of tensors that have a row for each piece.
BY_PIECE = (
    "word_embeddings.weight",
    "tok_embeddings.weight",
    "decoder.weight",
    "decoder.bias",
    "lm_head.bias",
    "predictions.bias",
)
IDS = (
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
    "cls_token_id",
    "sep_token_id",
    "mask_token_id",
    "unk_token_id",
)


def lines(files: Iterable[str]) -> Iterator[str]:
    """The lines of files given as LANGUAGE=FILE."""
    for argument in files:
        yield from each_line(argument.partition("=")[2])


def counts(tokenizer: Tokenizer, texts: Iterable[str], size: int, label: str) -> np.ndarray:
    """How often each piece occurs in texts, int64 [size]."""
    found = np.zeros(size, dtype=np.int64)
    remaining = iter(texts)
    progress = Progress(label, 0, "lines")
    while some := list(islice(remaining, LINES)):
        for encoding in tokenizer.encode_batch_fast(some, add_special_tokens=False):
            ids = np.array(encoding.ids, dtype=np.int64)
            found += np.bincount(ids, minlength=size)
        progress.total = progress.count + len(some) + 1
        progress.advance(len(some))
    return found


def chosen(tokenizer: Tokenizer, used: np.ndarray, min_count: int, padding: int) -> np.ndarray:
    """The numbers of the pieces that are kept, rising, int64.

    used: how often the text has each piece.  padding: the padding's number; it and those before it stay, because
    RoBERTa's positions count from it.
    """
    settings = json.loads(tokenizer.to_str())
    keep = used >= min_count
    keep[: padding + 1] = True
    keep[[token["id"] for token in settings["added_tokens"]]] = True
    for name, number in tokenizer.get_vocab(with_added_tokens=True).items():
        bare = name.removeprefix("##") if settings["model"]["type"] == "WordPiece" else name.removeprefix("▁")
        if len(bare) <= 1 or name in MARKERS:
            keep[number] = True
    if settings["model"]["type"] == "Unigram":
        scores = [score for _, score in settings["model"]["vocab"]]
        keep[settings["model"]["unk_id"]] = True
        keep[int(np.argmin(scores))] = True  # from which the score of unknown characters follows
    elif settings["model"].get("unk_token"):
        keep[tokenizer.token_to_id(settings["model"]["unk_token"])] = True
    missing = sorted(set(range(len(keep))) - set(tokenizer.get_vocab(with_added_tokens=True).values()))
    keep[missing] = False
    return np.flatnonzero(keep)


def renumbered(tokenizer: Tokenizer, kept: np.ndarray) -> Tokenizer:
    """The tokeniser with the kept pieces only, numbered from 0 in their order.

    Raises InputError where its vocabulary is of a kind that cannot lose pieces.
    """
    settings = json.loads(tokenizer.to_str())
    new = {int(old): number for number, old in enumerate(kept)}
    model = settings["model"]
    if model["type"] == "WordPiece":
        model["vocab"] = {name: new[number] for name, number in model["vocab"].items() if number in new}
    else:
        model["vocab"] = [entry for number, entry in enumerate(model["vocab"]) if number in new]
        model["unk_id"] = new[model["unk_id"]]
    for token in settings["added_tokens"]:
        token["id"] = new[token["id"]]
    if settings["post_processor"]:
        renumber_processor(settings["post_processor"], new)
    settings["truncation"] = settings["padding"] = None
    return Tokenizer.from_str(json.dumps(settings, ensure_ascii=False))


def renumber_processor(processor: dict[str, Any], new: dict[int, int]) -> None:
    """Change the numbers of special pieces in a post-processor, in place."""
    for inner in processor.get("processors", []):
        renumber_processor(inner, new)
    for name in ("sep", "cls"):
        if name in processor:
            processor[name][1] = new[processor[name][1]]
    if isinstance(special := processor.get("special_tokens"), dict):
        for token in special.values():
            token["ids"] = [new[number] for number in token["ids"]]


def trim_weights(source: Path, out: Path, size: int, kept: np.ndarray) -> int:
    """Write the weights with the rows of the kept pieces; how many parameters were left out.

    Raises InputError where no tensor has a row for each of `size` pieces.
    """
    tensors: dict[str, np.ndarray] = {}
    saved = 0
    with safe_open(source, "np") as file:
        metadata = file.metadata()
        for name in file.keys():  # noqa: SIM118 (not a dictionary)
            tensor = file.get_tensor(name)
            if name.endswith(BY_PIECE) and len(tensor) == size:
                saved += tensor[: size - len(kept)].size
                tensor = np.ascontiguousarray(tensor[kept])
            tensors[name] = tensor
    if not saved and len(kept) < size:
        raise InputError(
            f"{source}: no vectors of {size} pieces, as config.json says; the folder is not whole"
        )
    save_file(tensors, out, metadata)
    return saved


def check_kind(source: Path, tokenizer: Tokenizer) -> None:
    """Raise InputError where the vocabulary is neither WordPiece nor unigram."""
    kind = json.loads(tokenizer.to_str())["model"]["type"]
    if kind not in ("WordPiece", "Unigram"):
        raise InputError(
            f"{source}: a vocabulary of the kind {kind} cannot lose pieces; give an encoder with WordPiece or unigram"
            " pieces, such as BERT's or XLM-R's"
        )


def trim(arguments: Namespace, recipe: Trimming) -> None:
    """The whole step."""
    source: Path = arguments.encoder
    whole = load_tokenizer(source)
    settings = json.loads(read_text(source / "config.json"))
    tokenizer = read_tokenizer(source / "tokenizer.json")
    check_kind(source, tokenizer)
    size = settings["vocab_size"]
    if len(whole) > size:
        raise InputError(
            f"{source}: {len(whole)} pieces in the tokeniser, {size} in the model; give a folder with both from one"
            " source"
        )
    used = counts(tokenizer, lines(arguments.text), size, "text")
    unknown = unknown_piece(tokenizer)
    if not used.any() or (unknown is not None and used[unknown] == used.sum()):
        raise InputError(
            f"{', '.join(arguments.text)}: the tokenizer of {source} knows no piece of this text; give text in its"
            " languages, or another encoder"
        )
    kept = chosen(tokenizer, used, recipe.min_count, whole.pad_token_id)
    smaller = renumbered(tokenizer, kept)
    smaller.encode_special_tokens = True
    held_out = arguments.held_out or arguments.text
    shares = []
    for inner, label in ((tokenizer, "held out, before"), (smaller, "held out, after")):
        found = counts(inner, lines(held_out), size, label)
        name = unknown_piece(inner)
        shares.append(float(found[name] / max(found.sum(), 1)) if name is not None else 0.0)
    told = f"unknown pieces of held-out text: {100 * shares[0]:.2f} % before, {100 * shares[1]:.2f} % after"
    if shares[1] - shares[0] > recipe.max_unknown:
        raise InputError(
            f"{told}, which is more than {100 * recipe.max_unknown:g} % (max_unknown) higher; give text that is more"
            " like what will be read, lower min_count, or use the whole encoder"
        )
    new = {int(old): number for number, old in enumerate(kept)}
    settings |= {name: new[settings[name]] for name in IDS if isinstance(settings.get(name), int)}
    with atomic_folder(arguments.out, last="model.safetensors") as folder:
        saved = trim_weights(source / "model.safetensors", folder / "model.safetensors", size, kept)
        (folder / "config.json").write_text(json.dumps(settings | {"vocab_size": len(kept)}, indent=2) + "\n")
        smaller.encode_special_tokens = False
        PreTrainedTokenizerFast(
            tokenizer_object=smaller,
            model_max_length=whole.model_max_length,
            model_input_names=whole.model_input_names,
            clean_up_tokenization_spaces=False,
            **{name: str(piece) for name, piece in whole.special_tokens_map.items()},
        ).save_pretrained(folder)
        facts = {
            "source": str(source),
            "pieces": len(kept),
            "pieces_before": size,
            "parameters_left_out": saved,
            "unknown": shares[1],
            "unknown_before": shares[0],
            "recipe": recipe.model_dump(),
        }
        (folder / "training.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(f"{len(kept)} of {size} pieces kept, {saved} parameters left out; {told}")


def main() -> None:
    arguments_parser = parser(__doc__, Trimming)
    arguments_parser.add_argument("--encoder", type=Path, required=True, help="folder of the whole encoder")
    arguments_parser.add_argument(
        "--text",
        nargs="+",
        required=True,
        metavar="LANGUAGE=FILE",
        help="whose pieces are kept, a text a line",
    )
    arguments_parser.add_argument(
        "--held-out",
        nargs="+",
        metavar="LANGUAGE=FILE",
        help="on which unknown pieces are counted; when left out: --text",
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="folder of the encoder")
    arguments = arguments_parser.parse_args()
    trim(arguments, read_recipe(arguments.recipe, Trimming))


if __name__ == "__main__":
    quiet()
    run(main)
