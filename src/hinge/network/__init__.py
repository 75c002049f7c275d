"""A model read as steps: affine, activation, max, add, concat."""

from hinge.network.maxima import Adaptive, Between, Over, Rule, Windows
from hinge.network.network import Network
from hinge.network.operators.affine import Constant, Dense, Operator, Scale
from hinge.network.operators.convolution import AdaptiveAveragePool, AveragePool, Convolution
from hinge.network.operators.shapes import Expand, Pad, Permute, Reshape, Sum, Take
from hinge.network.read import read
from hinge.network.steps import INPUT, Activate, Add, Affine, Concat, Max, Step

__all__ = [
    "INPUT",
    "Activate",
    "Adaptive",
    "AdaptiveAveragePool",
    "Add",
    "Affine",
    "AveragePool",
    "Between",
    "Concat",
    "Constant",
    "Convolution",
    "Dense",
    "Expand",
    "Max",
    "Network",
    "Operator",
    "Over",
    "Pad",
    "Permute",
    "Reshape",
    "Rule",
    "Scale",
    "Step",
    "Sum",
    "Take",
    "Windows",
    "read",
]
