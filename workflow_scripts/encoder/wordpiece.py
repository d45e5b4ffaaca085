"""A WordPiece vocabulary in multilingual BERT's manner, learned from the pre-training text, and the markers.

The pieces are cased and keep accents: stripping them would delete the vowel signs of Indic scripts.  `[Q]` opens a
question, `[ContextId=N]` passage N, as in TyDi QA's baseline.
"""

from collections.abc import Sequence

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from workflow_scripts.markers import MARKERS

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def empty(vocabulary: dict[str, int] | None = None) -> Tokenizer:
    """A WordPiece tokeniser that cuts text as multilingual BERT does, with the pieces of `vocabulary`."""
    tokenizer = Tokenizer(models.WordPiece(vocabulary or {}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.BertNormalizer(strip_accents=False, lowercase=False)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def inner_letters(texts: Sequence[str], tokenizer: Tokenizer) -> list[str]:
    """Every character that stands inside a word, as the piece "##c", in code-point order."""
    letters: set[str] = set()
    for text in texts:
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text)):
            letters.update(word[1:])
    return [f"##{letter}" for letter in sorted(letters)]


def learn(texts: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """Learn `size` pieces from `texts`; every character of the texts gets a piece, though they be more than `size`.

    The library numbers the pieces "##c" in the order of a hash table, and that order decides between equally frequent
    merges.  They are therefore handed to it with fixed numbers, so that the same texts always give the same vocabulary.
    """
    learning = empty()
    fixed = [*SPECIAL, *MARKERS, *inner_letters(texts, learning)]
    learning.train_from_iterator(
        texts,
        trainers.WordPieceTrainer(
            vocab_size=size, special_tokens=fixed, limit_alphabet=size, show_progress=False
        ),
    )
    tokenizer = empty(learning.get_vocab())
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        clean_up_tokenization_spaces=False,
    )
