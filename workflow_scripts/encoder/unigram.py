"""A SentencePiece unigram vocabulary (Kudo 2018) in XLM-R's manner, learned from the pre-training text.

Pieces are numbered as XLM-R's: `<s>` 0, `<pad>` 1, `</s>` 2, `<unk>` 3, the learned pieces, `<mask>`; then come the
markers of QA inputs, which a genuine XLM-R also gets at the end.  The sentencepiece package learns them; the tokenizers
package applies them, with the place of every piece in the text.

The text is normalised by NFKC, as XLM-R's is by sentencepiece's nmt_nfkc, but not with the latter's table.  It turns
zero-width non-joiners and direction marks into blanks, which cuts words of Indic and Arabic scripts in two; and
tokenizers applies it to clusters of at most five bytes only, so that decomposed Hangul and kana, which sentencepiece
composes, would become unknown pieces.  Control and format characters are dropped instead, as BERT's are, and NFKC is
that of the tokenizers package, which says for every character where it comes from.
"""

import io
import re
from collections.abc import Sequence

from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from workflow_scripts.markers import MARKERS

BEGIN, PAD, END, UNKNOWN, MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
RESERVED = "\u2585"  # ▅: sentencepiece leaves out texts with it, because it means an unknown piece there
LONGEST = 2**30  # bytes of a text; it leaves out longer ones, too


def split_names(names: Sequence[str]) -> pre_tokenizers.PreTokenizer:
    """A pre-tokeniser that cuts text which spells a special piece behind its first character, and nothing else.

    Special pieces stand in the list of a unigram model like any other, and the library finds them in text, which
    sentencepiece does not: "<s>" in a document would open a sequence.
    """
    pattern = "|".join(f"{re.escape(name[0])}(?={re.escape(name[1:])})" for name in names)
    return pre_tokenizers.Split(Regex(pattern), "merged_with_previous")


def with_pieces(pieces: Sequence[tuple[str, float]]) -> Tokenizer:
    """A tokeniser with these pieces and their log probabilities, the special ones from number 0 on and at the end."""
    tokenizer = Tokenizer(models.Unigram(list(pieces), unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [
            # the sign that stands for a blank in pieces, and the zero-width space, which clean_text would drop
            normalizers.Replace(Regex("[\u2581\u200b]"), " "),
            normalizers.BertNormalizer(
                clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False
            ),
            normalizers.NFKC(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(),
            split_names([BEGIN, PAD, END, UNKNOWN, MASK]),
        ]
    )
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def learn(texts: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """Learn `size` pieces from `texts`; every character but ▅ gets a piece, though they be more than `size`."""
    special = [(BEGIN, 0.0), (PAD, 0.0), (END, 0.0), (UNKNOWN, 0.0)]
    apart = [MASK, *MARKERS]  # kept from being learned as words
    normalizer = with_pieces(special).normalizer
    normalised = [normalizer.normalize_str(text).replace(RESERVED, " ") for text in texts]
    alphabet = set().union(*normalised) - {" "} | {"▁"}
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(normalised),
        model_writer=written,
        model_type="unigram",
        vocab_size=max(size, len(special) + len(apart) + len(alphabet)),
        hard_vocab_limit=False,  # a small text has fewer
        character_coverage=1.0,
        # also those of words that spell special pieces, which it passes over
        required_chars="".join(sorted(alphabet)),
        normalization_rule_name="identity",
        bos_id=0,
        pad_id=1,
        eos_id=2,
        unk_id=3,
        control_symbols=apart,
        max_sentence_length=LONGEST,
        num_threads=1,  # sums of fractions depend on how many share the work
        minloglevel=2,
    )
    model = SentencePieceProcessor(model_proto=written.getvalue())
    learned = [
        (model.id_to_piece(number), model.get_score(number))
        for number in range(len(special), len(model))
        if not model.is_control(number)
    ]
    tokenizer = with_pieces([*special, *learned, (MASK, 0.0)])
    tokenizer.add_special_tokens(list(MARKERS))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[BEGIN, "$A", END],
        pair=[BEGIN, "$A", END, "$B", END],
        special_tokens=[(BEGIN, 0), (END, 2)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        cls_token=BEGIN,
        pad_token=PAD,
        eos_token=END,
        sep_token=END,
        unk_token=UNKNOWN,
        mask_token=MASK,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    )
