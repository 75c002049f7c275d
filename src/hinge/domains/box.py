"""A box of inputs: every number between a lower and an upper bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.domains.checks import (
    Numbers,
    Reals,
    as_reals,
    difference,
    finite,
    fitting,
    kept,
    ordered,
    refused,
)

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Box:
    """The inputs between ``lower`` and ``upper``, of one shape, bounds included.

    Raises `DataError` unless ``lower < upper`` everywhere and all bounds are finite.

    >>> box = Box([0.0, -1.0], [1.0, 1.0])
    >>> box.dimension, box.contains([[0.5, 1.0], [2.0, 0.0]]).tolist()
    (2, [True, False])
    """

    lower: Reals
    upper: Reals

    def __init__(self, lower: Numbers, upper: Numbers) -> None:
        low, high = kept("Box", lower=lower, upper=upper)
        ordered("Box", low, high)
        object.__setattr__(self, "lower", low)
        object.__setattr__(self, "upper", high)

    @classmethod
    def around(cls, data: Numbers, margin: float = 0.0) -> Box:
        """Return the smallest box around ``data`` ``(n, *shape of an input)``.

        ``margin`` widens each side by that share of the box's extent there. Raises
        `DataError` where all examples have one value at some entry.

        >>> Box.around([[0, 5], [2, 9]], margin=0.5).upper
        array([ 3., 11.])
        """
        values = finite(data, "Box.around", "data")
        if not values.size or not values.ndim:
            found = f"shape {values.shape}"
            raise refused("there is no data", "Box.around", found, "give examples on axis 0")
        if not 0 <= margin < float("inf"):
            raise refused("the margin means nothing", "Box.around", f"{margin}", "give 0 or more")
        low, high = values.min(axis=0), values.max(axis=0)
        room = margin * difference("Box.around", high, low)
        return cls(low - room, high + room)

    @property
    def dimension(self) -> int:
        """How many numbers an input of it has."""
        return self.lower.size

    def bounds(self, input_shape: Iterable[int]) -> tuple[Reals, Reals]:
        """Return ``lower`` and ``upper`` as ``(n_in,)``, for a network of such inputs.

        Raises `DataError` if inputs of ``input_shape`` are not of the bounds' shape.
        """
        fitting("Box", self.lower.shape, tuple(input_shape))
        return self.lower.reshape(-1), self.upper.reshape(-1)

    def contains(self, x: Numbers) -> Flags:
        """Say which of the inputs ``(..., *shape of lower)`` lie in it: ``(...)``; NaN does not."""
        values = as_reals(x, "Box.contains", "x")
        shape, rank = self.lower.shape, self.lower.ndim
        if values.shape[values.ndim - rank :] != shape or values.ndim < rank:
            found = f"shape {values.shape}"
            raise refused(
                "the inputs do not fit the box",
                "Box.contains",
                found,
                f"give an array whose last axes are {shape}",
            )
        inside = (self.lower <= values) & (values <= self.upper)
        return np.asarray(inside.all(axis=tuple(range(values.ndim - rank, values.ndim))))
