"""The kin of the activations, functions of several numbers, and how to find any of all by name."""

from __future__ import annotations

from hinge.activations import catalogue, concatenated, funnel, gated, selecting
from hinge.activations.joint import JointActivation
from hinge.activations.record import Activation

_RECORDS = tuple(
    record for family in (concatenated, selecting, gated, funnel) for record in family.RECORDS
)


def all_kin() -> tuple[JointActivation, ...]:
    """Every function of several numbers, in the order of its family."""
    return _RECORDS


def find(name: str) -> Activation | JointActivation:
    """Find an activation or one of its kin by its name or torch's, whatever case and underscores.

    Raises `OptionError` with the nearest names for any other.

    >>> find("LeakyReLU"), find("SwiGLU")
    (hinge.activations.leaky_relu, hinge.activations.swiglu)
    """
    return catalogue.look_up(name, _BY_NAME)


_EVERY: tuple[Activation | JointActivation, ...] = (*catalogue.all_activations(), *_RECORDS)
_BY_NAME = catalogue.by_name(_EVERY)
