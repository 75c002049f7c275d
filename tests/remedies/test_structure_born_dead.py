"""How many networks are born dead: the exact probability, and that RAI lowers it.

Lu, Shin, Su, Karniadakis, Dying ReLU and Initialization, 2020 (arXiv 1903.06733).
"""

import math

import pytest
import torch
from structure_cases import random
from torch import nn

from hinge.remedies.layering.reinit import reinit


def layers(n_nets, width, n_hidden, by, seed=0):
    """The hidden layers of many networks with one input, drawn by `reinit`.

    The rows of a layer are independent: many narrow layers are one wide one, cut into parts.
    """
    made = []
    for number in range(n_hidden):
        fan_in = width if number else 1
        model = nn.Sequential(nn.Linear(fan_in, n_nets * width), nn.ReLU()).double()
        reinit(model, by=by, seed=1000 * seed + number)
        weight = model[0].weight.detach().reshape(n_nets, width, fan_in)
        made.append((weight, model[0].bias.detach().reshape(n_nets, width, 1)))
    return made


def hidden(made, x):
    """What the last hidden layer gives at each of the points, ``(nets, width, points)``."""
    h = x.expand(made[0][0].shape[0], 1, -1)
    for weight, bias in made:
        h = (weight @ h + bias).relu()
    return h


@pytest.mark.parametrize(
    ("width", "n_layers", "n_nets"),
    [(2, 5, 20_000), (2, 10, 20_000), (3, 10, 20_000), (8, 20, 5_000), (1, 4, 20_000)],
)
def test_the_share_of_networks_dead_at_a_point_is_exact(width, n_layers, n_nets):
    exact = 1 - (1 - 2.0**-width) ** (n_layers - 1)
    h = hidden(layers(n_nets, width, n_layers - 1, "he"), random(1))
    share = float((h == 0).all(1).double().mean())
    assert abs(share - exact) <= 3 * math.sqrt(exact * (1 - exact) / n_nets)


@pytest.mark.parametrize(("by", "known"), [("he", 0.885), ("rai", 0.221)])
def test_rai_lowers_the_share_of_networks_that_are_constant(by, known):
    n_nets, points = 2_000, torch.linspace(-math.sqrt(3), math.sqrt(3), 65).double()
    h = hidden(layers(n_nets, 2, 9, by), points)
    last = nn.Sequential(nn.Linear(2, n_nets)).double()
    reinit(last, by=by, seed=77)
    out = (last[0].weight.detach()[:, None] @ h).squeeze(1)
    share = float((out.amax(1) == out.amin(1)).double().mean())
    # The known shares are of 2,000 networks too.
    assert abs(share - known) <= 4 * math.sqrt(2 * known * (1 - known) / n_nets)
