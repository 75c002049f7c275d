"""The modules of hinge.nn with torch's of the same name, or what torch's users write instead."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import hinge.nn as hnn

SAME_NAME = {
    "ReLU": {},
    "LeakyReLU": {"negative_slope": 0.2},
    "PReLU": {"num_parameters": 6, "init": 0.3},
    "RReLU": {},
    "ReLU6": {},
    "ELU": {"alpha": 1.3},
    "CELU": {"alpha": 0.7},
    "SELU": {},
    "Hardtanh": {"min_val": -2.0, "max_val": 0.5},
    "Hardsigmoid": {},
    "Hardswish": {},
    "Hardshrink": {"lambd": 0.3},
    "Softshrink": {"lambd": 0.3},
    "Softplus": {"beta": 2.0},
    "Softsign": {},
    "Sigmoid": {},
    "LogSigmoid": {},
    "Tanh": {},
    "Tanhshrink": {},
    "SiLU": {},
    "GELU": {"approximate": "tanh"},
    "Mish": {},
    "GLU": {"dim": 1},
}
"""Modules of torch, with arguments that are not the defaults where there are any."""


def halves(gate):
    def run(x):
        a, b = x.chunk(2, 1)
        return gate(a) * b

    return run


WRITTEN = {
    "Abs": (hnn.Abs(), torch.abs),
    "BinaryStep": (hnn.BinaryStep(), lambda x: (x > 0).to(x.dtype) + 0 * x),
    "ReLUN": (hnn.ReLUN(2.0), lambda x: F.hardtanh(x, 0.0, 2.0)),
    "ThresholdedReLU": (hnn.ThresholdedReLU(0.5), lambda x: F.threshold(x, 0.5, 0)),
    "ShiftedReLU": (hnn.ShiftedReLU(0.5), lambda x: F.relu(x + 0.5) - 0.5),
    "Squareplus": (hnn.Squareplus(), lambda x: (x + torch.sqrt(x * x + 4)) / 2),
    "QuickGELU": (hnn.QuickGELU(), lambda x: x * torch.sigmoid(1.702 * x)),
    "SquaredReLU": (hnn.SquaredReLU(), lambda x: F.relu(x) ** 2),
    "CReLU": (hnn.CReLU(), lambda x: torch.cat([F.relu(x), F.relu(-x)], 1)),
    "Maxout": (hnn.Maxout(3), lambda x: x.unflatten(1, (-1, 3)).amax(2)),
    "ReGLU": (hnn.ReGLU(1), halves(F.relu)),
    "GEGLU": (hnn.GEGLU(1), halves(F.gelu)),
    "SwiGLU": (hnn.SwiGLU(1), halves(F.silu)),
}
"""Modules that torch lacks, with what computes the same."""


def pairs():
    """Ours and torch's, under each name."""
    same = [
        pytest.param(getattr(hnn, name)(**options), getattr(nn, name)(**options), id=name)
        for name, options in SAME_NAME.items()
    ]
    return same + [pytest.param(*two, id=name) for name, two in WRITTEN.items()]


every_pair = pytest.mark.parametrize(("ours", "theirs"), pairs())
every_torch_name = pytest.mark.parametrize(("name", "options"), SAME_NAME.items())


def fresh():
    """One module of every kind, newly made."""
    same = [getattr(hnn, name)(**options) for name, options in SAME_NAME.items()]
    return [
        *same,
        *(hnn.Abs(), hnn.BinaryStep(), hnn.ReLUN(2.0), hnn.ThresholdedReLU(0.5)),
        *(hnn.ShiftedReLU(0.5), hnn.Squareplus(), hnn.QuickGELU(), hnn.SquaredReLU()),
        *(hnn.CReLU(), hnn.Maxout(3), hnn.ReGLU(1), hnn.GEGLU(1), hnn.SwiGLU(1)),
        *(hnn.TopK(2, 1), hnn.Swish(6), hnn.StarReLU(6, 0.9, -0.4), hnn.SReLU(6)),
        *(hnn.JumpReLU(6, 0.3, 0.5), hnn.FReLU(6)),
    ]


every_module = pytest.mark.parametrize("module", fresh(), ids=lambda one: type(one).__name__)


def image(dtype=torch.float32):
    """Random values of shape (3, 6, 4, 5), none at a kink."""
    torch.manual_seed(1)
    return torch.randn(3, 6, 4, 5).mul(2).to(dtype)


def large(dtype=torch.float32):
    """So many that the kernels serve every function."""
    torch.manual_seed(2)
    return torch.randn(64, 6, 40, 17).mul(2).to(dtype)
