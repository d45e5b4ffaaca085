"""The alignment objective against its formula written out, and what one-to-one leaves."""

import json
import subprocess
import sys
from argparse import Namespace

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from tests.unit.tiny import encoder
from workflow_scripts.align import finetune
from workflow_scripts.cli import InputError
from workflow_scripts.pairs import one_to_one
from workflow_scripts.recipes.alignment import Alignment

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


def test_loss_equals_the_formula(folder, tmp_path):
    """L and R one word at a time, each sentence alone in its batch."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(1)
    now = AutoModel.from_pretrained(folder).eval()
    for parameter in now.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    before = AutoModel.from_pretrained(folder).eval()

    def vectors(model, sentence):
        ids, last = [tokenizer.cls_token_id], []
        for word in sentence.split():
            ids += tokenizer(word, add_special_tokens=False)["input_ids"]
            last.append(len(ids) - 1)
        ids.append(tokenizer.sep_token_id)
        return model(torch.tensor([ids])).last_hidden_state[0, last]

    drawn = held = 0.0
    for foreign, english, links in PAIRS:
        sides = [vectors(now, side) for side in (foreign, english)]
        kept = one_to_one([tuple(map(int, link.split("-"))) for link in links.split()])
        drawn += sum((sides[0][i] - sides[1][j]).square().sum() for i, j in kept)
        held += sum(
            (sides[n] - vectors(before, side)).square().sum() for n, side in enumerate((foreign, english))
        )

    read = finetune.read_language("sw", *files(tmp_path), tokenizer)
    batch = finetune.collate(read, tokenizer.pad_token_id)
    value, terms = finetune.alignment_loss(finetune.Reference(now, before), batch, regulariser=0.5)
    assert terms["L"].item() == pytest.approx(drawn.item(), rel=1e-5)
    assert terms["R"].item() == pytest.approx(held.item(), rel=1e-5)
    assert value.item() == pytest.approx((drawn + 0.5 * held).item(), rel=1e-5)


def test_the_step_draws_linked_words_together_and_writes_an_encoder(folder, tmp_path):
    pairs, links = files(tmp_path)
    recipe = {"epochs": 30, "learning_rate": 1e-3, "precision": "fp32"}
    step = [
        sys.executable,
        "-m",
        "workflow_scripts.align.finetune",
        "--encoder",
        folder,
        "--recipe",
        json.dumps(recipe),
    ]
    rest = [
        "--pairs",
        f"sw={pairs}",
        "--links",
        f"sw={links}",
        "--work",
        tmp_path / "work",
        "--out",
        tmp_path / "out",
    ]
    subprocess.run([*step, *rest], check=True)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    batch = finetune.collate(finetune.read_language("sw", pairs, links, tokenizer), tokenizer.pad_token_id)

    def distance(where):
        model = finetune.Reference(AutoModel.from_pretrained(where).eval(), AutoModel.from_pretrained(folder))
        return finetune.alignment_loss(model, batch, 0.0)[1]["L"].item()

    assert distance(tmp_path / "out") < 0.8 * distance(folder)
    assert json.loads((tmp_path / "out" / "training.json").read_text())["pairs"] == {"sw": 3}
    assert not (tmp_path / "work" / "checkpoint.pt").exists()
    before = (tmp_path / "out" / "model.safetensors").read_bytes()
    subprocess.run([*step, *rest], check=True)
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == before


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
    with pytest.raises(
        InputError, match=r"line 2: link 2-2 reaches outside sentences of 2 and 2 words; links count from 0"
    ):
        finetune.read_language("sw", pairs, links, AutoTokenizer.from_pretrained(folder))
