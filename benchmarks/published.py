"""Folders in the very form in which multilingual BERT and XLM-R are published, with random weights."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import sentencepiece
import torch
from safetensors.torch import save_file
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from transformers import BertConfig, BertForPreTraining, XLMRobertaConfig, XLMRobertaForMaskedLM

SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


def mbert(folder: Path, pieces: Sequence[str], **shape: int) -> Path:
    """bert-base-multilingual-cased's files with these pieces; `shape` for another one than the true 12 x 768."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), "utf-8")
    tokenizer = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(
        *(("[SEP]", pieces.index("[SEP]")), ("[CLS]", pieces.index("[CLS]")))
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"do_lower_case": False, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    torch.manual_seed(0)
    model = BertForPreTraining(BertConfig(vocab_size=len(pieces), **shape))
    write(
        folder,
        model,
        "BertForMaskedLM",
        {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"},
    )
    return folder


def xlmr(folder: Path, texts: Sequence[str], size: int, unused: int = 0, **shape: int) -> Path:
    """xlm-roberta-base's files, its pieces numbered one higher than in their own file.

    At most `size` pieces are learned from `texts`; to these come as many `unused` ones, which no text has.
    """
    folder.mkdir()
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=written,
        vocab_size=size - 2,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "sentencepiece.bpe.model").write_bytes(written.getvalue())
    model = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    learned = [(model.id_to_piece(n), model.get_score(n)) for n in range(3, len(model))]
    learned += [(f"unused {number}", -20.0) for number in range(unused)]
    special = [(name, 0.0) for name in ("<s>", "<pad>", "</s>", "<unk>")]
    tokenizer = Tokenizer(models.Unigram([*special, *learned, ("<mask>", 0.0)], unk_id=3))
    names = [AddedToken(name, normalized=False) for name, _ in special]
    tokenizer.add_special_tokens([*names, AddedToken("<mask>", lstrip=True, normalized=False)])
    table = Path(sentencepiece.__file__).parent / "package_data" / "nmt_nfkc.bin"
    tokenizer.normalizer = normalizers.Precompiled(table.read_bytes())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["<s>", "$A", "</s>"],
        pair=["<s>", "$A", "</s>", "</s>", "$B", "</s>"],
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 512}))
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        **shape,
    )
    write(folder, XLMRobertaForMaskedLM(config), "XLMRobertaForMaskedLM", {})
    return folder


def write(folder: Path, model: torch.nn.Module, architecture: str, names: dict[str, str]) -> None:
    """config.json and weights of a model with its heads, under the `names` that the published files have."""
    model.config.architectures = [architecture]
    model.config.save_pretrained(folder)
    weights = {}
    for name, weight in model.state_dict().items():
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        weights[name] = weight.clone()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
