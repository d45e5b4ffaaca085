"""Training an encoder to link words: its objectives against awesome-align's own, and the step as a whole."""

import os
import random
import signal
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM

from benchmarks import published
from tests.unit import tiny
from workflow_scripts.align import linker, linker_losses
from workflow_scripts.align.neural import Linker
from workflow_scripts.cli import InputError
from workflow_scripts.encoder import checkpoint
from workflow_scripts.recipes.linker import LinkerTraining
from workflow_scripts.training.folders import load_encoder, load_tokenizer
from workflow_scripts.training.masked import IGNORED

LAYER = 2
LETTERS = "abcdefghijklmnopqrstuvwxyz"
# softmaxes as sharp as a trained encoder's, and dropout, which the step's own tests want
SHAPE = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
SHAPE |= {"initializer_range": 0.3, "max_position_embeddings": 60}
OBJECTIVES = [("so",), ("co",), ("mlm",), ("tlm",), ("tlm_full",), ("psi",)]
EVERY = ("mlm", "tlm", "tlm_full", "so", "psi", "co")


def sentences(count: int = 12) -> list[tuple[list[str], list[str]]]:
    """Pairs of random words, of many lengths."""
    dice = random.Random(1)

    def sentence() -> list[str]:
        return ["".join(dice.choices(LETTERS, k=dice.randint(1, 4))) for _ in range(dice.randint(1, 9))]

    return [(sentence(), sentence()) for _ in range(count)]


def write(path: Path, pairs: list[tuple[list[str], list[str]]]) -> str:
    path.write_text("".join(f"{' '.join(a)} ||| {' '.join(b)}\n" for a, b in pairs), "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def mbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{c}" for c in LETTERS)]
    pieces += [f"{a}{b}" for a in LETTERS[:8] for b in LETTERS]
    return published.mbert(tmp_path_factory.mktemp("mbert") / "encoder", pieces, **SHAPE)


@pytest.fixture(scope="module")
def xlmr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [" ".join(side) for pair in sentences(300) for side in pair]
    return published.xlmr(
        tmp_path_factory.mktemp("xlmr") / "encoder",
        texts,
        300,
        **{key: value for key, value in SHAPE.items() if key != "max_position_embeddings"},
    )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [" ".join(side) for pair in sentences(300) for side in pair]
    return tiny.encoder(tmp_path_factory.mktemp("ours") / "encoder", texts=texts)


def trainee_of(folder: Path) -> linker_losses.Trainee:
    """In float64 and without dropout."""
    torch.manual_seed(2)
    model, headed = load_encoder(folder, "sdpa")
    assert headed
    return linker_losses.Trainee(model).double().eval()


def corpus_of(folder: Path, tmp_path: Path, links: str | None = None) -> linker.Corpus:
    file = write(tmp_path / "pairs", sentences())
    corpus = linker.Corpus()
    assert linker.read_language("sw", file, links, load_tokenizer(folder), 25, corpus) == []
    return corpus


def recipe_of(chosen: tuple[str, ...], **more: object) -> LinkerTraining:
    return LinkerTraining.model_validate(
        {"objectives": chosen, "threshold": 0.03, "mask_share": 0.3, "layer": 1 if chosen == EVERY else LAYER}
        | more
    )


def batch_of(
    folder: Path, corpus: linker.Corpus, recipe: LinkerTraining, rows: range = range(12)
) -> linker_losses.Batch:
    return linker.Collator(corpus, load_tokenizer(folder), recipe).batch(np.array(rows), step=5)


def awesome(trainee: linker_losses.Trainee) -> torch.nn.Module:
    """awesome-align's model with the same weights."""
    pytest.importorskip("awesome_align")
    from awesome_align import modeling
    from awesome_align.configuration_bert import BertConfig

    modeling.PAD_ID, modeling.CLS_ID, modeling.SEP_ID = 0, 2, 3
    names = (*SHAPE, "layer_norm_eps")
    config = BertConfig(**{name: getattr(trainee.model.config, name) for name in names})
    config.vocab_size = trainee.model.config.vocab_size
    model = modeling.BertForMaskedLM(config).double().eval()
    weights = {**trainee.model.state_dict()}
    for name, theirs in (("0", "transform"), ("2", "decoder")):
        for kind in ("weight", "bias"):
            weights[f"psi_cls.{theirs}.{kind}"] = trainee.psi.state_dict()[f"{name}.{kind}"]
    weights["psi_cls.bias"] = weights["psi_cls.decoder.bias"]
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not missing
    assert all("pooler" in name for name in unexpected)
    # BERT's output layer is its table of pieces; they train two copies of it
    model.cls.predictions.decoder.weight = model.bert.embeddings.word_embeddings.weight
    return model


