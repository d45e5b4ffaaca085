"""A packed batch gives what the padded one gives: logits, loss, every gradient."""

import copy

import pytest
import torch
from transformers import (
    AutoModelForQuestionAnswering,
    BertConfig,
    RobertaPreLayerNormConfig,
    XLMRobertaConfig,
)

from workflow_scripts.qa.heads import QuestionAnswerer, question_answering
from workflow_scripts.training import packed
from workflow_scripts.training.batch import Batch

LENGTHS = [9, 31, 4, 17, 31, 9, 1, 30, 31]
SHAPE = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
SHAPE |= {"intermediate_size": 48, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
ROBERTA = {"pad_token_id": 1, "type_vocab_size": 1, "max_position_embeddings": 34}
CONFIGS = {
    "bert": BertConfig(**SHAPE, pad_token_id=0, max_position_embeddings=32),
    "xlmr": XLMRobertaConfig(**SHAPE, **ROBERTA),
    "prelayernorm": RobertaPreLayerNormConfig(**SHAPE, **ROBERTA),
}


def model(config, dtype=torch.float32):
    torch.manual_seed(1)
    span = AutoModelForQuestionAnswering.from_config(copy.deepcopy(config), attn_implementation="eager")
    made = QuestionAnswerer(span).to(dtype).train()
    for parameter in made.parameters():  # biases and norms, too, or their gradients would show less
        torch.nn.init.normal_(parameter, std=0.2)
    return made


def batch(config) -> tuple[Batch, Batch]:
    """Inputs of windows of many lengths, some without an answer, and their labels."""
    torch.manual_seed(0)
    lengths = torch.tensor(LENGTHS)
    mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
    inputs = {
        "input_ids": torch.randint(5, 60, mask.shape) * mask + config.pad_token_id * (1 - mask),
        "attention_mask": mask,
    }
    if config.type_vocab_size > 1:
        inputs["token_type_ids"] = (torch.arange(mask.shape[1]) > lengths[:, None] // 3) * mask
    end = torch.tensor([8, 0, 3, 12, 30, 5, 0, 0, 2])
    return inputs, {"start": end // 2, "end": end, "answer_type": (end > 0).long()}


def told(made, given):
    """Loss, figures and gradients."""
    made.zero_grad()
    loss, figures = question_answering(made, given)
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in made.named_parameters() if p.grad is not None}
    return loss.detach(), figures, gradients


def both(config, dtype=torch.float32):
    """The padded side by transformers' eager kernel, and the packed side, of the same model and windows."""
    inputs, labels = batch(config)
    padded, packing = model(config, dtype), model(config, dtype)
    row = {**packed.packed(inputs, packed.first_position(packing.span.base_model)), **labels}
    packing.span.set_attn_implementation(packed.NAME)
    return padded, {**inputs, **labels}, packing, row


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize(
    ("dtype", "near"), [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=["fp32", "fp64"]
)
def test_loss_and_gradients_equal_those_of_the_padded_batch(kind, dtype, near, monkeypatch):
    monkeypatch.setattr(packed, "TOGETHER", 4 * 31 * 31 * 2)  # of three texts of 31 pieces, two at once
    padded, rows, packing, row = both(CONFIGS[kind], dtype)
    assert row["input_ids"].shape == (1, sum(LENGTHS))
    loss, figures, gradients = told(padded, rows)
    packed_loss, packed_figures, packed_gradients = told(packing, row)
    assert loss > 0.5
    torch.testing.assert_close(packed_loss, loss, rtol=near, atol=near)
    torch.testing.assert_close(packed_figures, figures, rtol=near, atol=near)
    # the pooler of a question-answering model is not there, so nothing goes without a gradient
    assert packed_gradients.keys() == gradients.keys() == dict(padded.named_parameters()).keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(packed_gradients[name], gradient, rtol=near, atol=near, msg=name)


def test_logits_come_in_the_shape_and_order_of_the_padded_batch():
    padded, rows, packing, row = both(CONFIGS["xlmr"])
    with torch.no_grad():
        expected, found = padded(rows), packing(row)
    held = rows["attention_mask"].bool()
    assert torch.equal(packed.absent(row), ~held)
    for one, other in zip(found[:2], expected[:2], strict=True):
        torch.testing.assert_close(one[held], other[held], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found[2], expected[2], rtol=1e-5, atol=1e-5)


def test_jagged_attention_for_gpus_equals_attention_side_by_side():
    torch.manual_seed(0)
    states = [torch.randn(sum(LENGTHS), 4, 8, requires_grad=True) for _ in range(3)]
    lengths = torch.tensor(sorted(LENGTHS))
    bounds = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
    groups = [(LENGTHS.count(length), length) for length in sorted(set(LENGTHS))]
    one = packed.side_by_side(*states, groups, 0.0)
    expected = torch.autograd.grad(one.pow(2).sum(), states)
    other = packed.jagged(*states, bounds, max(LENGTHS), 0.0)
    torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-5)
    for gradient, wanted in zip(torch.autograd.grad(other.pow(2).sum(), states), expected, strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_takes_its_share_and_keeps_the_mean(dtype):
    torch.manual_seed(0)
    mask = packed.coins(torch.empty(3, 333, 1001, dtype=dtype), round(0.9 * packed.COINS))
    assert mask.dtype == dtype
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert abs(float(mask.float().mean()) - 0.9) < 0.001
    # the four coins of 64 bits don't go together
    flat = mask.float().flatten()[:999_996].view(-1, 4)
    assert (flat.mean(0) - 0.9).abs().max() < 0.003
    assert (torch.corrcoef(flat.T) - torch.eye(4)).abs().max() < 0.01

    torch.manual_seed(0)
    query, key, value = (torch.randn(40, 2, 16) for _ in range(3))
    plain = packed.side_by_side(query, key, value, [(2, 20)], 0.0)
    dropped = sum(packed.side_by_side(query, key, value, [(2, 20)], 0.3) for _ in range(3000)) / 3000
    assert (dropped - plain).abs().max() < 0.1 < plain.abs().max()


def test_dropout_thins_in_training_only():
    config = copy.deepcopy(CONFIGS["bert"])
    config.attention_probs_dropout_prob = 0.5
    _, _, packing, row = both(config)
    with torch.no_grad():
        assert not torch.equal(packing(row)[0], packing(row)[0])
        packing.eval()
        assert torch.equal(packing(row)[0], packing(row)[0])
