"""MuCoT's contrastive term: who is paired with whom, the loss and its gradient, and what it leaves as it is."""

import math
import os
import signal
import subprocess
import sys
from argparse import Namespace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from tests.unit.test_packed import CONFIGS, model, told
from tests.unit.tiny import encoder
from workflow_scripts.cli import InputError
from workflow_scripts.corpus import QUESTIONS, Annotation, Document, Question, write_questions, write_table
from workflow_scripts.qa.batches import Layout, Part, read_parts
from workflow_scripts.qa.contexts import tokenise
from workflow_scripts.qa.contrast import Records, Scale, contrasted, contrasting, pairing
from workflow_scripts.qa.features import Contexts, Windows, load_tokenizer, save
from workflow_scripts.qa.heads import from_encoder
from workflow_scripts.qa.tune import tune
from workflow_scripts.qa.windows import cut
from workflow_scripts.recipes.contrast import Contrast
from workflow_scripts.recipes.features import Features
from workflow_scripts.recipes.training import Optimisation
from workflow_scripts.recipes.tuning import Tuning
from workflow_scripts.training import loop, packed
from workflow_scripts.training.folders import load_tokenizer as load_folder
from workflow_scripts.training.work_folder import locked

# --- pairing -----------------------------------------------------------------------------------------------------


def version(folder, name, records, passages, answer, windows, language) -> tuple[Part, SimpleNamespace]:
    """A corpus of one context in passages of so many pieces, asked about by `records`; windows are (first, behind)."""
    pieces = sum(passages)
    contexts = Contexts(
        ["d"],
        "",
        np.array([0, pieces]),
        np.zeros(pieces, np.int32),
        *np.zeros((2, pieces), np.int32),
        np.repeat(np.arange(len(passages)), passages).astype(np.int16),
    )
    rows = [
        (
            number,
            first,
            end - first,
            *((1, answer[0] - first, answer[1] - 1 - first) if holds else (0, -1, -1)),
        )
        for number in range(len(records))
        for first, end in windows
        for holds in [answer is not None and first <= answer[0] and answer[1] <= end]
    ]
    ids = [f"{record}@{language}" for record in records]
    bounds = np.arange(len(ids) + 1)
    asked = Windows(ids, "", bounds, np.zeros(len(ids), np.int32), *np.array(rows).T)
    table = folder / f"{name}.parquet"
    rows = [
        {"question_id": one, "source_id": record, "language": language, "text": "", "annotations": []}
        for one, record in zip(ids, records, strict=True)
    ]
    write_table(table, rows, QUESTIONS)
    return Part(asked, contexts), table


def records(folder, versions, **recipe) -> Records:
    parts, tables = zip(
        *(version(folder, str(number), **given) for number, given in enumerate(versions)), strict=True
    )
    return Records(parts, tables, Contrast(**recipe))


# The second version has half of the first one's pieces in its first passage, as many in the second.
EN = {"records": ["a"], "passages": [40, 20], "answer": None, "language": "en"}
TA = {"records": ["a"], "passages": [20, 20], "answer": None, "language": "ta"}


def test_partners_hold_the_same_passages_and_shares_of_them(tmp_path):
    english = EN | {"windows": [(0, 20), (20, 40), (40, 60)]}
    found = records(tmp_path, [english, TA | {"windows": [(0, 10), (10, 20), (20, 30), (30, 40)]}])
    assert [found.partners(0, window) for window in range(3)] == [[(1, 0)], [(1, 1)], [(1, 2)]]
    assert [found.partners(1, window) for window in range(4)] == [[(0, 0)], [(0, 1)], [(0, 2)], [(0, 2)]]
    # pieces alone, a third into the context, would give the second window
    assert found.parts[1].windows.first[1] / 40 < 20 / 60 < found.parts[1].windows.first[2] / 40


def test_where_passages_differ_the_place_in_the_context_counts(tmp_path):
    english = EN | {"windows": [(0, 20), (20, 40), (40, 60)]}
    other = TA | {"passages": [10, 10, 20], "windows": [(0, 13), (13, 27), (27, 40)]}
    found = records(tmp_path, [english, other])
    assert [found.partners(0, window) for window in range(3)] == [[(1, 0)], [(1, 1)], [(1, 2)]]


