"""The neural linker against its definition, one pair at a time, and against awesome-align itself."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel

from benchmarks import published
from tests.unit import tiny
from workflow_scripts.align.neural import Linker
from workflow_scripts.cli import InputError
from workflow_scripts.pairs import written
from workflow_scripts.training.folders import load_tokenizer

LAYER, THRESHOLD = 2, 0.05
# far from the weights of a trained encoder, but softmaxes are as sharp as one's
SHAPE = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
SHAPE |= {"initializer_range": 0.4}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
# control characters are nothing to mBERT's tokeniser; special pieces' names are text
ODD = ["\u200e", "[SEP]", "<s>", "☃", "\u0001"]


def pairs(count: int = 60, longest: int = 14) -> list[tuple[list[str], list[str]]]:
    """Pairs of sentences of random words; some words are odd, some sentences of one word."""
    dice = random.Random(1)

    def sentence() -> list[str]:
        return [
            dice.choice(ODD) if dice.random() < 0.05 else "".join(dice.choices(LETTERS, k=dice.randint(1, 5)))
            for _ in range(dice.randint(1, longest))
        ]

    made = [(sentence(), sentence()) for _ in range(count)]
    return [*made, (["\u0001"], ["a"]), (["a", "b"], ["\u0001", "\u0001"]), (["\u0001", "a"], ["b"])]


@pytest.fixture(scope="module")
def mbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"[]<>", *LETTERS, *(f"##{c}" for c in LETTERS)]
    pieces += ["SE", "##P", *(f"{a}{b}" for a in LETTERS[:8] for b in LETTERS)]
    pieces += [
        f"[unused{number}]" for number in range(1000)
    ]  # awesome-align puts number 999 into empty sentences
    return published.mbert(
        tmp_path_factory.mktemp("mbert") / "encoder", pieces, max_position_embeddings=80, **SHAPE
    )


@pytest.fixture(scope="module")
def xlmr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [" ".join(side) for pair in pairs(300) for side in pair]
    return published.xlmr(tmp_path_factory.mktemp("xlmr") / "encoder", texts, 300, **SHAPE)


@pytest.fixture(params=["mbert", "xlmr"])
def encoder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def linker(folder: Path, layer: int = LAYER, budget: int = 4096, **more: int) -> Linker:
    return Linker(folder, layer, THRESHOLD, torch.float32, budget, **more)


def reference(folder: Path) -> list[dict[tuple[int, int], float] | None]:
    """Links with their scores as awesome-align defines them, in plain loops; None where a side has no piece."""
    tokenizer = load_tokenizer(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").double().eval()

    def vectors(sentence: list[str]) -> tuple[list[int], list[torch.Tensor]]:
        ids, owner = [tokenizer.cls_token_id], []
        for number, word in enumerate(sentence):
            cut = tokenizer(word, add_special_tokens=False)["input_ids"]
            ids += cut
            owner += [number] * len(cut)
        ids.append(tokenizer.sep_token_id)
        with torch.no_grad():
            states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[LAYER][0]
        return owner, list(states[1:-1])

    def softmax(values: list[float]) -> list[float]:
        return torch.tensor(values, dtype=torch.float64).softmax(0).tolist()

    made: list[dict[tuple[int, int], float] | None] = []
    for pair in pairs():
        (owner, source), (other, target) = (vectors(side) for side in pair)
        if not source or not target:
            made.append(None)
            continue
        alike = [[float(s @ t) for t in target] for s in source]
        turned = [list(column) for column in zip(*alike, strict=True)]
        forward = [softmax(row) for row in alike]
        backward = [softmax(column) for column in turned]
        flat = [softmax([cell / len(target) ** 0.5 for cell in row]) for row in alike]
        upright = [softmax([cell / len(source) ** 0.5 for cell in column]) for column in turned]
        links: dict[tuple[int, int], float] = {}
        for i in range(len(source)):
            for j in range(len(target)):
                if forward[i][j] > THRESHOLD and backward[j][i] > THRESHOLD:
                    a, b = flat[i][j], upright[j][i]
                    link = owner[i], other[j]
                    links[link] = max(links.get(link, 0.0), 2 * a * b / (a + b + 1e-9))
        made.append(links)
    return made


def test_links_and_scores_are_those_of_the_definition(encoder: Path) -> None:
    expected = reference(encoder)
    found = list(linker(encoder).link(pairs()))
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert bool(ours.skipped) == (theirs is None)
        assert ours.links == sorted(theirs or {})
        assert ours.scores == pytest.approx([score for _, score in sorted((theirs or {}).items())], abs=1e-4)
    counts = [len(theirs) for theirs in expected if theirs]
    cells = sum(len(a) * len(b) for a, b in pairs())
    assert 0.03 < sum(counts) / cells < 0.6  # neither nothing nor everything
    assert any(theirs is None for theirs in expected)


def test_half_the_bits_give_nearly_the_same(encoder: Path) -> None:
    whole = linker(encoder).link(pairs())
    half = Linker(encoder, LAYER, THRESHOLD, torch.bfloat16, 4096).link(pairs())
    common = union = 0
    for one, other in zip(whole, half, strict=True):
        assert one.skipped == other.skipped
        common += len(set(one.links) & set(other.links))
        union += len(set(one.links) | set(other.links))
    assert 0.9 * union < common < union


def test_chunks_and_batches_change_nothing(encoder: Path) -> None:
    given = pairs()
    whole = list(linker(encoder).link(given))
    for budget, chunk in ((1, 60_000), (50, 1), (4096, 37), (100, 400)):
        parts = list(linker(encoder, budget=budget, chunk=chunk).link(iter(given)))
        assert [one.links for one in parts] == [one.links for one in whole]
        assert [one.skipped for one in parts] == [one.skipped for one in whole]
        for one, other in zip(parts, whole, strict=True):
            assert one.scores == pytest.approx(other.scores, abs=1e-5)


def test_links_come_while_pairs_are_read(mbert: Path) -> None:
    """So that memory doesn't grow with the corpus: no more is read ahead than is tokenised at once and a chunk."""
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield ["a", "b"], ["c"]

    links = linker(mbert, chunk=1000).link(endless())
    for number in range(1, 2000):
        next(links)
        assert read < number + 1000


