"""A very small encoder folder, made in a second, for tests that need a real one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from workflow_scripts.encoder.pretrain import make_model
from workflow_scripts.encoder.vocabulary import learn
from workflow_scripts.recipes.pretraining import Architecture, Pretraining, Vocabulary

# In front of a script or -m: two processes on processors.  `accelerate launch --cpu` starts one, whatever it is told.
TWO_PROCESSES = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
TEXTS = [
    "0 1 2 3 4 5 Which ? long Mito Lora Sako Ruzo",
    "The city of Ramor lies on the river Tesi .",
    "라모르시는 테시강 기슭에 자리하고 있다 .",
    "Mji wa Ramor uko kando ya mto Tesi .",
]


def encoder(
    folder: Path,
    kind: Literal["wordpiece", "unigram"] = "wordpiece",
    texts: Sequence[str] = TEXTS,
    size: int = 200,
    length: int = 96,
) -> Path:
    """Write an encoder with random weights and a vocabulary of `texts` to `folder` and return it.

    It has `size` pieces and reads `length` at once.
    """
    recipe = Pretraining(
        max_length=length,
        vocabulary=Vocabulary(kind=kind, size=size),
        architecture=Architecture(hidden_size=16, layers=2, heads=2, intermediate_size=32, max_length=length),
    )
    tokenizer = learn(texts, recipe.vocabulary)
    tokenizer.model_max_length = recipe.architecture.max_length
    torch.manual_seed(0)
    make_model(recipe, tokenizer, torch.zeros(len(tokenizer))).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