def test_windows_with_the_answer_are_paired_and_bend_what_corresponds(tmp_path):
    """The answer is late in one version and early in the other: what is before it corresponds to what is before it."""
    one = EN | {"passages": [100], "answer": (80, 82), "windows": [(0, 30), (30, 60), (60, 90), (70, 100)]}
    theirs = [
        (0, 25),
        (15, 45),
        (22, 60),
        (60, 100),
        (5, 20),
    ]  # (0, 83), (60, 87), (82, 91), (91, 100), (20, 80)
    other = TA | {"passages": [100], "answer": (20, 22), "windows": theirs}
    found = records(tmp_path, [one, other])
    assert found.partners(0, 2) == found.partners(0, 3) == [(1, 1)]
    assert found.partners(1, 0) == found.partners(1, 1) == [(0, 2)]
    # windows without the answer have partners without it, though one with it would share more
    assert found.partners(0, 0) == [(1, 4)]
    # unless none of them shares anything
    assert (found.partners(1, 2), found.partners(1, 3)) == ([(0, 2)], [(0, 3)])
    plain = records(tmp_path, [one | {"answer": None}, other | {"answer": None}])
    assert plain.partners(0, 0) == [(1, 0)]
    assert plain.partners(0, 2) == [(1, 3)]


def test_partners_are_of_the_same_record_in_other_languages(tmp_path):
    windows = {"windows": [(0, 30), (30, 60)]}
    both = EN | {"records": ["a", "b"]} | windows
    again = EN | {"records": ["b"]} | windows
    tamil, telugu = ({**both, "language": code, "records": ["b", "c"]} for code in ("ta", "te"))
    found = records(tmp_path, [both, again, tamil, telugu])
    assert found.partners(0, 0) == found.partners(0, 1) == []
    assert found.partners(0, 3) == found.partners(1, 1) == [(2, 1), (3, 1)]
    assert found.partners(2, 1) == [(0, 3), (1, 1), (3, 1)]
    assert found.partners(2, 2) == [(3, 2)]
    assert found.source(0, 3) == found.source(3, 1) != found.source(0, 0)


def test_the_code_pairs_by_number_and_perhaps_a_window_with_itself(tmp_path):
    english = EN | {"windows": [(0, 20), (20, 40), (40, 60)]}
    found = records(tmp_path, [english, TA | {"windows": [(0, 38), (2, 40)]}], preset="code")
    assert [found.partners(0, window) for window in range(3)] == [
        [(0, 0), (1, 0)],
        [(0, 1), (1, 1)],
        [(0, 2)],
    ]


def test_draws_are_fair_repeatable_and_do_not_depend_on_order(tmp_path):
    windows = {"windows": [(0, 30), (30, 60)]}
    versions = [EN | windows, *({**EN, "language": code} | windows for code in ("ta", "te", "ml"))]
    found = records(tmp_path, versions, schedule="always")
    rows = np.array([(0, 1), (2, 0), (1, 1), (3, 1), (0, 0), (0, 0)])
    first = found.draw(rows, 0, 7)
    order = np.array([3, 1, 0, 2, 4, 5])
    assert (found.draw(rows[order], 0, 7) == first[order]).all()
    assert (first[:, 1] == rows[:, 1]).all()
    assert (first[:, 0] != rows[:, 0]).all()
    drawn = np.concatenate([found.draw(rows[:1], 0, step)[:, 0] for step in range(600)])
    assert np.bincount(drawn, minlength=4)[0] == 0
    assert np.bincount(drawn)[1:].min() > 160
    assert not (np.concatenate([found.draw(rows[:1], 1, step)[:, 0] for step in range(600)]) == drawn).all()


def test_schedules(tmp_path):
    def steps(schedule):
        return [step for step in range(7) if Contrast(schedule=schedule).active(step)]

    assert steps("until:3") == [0, 1, 2]
    assert steps("every:3") == [0, 3, 6]
    assert steps("always") == list(range(7))
    windows = {"windows": [(0, 30), (30, 60)]}
    found = records(tmp_path, [EN | windows, EN | {"language": "ta"} | windows], schedule="until:1")
    assert found.draw(np.array([(0, 1)]), 0, 0).tolist() == [[1, 1]]
    assert found.draw(np.array([(0, 1)]), 0, 1).tolist() == [[-1, -1]]