def test_no_pairs(mbert: Path) -> None:
    assert list(linker(mbert).link([])) == []


@pytest.mark.parametrize(("name", "longest"), [("mbert", 78), ("xlmr", 510)])
def test_a_sentence_as_long_as_the_encoder_reads_is_linked(
    name: str, longest: int, request: pytest.FixtureRequest
) -> None:
    """Of what mBERT reads, [CLS] and [SEP] are two pieces; XLM-R's positions begin behind its padding's."""
    encoder = request.getfixturevalue(name)
    tokenizer = load_tokenizer(encoder)
    word = next(w for w in LETTERS if len(tokenizer(w, add_special_tokens=False)["input_ids"]) == 1)
    given = [([word] * longest, [word]), ([word] * (longest + 1), [word]), ([word], [word] * 10_000)]
    fits, over, far = linker(encoder).link(given)
    assert not fits.skipped
    assert fits.links
    assert over.skipped == (
        f"too long: the first sentence has {longest + 3} pieces, the encoder reads {longest + 2}"
    )
    assert far.skipped.startswith("too long: the second sentence has 10002 pieces")
    assert over.links == far.links == []


def test_a_word_without_pieces_is_never_linked_and_moves_no_other(mbert: Path) -> None:
    plain, holed = linker(mbert).link(
        [(["a", "b"], ["c"]), (["\u0001", "a", "\u0001", "b"], ["\u0001", "c"])]
    )
    moved = {0: 1, 1: 3}
    assert holed.links == [(moved[i], j + 1) for i, j in plain.links]
    assert plain.links


def test_an_encoder_pretrained_here_links(tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "encoder")
    (found,) = Linker(folder, 2, 0.001, torch.float32, 4096).link([(["Ramor", "lies"], ["Ramor", "uko"])])
    assert found.links
    assert len(found.links) == len(found.scores)


def test_what_cannot_link_is_told(mbert: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="links are to be read from block 4, but it has 3"):
        linker(mbert, layer=4)
    with pytest.raises(InputError, match=r"no config\.json"):
        linker(tmp_path)


def test_awesome_align_finds_the_same(mbert: Path, tmp_path: Path) -> None:
    """The program as it is installed, on the same folder; it wants the weights in PyTorch's old form."""
    pytest.importorskip("awesome_align")
    folder = tmp_path / "theirs"
    folder.mkdir()
    for name in ("config.json", "vocab.txt", "tokenizer_config.json"):
        (folder / name).write_bytes((mbert / name).read_bytes())
    torch.save(load_file(mbert / "model.safetensors"), folder / "pytorch_model.bin")
    # "[SEP]" is a special piece to its tokeniser, text to ours
    given = [(a, b) for a, b in pairs(200) if "[SEP]" not in [*a, *b]]
    (tmp_path / "pairs").write_text("".join(f"{' '.join(a)} ||| {' '.join(b)}\n" for a, b in given), "utf-8")
    arguments = ["--data_file", tmp_path / "pairs", "--output_file", tmp_path / "links", "--num_workers", "0"]
    arguments += ["--output_prob_file", tmp_path / "scores", "--model_name_or_path", folder, "--no_cuda"]
    arguments += ["--align_layer", LAYER, "--softmax_threshold", THRESHOLD]
    done = subprocess.run(
        [sys.executable, "-m", "awesome_align.run_align", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    theirs = [line.split() for line in (tmp_path / "links").read_text().split("\n")[:-1]]
    scores = [line.split() for line in (tmp_path / "scores").read_text().split("\n")[:-1]]
    found = list(linker(mbert).link(given))
    assert len(theirs) == len(given)
    for ours, links, values in zip(found, theirs, scores, strict=True):
        assert written(ours.links).split() == sorted(links, key=lambda link: tuple(map(int, link.split("-"))))
        by_link = dict(zip(links, map(float, values), strict=True))
        expected = [by_link[f"{i}-{j}"] for i, j in ours.links]
        assert ours.scores == pytest.approx(expected, abs=1e-4)
