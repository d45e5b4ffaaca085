"""Pre-train an encoder from scratch: learn a vocabulary, then predict masked pieces of monolingual text.

At this size an encoder first learns how frequent each piece is and may stay on that plateau for the whole run.
Four things take it off within some hundred steps: RobertaPreLayerNorm's shape; an output bias that starts at the log
frequency of each piece; positions that start as sinusoids, and first heads that start by looking at neighbours; and
first steps that see the beginnings of documents only.  Documents are laid at random positions, so that all are trained.
Only masked positions go through the output layer.  The result is a Hugging Face folder; the run fails when the accuracy
of the masked pieces in held-out documents stays under the recipe's floor.
"""

import json
import math
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    PreTrainedTokenizerFast,
    RobertaPreLayerNormConfig,
    RobertaPreLayerNormForMaskedLM,
    set_seed,
)

from workflow_scripts.cli import InputError, parser, read_recipe, run
from workflow_scripts.encoder.vocabulary import learn
from workflow_scripts.files import atomic_folder, read_lines
from workflow_scripts.recipes.pretraining import Pretraining
from workflow_scripts.staleness import code_hash
from workflow_scripts.training.attention import kernel
from workflow_scripts.training.batch import Batch
from workflow_scripts.training.device import mixed_precision, quiet
from workflow_scripts.training.loop import fingerprint, finish, train
from workflow_scripts.training.masked import generator, hide, masked_lm, masked_logits, pad
from workflow_scripts.training.order import Order
from workflow_scripts.training.work_folder import check_owned, locked

SHARPNESS = 8.0


def frequencies(width: int) -> Tensor:
    """Radians a position of each pair of sine and cosine, fastest first, [width / 2]."""
    return 100 ** (-torch.arange(0, width, 2) / width)


def sinusoids(length: int, width: int) -> Tensor:
    """Position vectors [length, width] after Vaswani et al. 2017, of unit variance.

    The longest wave is 100 times the shortest, not 10,000 times: over some hundred positions the longer ones stand
    still and tell nothing.
    """
    angles = torch.arange(length)[:, None] * frequencies(width)
    return math.sqrt(2) * torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :width]


