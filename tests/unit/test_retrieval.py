"""Retrieval beside slow loops: within sentences, by CSLS and by cosine, both ways; ties; languages without links."""

import json
import math
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from tests.unit.tiny import encoder
from workflow_scripts.align import neighbours, retrieval
from workflow_scripts.cli import InputError
from workflow_scripts.pairs import one_to_one
from workflow_scripts.recipes.retrieval import Retrieval

PAIRS = [
    ("Mji wa Ramor uko kando ya mto Tesi .", "The city of Ramor lies on the river Tesi .", "0-1 2-3 7-8 8-9 1-2 1-6"),
    ("Tesi Ramor", "Ramor Tesi", "0-1 1-0"),
    ("Mto Tesi", "the river Tesi", "0-1 1-2"),
    ("mto TESI", "The River Tesi", "0-1 1-2"),  # the pair before, but for capitals
    ("라모르시는 자리하고", "Ramor lies", "0-0"),
    ("Mito", "Lora Sako", ""),
]  # fmt: skip


def write(folder: Path, pairs: list[tuple[str, str, str]], name: str = "") -> tuple[str, str]:
    (folder / f"{name}pairs").write_text("".join(f"{f} ||| {e}\n" for f, e, _ in pairs), "utf-8")
    (folder / f"{name}links").write_text("".join(f"{links}\n" for _, _, links in pairs), "utf-8")
    return f"{folder}/{name}pairs", f"{folder}/{name}links"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder(tmp_path_factory.mktemp("encoder"))


def measured(folder: Path, pairs: list[tuple[str, str, str]], **recipe: Any) -> dict[str, Any]:
    texts = [(foreign.split(), english.split()) for foreign, english, _ in pairs]
    links = [[tuple(map(int, link.split("-"))) for link in line.split()] for _, _, line in pairs]
    return retrieval.measure(retrieval.Reader(folder, Retrieval(**recipe)), texts, links, "sw")


# The definition, one word at a time


