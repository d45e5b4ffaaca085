"""Linear layers by oneDNN give what torch gives, forward and backward."""

import copy

import pytest
import torch
from torch import nn

from workflow_scripts.training import products
from workflow_scripts.training.products import OneDNNLinear, by_onednn


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch was built without oneDNN")
def test_products_and_gradients_equal_those_of_torch(monkeypatch):
    monkeypatch.setattr(products, "SMALL", 0)
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(24, 40), nn.Tanh(), nn.Linear(40, 8, bias=False))
    ours = copy.deepcopy(plain)
    by_onednn(ours)
    assert type(ours[0]) is OneDNNLinear
    assert ours.state_dict().keys() == plain.state_dict().keys()
    given = torch.randn(3, 11, 24)
    found = []
    for model in (plain, ours):
        asked = given.clone().requires_grad_()
        done = model(asked)
        done.pow(2).sum().backward()
        found.append([done.detach(), asked.grad, *(weight.grad for weight in model.parameters())])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ours(given), plain(given))
