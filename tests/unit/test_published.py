"""Multilingual BERT and XLM-R in their published form, and a unigram encoder of ours, from text to predictions."""

import json
import sys
import tempfile
import unicodedata
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from transformers import AutoModel, AutoModelForQuestionAnswering, AutoTokenizer

from benchmarks import published
from tests.conftest import ROOT
from tests.unit import tiny
from workflow_scripts.align import bitext, finetune
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import Annotation, Document, Question, write_documents, write_questions
from workflow_scripts.encoder import checkpoint
from workflow_scripts.files import read_jsonl
from workflow_scripts.markers import MARKERS, PASSAGES, QUESTION
from workflow_scripts.qa import batches, features, heads, predict, tune
from workflow_scripts.qa.contexts import tokenise
from workflow_scripts.qa.windows import cut
from workflow_scripts.recipes.alignment import Alignment
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.tuning import Prediction, Tuning
from workflow_scripts.training.folders import load_model, load_tokenizer
from workflow_scripts.training.loop import optimisers

RESOURCES = ROOT / "resources" / "microworld"
TEXTS = [
    line.partition(":")[2]
    for language in ("en", "ar", "bn", "sw", "ko")
    for line in (RESOURCES / f"{language}.txt").read_text("utf-8").splitlines()
]
LETTERS = "a < b > c / d"  # those of the names of special pieces
PASSAGE = (
    "Ramor  lies on\u00a0the river Tesi; 東京タワー, "
    + unicodedata.normalize("NFD", "라모르시, café")
    + " র\u200d্যাম ড়াকা <s> </s> [SEP] نهر رامور\u200f ."
)
ANSWERS = [  # as they stand in PASSAGE
    "Ramor",
    "river Tesi",
    "東京タワー",
    unicodedata.normalize("NFD", "라모르시"),
    unicodedata.normalize("NFD", "café"),
    "র\u200d্যাম",
    "ড়াকা",
    "</s>",
    "رامور",
]


def take(monkeypatch: pytest.MonkeyPatch, source: Path, out: Path) -> Path:
    """Run the checkpoint step."""
    monkeypatch.setattr(sys, "argv", ["checkpoint", "--source", str(source), "--out", str(out)])
    checkpoint.main()
    return out