def test_what_cannot_be_paired_is_told(tmp_path):
    one = EN | {"windows": [(0, 60)]}
    with pytest.raises(InputError, match="no question of the training set is there in two languages"):
        records(tmp_path, [one, one, TA | {"records": ["b"], "windows": [(0, 40)]}])
    part, _ = version(tmp_path, "n", **one)
    with pytest.raises(InputError, match=r"--questions names 0 tables, --windows 1 files"):
        Records([part], [], Contrast())
    _, other = version(tmp_path, "o", **(one | {"language": "ta"}))
    with pytest.raises(InputError, match=r"o.parquet: question a@en of --windows is not in it"):
        Records([part], [other], Contrast())


# --- the term ----------------------------------------------------------------------------------------------------

LENGTHS, THEIRS = [9, 31, 4, 17, 31, 12], [14, 6, 29, 17]
PAIRS, SOURCES, SHARE = [0, 2, 3, 5], [7, 8, 7, 9], 0.5


def inputs(config, lengths, seed):
    """Padded inputs of windows of these lengths."""
    random = torch.Generator().manual_seed(seed)
    lengths = torch.tensor(lengths)
    mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
    ids = torch.randint(5, 60, mask.shape, generator=random) * mask + config.pad_token_id * (1 - mask)
    made = {"input_ids": ids, "attention_mask": mask}
    if config.type_vocab_size > 1:
        made["token_type_ids"] = (torch.arange(mask.shape[1]) > lengths[:, None] // 3) * mask
    return made


def batches(config):
    """(windows with labels, partners), padded."""
    end = torch.tensor([8, 0, 3, 12, 30, 5])
    labels = {"start": end // 2, "end": end, "answer_type": (end > 0).long()}
    return inputs(config, LENGTHS, 1) | labels, inputs(config, THEIRS, 2)


def joined(windows, partners):
    told = {"pairs": torch.tensor(PAIRS), "sources": torch.tensor(SOURCES), "pair_share": torch.tensor(SHARE)}
    return windows | {f"partner_{name}": value for name, value in partners.items()} | told


@torch.no_grad()
def with_term(made, recipe):
    """A model whose windows differ: of random biases and norms, all would be nearly the same vector."""
    for name, parameter in made.named_parameters():
        if name.endswith("LayerNorm.weight"):
            parameter.fill_(1)
        elif name.endswith("bias"):
            parameter.mul_(0.1)
        elif "embeddings" in name:
            parameter.mul_(5)
    made.contrast = Scale(recipe).to(next(made.parameters()).dtype)
    return made


def measured(made, batch, recipe):
    """Loss, figures and gradients."""
    made.zero_grad()
    loss, figures = contrasted(made, batch, recipe)
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in made.named_parameters() if p.grad is not None}
    return loss.detach(), figures, gradients


def written_out(made, windows, partners, recipe):
    """The term as the paper writes it, a window and a number at a time."""
    encoder = made.span.base_model

    def means(rows):
        if recipe.pool == "padding":
            return encoder(**rows, output_hidden_states=True).hidden_states[recipe.layer].mean(1)
        found = []
        for number, length in enumerate(rows["attention_mask"].sum(1).tolist()):
            one = {name: value[number : number + 1, :length] for name, value in rows.items()}
            states = encoder(**one, output_hidden_states=True).hidden_states[recipe.layer][0]
            found.append(sum(states) / length)
        return found

    names = ("input_ids", "attention_mask", "token_type_ids")
    ours = means({name: windows[name] for name in names if name in windows})
    ours, theirs = [ours[row] for row in PAIRS], means(partners)
    scale = 1.0
    if recipe.temperature == "fixed":
        scale = 1 / recipe.tau
    if recipe.temperature == "learned":
        scale = made.contrast.logarithm.exp()

    def similarity(one, other):
        value = sum(a * b for a, b in zip(one, other, strict=True))
        if recipe.normalise:
            value = value / (sum(a * a for a in one).sqrt() * sum(b * b for b in other).sqrt())
        return scale * value

    q = [[similarity(one, other) for other in theirs] for one in ours]
    kept = [
        [i == j or not recipe.mask_same_source or SOURCES[i] != SOURCES[j] for j in range(4)]
        for i in range(4)
    ]
    term = 0.0
    for i in range(4):
        row = sum(q[i][j].exp() for j in range(4) if kept[i][j])
        column = sum(q[j][i].exp() for j in range(4) if kept[j][i])
        term = term + (row.log() - q[i][i]) + (column.log() - q[i][i])
    return term / 4 / 2


OPTIONS = list(product(("pieces", "padding"), (False, True), ("none", "fixed", "learned"), (False, True)))


@pytest.mark.parametrize("number", range(len(OPTIONS)), ids=["-".join(map(str, one)) for one in OPTIONS])
def test_loss_and_gradient_equal_the_formula(number):
    pool, normalise, temperature, masked = OPTIONS[number]
    recipe = Contrast(
        weight=0.7,
        layer=1 + number % 2,
        pool=pool,
        normalise=normalise,
        temperature=temperature,
        tau=0.1 if normalise else 2.0,
        mask_same_source=masked,
    )
    config = CONFIGS[list(CONFIGS)[number % 3]]
    made = with_term(model(config, torch.float64), recipe)
    windows, partners = batches(config)
    loss, figures, gradients = measured(made, joined(windows, partners), recipe)

    plain, _, expected = told(made, windows)
    made.zero_grad()
    term = written_out(made, windows, partners, recipe)
    (recipe.weight * SHARE * term).backward()
    assert term > 0.1
    torch.testing.assert_close(figures["contrast"], SHARE * term.detach(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(loss, plain + recipe.weight * SHARE * term.detach(), rtol=1e-9, atol=1e-9)
    moved = 0
    for name, parameter in made.named_parameters():
        if parameter.grad is not None:
            expected[name] = expected.get(name, 0) + parameter.grad
            moved += bool(parameter.grad.abs().max() > 1e-3)
    assert moved > 10
    assert gradients.keys() == expected.keys()
    assert ("contrast.logarithm" in gradients) == (temperature == "learned")
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-9, atol=1e-9, msg=name)


@pytest.mark.parametrize("kind", CONFIGS)
def test_packed_windows_give_what_padded_ones_give(kind):
    recipe = Contrast(weight=0.7, layer=2, tau=0.3)
    config = CONFIGS[kind]
    padded, packing = (with_term(model(config), recipe) for _ in range(2))
    windows, partners = batches(config)
    expected = measured(padded, joined(windows, partners), recipe)
    first = packed.first_position(packing.span.base_model)
    labels = {name: windows.pop(name) for name in ("start", "end", "answer_type")}
    packing.use("packed", "sdpa")
    row = joined(packed.packed(windows, first) | labels, packed.packed(partners, first))
    found = measured(packing, row, recipe)
    assert found[1]["contrast"] > 0.1
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_the_partners_pass_ends_at_the_layer():
    config = CONFIGS["xlmr"]
    recipe = Contrast(layer=2)
    made = with_term(model(config), recipe)
    passes = []
    for number, block in enumerate(made.span.base_model.encoder.layer):
        block.register_forward_hook(lambda module, given, output, number=number: passes.append(number))
    contrasted(made, joined(*batches(config)), recipe)
    assert passes == [0, 1, 2, 0, 1]
    assert len(made.span.base_model.encoder.layer) == 3


def test_a_learned_temperature_is_held_at_its_limit():
    scale = Scale(Contrast(tau=0.001))
    assert scale().item() == pytest.approx(100)
    assert torch.autograd.grad(scale(), scale.logarithm)[0].item() == pytest.approx(100)
    assert Scale(Contrast(tau=0.001, max_scale=None))().item() == pytest.approx(1000)
    assert Scale(Contrast(tau=0.001, temperature="fixed"))() == 1000
    assert Scale(Contrast(temperature="none"))() == 1


# --- in training -------------------------------------------------------------------------------------------------

NAMES = ["Ramor", "Tesi", "Mito", "Lora", "Sako", "Ruzo"]
TEXTS = {
    "en": ("The river is long . The city of {} lies on the river", "Which city lies on the river {} ?"),
    "sw": ("Mji uko kando ya mto . Mji wa {} uko kando ya mto Tesi", "Which Mji uko kando ya mto {} ?"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six records in two languages, their windows, and an encoder."""
    folder = tmp_path_factory.mktemp("contrast")
    tokenizer = load_tokenizer(encoder(folder / "encoder") / "tokenizer.json")
    for code, (passage, asked) in TEXTS.items():
        documents, questions = [], []
        for number, name in enumerate(NAMES):
            text = " ".join([passage.format(name), *["The river is long ."] * 12])
            spans = ((0, text.index(".") + 1), (text.index(".") + 2, len(text)))
            documents.append(Document(f"d{number}@{code}", code, name, "", text, spans, f"d{number}"))
            at = text.index(name)
            answer = Annotation(1, at, at + len(name), name)
            one = Question(
                f"{number}@{code}", str(number), f"d{number}@{code}", code, asked.format(number), (answer,)
            )
            questions.append(one)
        recipe = Features(max_length=60, stride=8, question_length=32)
        contexts = tokenise(documents, tokenizer, recipe.max_passages)
        known = {document.doc_id: document for document in documents}
        windows, lost = cut(questions, contexts, tokenizer, recipe)
        assert not lost
        assert len(windows.first) >= 12
        save(folder / f"{code}.contexts", contexts, "doc_ids", {})
        save(folder / f"{code}.windows", windows, "question_ids", {})
        write_questions(folder / f"{code}.parquet", questions, known)
    return folder


def tuned(made, out, asked=True, **recipe):
    """Train a few steps; the bytes of the model."""
    files = {name: [made / f"{code}.{name}" for code in TEXTS] for name in ("contexts", "windows")}
    given = {"left_out": None, "corpora": [], "seed": 0, "encoder": made / "encoder", "label": "tune"}
    if asked:
        given["questions"] = [made / f"{code}.parquet" for code in TEXTS]
    settings = {"steps": 4, "batch_size": 6, "precision": "fp32", "learning_rate": 1e-2, "epsilon": 1e-2}
    with locked(out / "work") as work:
        tune(
            Namespace(**files, **given, work=work, out=out),
            Tuning(**settings | recipe),
            "workflow_scripts.qa.tune",
        )
    return [(out / name).read_bytes() for name in ("model.safetensors", "answer_type.safetensors")]


def test_weight_0_is_a_run_without_the_term(made, tmp_path):
    plain = tuned(made, tmp_path / "plain", asked=False)
    nothing = tuned(made, tmp_path / "nothing", asked=False, contrast={"weight": 0, "schedule": "always"})
    assert nothing == plain
    assert tuned(made, tmp_path / "some", contrast={"layer": 2}) != plain
    names = load_file(tmp_path / "some/model.safetensors").keys()
    assert names == load_file(tmp_path / "plain/model.safetensors").keys()


def test_packed_tuning_gives_the_padded_model(made, tmp_path):
    recipe = {"contrast": {"layer": 2, "weight": 1.0, "mask_same_source": False}}
    found = []
    for number, more in enumerate(({}, {"batching": "packed"})):
        tuned(made, tmp_path / str(number), **recipe, **more)
        found.append(load_file(tmp_path / f"{number}/model.safetensors"))
    plain = tuned(made, tmp_path / "plain")
    assert plain[0] != (tmp_path / "0/model.safetensors").read_bytes()
    for name, weight in found[0].items():
        torch.testing.assert_close(found[1][name], weight, rtol=1e-5, atol=1e-5, msg=name)


def test_parts_of_a_step_have_their_pairs_share(made):
    parts = read_parts(*([made / f"{code}.{name}" for code in TEXTS] for name in ("contexts", "windows")))
    recipe = Contrast(layer=2, schedule="always")
    span = from_encoder(made / "encoder", "folded")
    found, _ = contrasting(span, parts, [made / f"{code}.parquet" for code in TEXTS], recipe)
    layout = Layout.of(load_folder(made / "encoder"), span.span)
    rows = np.array([(part, window) for part in (0, 1) for window in range(5)])
    partners = found.draw(rows, 0, 3)
    assert (partners[:, 0] == 1 - rows[:, 0]).all()
    partners[[1, 2, 3, 9]] = -1
    cuts = [slice(0, 2), slice(2, 4), slice(4, 10)]
    given = [pairing(found, rows, partners, one, 1.5, layout, "nothing", "padded") for one in cuts]
    assert given[1] == {}
    assert [one["pairs"].tolist() for one in (given[0], given[2])] == [[0], [0, 1, 2, 3, 4]]
    assert [one["pair_share"].item() for one in (given[0], given[2])] == [0.25, 1.25]
    whole = pairing(found, rows, partners, slice(None), 1.5, layout, "nothing", "padded")
    assert whole["pair_share"] == 1.5
    assert torch.equal(whole["sources"], torch.cat([given[0]["sources"], given[2]["sources"]]))
    held = [row for row in rows if partners[rows.tolist().index(row.tolist()), 0] >= 0]
    lengths = [parts[part].lengths()[window] for part, window in partners[partners[:, 0] >= 0]]
    assert whole["partner_attention_mask"].sum(1).tolist() == lengths
    assert whole["sources"].tolist() == [found.source(*row) for row in held]


def test_a_learned_temperature_survives_a_resumption(tmp_path):
    config = CONFIGS["bert"]
    recipe = Contrast(layer=1, tau=0.3, schedule="always")
    optimising = Optimisation(learning_rate=0.01, precision="fp32")

    def run(work, stop):
        made = with_term(model(config), recipe)

        def batch(step):
            if step == stop:
                os.kill(os.getpid(), signal.SIGTERM)
            return [joined(*batches(config))]

        loop.train(
            made,
            batch,
            lambda net, given: contrasted(net, given, recipe),
            steps=8,
            recipe=optimising,
            seed=0,
            work=work,
            identity="a",
            label="t",
        )
        return made

    (tmp_path / "parts").mkdir()
    whole = run(tmp_path / "whole", None)
    with pytest.raises(SystemExit):
        run(tmp_path / "parts", 4)
    resumed = run(tmp_path / "parts", None)
    assert torch.equal(whole.contrast.logarithm, resumed.contrast.logarithm)
    assert abs(whole.contrast.logarithm.item() + math.log(0.3)) > 0.01
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_what_cannot_be_is_told(made, tmp_path):
    with pytest.raises(
        InputError, match=r"^contrast.layer is 3, but the encoder has 2 blocks; give one of them$"
    ):
        tuned(made, tmp_path / "m", contrast={})
    assert not (tmp_path / "m/model.safetensors").exists()
    with pytest.raises(
        ValidationError, match=r"contrast\.pool is padding, which batching packed may not have"
    ):
        Tuning(batching="packed", contrast={"preset": "code"})
    for schedule in ("until:0", "until:", "often", "every:1.5"):
        with pytest.raises(ValidationError, match="schedule"):
            Contrast(schedule=schedule)


def test_presets():
    paper, code = (Contrast(preset=name) for name in ("paper", "code"))
    assert (paper.layer, paper.weight, paper.schedule) == (code.layer, code.weight, code.schedule)
    assert (paper.pairs, paper.itself, paper.pool) == ("content", False, "pieces")
    assert (paper.normalise, paper.temperature) == (False, "none")
    assert (code.pairs, code.itself, code.pool) == ("ordinal", True, "padding")
    assert (code.normalise, code.temperature, code.tau, code.max_scale) == (True, "learned", 0.07, None)
    assert Contrast(preset="code", itself=False).itself is False


TWO = """
import sys
from pathlib import Path
import torch
from tests.unit.test_contrast import CONFIGS, batches, contrasted, joined, model, with_term
from workflow_scripts.recipes.contrast import Contrast
from workflow_scripts.recipes.training import Optimisation
from workflow_scripts.training import loop, processes

def parts(step):
    \"\"\"Two parts, of which the second has pairs in every second step, and the first in all but every third.\"\"\"
    windows, partners = batches(CONFIGS["bert"])
    paired = joined(windows, partners)
    other = {name: value.flip(0) if value.ndim else value for name, value in paired.items()}
    return [windows if step % 3 == 0 else paired, other if step % 2 else windows]

recipe = Contrast(layer=2, tau=0.05, weight=1)
made = with_term(model(CONFIGS["bert"]), recipe)
told = loop.train(
    made, parts, lambda net, given: contrasted(net, given, recipe), steps=12,
    recipe=Optimisation(learning_rate=0.01, epsilon=0.01, precision="fp32"), seed=0, work=Path(sys.argv[1]),
    identity="a", label="t",
)
if processes.first():
    torch.save({"weights": made.state_dict(), "contrast": told["contrast"]}, sys.argv[2])
"""


@pytest.mark.slow
def test_two_processes_contrast_as_one(tmp_path):
    """Also in steps in which one of them, or neither, has a pair."""
    (tmp_path / "two.py").write_text(TWO)
    found = []
    for number in (1, 2):
        launch = [] if number == 1 else ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
        work, out = tmp_path / f"work{number}", tmp_path / f"out{number}.pt"
        command = [sys.executable, *launch, tmp_path / "two.py", work, out]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        found.append(torch.load(out))
    one, two = found
    assert one["contrast"] == pytest.approx(two["contrast"], abs=1e-5)
    assert abs(one["weights"]["contrast.logarithm"] + math.log(0.05)) > 0.01
    for name, value in one["weights"].items():
        torch.testing.assert_close(two["weights"][name], value, rtol=1e-5, atol=1e-5, msg=name)