def look_at_neighbours(attention: nn.Module, speeds: Tensor) -> None:
    """Set a block's queries and keys so that its heads begin by looking 1 back, 1 ahead, 2 back, 2 ahead, and so on.

    `speeds` [width / 2] are those of `sinusoids`.  A head compares the fastest waves of two positions after turning
    those of the key by the head's distance; the match then leads by about SHARPNESS before the softmax.
    """
    size = attention.attention_head_size
    gain = math.sqrt(SHARPNESS * math.sqrt(size) / (size / 2))
    for weight in (attention.query.weight, attention.key.weight):
        weight.zero_()
    for head in range(attention.num_attention_heads):
        distance = (head // 2 + 1) * (1 if head % 2 == 0 else -1)
        rows = slice(head * size, (head + 1) * size)
        attention.query.weight[rows, :size] = gain * torch.eye(size)
        turn = distance * speeds[: size // 2]
        blocks = torch.stack([turn.cos(), turn.sin(), -turn.sin(), turn.cos()], -1).view(-1, 2, 2)
        attention.key.weight[rows, :size] = gain * torch.block_diag(*blocks)


def guide(encoder: nn.Module, pad_id: int) -> None:
    """Give an encoder sinusoid positions and first heads that look at neighbours."""
    config = encoder.config
    attention = encoder.encoder.layer[0].attention.self
    look_at_neighbours(attention, frequencies(config.hidden_size))
    # left to the positions that heads compare
    encoder.embeddings.word_embeddings.weight[:, : attention.attention_head_size] = 0
    positions = encoder.embeddings.position_embeddings.weight
    waves = sinusoids(len(positions) - pad_id - 1, config.hidden_size)
    positions[pad_id + 1 :] = waves * config.initializer_range


def make_model(
    recipe: Pretraining, tokenizer: PreTrainedTokenizerFast, counts: Tensor
) -> RobertaPreLayerNormForMaskedLM:
    """A model with initial weights; `counts` [vocabulary] says how often each piece occurs in the training text."""
    shape = recipe.architecture
    config = RobertaPreLayerNormConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.intermediate_size,
        hidden_dropout_prob=shape.dropout,
        attention_probs_dropout_prob=shape.dropout,
        max_position_embeddings=shape.max_length + tokenizer.pad_token_id + 1,
        type_vocab_size=1,
        initializer_range=shape.initial_range,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
    )
    model = RobertaPreLayerNormForMaskedLM._from_config(config, attn_implementation=kernel(recipe.attention))
    with torch.no_grad():
        if recipe.start == "guided":
            guide(model.base_model, tokenizer.pad_token_id)
        smoothed = (counts + 1) / (counts + 1).sum()
        model.lm_head.bias.copy_(smoothed.log())
    return model


def read_texts(files: Sequence[str], max_documents: int | None) -> dict[str, list[str]]:
    """Non-blank lines (documents) by language from `language=file` arguments; files of one language are joined."""
    texts: dict[str, list[str]] = {}
    for argument in files:
        language, _, file = argument.partition("=")
        if not file:
            raise InputError(f"--text {argument}: give language=file")
        texts.setdefault(language, []).extend(line for line in read_lines(file) if line.strip())
    return {language: lines[:max_documents] for language, lines in texts.items()}


def masker(
    tokenizer: PreTrainedTokenizerFast, share: float, positions: int
) -> Callable[[Sequence[np.ndarray], Sequence[int]], Batch]:
    """A function that turns documents into a masked batch, given a seed (Devlin et al. 2019).

    Every document begins at a random one of the encoder's `positions`, so that all of them are trained, however short
    the documents.
    """

    def masked(rows: Sequence[np.ndarray], seed: Sequence[int]) -> Batch:
        random = generator(seed)
        ids, mask = pad(rows, tokenizer.pad_token_id)
        ids, labels = hide(ids, tokenizer, share, random)
        room = positions - mask.sum(1)
        offset = (torch.rand(len(rows), generator=random) * (room + 1)).long()
        return {
            "position_ids": (mask.cumsum(1) + offset[:, None]) * mask + tokenizer.pad_token_id,
            "input_ids": ids,
            "attention_mask": mask,
            "labels": labels,
        }

    return masked


def held_out_accuracy(model: nn.Module, batches: Sequence[Batch], precision: str) -> float:
    """Share of masked pieces predicted rightly over all batches."""
    right = total = 0
    device = next(model.parameters()).device
    bf16 = mixed_precision(precision) == "bf16"
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        for batch in batches:
            logits, labels = masked_logits(model, {name: tensor.to(device) for name, tensor in batch.items()})
            right += int((logits.argmax(-1) == labels).sum())
            total += len(labels)
    return right / total


def pretrain(arguments: Namespace, recipe: Pretraining) -> None:
    """The whole step: vocabulary, initial model, training, accuracy check, folder."""
    texts = read_texts(arguments.text, recipe.max_documents)
    documents = [line for lines in texts.values() for line in lines]
    if len(documents) <= recipe.held_out:
        raise InputError(
            f"--text: {len(documents)} documents, but {recipe.held_out} (held_out) are kept back; give more text"
        )
    print("learning the vocabulary")
    tokenizer = learn(documents, recipe.vocabulary)
    tokenizer.model_max_length = recipe.architecture.max_length
    tokenizer.backend_tokenizer.encode_special_tokens = True  # "[SEP]" in a document is text
    inner = recipe.max_length - 2
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    rows: list[list[np.ndarray]] = []  # by document, so that no document is both trained on and held out
    for encoding in tokenizer.backend_tokenizer.encode_batch_fast(documents, add_special_tokens=False):
        ids = np.asarray(encoding.ids, dtype=np.int32)
        chunks = [ids[at : at + inner] for at in range(0, len(ids), inner)]
        rows.append([np.concatenate([[cls], chunk, [sep]]) for chunk in chunks])
    shuffled = np.random.default_rng(recipe.seed).permutation(len(rows))
    held_out = [chunk for number in shuffled[: recipe.held_out] for chunk in rows[number]]
    training = [chunk for number in shuffled[recipe.held_out :] for chunk in rows[number]]
    counts = np.bincount(np.concatenate(training), minlength=len(tokenizer))
    print(f"{len(documents)} documents, {counts.sum()} pieces, vocabulary of {len(tokenizer)}")

    set_seed(recipe.seed)
    model = make_model(recipe, tokenizer, torch.from_numpy(counts).float())
    masked = masker(tokenizer, recipe.mask_share, recipe.architecture.max_length)
    order = Order(np.array([len(row) for row in training]), recipe.batch_size, recipe.seed)
    short_steps = round(recipe.short_share * recipe.steps)

    def batch(step: int) -> list[Batch]:
        longest = recipe.short_length if step < short_steps else recipe.max_length
        return [masked([training[row][:longest] for row in order.rows(step)], (recipe.seed, step))]

    summary = train(
        model,
        batch,
        masked_lm,
        steps=recipe.steps,
        recipe=recipe,
        seed=recipe.seed,
        work=arguments.work,
        identity=fingerprint(
            recipe.model_dump_json(),
            code_hash(__spec__.name),
            [text.partition("=")[2] for text in arguments.text],
        ),
        label="pretrain",
    )
    parts = [held_out[at : at + recipe.batch_size] for at in range(0, len(held_out), recipe.batch_size)]
    batches = [masked(part, (recipe.seed, 2**31 + number)) for number, part in enumerate(parts)]
    accuracy = held_out_accuracy(model, batches, recipe.precision)
    print(f"masked accuracy on {recipe.held_out} held-out documents: {accuracy:.3f}")
    if accuracy < recipe.min_masked_accuracy:
        raise InputError(
            f"masked accuracy is {accuracy:.3f}, under min_masked_accuracy {recipe.min_masked_accuracy}: the encoder"
            " has not learned to read; give it more steps or text, or lower the floor if you mean to go on"
        )
    check_owned(arguments.work)
    with atomic_folder(arguments.out, last="model.safetensors") as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        (folder / "training.json").write_text(
            json.dumps({**summary, "masked_accuracy": accuracy, "recipe": recipe.model_dump()}, indent=1)
            + "\n"
        )
    finish(arguments.work)


def main() -> None:
    arguments_parser = parser(__doc__, Pretraining)
    arguments_parser.add_argument(
        "--text", nargs="+", required=True, metavar="LANGUAGE=FILE", help="one document a line"
    )
    arguments_parser.add_argument(
        "--work", type=Path, required=True, help="folder for checkpoints of this run"
    )
    arguments_parser.add_argument("--out", type=Path, required=True, help="folder of the encoder")
    arguments = arguments_parser.parse_args()
    recipe = read_recipe(arguments.recipe, Pretraining)
    with locked(arguments.work) as arguments.work:
        pretrain(arguments, recipe)


if __name__ == "__main__":
    quiet()
    run(main)
