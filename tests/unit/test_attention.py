"""The attention kernel of our own against transformers' eager one."""

import pytest
import torch
from transformers import BertConfig, BertModel, RobertaPreLayerNormConfig, RobertaPreLayerNormModel

from workflow_scripts.training.attention import kernel

SHAPE = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}


def both(kind, config, mask):
    """Hidden states and gradients of the same model and input with each kernel."""
    torch.manual_seed(0)
    ids = torch.randint(5, 50, mask.shape)
    found = []
    for name in ("eager", "folded"):
        torch.manual_seed(1)
        model = kind._from_config(config, attn_implementation=kernel(name))
        hidden_states = model.train()(input_ids=ids, attention_mask=mask).last_hidden_state
        (hidden_states * mask[..., None]).pow(2).sum().backward()
        gradients = {
            name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None
        }
        found.append((hidden_states * mask[..., None], gradients))
    return found


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (
            BertModel,
            BertConfig(**SHAPE, intermediate_size=32, hidden_dropout_prob=0, attention_probs_dropout_prob=0),
        ),
        (
            RobertaPreLayerNormModel,
            RobertaPreLayerNormConfig(
                **SHAPE, intermediate_size=32, hidden_dropout_prob=0, attention_probs_dropout_prob=0
            ),
        ),
    ],
    ids=["bert", "prelayernorm"],
)
def test_folded_attention_equals_eager_attention(kind, config, padded):
    mask = torch.ones(3, 11, dtype=torch.int64)
    if padded:
        mask[0, 4:] = 0
        mask[2, 9:] = 0
    (eager, eager_gradients), (folded, folded_gradients) = both(kind, config, mask)
    torch.testing.assert_close(folded, eager, rtol=1e-5, atol=1e-6)
    assert folded_gradients.keys() == eager_gradients.keys()
    for name, gradient in eager_gradients.items():
        torch.testing.assert_close(folded_gradients[name], gradient, rtol=1e-4, atol=1e-5, msg=name)


def test_in_bf16_padding_takes_no_part():
    config = BertConfig(**SHAPE, intermediate_size=32)
    torch.manual_seed(0)
    model = BertModel._from_config(config, attn_implementation=kernel("folded")).eval()
    ids = torch.randint(5, 50, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        first = model(input_ids=ids, attention_mask=mask).last_hidden_state[1, :5]
        ids[1, 5:] = 7
        second = model(input_ids=ids, attention_mask=mask).last_hidden_state[1, :5]
    assert torch.equal(first, second)


def test_dropout_thins_the_weights_in_training_only():
    config = BertConfig(
        **SHAPE, intermediate_size=32, hidden_dropout_prob=0, attention_probs_dropout_prob=0.5
    )
    torch.manual_seed(0)
    model = BertModel._from_config(config, attn_implementation=kernel("folded"))
    ids = torch.randint(5, 50, (2, 9))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    assert not torch.equal(model.train()(**inputs)[0], model(**inputs)[0])
    assert torch.equal(model.eval()(**inputs)[0], model(**inputs)[0])
