"""A piecewise-linear activation at one site, as the numbers of a Bend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hinge.activations.arrays import to_numpy
from hinge.activations.entries import number
from hinge.activations.pieces import Pieces
from hinge.errors import ModelError, UnsupportedError
from hinge.network import Activate
from hinge.regions.programs.program import Indices, Reals


@dataclass(frozen=True, eq=False)
class Bends:
    """What a `Bend` needs, for each entry of a pre-activation, and where slopes really change.

    ``breaks`` ``(n, p)``, ``slopes`` ``(n, p + 1)``, ``heights`` ``(n,)``; ``changes``
    ``(n, p)`` is False where the slope is the same on both sides of a break.
    """

    breaks: Reals
    slopes: Reals
    heights: Reals
    changes: npt.NDArray[np.bool_]

    @property
    def is_identity(self) -> bool:
        """Whether every value stays what it is."""
        return bool((self.slopes == 1).all() and (self.heights == self.breaks[:, 0]).all())

    @property
    def kinks(self) -> tuple[Indices, Indices]:
        """The entry and the break of each change of slope, entry by entry."""
        entries, breaks = np.nonzero(self.changes)
        return entries, breaks


def bends(step: Activate) -> Bends:
    """Return the pieces of the activation with the site's parameters, entry by entry.

    Raises `UnsupportedError` for one that is curved or jumps, `ModelError` for parameters
    that are not finite or out of order.
    """
    form = step.activation.form
    if not isinstance(form, Pieces):
        raise _refused(step, "the activation is curved, and its cells have no straight sides")
    parameters = _parameters(step)
    jumps = form.jumps(parameters)
    if any(np.any(np.not_equal(jump.left, jump.right)) for jump in jumps):
        raise _refused(step, "the activation jumps: the network is not continuous")
    breaks = _columns([number(one, parameters) for one in form.breaks_at] or [0.0], step)
    slopes = _columns([number(one, parameters) for one in form.slopes], step)
    if not form.breaks_at:
        slopes = np.repeat(slopes, 2, axis=1)
    heights = _columns([number(form.height, parameters)], step)[:, 0]
    if not all(np.isfinite(one).all() for one in (breaks, slopes, heights)) or np.any(
        breaks[:, 1:] < breaks[:, :-1]
    ):
        raise ModelError(
            "the activation's parameters are infinite, not numbers, or out of order",
            where=f"site {step.name!r} ({step.activation.name})",
            found=", ".join(f"{name}={value}" for name, value in parameters.items())[:200],
            do="load weights that are finite and in order",
        )
    return Bends(breaks, slopes, heights, _changes(breaks, slopes))


def _parameters(step: Activate) -> dict[str, Any]:
    """Every parameter as a float, or as an array with an entry for each value of an example."""
    filled = step.activation.filled(dict(step.parameters))
    return {
        name: _spread(value, step) if hasattr(value, "shape") else value
        for name, value in filled.items()
    }


def _spread(value: Any, step: Activate) -> Reals:
    return np.broadcast_to(to_numpy(value), (1, *step.shape)).reshape(-1)


def _columns(numbers: list[Any], step: Activate) -> Reals:
    size = int(np.prod(step.shape, dtype=np.int64))
    return np.stack([np.broadcast_to(np.float64(1) * one, size) for one in numbers], axis=1) + 0.0


def _changes(breaks: Reals, slopes: Reals) -> npt.NDArray[np.bool_]:
    """Where the slope changes; of breaks at one place only the last one can."""
    count = breaks.shape[1]
    changes = np.zeros(breaks.shape, dtype=bool)
    slope = slopes[:, 0]
    for i in range(count):
        last = breaks[:, i] != breaks[:, i + 1] if i + 1 < count else np.ones(len(breaks), bool)
        changes[:, i] = last & (slopes[:, i + 1] != slope)
        slope = np.where(last, slopes[:, i + 1], slope)
    return changes


def _refused(step: Activate, what: str) -> UnsupportedError:
    return UnsupportedError(
        what,
        where=f"site {step.name!r}",
        found=step.activation.name,
        do="hinge.observe and hinge.examine work on the model as it is",
    )
