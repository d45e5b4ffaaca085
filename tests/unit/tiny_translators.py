"""Models in the forms in which NLLB, M2M-100, OPUS-MT and MADLAD-400 are published, with random weights.

Their tokenisers are learned from a few sentences, and saved as their authors' folders hold them.
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import sentencepiece
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    NllbTokenizer,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

TEXTS = [
    "The city of Ramor lies on the river Tesi.",
    "How many people live in the city?",
    "مدينة رامور تقع على نهر تيسي.",
    "كم عدد سكان المدينة؟",
    "रामोर शहर तेसी नदी के किनारे बसा है।",
    "शहर में कितने लोग रहते हैं?",
]
SHAPE = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
}


def learn(own: Sequence[str] = (), size: int = 120) -> tuple[bytes, list[str]]:
    """A sentencepiece model of the texts, with pieces of one's own, and all its pieces."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=written,
        vocab_size=size,
        hard_vocab_limit=False,
        user_defined_symbols=list(own),
        minloglevel=2,
    )
    content = written.getvalue()
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    return content, [processor.id_to_piece(n) for n in range(len(processor))]


def save(model: PreTrainedModel, folder: Path) -> Path:
    """Write the model with weights so large that every text is answered otherwise, and no two answers are near ties."""
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and "position" not in name:
            torch.nn.init.normal_(parameter, std=0.3 if "embed" in name or "shared" in name else 1.0)
    with torch.no_grad():
        model.get_input_embeddings().weight[model.config.pad_token_id] = 0  # as training leaves it
    model.save_pretrained(folder)
    return folder


def m2m100(folder: Path) -> Path:
    """facebook/m2m100_418M's files."""
    folder.mkdir()
    content, pieces = learn()
    (folder / "sentencepiece.bpe.model").write_bytes(content)
    own = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = own + [piece for piece in pieces if piece not in own]
    (folder / "vocab.json").write_text(json.dumps({piece: n for n, piece in enumerate(vocabulary)}))
    M2M100Tokenizer(
        str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"), model_max_length=1024
    ).save_pretrained(folder)
    config = M2M100Config(vocab_size=len(vocabulary) + 100 + 8, max_position_embeddings=1024, **SHAPE)
    return save(M2M100ForConditionalGeneration(config), folder)


def nllb(folder: Path) -> Path:
    """facebook/nllb-200-distilled-600M's files."""
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=120, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False
    )
    learned.train_from_iterator(TEXTS, trainer)
    model = json.loads(learned.to_str())["model"]
    tokenizer = NllbTokenizer(
        vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]], model_max_length=1024
    )
    tokenizer.save_pretrained(folder)
    config = M2M100Config(vocab_size=len(tokenizer), max_position_embeddings=1024, **SHAPE)
    return save(M2M100ForConditionalGeneration(config), folder)


def opus(folder: Path, targets: Sequence[str] = (), target: str = "ar") -> Path:
    """Helsinki-NLP/opus-mt-en-ar's files, or those of a model with several `targets` such as >>ara<<."""
    folder.mkdir()
    content, pieces = learn()
    for side in ("source", "target"):
        (folder / f"{side}.spm").write_bytes(content)
    own = ["</s>", "<unk>"]
    vocabulary = [*own, *(piece for piece in pieces if piece not in (*own, "<s>")), *targets, "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({piece: n for n, piece in enumerate(vocabulary)}))
    MarianTokenizer(
        str(folder / "source.spm"),
        str(folder / "target.spm"),
        str(folder / "vocab.json"),
        source_lang="en",
        target_lang="mul" if targets else target,
    ).save_pretrained(folder)
    pad = vocabulary.index("<pad>")
    config = MarianConfig(
        vocab_size=len(vocabulary),
        max_position_embeddings=64,
        pad_token_id=pad,
        eos_token_id=0,
        forced_eos_token_id=0,
        decoder_start_token_id=pad,
        **SHAPE,
    )
    made = MarianMTModel(config)
    made.generation_config.bad_words_ids = [[pad]]  # as in the published folders
    return save(made, folder)


def madlad(folder: Path) -> Path:
    """google/madlad400-3b-mt's files."""
    folder.mkdir()
    content, pieces = learn(["<2en>", "<2ar>", "<2hi>"])
    (folder / "spiece.model").write_bytes(content)
    settings = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "pad_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    config = T5Config(
        vocab_size=len(pieces),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_decoder_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=0,
    )
    return save(T5ForConditionalGeneration(config), folder)