@pytest.fixture(scope="module")
def mbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BERT's first 104 pieces, as in the published vocabulary, and a piece for every letter."""
    letters = sorted(set("".join([*TEXTS, PASSAGE])) - set(" \u00a0"))
    unused = [f"[unused{number}]" for number in range(1, 100)]
    pieces = ["[PAD]", *unused, "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    return published.mbert(tmp_path_factory.mktemp("mbert") / "source", pieces, **published.SMALL)


@pytest.fixture(scope="module")
def xlmr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published.xlmr(
        tmp_path_factory.mktemp("xlmr") / "source", [*TEXTS, LETTERS], 1200, **published.SMALL
    )


@pytest.fixture(scope="module", params=["mbert", "xlmr", "unigram"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the workflow goes on with."""
    out = tmp_path_factory.mktemp(request.param) / "encoder"
    if request.param == "unigram":
        return tiny.encoder(out, kind="unigram", texts=[*tiny.TEXTS, PASSAGE])
    with pytest.MonkeyPatch.context() as patch:
        return take(patch, request.getfixturevalue(request.param), out)


def corpus() -> tuple[Document, list[Question]]:
    """A document of three passages, the second full of hazards, and a question for each answer."""
    text = f"First .\n{PASSAGE}\nLast ."
    ends = [7, 8 + len(PASSAGE), len(text)]
    document = Document("d", "en", "T", "", text, ((0, ends[0]), (8, ends[1]), (ends[1] + 1, ends[2])), "d")
    questions = []
    for number, answer in enumerate(ANSWERS):
        at = text.index(answer)
        given = Annotation(1, at, at + len(answer), answer)
        asked = "Which river?" * (1 + number % 2)  # so that windows differ in length
        questions.append(Question(str(number), str(number), "d", "en", asked, (given,)))
    return document, questions


def test_mbert_keeps_its_pieces_and_gives_its_unused_ones(pack, tmp_path, monkeypatch):
    """With the vocabulary of bert-base-multilingual-cased, against the one that TyDi QA's baseline made of it."""
    ours, theirs = (
        (pack / f"vocab/{name}_vocab.txt").read_text("utf-8").split("\n")[:-1]
        for name in ("bert_base_multilingual_cased", "mbert_modified")
    )
    source = published.mbert(tmp_path / "source", ours, **published.SMALL)
    take(monkeypatch, source, tmp_path / "out")
    tokenizer, plain = (AutoTokenizer.from_pretrained(folder) for folder in (tmp_path / "out", source))
    assert [tokenizer.convert_tokens_to_ids(name) for name in MARKERS] == [
        theirs.index(name) for name in MARKERS
    ]
    assert (theirs.index(QUESTION), theirs.index(PASSAGES[0])) == (1, 52)
    assert tokenizer(PASSAGE)["input_ids"] == plain(PASSAGE)["input_ids"]
    assert tokenizer("a", "b")["token_type_ids"] == plain("a", "b")["token_type_ids"] == [0, 0, 0, 1, 1]
    before, after = (AutoModel.from_pretrained(folder).state_dict() for folder in (source, tmp_path / "out"))
    assert after["embeddings.word_embeddings.weight"].shape[0] == 119547
    assert all(torch.equal(weight, after[name]) for name, weight in before.items() if "pooler" not in name)


def test_xlmr_keeps_its_numbers_and_grows_by_the_markers(xlmr, tmp_path, monkeypatch):
    take(monkeypatch, xlmr, tmp_path / "out")
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(xlmr / "sentencepiece.bpe.model"))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    size = len(theirs) + 2
    assert tokenizer.convert_ids_to_tokens([0, 1, 2, 3, size - 1]) == [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "<mask>",
    ]
    assert tokenizer.convert_tokens_to_ids(list(MARKERS)) == list(range(size, size + len(MARKERS)))
    cutting = load_tokenizer(tmp_path / "out")
    for text in (
        *TEXTS[:200:7],
        unicodedata.normalize("NFD", "라모르시는 테시강"),
        "< s > <s> a</s>b <mask>",
    ):
        expected = [number + 1 if number else 3 for number in theirs.encode(text)]  # fairseq's offset
        assert cutting(text, add_special_tokens=False)["input_ids"] == expected, text
    before, after = AutoModel.from_pretrained(xlmr), AutoModel.from_pretrained(tmp_path / "out")
    assert after.config.vocab_size == len(tokenizer) == size + len(MARKERS)
    vectors = "embeddings.word_embeddings.weight"
    assert torch.equal(after.state_dict()[vectors][:size], before.state_dict()[vectors])
    assert tokenizer.model_max_length == 512


def test_features_and_training_read_the_same_vocabulary(encoder):
    trained, raw = load_tokenizer(encoder), features.load_tokenizer(encoder / "tokenizer.json")
    assert features.vocabulary_digest(trained.backend_tokenizer) == features.vocabulary_digest(raw)
    for text in (PASSAGE, *TEXTS[::50]):
        assert (
            trained(text, add_special_tokens=False)["input_ids"]
            == raw.encode(text, add_special_tokens=False).ids
        )
    assert features.unknown_piece(raw) == trained.unk_token_id


def test_taking_an_encoder_twice_changes_nothing(encoder, tmp_path, monkeypatch):
    again = take(monkeypatch, encoder, tmp_path / "again")
    assert (again / "tokenizer.json").read_bytes() == (encoder / "tokenizer.json").read_bytes()


def test_answers_are_exact_in_every_window(encoder):
    document, questions = corpus()
    tokenizer = features.load_tokenizer(encoder / "tokenizer.json")
    contexts = tokenise([document], tokenizer, 45)
    windows, lost = cut(questions, contexts, tokenizer, Features(max_length=96, question_length=16))
    assert not lost
    for window in np.flatnonzero(windows.start >= 0):
        first, last = (windows.first[window] + at[window] for at in (windows.start, windows.end))
        found = document.text[contexts.starts[first] : contexts.ends[last]]
        assert found == ANSWERS[windows.question[window]]
    assert set(windows.question[windows.start >= 0]) == set(range(len(ANSWERS)))
    special = set(load_tokenizer(encoder).all_special_ids) - {features.unknown_piece(tokenizer)}
    assert not special & set(contexts.pieces[contexts.starts >= 0].tolist())


def tuned_on(encoder: Path, folder: Path, **recipe: float) -> Path:
    """Write features (c, w), a model tuned on them (m) and its predictions (p) to `folder`."""
    document, questions = corpus()
    write_documents(folder / "d.parquet", [document])
    write_questions(folder / "q.parquet", questions, {"d": document})
    tokenizer = features.load_tokenizer(encoder / "tokenizer.json")
    contexts = tokenise([document], tokenizer, 45)
    lengths = Features(max_length=96, question_length=16)
    windows, _ = cut(questions, contexts, tokenizer, lengths)
    features.save(folder / "c", contexts, "doc_ids", {})
    features.save(folder / "w", windows, "question_ids", {})
    given = {"contexts": [folder / "c"], "windows": [folder / "w"]}
    arguments = {"encoder": encoder, "seed": 0, "label": "tune", "work": folder / "k", "out": folder / "m"}
    tune.tune(
        Namespace(**given, **arguments, left_out=None, corpora=[]),
        Tuning(precision="fp32", **recipe),
        tune.__name__,
    )
    given |= {"documents": [folder / "d.parquet"], "questions": [folder / "q.parquet"]}
    arguments = {
        "model": folder / "m",
        "pair": [f"en-en={folder / 'p'}"],
        "hide": "nothing",
        "label": "predict",
    }
    arguments |= {"squad": [], "odds": [], "nbest": []}
    predict.predict(Namespace(**given, **arguments), Prediction(precision="fp32"))
    return folder


def logits_of_both(folder: Path) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Start and end logits of two windows by our code, and by transformers' alone, each [2, rows, pieces]; the mask."""
    model = heads.load(folder / "m", "folded").eval()
    parts = batches.read_parts([folder / "c"], [folder / "w"])
    layout = batches.Layout.of(AutoTokenizer.from_pretrained(folder / "m"), model.span)
    lengths = parts[0].lengths()
    batch = batches.collate(
        parts, [(0, int(np.argmin(lengths))), (0, int(np.argmax(lengths)))], layout, "nothing"
    )
    plain = AutoModelForQuestionAnswering.from_pretrained(folder / "m", attn_implementation="eager").eval()
    inputs = {
        name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in batch
    }
    with torch.no_grad():
        ours, theirs = model(batch), plain(**inputs)
    return (
        torch.stack(ours[:2]),
        torch.stack([theirs.start_logits, theirs.end_logits]),
        batch["attention_mask"],
    )


@pytest.fixture(scope="module")
def tuned(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tuned_on(encoder, tmp_path_factory.mktemp("tuned"), steps=4, batch_size=8, matrix_rate=0.01)


def test_a_window_is_framed_as_the_encoder_is_used_to(tuned):
    tokenizer, model = AutoTokenizer.from_pretrained(tuned / "m"), heads.load(tuned / "m", "folded").eval()
    parts = batches.read_parts([tuned / "c"], [tuned / "w"])
    layout = batches.Layout.of(tokenizer, model.span)
    short = int(np.argmin(parts[0].lengths()))
    long = int(np.argmax(parts[0].lengths()))
    batch = batches.collate(parts, [(0, short), (0, long)], layout, "nothing")
    ids, mask = batch["input_ids"], batch["attention_mask"]
    assert (ids[:, 0] == tokenizer.cls_token_id).all()
    assert tokenizer.convert_ids_to_tokens(int(ids[0, 1])) == QUESTION
    assert (ids[0] == tokenizer.sep_token_id).sum() == 2
    assert ids[0, mask[0].sum() - 1] == tokenizer.sep_token_id
    assert (ids[mask == 0] == tokenizer.pad_token_id).all()
    if model.span.config.model_type == "bert":
        separators = (ids[0] == tokenizer.sep_token_id).nonzero().flatten()
        types = batch["token_type_ids"][0]
        assert types[: separators[0] + 1].sum() == 0
        assert types[separators[0] + 1 : separators[1] + 1].all()
        assert types[separators[1] + 1 :].sum() == 0
    else:
        assert "token_type_ids" not in batch

    positions = []
    table = model.span.base_model.embeddings.position_embeddings
    hook = table.register_forward_pre_hook(lambda module, given: positions.append(given[0].clone()))
    with torch.no_grad():
        model(batch)
    hook.remove()
    first = 0 if model.span.config.model_type == "bert" else tokenizer.pad_token_id + 1
    length = int(mask[1].sum())
    assert positions[0][-1, :length].tolist() == list(range(first, first + length))


def test_the_saved_model_gives_the_same_logits_in_transformers(tuned):
    ours, theirs, mask = logits_of_both(tuned)
    assert mask.sum(1).unique().numel() == 2  # one of them is padded
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_predictions_are_stretches_of_one_passage(tuned):
    document, _ = corpus()
    lines = [line for _, line in read_jsonl(tuned / "p")]
    assert len(lines) == len(ANSWERS)
    for line in lines:
        start, end = document.passages[line["passage_answer_index"]]
        span = line["minimal_answer"]
        if line["yes_no_answer"] == "NONE":
            encoded = document.text.encode()
            before = len(encoded[: span["start_byte_offset"]].decode())
            after = len(encoded[: span["end_byte_offset"]].decode())
            assert start <= before < after <= end
            answer = document.text[before:after]
            assert answer == answer.strip()


def test_muon_takes_every_matrix_of_the_blocks_and_no_other(encoder):
    model = heads.from_encoder(encoder, "folded")
    adam, muon = optimisers(model, Tuning(matrix_rate=0.01))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    taken = {names[id(parameter)] for group in muon.param_groups for parameter in group["params"]}
    layers = model.span.config.num_hidden_layers
    assert len(taken) == 6 * layers  # query, key, value, output; up, down
    assert all(".encoder.layer." in name for name in taken)
    rest = {names[id(parameter)] for group in adam.param_groups for parameter in group["params"]}
    assert not taken & rest
    assert taken | rest == set(names.values())


def test_it_can_be_aligned(encoder, tmp_path):
    pairs = [
        ("Mji wa Ramor uko <s> [SEP] .", "The city of Ramor is <s> [SEP] ."),
        ("東京 라모르", "Tokyo Ramor"),
    ]
    (tmp_path / "pairs").write_text("".join(f"{foreign} ||| {english}\n" for foreign, english in pairs))
    (tmp_path / "links").write_text("0-1 2-3 4-5 5-6\n0-0 1-1\n")
    tokenizer = load_tokenizer(encoder)
    (sentence,) = bitext.encode([pairs[0][0].split()], tokenizer, tokenizer.model_max_length)
    assert sentence is not None
    pieces = tokenizer.convert_ids_to_tokens(sentence.pieces.tolist())
    assert (pieces[0], pieces[-1]) == (tokenizer.cls_token, tokenizer.sep_token)
    assert not (set(tokenizer.all_special_tokens) - {tokenizer.unk_token}) & set(pieces[1:-1])
    for word, (first, last) in zip(pairs[0][0].split(), sentence.words, strict=True):
        alone = tokenizer(word, add_special_tokens=False)["input_ids"]
        assert sentence.pieces[first : last + 1].tolist() == alone
    arguments = Namespace(
        encoder=encoder,
        pairs=[f"sw={tmp_path / 'pairs'}"],
        links=[f"sw={tmp_path / 'links'}"],
        work=tmp_path / "work",
        out=tmp_path / "out",
    )
    finetune.finetune(arguments, Alignment(epochs=2, precision="fp32"))
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (encoder / "tokenizer.json").read_bytes()
    aligned = load_model(AutoModel, tmp_path / "out", "folded", ("pooler.",)).state_dict()
    before = load_model(AutoModel, encoder, "folded", ("pooler.",)).state_dict()
    moved = "encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(aligned[moved], before[moved])


def test_a_folder_with_a_sentencepiece_file_only_is_told(xlmr, tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    for file in ("config.json", "model.safetensors", "sentencepiece.bpe.model"):
        (source / file).symlink_to(xlmr / file)
    monkeypatch.setattr(checkpoint, "is_protobuf_available", lambda: False)
    with pytest.raises(
        InputError, match=r"sentencepiece\.bpe\.model without a tokenizer\.json; give a folder"
    ):
        take(monkeypatch, source, tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "key", "value", "sentence"),
    [
        ("tokenizer_config.json", "do_lower_case", True, "turns capitals into small letters"),
        ("tokenizer_config.json", "mask_token", None, "the tokeniser has no mask_token"),
        ("config.json", "pad_token_id", 3, "piece 0 pads in the tokeniser, piece 3 in the model"),
    ],
)
def test_a_tokeniser_that_does_not_go_with_the_model_is_told(
    tmp_path, monkeypatch, file, key, value, sentence
):
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "A", "a"]
    source = published.mbert(tmp_path / "source", pieces, **published.SMALL)
    settings = json.loads((source / file).read_text())
    (source / file).write_text(json.dumps(settings | {key: value}))
    with pytest.raises(InputError, match=sentence):
        take(monkeypatch, source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


TRUE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}


@pytest.fixture
def passing() -> Iterator[Path]:
    """A folder that is removed at once: these hold gigabytes, which pytest would keep."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mbert", "xlmr"])
def test_an_encoder_of_the_true_shape_is_tuned_and_answers(name, request, passing, monkeypatch):
    """12 layers of 768; mBERT's 119,547 pieces, and as many as XLM-R's 250,002, though most are never used."""
    if name == "mbert":
        file = request.getfixturevalue("pack") / "vocab/bert_base_multilingual_cased_vocab.txt"
        source = published.mbert(passing / "source", file.read_text("utf-8").split("\n")[:-1], **TRUE)
    else:
        size = len(AutoTokenizer.from_pretrained(request.getfixturevalue("xlmr")))
        source = published.xlmr(passing / "source", [*TEXTS, LETTERS], 1200, unused=250002 - size, **TRUE)
    encoder = take(monkeypatch, source, passing / "encoder")
    config = json.loads((encoder / "config.json").read_text())
    assert config["vocab_size"] == {"mbert": 119547, "xlmr": 250002 + len(MARKERS)}[name]
    folder = tuned_on(encoder, passing, steps=1, batch_size=2)
    ours, theirs, _ = logits_of_both(folder)
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert len(list(read_jsonl(folder / "p"))) == len(ANSWERS)
