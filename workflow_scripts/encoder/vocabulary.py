"""The vocabulary that an encoder pretrained here reads with, learned from its pre-training text."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerFast

from workflow_scripts.cli import InputError
from workflow_scripts.encoder import unigram, wordpiece
from workflow_scripts.recipes.pretraining import Vocabulary


def learn(texts: Sequence[str], recipe: Vocabulary) -> PreTrainedTokenizerFast:
    """At most `recipe.size` pieces learned from `texts`, the markers of QA inputs among them.

    Every character of the texts gets a piece, and the same texts give the same bytes.  Raises InputError where the
    characters alone are more than `recipe.size`.
    """
    tokenizer = {"wordpiece": wordpiece, "unigram": unigram}[recipe.kind].learn(texts, recipe.size)
    if len(tokenizer) > recipe.size:
        raise InputError(
            f"the characters of the text alone make {len(tokenizer)} pieces; vocabulary.size {recipe.size} must leave"
            " room for words: give twice as many"
        )
    return tokenizer
