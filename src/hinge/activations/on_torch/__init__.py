"""How each activation runs on torch tensors."""

from hinge.activations.on_torch.checks import check_overwritable, check_real
from hinge.activations.on_torch.joint import JointOperator
from hinge.activations.on_torch.learned import Learned
from hinge.activations.on_torch.operator import Operator
from hinge.activations.on_torch.operators import learned_of, operator_of
from hinge.activations.on_torch.pairs import gated_pair
from hinge.activations.on_torch.random import rrelu

__all__ = [
    "JointOperator",
    "Learned",
    "Operator",
    "check_overwritable",
    "check_real",
    "gated_pair",
    "learned_of",
    "operator_of",
    "rrelu",
]
