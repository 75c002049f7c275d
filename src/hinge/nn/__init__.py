"""The activations as torch modules: drop-ins for torch's own, and those that torch lacks.

Each is a record of `hinge.activations`: right at the infinities, in the tails and at every
kink, differentiable twice and in both modes, and as fast as the machine allows. They work
under `torch.compile`, `torch.export` and `torch.func`.
"""

from torch.nn import Identity

from hinge.nn import functional
from hinge.nn.elementwise import (
    CELU,
    ELU,
    GELU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    Mish,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
)
from hinge.nn.funnel import FReLU
from hinge.nn.joint import GEGLU, GLU, CReLU, Maxout, ReGLU, SwiGLU, TopK
from hinge.nn.learned import JumpReLU, PReLU, SReLU, StarReLU, Swish
from hinge.nn.own import (
    Abs,
    BinaryStep,
    QuickGELU,
    ReLUN,
    ShiftedReLU,
    SquaredReLU,
    Squareplus,
    ThresholdedReLU,
)
from hinge.nn.random import RReLU

__all__ = [
    "CELU",
    "ELU",
    "GEGLU",
    "GELU",
    "GLU",
    "SELU",
    "Abs",
    "BinaryStep",
    "CReLU",
    "FReLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "JumpReLU",
    "LeakyReLU",
    "LogSigmoid",
    "Maxout",
    "Mish",
    "PReLU",
    "QuickGELU",
    "RReLU",
    "ReGLU",
    "ReLU",
    "ReLU6",
    "ReLUN",
    "SReLU",
    "ShiftedReLU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softshrink",
    "Softsign",
    "SquaredReLU",
    "Squareplus",
    "StarReLU",
    "SwiGLU",
    "Swish",
    "Tanh",
    "Tanhshrink",
    "ThresholdedReLU",
    "TopK",
    "functional",
]