def awesome_loss(
    model: torch.nn.Module, batch: linker_losses.Batch, corpus: linker.Corpus, recipe: LinkerTraining
) -> torch.Tensor:
    """What their training loop backpropagates, piece by piece, for our batch."""
    total = torch.zeros((), dtype=torch.float64)
    pairs = len(batch["input_ids"]) // 2
    sides = []
    for side in (batch["input_ids"][:pairs], batch["input_ids"][pairs:]):
        sides.append(side[:, : int((side != 0).sum(1).max())])
    chosen = set(recipe.objectives)
    if chosen & {"so", "co"}:
        words = [
            [side.words[side.words >= 0].tolist() for side in (pair.first, pair.second)] for pair in corpus
        ]
        given = [{tuple(link) for link in pair.links.tolist()} for pair in corpus if pair.links is not None]
        goal = model.get_aligned_word(
            *sides,
            [first for first, _ in words],
            [second for _, second in words],
            "cpu",
            *(side.shape[1] for side in sides),
            align_layer=recipe.layer,
            softmax_threshold=recipe.threshold,
            word_aligns=given or None,
        )
        assert 0 < goal.mean() < 0.5  # neither nothing nor everything is linked
        total += model(
            inputs_src=sides[0],
            inputs_tgt=sides[1],
            attention_mask_src=sides[0] != 0,
            attention_mask_tgt=sides[1] != 0,
            guide=goal,
            align_layer=recipe.layer,
            softmax_threshold=recipe.threshold,
            train_so="so" in chosen,
            train_co="co" in chosen,
        )
    for name, passes in (("mlm", 2), ("tlm", 4 if "tlm_full" in chosen else 2)):
        if f"{name}_ids" not in batch:
            continue
        ids, labels = batch[f"{name}_ids"], batch[f"{name}_labels"]
        assert len(ids) == passes * pairs
        for number in range(passes):
            rows = (
                slice(number * pairs, (number + 1) * pairs) if name == "mlm" else slice(number, None, passes)
            )
            total += model(inputs_src=ids[rows], labels_src=labels[rows].contiguous())
    if "psi" in chosen:
        total += model(
            inputs_src=batch["psi_ids"], labels_psi=batch["psi_labels"], align_layer=recipe.layer + 1
        )
    return total


@pytest.mark.parametrize(
    ("chosen", "given"),
    [*((chosen, False) for chosen in (*OBJECTIVES, EVERY)), (("so",), True), (("so", "co"), True)],
    ids=str,
)
def test_losses_and_gradients_are_awesome_aligns(
    chosen: tuple[str, ...], given: bool, mbert: Path, tmp_path: Path
) -> None:
    """In float64; with its own links as the guide, and with given ones."""
    links = None
    if given:
        dice = random.Random(3)
        (tmp_path / "links").write_text(
            "".join(
                " ".join(f"{i}-{j}" for i in range(len(a)) for j in range(len(b)) if dice.random() < 0.2)
                + "\n"
                for a, b in sentences()
            )
        )
        links = str(tmp_path / "links")
    recipe, trainee = recipe_of(chosen), trainee_of(mbert)
    corpus = corpus_of(mbert, tmp_path, links)
    batch = batch_of(mbert, corpus, recipe)
    assert len(set(batch["attention_mask"].sum(1).tolist())) > 5  # padding of many lengths
    theirs = awesome(trainee)
    expected = awesome_loss(theirs, batch, corpus, recipe)
    expected.backward()
    found, shown = linker_losses.linker_loss(trainee, batch, recipe)
    found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)
    assert set(shown) == {name.removesuffix("_full") for name in chosen}
    names = {"psi_cls.transform": "psi.0", "psi_cls.decoder": "psi.2"}
    gradients = dict(trainee.named_parameters())
    compared = 0
    for name, parameter in theirs.named_parameters():
        place, _, kind = name.rpartition(".")
        own = f"{names[place]}.{kind}" if place in names else f"model.{name}"
        own = {"model.psi_cls.bias": "psi.2.bias"}.get(own, own)
        mine = gradients[own].grad
        if parameter.grad is None:
            assert mine is None or not mine.any()
            continue
        assert mine is not None, name
        torch.testing.assert_close(mine, parameter.grad, rtol=1e-7, atol=1e-9, msg=name)
        compared += 1
    assert compared > 20