def vectors(folder: Path, text: str, layer: int, pool: str) -> list[torch.Tensor]:
    """A sentence's word vectors, alone in its batch."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids, spans = [tokenizer.cls_token_id], []
    for word in text.split():
        pieces = tokenizer(word, add_special_tokens=False)["input_ids"]
        spans.append((len(ids), len(ids) + len(pieces)))
        ids += pieces
    ids.append(tokenizer.sep_token_id)
    with torch.no_grad():
        output = AutoModel.from_pretrained(folder).eval()(torch.tensor([ids]), output_hidden_states=True)
    states = output.last_hidden_state[0] if layer == -1 else output.hidden_states[layer][0]
    match pool:
        case "last":
            return [states[end - 1] for _, end in spans]
        case "first":
            return [states[start] for start, _ in spans]
    return [states[start:end].mean(0) for start, end in spans]


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.dot(a, b) / (a.norm() * b.norm()))


def share(scores: dict[Any, float], right: set[Any]) -> float:
    best = [name for name, score in scores.items() if score > max(scores.values()) - 1e-6]
    return len(right & set(best)) / len(best)


def by_definition(folder: Path, layer: int, pool: str, k: int) -> dict[str, list[float]]:
    """[to English, from English] of every measure."""
    within: list[list[float]] = [[], []]
    words: list[dict[str, list[Any]]] = [{}, {}]
    sentences: list[dict[str, list[Any]]] = [{}, {}]
    translations: set[tuple[str, str]] = set()
    parallel: set[tuple[str, str]] = set()
    for foreign, english, line in PAIRS:
        texts = (foreign, english)
        both = [vectors(folder, text, layer, pool) for text in texts]
        for link in one_to_one([tuple(map(int, link.split("-"))) for link in line.split()]):
            for side in (0, 1):
                own, other = both[side][link[side]], both[1 - side]
                within[side].append(share({n: cosine(own, o) for n, o in enumerate(other)}, {link[1 - side]}))
                word = texts[side].split()[link[side]].lower()
                words[side].setdefault(word, []).append(own)
            translations.add(tuple(texts[side].split()[link[side]].lower() for side in (0, 1)))
        for side in (0, 1):
            sentences[side].setdefault(texts[side].lower(), []).append(torch.stack(both[side]).mean(0))
        parallel.add((foreign.lower(), english.lower()))

    def compared(
        points: list[dict[str, list[Any]]], right: set[tuple[str, str]], k: int | None
    ) -> list[float]:
        mean = [{name: torch.stack(of).mean(0) for name, of in side.items()} for side in points]

        def radius(point: Any, others: dict[str, Any]) -> float:
            if k is None:
                return 0.0
            nearest = sorted((cosine(point, other) for other in others.values()), reverse=True)[:k]
            return sum(nearest) / len(nearest)

        def way(side: int) -> float:
            total = 0.0
            for name, own in mean[side].items():
                scores = {
                    other: 2 * cosine(own, at) - radius(own, mean[1 - side]) - radius(at, mean[side])
                    for other, at in mean[1 - side].items()
                }
                total += share(scores, {couple[1 - side] for couple in right if couple[side] == name})
            return total / len(mean[side])

        return [way(0), way(1)]

    return {
        "within": [sum(side) / len(side) for side in within],
        "words": compared(words, translations, k),
        "sentences": compared(sentences, parallel, k),
        "sentences_cosine": compared(sentences, parallel, None),
    }


@pytest.mark.parametrize(
    ("layer", "pool", "k"), [(-1, "last", 2), (1, "first", 3), (0, "mean", 50), (2, "mean", 1)]
)
def test_all_measures_equal_their_definition(
    folder: Path, layer: int, pool: Any, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = by_definition(folder, -1 if layer == 2 else layer, pool, k)
    # whole, and in the smallest batches, blocks and chunks
    for budget, cells, chunk in ((4096, 1 << 22, 60_000), (1, 1, 1)):
        monkeypatch.setattr(neighbours, "CELLS", cells)
        monkeypatch.setattr(retrieval, "CHUNK", chunk)
        scores = measured(folder, PAIRS, layer=layer, pool=pool, neighbours=k, batch_pieces=budget)["scores"]
        for name, (to_english, from_english) in expected.items():
            assert scores[name]["to_english"] == pytest.approx(to_english), name
            assert scores[name]["from_english"] == pytest.approx(from_english), name


def test_what_is_counted(folder: Path) -> None:
    made = measured(folder, PAIRS)
    assert (made["pairs"], made["links"], made["left_out"]) == (6, 11, {})
    assert made["words"] == [6, 5]  # mji ramor tesi . mto 라모르시는; city ramor tesi . river
    assert made["sentences"] == [5, 5]


def test_random_vectors_beside_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    first, second = random.normal(size=(60, 5)), random.normal(size=(40, 5))
    second[:20] = first[:20] + 0.4 * random.normal(size=(20, 5))
    second[7] = second[3]  # equally near to everything
    first, second = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second))
    right = {(n, n % 40) for n in range(60)} | {(3, 9), (7, 3), (50, 51 % 40)}
    alike = first @ second.T
    for k in (None, 1, 10, 1000):
        spread = [0.0] * 40 if k is None else [np.mean(sorted(column)[-k:]) for column in alike.T]
        expected = np.mean(
            [
                share({m: 2 * alike[n, m] - spread[m] for m in range(40)}, {m for at, m in right if at == n})
                for n in range(60)
            ]
        )
        for cells in (1 << 22, 90):
            monkeypatch.setattr(neighbours, "CELLS", cells)
            got = neighbours.found(
                torch.tensor(first).float(), torch.tensor(second).float(), np.array(sorted(right))[::-1], k
            )
            assert got == pytest.approx(expected, abs=1e-9)


def test_one_vector_for_all_scores_as_chance_does(folder: Path, tmp_path: Path) -> None:
    """Whatever the order; and that is what the file says of chance."""
    model = AutoModel.from_pretrained(folder)
    for weight in model.parameters():
        weight.data.zero_()
    model.LayerNorm.bias.data += 1
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    for name, of in measured(tmp_path, PAIRS, neighbours=3)["scores"].items():
        for way in ("to_english", "from_english"):
            assert of[way] == pytest.approx(of[f"chance_{way}"]), name
            assert 0 < of[way] < 1


def test_the_same_words_find_themselves(folder: Path) -> None:
    text = "The city of Ramor lies on the river Tesi ."
    links = " ".join(f"{n}-{n}" for n in range(len(text.split())))
    scores = measured(folder, [(text, text, links), ("Mito Lora", "Mito Lora", "0-0 1-1")], neighbours=3)[
        "scores"
    ]
    for name, of in scores.items():
        assert (of["to_english"], of["from_english"]) == (1, 1), name


def test_a_language_without_links(folder: Path) -> None:
    made = measured(folder, [(foreign, english, "") for foreign, english, _ in PAIRS])
    assert made["links"] == 0
    assert made["scores"]["within"] is made["scores"]["words"] is None
    assert made["scores"]["sentences"] == measured(folder, PAIRS)["scores"]["sentences"]
    only_shared = measured(folder, [("Mto Tesi", "river Tesi", "0-0 0-1")])
    assert only_shared["links"] == 0
    assert only_shared["scores"]["words"] is None


def test_pairs_that_the_encoder_cannot_read_are_counted(folder: Path) -> None:
    held = measured(folder, [*PAIRS, ("Mito " * 95, "Lora", "0-0"), ("a \u200b", "b", "0-0")])
    assert held["left_out"] == {"longer than the encoder reads": 1, "with a word that yields no piece": 1}
    assert {**held, "left_out": {}} == measured(folder, PAIRS)
    nothing = measured(folder, [("a \u200b", "b", "0-0")])
    assert nothing["pairs"] == 0
    assert set(nothing["scores"].values()) == {None}


def test_bfloat16_finds_nearly_the_same(folder: Path) -> None:
    for name, of in measured(folder, PAIRS, precision="bf16")["scores"].items():
        assert all(math.isfinite(value) and 0 <= value <= 1 for value in of.values()), name


def test_the_step_compares_encoders(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = encoder(tmp_path / "other", "unigram")
    sw, ko = write(tmp_path, PAIRS), write(tmp_path, PAIRS[4:5], "ko.")
    options = ["--recipe", '{"neighbours": 3}', f"--out={tmp_path}/out.json"]
    options += ["--encoder", f"before={folder}", f"after={other}"]
    options += ["--pairs", f"sw={sw[0]}", f"ko={ko[0]}", "--links", f"sw={sw[1]}", f"ko={ko[1]}"]
    retrieval.main(options)
    made = json.loads((tmp_path / "out.json").read_text())
    assert {label: list(of) for label, of in made["encoders"].items()} == {
        "before": ["sw", "ko"],
        "after": ["sw", "ko"],
    }
    assert made["encoders"]["before"]["sw"] == measured(folder, PAIRS, neighbours=3)
    assert made["encoders"]["after"]["sw"] != made["encoders"]["before"]["sw"]
    assert "after ko: 1 of 1 pairs" in capsys.readouterr().err


def test_mistakes_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"an encoder of 2 blocks, but layer is 3"):
        measured(folder, PAIRS, layer=3)
    pairs, links = write(tmp_path, PAIRS)
    given = {"encoder": [f"before={folder}"], "pairs": [f"sw={pairs}"]}
    with pytest.raises(InputError, match="--pairs names sw, but --links ko"):
        retrieval.evaluate(Namespace(**given, links=[f"ko={links}"]), Retrieval())
    pairs, links = write(tmp_path, [])
    with pytest.raises(InputError, match="no sentence pairs"):
        retrieval.evaluate(Namespace(**given, links=[f"sw={links}"]), Retrieval())
