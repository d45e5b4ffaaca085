"""The alignment objective against its formula written out, and what one-to-one leaves."""

import json
import subprocess
import sys
from argparse import Namespace
from collections import Counter

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

from tests.unit.tiny import encoder
from workflow_scripts.align import bitext, finetune, objective
from workflow_scripts.align import control as control_task
from workflow_scripts.align.bitext import encode, whole
from workflow_scripts.cli import InputError
from workflow_scripts.pairs import one_to_one
from workflow_scripts.recipes.alignment import Alignment
from workflow_scripts.training.masked import masked_logits

PAIRS = [
    (
        "Mji wa Ramor uko kando ya mto Tesi .",
        "The city of Ramor lies on the river Tesi .",
        "0-1 2-3 3-4 6-7 7-8 8-9 1-2 1-6",
    ),
    ("Tesi Ramor", "Ramor Tesi", "0-1 1-0"),
    ("라모르시는 자리하고", "Ramor lies", "0-0"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return encoder(tmp_path_factory.mktemp("encoder"))


def files(tmp_path):
    (tmp_path / "pairs").write_text("".join(f"{f} ||| {e}\n" for f, e, _ in PAIRS))
    (tmp_path / "links").write_text("".join(f"{links}\n" for _, _, links in PAIRS))
    return str(tmp_path / "pairs"), str(tmp_path / "links")


def test_one_to_one_drops_every_link_of_a_word_linked_twice():
    assert one_to_one([(0, 0), (1, 1), (1, 2), (3, 2), (4, 4)]) == [(0, 0), (4, 4)]


def recipe_of(**given):
    return Alignment(**{"precision": "fp32", "attention": "sdpa", **given})


def read(folder, tmp_path, recipe, language="sw"):
    return finetune.read_language(language, *files(tmp_path), AutoTokenizer.from_pretrained(folder), recipe)


def moved(folder):
    """The encoder of a folder in float64, and the same with its weights moved a little."""
    torch.manual_seed(1)
    before, now = (
        AutoModel.from_pretrained(folder, attn_implementation="eager").double().eval() for _ in "ab"
    )
    for parameter in now.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return now, before


def one_by_one(now, before, tokenizer, recipe, pairs):
    """The loss of a step of `pairs` (language, foreign, English, links), a sentence at a time, by the formula."""

    def pieces(words):
        ids, spans = [tokenizer.cls_token_id], []
        for word in words:
            new = tokenizer(word, add_special_tokens=False)["input_ids"]
            spans.append((len(ids), len(ids) + len(new)))
            ids += new
        if recipe.special_pieces:
            spans = [(0, 1), *spans, (len(ids), len(ids) + 1)]
        return [*ids, tokenizer.sep_token_id], spans

    def vectors(model, words):
        ids, spans = pieces(words)
        states = model(torch.tensor([ids]), output_hidden_states=True)
        states = states.last_hidden_state[0] if recipe.layer < 0 else states.hidden_states[recipe.layer][0]
        pick = {"first": lambda a, b: states[a], "last": lambda a, b: states[b - 1]}
        pick["mean"] = lambda a, b: states[a:b].mean(0)
        return [pick[recipe.pool](*span) for span in spans]

    terms = {}
    for language, foreign, english, links in pairs:
        of = terms.setdefault(language if recipe.sampling == "cyclic" else "all", ([], []))
        links = [tuple(map(int, link.split("-"))) for link in links.split()]
        if recipe.drop_identical:
            links = [(i, j) for i, j in links if foreign[i] != english[j]]
        if recipe.links == "one_to_one":
            links = one_to_one(links)
        if recipe.special_pieces:
            ends = len(foreign) + 1, len(english) + 1
            links = [(0, 0), *((i + 1, j + 1) for i, j in links), ends]
        sides = vectors(now, foreign), vectors(now, english)
        was = vectors(before, foreign), vectors(before, english)
        target = was[1] if recipe.target == "frozen" else sides[1]
        of[0].extend(
            (sides[0][i] - target[j].detach() if recipe.target == "frozen" else sides[0][i] - target[j])
            for i, j in links
        )
        for side in (0, 1) if recipe.regularised == "both" else (1,):
            of[1].extend(a - b.detach() for a, b in zip(sides[side], was[side], strict=True))
    total = 0
    for drawn, held in terms.values():
        for differences, weight in ((drawn, 1.0), (held, recipe.regulariser)):
            if differences is held and recipe.regularised == "parameters":
                continue
            squares = torch.stack(differences).square()
            if recipe.reduction == "sum":
                total = total + weight * squares.sum()
            elif recipe.reduction == "mean":
                total = total + weight * squares.mean()
            else:
                total = total + weight * squares.sum(1).mean()
    if recipe.regularised == "parameters":
        flat = [torch.cat([p.flatten() for p in model.parameters()]) for model in (now, before)]
        total = total + recipe.regulariser * (flat[0] - flat[1].detach()).norm()
    return total


OPTIONS = [
    {"preset": "paper"},
    {"preset": "cao"},
    {"preset": "wu_dredze", "drop_identical": False},
    {
        "preset": "paper",
        "regulariser": 0.3,
        "reduction": "mean",
        "pool": "mean",
        "layer": 1,
        "part_pieces": 1,
    },
    {
        "preset": "cao",
        "part_pieces": 60,
        "links": "all",
        "sampling": "proportional",
        "reduction": "mean_links",
    },
    {"drop_identical": True, "special_pieces": True, "part_pieces": 60, "pool": "mean"},
    {"preset": "wu_dredze", "drop_identical": False, "part_pieces": 60, "regulariser": 0.0},
]


@pytest.mark.parametrize("given", OPTIONS, ids=str)
def test_loss_and_gradient_equal_the_formula(folder, tmp_path, given):
    """Two languages of three pairs in one padded batch, perhaps in parts, against one sentence at a time in float64."""
    recipe = recipe_of(**given)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    corpus, dropped = read(folder, tmp_path, recipe)
    # the second pair has no links but between identical words
    rows = [0, 2] if recipe.drop_identical else [0, 1, 2]
    assert len(corpus) == len(rows) == 3 - len(dropped)
    step = [(language, row) for language, of in enumerate(([0, 1], [1, 0, 1])) for row in of]
    chosen = [(language, corpus.pair(row)) for language, row in step]
    pairs = [(f.split(), e.split(), links) for f, e, links in PAIRS]
    now, before = moved(folder)
    expected = one_by_one(now, before, tokenizer, recipe, [(code, *pairs[rows[row]]) for code, row in step])
    expected.backward()
    gradients = [
        parameter.grad.clone() if parameter.grad is not None else None for parameter in now.parameters()
    ]
    now.zero_grad(set_to_none=True)

    model = objective.Aligned(now, before, 2, steps=1)
    value = 0.0
    for part in objective.collate(chosen, tokenizer.pad_token_id, now.config.hidden_size, recipe):
        loss, _ = objective.alignment_loss(model, part, recipe)
        loss.backward()
        value += loss.item()
    assert value == pytest.approx(expected.item(), rel=1e-12)
    compared = 0
    for parameter, gradient in zip(now.parameters(), gradients, strict=True):
        if gradient is None or parameter.grad is None:
            assert gradient is None or not gradient.any()
            assert parameter.grad is None or not parameter.grad.any()
            continue
        scale = gradient.abs().max().clamp(min=1.0)
        assert (parameter.grad - gradient).abs().max() <= 1e-9 * scale
        compared += int(gradient.any())
    assert compared > 10


def test_training_tells_mean_distances_of_each_language(folder, tmp_path):
    recipe = recipe_of(special_pieces=False)
    corpus, _ = read(folder, tmp_path, recipe)
    now, before = moved(folder)
    model = objective.Aligned(now, before, 2, steps=2)
    for step in range(2):
        chosen = [(step, corpus.pair(row)) for row in range(3)]
        for part in objective.collate(chosen, 0, now.config.hidden_size, recipe):
            _, terms = objective.alignment_loss(model, part, recipe)
            links = sum(len(pair.links) for _, pair in chosen)
            words = sum(len(pair.foreign.words) + len(pair.english.words) for _, pair in chosen)
    curves = model.curves(["ar", "sw"])
    assert [value is not None for value in curves["ar"]["L"]] == [True] + [False] * 9
    assert [value is not None for value in curves["sw"]["L"]] == [False] * 5 + [True] + [False] * 4
    assert curves["sw"]["L"][5] == pytest.approx(terms["L"].item() / links, abs=1e-5)
    assert curves["sw"]["R"][5] == pytest.approx(terms["R"].item() / words, abs=1e-5)


def test_the_original_gets_no_gradient_and_no_place_in_a_checkpoint(folder, tmp_path):
    recipe = recipe_of()
    corpus, _ = read(folder, tmp_path, recipe)
    now, before = moved(folder)
    model = objective.Aligned(now, before, 1, steps=1)
    (part,) = objective.collate([(0, corpus.pair(0))], 0, now.config.hidden_size, recipe)
    objective.alignment_loss(model, part, recipe)[0].backward()
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in before.parameters())
    assert {name.partition(".")[0] for name in model.state_dict()} == {"encoder", "sums", "seen"}


def test_a_longer_sentence_ends_after_a_word_and_loses_the_links_behind(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    words = ["The", "city", "of", "Ramor", "lies", "on", "the", "river", "Tesi", "."]
    (full,) = encode([words], tokenizer, 96)
    for longest in range(3, len(full.pieces)):
        (cut,) = encode([words], tokenizer, longest)
        assert len(cut.pieces) <= longest
        assert cut.pieces[-1] == tokenizer.sep_token_id
        assert cut.pieces[:-1].tolist() == full.pieces[: len(cut.pieces) - 1].tolist()
        assert len(cut.words) == sum(last < longest - 1 for _, last in full.words)
    pair = whole(full, cut, [(0, 0), (len(full.words) - 1, len(full.words) - 1)], special=False)
    assert pair.links.tolist() == [[0, 0]]
    assert whole(full, cut, [(9, 9)], special=False) == "no links that can be used"


def test_pairs_of_no_use_are_told_by_line(folder, tmp_path):
    pairs, links = files(tmp_path)
    (tmp_path / "links").write_text("0-1\n0-0 0-1\n0-0\n")
    corpus, dropped = finetune.read_language(
        "sw", pairs, links, AutoTokenizer.from_pretrained(folder), recipe_of()
    )
    assert len(corpus) == 2
    assert dropped == [("sw 2", "no links that can be used")]


def test_parts_hold_pairs_of_like_length_within_the_budget(folder, tmp_path):
    corpus, _ = read(folder, tmp_path, recipe_of())
    chosen = [(0, corpus.pair(row)) for row in (0, 1, 2, 1, 0)]
    long = max(len(corpus.pair(0).foreign.pieces), len(corpus.pair(0).english.pieces))
    made = bitext.parts(chosen, 2 * long)
    padded = [[max(len(p.foreign.pieces), len(p.english.pieces)) for _, p in part] for part in made]
    assert [length for part in padded for length in part] == sorted(
        length for part in padded for length in part
    )
    assert all(2 * len(part) * max(part) <= 2 * long for part in padded)
    assert [len(part) for part in bitext.parts(chosen, 1)] == [1] * 5
    assert bitext.parts(chosen, None) == [chosen]


@pytest.mark.parametrize("sampling", ["cyclic", "proportional", "temperature"])
def test_sampling(folder, tmp_path, sampling):
    recipe = recipe_of(sampling=sampling, batch_size=2, temperature=1e9)
    corpus, _ = read(folder, tmp_path, recipe)
    small, large = bitext.Corpus(corpus.pieces, corpus.words, corpus.links), corpus
    sizes = {0: 3, 1: 3}
    sampler = finetune.Sampler([small, large], recipe)
    seen = Counter(pair for step in range(sampler.steps_per_epoch) for pair in sampler.pairs(step))
    assert {language for language, _ in seen} == set(sizes)
    if sampling == "cyclic":
        assert all(
            [language for language, _ in sampler.pairs(step)] == [0, 0, 1, 1]
            for step in range(sampler.steps_per_epoch)
        )
        assert sampler.steps_per_epoch == 2
    else:
        assert sampler.steps_per_epoch == 3
        assert len(seen) == 6
    again = finetune.Sampler([small, large], recipe)
    assert [again.pairs(step) for step in (5, 1)] == [sampler.pairs(step) for step in (5, 1)]


def test_the_step_draws_linked_words_together_and_writes_an_encoder(folder, tmp_path):
    pairs, links = files(tmp_path)
    given = {"epochs": 30, "learning_rate": 1e-3, "precision": "fp32"}
    step = [sys.executable, "-m", "workflow_scripts.align.finetune", "--encoder", folder, "--recipe"]
    rest = ["--pairs", f"sw={pairs}", "--links", f"sw={links}", "--work", tmp_path / "work", "--out"]
    subprocess.run([*step, json.dumps(given), *rest, tmp_path / "out"], check=True)
    corpus, _ = read(tmp_path / "out", tmp_path, recipe_of())
    (batch,) = objective.collate([(0, corpus.pair(row)) for row in range(3)], 0, 16, recipe_of())

    def distance(where):
        model = objective.Aligned(
            AutoModel.from_pretrained(where).eval(), AutoModel.from_pretrained(folder), 1, steps=1
        )
        return objective.alignment_loss(model, batch, recipe_of(regulariser=0.0))[1]["L"].item()

    assert distance(tmp_path / "out") < 0.8 * distance(folder)
    told = json.loads((tmp_path / "out" / "training.json").read_text())
    assert told["pairs"] == {"sw": 3}
    assert told["curves"]["sw"]["L"][9] < told["curves"]["sw"]["L"][0]
    assert (tmp_path / "out" / "dropped.jsonl").read_text() == ""
    assert not list((tmp_path / "work").rglob("*.pt"))
    before = (tmp_path / "out" / "model.safetensors").read_bytes()
    subprocess.run([*step, json.dumps(given), *rest, tmp_path / "out"], check=True)
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == before

    # the control: the same steps and pieces, and an encoder that predicts them better than before
    control = {**given, "task": "masked_lm", "mask_share": 0.5}
    subprocess.run([*step, json.dumps(control), *rest, tmp_path / "control"], check=True)
    read_more = json.loads((tmp_path / "control" / "training.json").read_text())
    assert [read_more[key] for key in ("steps", "pieces")] == [told[key] for key in ("steps", "pieces")]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    chosen = [(0, corpus.pair(row)) for row in range(3)]
    (batch,) = control_task.masked_parts(chosen, tokenizer, Alignment(**control), (7, 7))

    def surprise(where):
        with torch.no_grad():
            return control_task.masked_loss(AutoModelForMaskedLM.from_pretrained(where).eval(), batch)[
                0
            ].item()

    assert surprise(tmp_path / "control") < 0.9 * surprise(folder)


def test_parts_of_the_control_add_up(folder, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    corpus, _ = read(folder, tmp_path, recipe_of())
    parts = control_task.masked_parts(
        [(0, corpus.pair(row)) for row in range(3)],
        tokenizer,
        recipe_of(part_pieces=1, mask_share=0.5),
        (1, 2),
    )
    model = AutoModelForMaskedLM.from_pretrained(folder).eval()
    logits, labels = zip(*(masked_logits(model, part) for part in parts), strict=True)
    whole = cross_entropy(torch.cat(logits), torch.cat(labels)).item()
    assert sum(control_task.masked_loss(model, part)[0].item() for part in parts) == pytest.approx(
        whole, rel=1e-5
    )


def test_a_control_needs_an_output_layer(folder, tmp_path):
    AutoModel.from_pretrained(folder).save_pretrained(tmp_path / "bare")
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "bare")
    with pytest.raises(InputError, match=r"the weights of lm_head.* are missing"):
        finetune.masked_control(tmp_path / "bare", AutoTokenizer.from_pretrained(folder), recipe_of(), 1, 1)


def test_keys_that_are_given_win_over_the_preset():
    assert Alignment(preset="cao").target == "frozen"
    assert Alignment(preset="cao", target="live").target == "live"
    again = Alignment.model_validate_json(Alignment(preset="wu_dredze", steps=5).model_dump_json())
    assert (again.steps, again.batch_size) == (5, 128)


def test_arguments_that_name_no_language_are_told(folder):
    arguments = Namespace(encoder=folder, pairs=["foo"], links=["sw=links"])
    with pytest.raises(InputError, match="--pairs foo: give name=file"):
        finetune.finetune(arguments, Alignment())
    arguments = Namespace(encoder=folder, pairs=["sw=pairs"], links=["ar=links"])
    with pytest.raises(InputError, match="--pairs names sw, but --links ar"):
        finetune.finetune(arguments, Alignment())


def test_links_counted_from_one_are_refused(folder, tmp_path):
    pairs, links = files(tmp_path)
    (tmp_path / "links").write_text("1-1\n2-2\n1-1\n")
    told = r"line 2: link 2-2 reaches outside sentences of 2 and 2 words.*take 1 from both numbers"
    with pytest.raises(InputError, match=told):
        finetune.read_language("sw", pairs, links, AutoTokenizer.from_pretrained(folder), recipe_of())


def test_the_rest_proceeds_where_lines_are_malformed(folder, tmp_path):
    good = [f"{f} ||| {e}".encode() for f, e, _ in PAIRS]
    lines = [
        good[0],
        b"one side",
        good[1],
        b" ||| Ramor",
        b"Ram\xff ||| x",
        b"a ||| b ||| c",
        good[2],
        good[2],
    ]
    links = ["0-1", "0-0", "0-7", "0-0", "0-0", "0-0", "0:0", "0-0"]
    (tmp_path / "pairs").write_bytes(b"\n".join(lines))
    (tmp_path / "links").write_text("\n".join(links))
    paths = str(tmp_path / "pairs"), str(tmp_path / "links")
    corpus, dropped = finetune.read_language("sw", *paths, AutoTokenizer.from_pretrained(folder), recipe_of())
    assert [where for where, _ in dropped] == ["sw 2", "sw 3", "sw 4", "sw 5", "sw 6", "sw 7"]
    assert [reason.split(";")[0] for _, reason in dropped] == [
        "not 'words ||| words'",
        "link 0-7 reaches outside sentences of 2 and 2 words",
        "not 'words ||| words'",
        "not UTF-8",
        "not 'words ||| words'",
        "'0:0' is no link",
    ]
    assert len(corpus) + len(dropped) == len(lines)
