"""Vocabularies learned from text: XLM-R's numbers, sentencepiece's own pieces, equal bytes, text that stays text."""

import hashlib
import os
import subprocess
import sys

import pytest
import sentencepiece

from tests.conftest import ROOT
from workflow_scripts.cli import InputError
from workflow_scripts.encoder import unigram
from workflow_scripts.encoder.vocabulary import learn
from workflow_scripts.markers import MARKERS
from workflow_scripts.recipes.pretraining import Vocabulary

TEXTS = [
    line.partition(":")[2]
    for language in ("en", "ar", "bn", "ko")
    for line in (ROOT / "resources" / "microworld" / f"{language}.txt").read_text("utf-8").splitlines()
]


@pytest.fixture(scope="module")
def learned():
    """A unigram vocabulary, and sentencepiece's own model of it."""
    kept = []

    class Keep(sentencepiece.SentencePieceProcessor):
        def __init__(self, **given):
            super().__init__(**given)
            kept.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unigram, "SentencePieceProcessor", Keep)
        tokenizer = learn(TEXTS, Vocabulary(kind="unigram", size=900))
    return tokenizer, kept[0]


def test_pieces_are_numbered_as_xlmrs(learned):
    tokenizer, _ = learned
    size = len(tokenizer)
    assert 600 < size <= 900
    assert tokenizer.convert_ids_to_tokens([0, 1, 2, 3]) == ["<s>", "<pad>", "</s>", "<unk>"]
    assert tokenizer.convert_ids_to_tokens(list(range(size - 48, size))) == ["<mask>", *MARKERS]
    ids = (tokenizer.cls_token_id, tokenizer.pad_token_id, tokenizer.sep_token_id, tokenizer.unk_token_id)
    assert ids == (0, 1, 2, 3)
    assert tokenizer.mask_token_id == size - 48
    assert tokenizer("a", "b").tokens().count("</s>") == 2  # one between the parts, as in a window


def test_text_is_cut_as_sentencepiece_cuts_it(learned):
    tokenizer, model = learned
    for text in [*TEXTS, "Ramor,2024 ramorX"]:
        assert tokenizer.tokenize(text) == model.encode(text, out_type=str), text


@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_names_of_special_pieces_in_text_are_text(kind):
    text = "<s> a<mask>b </s> [Q] [ContextId=1] <unk> [SEP] ＜pad＞ ▅"
    tokenizer = learn([text] * 20, Vocabulary(kind=kind, size=150))
    inner = tokenizer.backend_tokenizer
    inner.encode_special_tokens = True
    # "▅" is sentencepiece's own sign, the only character that gets no piece
    special = set(tokenizer.all_special_ids) | set(tokenizer.convert_tokens_to_ids(list(MARKERS)))
    if kind == "unigram":
        special -= {tokenizer.unk_token_id}
    encoding = inner.encode(text, add_special_tokens=False)
    assert not special & set(encoding.ids)
    unknown = [text[slice(*place)] for place, n in zip(encoding.offsets, encoding.ids, strict=True) if n == 3]
    assert kind == "wordpiece" or unknown == ["▅"]


@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_every_process_learns_the_same_bytes(kind):
    program = (
        "import sys; from tests.unit.test_vocabulary import *;"
        "made = learn(TEXTS, Vocabulary(kind=sys.argv[1], size=900)).backend_tokenizer.to_str();"
        "print(hashlib.sha256(made.encode()).hexdigest())"
    )
    here = learn(TEXTS, Vocabulary(kind=kind, size=900)).backend_tokenizer.to_str()
    there = subprocess.run(
        [sys.executable, "-c", program, kind],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "5", "RAYON_NUM_THREADS": "3", "OMP_NUM_THREADS": "3"},
    )
    assert there.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_a_size_without_room_for_words_is_told(kind):
    with pytest.raises(
        InputError, match=r"alone make \d{3} pieces; vocabulary\.size 120 must leave room for words"
    ):
        learn(TEXTS, Vocabulary(kind=kind, size=120))
