"""Limits as people write them, and what they say of a network."""

import pytest
import torch
from torch import nn

import hinge
from hinge.diagnosis import Limit
from hinge.errors import OptionError
from hinge.units import Verdict


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("dead=5%", Limit(Verdict.DEAD, 0.05)),
        ("dead=0.05", Limit(Verdict.DEAD, 0.05)),
        (" blocked = 0 ", Limit(Verdict.BLOCKED, 0.0)),
        ("always-on=100%", Limit(Verdict.ALWAYS_ON, 1.0)),
        ("any-site:dead=20%", Limit(Verdict.DEAD, 0.2, per_site=True)),
    ],
)
def test_reading(text, limit):
    assert Limit.parse(text) == limit


@pytest.mark.parametrize(
    "text", ["", "dead", "dead=", "dead=5", "dead=-1%", "sparse=5%", "dead=nan"]
)
def test_nonsense(text):
    with pytest.raises(OptionError) as caught:
        Limit.parse(text)
    assert "dead=5%" in caught.value.do


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 30), nn.ReLU())
    with torch.no_grad():
        model[0].bias[:4] = -100.0
        model[2].bias[:] = 1.0
    return model


@pytest.mark.parametrize(
    ("limit", "passed"),
    [
        ("dead=10%", True),
        ("dead=9.99%", False),
        ("any-site:dead=40%", True),
        ("any-site:dead=39%", False),
        ("saturated=0", True),
    ],
)
def test_holding_a_network_against_a_limit(model, limit, passed):
    """4 of 40 units are dead: 10 % of all, 40 % of the first site."""
    x = torch.randn(2000, 4)
    examination = hinge.examine(model, x, limits=[limit])
    assert examination.passed is passed
    assert len(examination.checks) == 1


def test_a_baseline_names_the_units_that_died_since(model):
    x = torch.randn(2000, 4)
    before = hinge.examine(model, x)
    assert hinge.examine(model, x, baseline=before).passed
    with torch.no_grad():
        model[0].bias[7] = -100.0
    after = hinge.examine(model, x, baseline=before)
    assert not after.passed
    assert after.checks[0].message.endswith(": 1[7]")
