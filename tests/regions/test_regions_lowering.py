"""A program computes what its network computes, from exactly the stored weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import hinge
from hinge.regions.evaluation import program_values
from hinge.regions.lowering import lower
from hinge.regions.program import Bend, Fold, Linear


class Square:
    """The plane itself: two coordinates, two inputs."""

    dimension = 2

    def embedding(self, input_shape):
        assert input_shape == (2,)
        return np.eye(2), np.zeros(2)


def test_a_small_network_is_a_linear_a_fold_and_a_bend():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    program = lower(hinge.read(model, torch.zeros(2, 2)), Square())
    assert [type(one) for one in program.operations] == [Linear, Fold, Bend, Linear]
    assert program.widths == (2, 3, 3, 1)
    points = np.random.default_rng(0).normal(size=(9, 2))
    wanted = hinge.read(model, torch.zeros(2, 2))(points)
    np.testing.assert_allclose(program_values(program, points)[program.output], wanted, atol=1e-15)