@pytest.mark.parametrize("kind", ["mbert", "xlmr", "ours"])
def test_what_is_padded_changes_nothing(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The loss of a batch is the mean of its pairs' losses, each by itself; hidden states are transformers' own."""
    folder = request.getfixturevalue(kind)
    recipe, trainee = recipe_of(EVERY), trainee_of(folder)
    corpus = corpus_of(folder, tmp_path)
    batch = batch_of(folder, corpus, recipe)
    together, shown = linker_losses.linker_loss(trainee, batch, recipe)
    pairs = len(corpus)
    alone: dict[str, float] = dict.fromkeys(shown, 0.0)
    for number, pair in enumerate(corpus):
        rows = {
            "": torch.tensor([number, pairs + number]),
            "mlm": torch.tensor([number, pairs + number]),
            "tlm": torch.arange(4 * number, 4 * number + 4),
            "psi": torch.arange(2 * number, 2 * number + 2),
        }
        part = {
            name: value[rows[name.partition("_")[0] if name[3:4] == "_" else ""]]
            for name, value in batch.items()
        }
        for name in list(part):
            if part[name].ndim == 2:  # no longer than it must be
                mask = {"mlm": "mlm_mask", "tlm": "tlm_mask", "psi": "psi_mask"}.get(
                    name[:3], "attention_mask"
                )
                part[name] = part[name][
                    :, : int(batch[mask][rows[name[:3] if name[3:4] == "_" else ""]].sum(1).max())
                ]
        for name, value in linker_losses.linker_loss(trainee, part, recipe)[1].items():
            alone[name] += value.item() / pairs
        for side in (pair.first, pair.second):
            ids = torch.from_numpy(side.pieces.astype(np.int64))[None]
            expected = trainee.model.base_model(ids, output_hidden_states=True).hidden_states[1]
            torch.testing.assert_close(trainee.states(ids, torch.ones_like(ids), 1), expected)
    assert together.item() == pytest.approx(sum(alone.values()), rel=1e-9)
    assert {name: value.item() for name, value in shown.items()} == pytest.approx(alone, rel=1e-9)
    assert (batch["tlm_labels"] != IGNORED).any(1).sum() > pairs


def test_the_encoders_own_links_are_found_without_dropout(mbert: Path, tmp_path: Path) -> None:
    recipe, trainee = recipe_of(("so",)), trainee_of(mbert)
    batch = batch_of(mbert, corpus_of(mbert, tmp_path), recipe)
    quiet = linker_losses.guide(trainee, batch, recipe)
    trainee.train()
    assert torch.equal(linker_losses.guide(trainee, batch, recipe), quiet)
    assert trainee.training
    noisy = [trainee.states(batch["input_ids"], batch["attention_mask"], LAYER) for _ in range(2)]
    assert not torch.equal(*noisy)


def test_masks_fall_on_one_sentence_of_two_and_on_no_special_piece(mbert: Path, tmp_path: Path) -> None:
    recipe = recipe_of(("tlm_full",), mask_share=0.4)
    corpus = corpus_of(mbert, tmp_path)
    collator = linker.Collator(corpus, load_tokenizer(mbert), recipe)
    chosen = became = stayed = room = 0
    for step in range(40):
        batch = collator.batch(np.arange(12), step)
        for row, (ids, labels) in enumerate(zip(batch["tlm_ids"], batch["tlm_labels"], strict=True)):
            pair = corpus[row // 4]
            texts = [pair.first.pieces, pair.second.pieces][:: 1 if row % 4 < 2 else -1]
            whole = np.concatenate(texts)
            masked = (labels != IGNORED).numpy()[: len(whole)]
            here = np.concatenate([np.full(len(text), n == row % 2) for n, text in enumerate(texts)])
            assert not masked[~here | (whole < 5)].any()
            assert (labels.numpy()[: len(whole)][masked] == whole[masked]).all()
            assert (ids.numpy()[: len(whole)][~masked] == whole[~masked]).all()
            chosen, room = chosen + masked.sum(), room + (here & (whole >= 5)).sum()
            became += (ids.numpy()[: len(whole)][masked] == 4).sum()
            stayed += (ids.numpy()[: len(whole)][masked] == whole[masked]).sum()
    assert chosen / room == pytest.approx(0.4, abs=0.02)
    assert became / chosen == pytest.approx(0.8, abs=0.02)
    assert stayed / chosen == pytest.approx(0.1, abs=0.02)


def arguments_of(folder: Path, tmp_path: Path, pairs: str, links: str | None = None) -> Namespace:
    given = [] if links is None else [f"sw={links}"]
    tmp_path.mkdir(exist_ok=True)
    return Namespace(
        encoder=folder, pairs=[f"sw={pairs}"], links=given, work=tmp_path / "work", out=tmp_path / "out"
    )


def run(arguments: Namespace, **recipe: object) -> Path:
    """The step, in this process."""
    arguments.work.mkdir(exist_ok=True)
    chosen = LinkerTraining.model_validate({"precision": "fp32", "steps": 12, "max_pieces": 20} | recipe)
    linker.train_linker(arguments, chosen)
    return arguments.out


def test_a_run_that_was_stopped_ends_in_the_same_bits(
    mbert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With dropout and every objective, so that the random state counts."""
    recipe = {"objectives": EVERY, "layer": 1, "learning_rate": 1e-3, "batch_size": 4}
    pairs = write(tmp_path / "pairs", sentences())
    whole = run(arguments_of(mbert, tmp_path / "whole", pairs), **recipe)
    batch = linker.Collator.batch

    def stopping(self: linker.Collator, rows: np.ndarray, step: int) -> linker_losses.Batch:
        if step == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return batch(self, rows, step)

    arguments = arguments_of(mbert, tmp_path / "parts", pairs)
    with monkeypatch.context() as patch:
        patch.setattr(linker.Collator, "batch", stopping)
        with pytest.raises(SystemExit):
            run(arguments, **recipe)
    assert (arguments.work / "checkpoint.pt").exists()
    assert not arguments.out.exists()
    parts = run(arguments, **recipe)
    assert "resumed at step 6" in capsys.readouterr().err
    assert not (arguments.work / "checkpoint.pt").exists()
    assert (parts / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def bitext(
    count: int, known: int = 30
) -> tuple[list[tuple[list[str], list[str]]], list[list[tuple[int, int]]]]:
    """Sentences of a language with a word for each of another's, in nearly the same order, and which are which."""
    dice = random.Random(4)
    foreign, english = ([f"{a}{b}" for a in letters for b in letters] for letters in ("abcdefg", "opqrstu"))
    dice.shuffle(english)
    pairs, links = [], []
    for _ in range(count):
        chosen = dice.sample(range(known), dice.randint(3, 7))
        order = sorted(range(len(chosen)), key=lambda place: place + 2 * dice.random())
        pairs.append(([foreign[word] for word in chosen], [english[chosen[place]] for place in order]))
        links.append(sorted((place, at) for at, place in enumerate(order)))
    return pairs, links


@pytest.mark.parametrize(
    ("recipe", "given", "below"),
    [({"steps": 300}, False, 0.4), ({"steps": 100, "objectives": ("so",)}, True, 0.1)],
    ids=["by itself", "by given links"],
)
def test_a_trained_encoder_links_words_rightly(
    recipe: dict[str, object], given: bool, below: float, tmp_path: Path
) -> None:
    pairs, gold = bitext(500)
    folder = tiny.encoder(tmp_path / "encoder", texts=[" ".join(side) for pair in pairs for side in pair])
    file = write(tmp_path / "pairs", pairs)
    links = None
    if given:
        (tmp_path / "links").write_text(
            "".join(" ".join(f"{i}-{j}" for i, j in line) + "\n" for line in gold)
        )
        links = str(tmp_path / "links")

    def error_rate(where: Path) -> float:
        found = [one.links for one in Linker(where, 1, 0.001, torch.float32, 4096).link(pairs)]
        right = sum(len(set(ours) & set(theirs)) for ours, theirs in zip(found, gold, strict=True))
        return 1 - 2 * right / (sum(map(len, found)) + sum(map(len, gold)))

    more = {"layer": 1, "batch_size": 16, "learning_rate": 2e-3, "attention": "folded"} | recipe
    out = run(arguments_of(folder, tmp_path / "run", file, links), **more)
    assert error_rate(folder) > 0.6
    assert error_rate(out) < below
    model, headed = load_encoder(out, "folded")
    assert headed
    assert model.config.architectures == ["RobertaPreLayerNormForMaskedLM"]


@pytest.mark.parametrize("kind", ["mbert", "xlmr"])
def test_a_checkpoint_keeps_its_masked_lm_head_and_its_pooler(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the checkpoint step, the source's words are predicted as before; new pieces come after them."""
    source = request.getfixturevalue(kind)
    monkeypatch.setattr(sys, "argv", ["checkpoint", "--source", str(source), "--out", str(tmp_path / "out")])
    checkpoint.main()
    before, after = (
        AutoModelForMaskedLM.from_pretrained(folder).eval() for folder in (source, tmp_path / "out")
    )
    ids = torch.tensor([[2, 40, 41, 42, 3]])
    expected = before(ids).logits
    assert len(load_tokenizer(tmp_path / "out")) == after.config.vocab_size > before.config.vocab_size
    torch.testing.assert_close(after(ids).logits[..., : expected.shape[-1]], expected)
    pooler = "pooler.dense.weight"
    if kind == "mbert":
        kept, given = (
            AutoModel.from_pretrained(folder).state_dict() for folder in (tmp_path / "out", source)
        )
        assert torch.equal(kept[pooler], given[pooler])


def test_what_cannot_be_trained_is_told(mbert: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    AutoModel.from_pretrained(mbert).save_pretrained(bare)
    load_tokenizer(mbert).save_pretrained(bare)
    pairs, one = write(tmp_path / "pairs", sentences()), write(tmp_path / "one", sentences(1))
    (tmp_path / "links").write_text("0-0\n" * 12)
    links = str(tmp_path / "links")

    def refused(
        match: str, folder: Path = mbert, file: str = pairs, given: str | None = None, **recipe: object
    ):
        with pytest.raises(InputError, match=match):
            run(arguments_of(folder, tmp_path / "run", file, given), **({"layer": 2} | recipe))
        assert not (tmp_path / "run" / "out").exists()

    refused(
        "bare: objective tlm needs a masked-LM head, which it does not have; leave tlm, mlm out, or give an encoder",
        folder=bare,
        objectives=("so", "tlm", "mlm"),
    )
    refused("links are read from block 4 where layer is 4, but it has 3; lower layer", layer=4)
    refused("psi reads block 4 where layer is 3, but it has 3; lower layer", layer=3, objectives=("psi",))
    refused("only objective so learns given links; add so to objectives", given=links, objectives=("co",))
    refused("one: 1 lines for 12|links: 12 lines for 1 sentence pairs", file=one, given=links)
    refused("--pairs: 1 usable sentence pairs; give at least some hundreds", file=one)
    arguments = arguments_of(mbert, tmp_path / "run", pairs)
    arguments.links = ["ar=links"]
    with pytest.raises(InputError, match="--pairs names sw, but --links ar"):
        run(arguments)
    # an encoder without a head learns the other objectives
    out = run(arguments_of(bare, tmp_path / "run", pairs), objectives=("so", "co", "psi"), layer=2)
    assert not load_encoder(out, "sdpa")[1]


def test_presets_fill_in_what_is_left_out() -> None:
    fast, full = LinkerTraining(), LinkerTraining(preset="full")
    assert (fast.objectives, fast.steps) == (("tlm", "so"), 20_000)
    assert (full.objectives, full.steps) == (("mlm", "tlm", "tlm_full", "so", "psi"), 40_000)
    assert LinkerTraining(preset="full", steps=7).steps == 7
    with pytest.raises(ValueError, match="so, so; each may stand there once"):
        LinkerTraining(objectives=("so", "so"))


def test_long_sentences_are_cut_and_lines_of_no_use_told(
    mbert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [(["a"] * 40, ["b"]), (["\u0001"], ["b"]), (["a"], ["b"])]
    file = Path(write(tmp_path / "pairs", given))
    file.write_bytes(file.read_bytes() + b"no pair\na ||| \xff\nb ||| c\n")
    read, tokenizer = linker.Corpus(), load_tokenizer(mbert)
    assert linker.read_language("sw", str(file), None, tokenizer, 10, read) == [
        ("sw 2", "a sentence yields no piece"),
        ("sw 4", "not 'words ||| words'"),
        ("sw 5", "not UTF-8; convert the file to UTF-8"),
    ]
    assert [len(read[row].first.pieces) for row in range(len(read))] == [10, 3, 3]
    assert read[0].first.pieces[-1] == tokenizer.sep_token_id
    assert read[0].first.words.tolist() == [-1, *range(8), -1]
    assert capsys.readouterr().err.endswith("sw: 3 of 6 pairs, 1 of them cut\n")
    (tmp_path / "links").write_text("\n\n1-0\n\n\n0-0\n")
    linked = linker.Corpus()
    told = linker.read_language("sw", str(file), str(tmp_path / "links"), tokenizer, 10, linked)
    assert told[1] == ("sw 3", "link 1-0 reaches outside sentences of 1 and 1 words; links count from 0")
    assert [linked[row].links.tolist() for row in range(len(linked))] == [[], [[0, 0]]]
