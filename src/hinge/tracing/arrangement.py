"""How a site's tensor is laid out: which axis holds the units, which the examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from hinge.layout import Place


@dataclass(frozen=True)
class Arrangement:
    """How a site's tensor is laid out: which axis holds the units, which the examples.

    ``examples`` is None where the rows can no longer be told apart by example; every
    row then counts as an example of its own.
    """

    units: Place
    examples: Place | None

    def arrange(self, tensor: torch.Tensor) -> torch.Tensor:
        """A view of shape ``(examples, positions, units)`` or ``(examples, units, positions)``.

        Which of the two, `positions_last` tells: the one that needs no copy.
        """
        shape = tensor.shape
        if self._flattened:
            return self._unflattened(tensor)
        if self._plain(shape):
            return tensor.reshape(*shape[:2], -1)
        sizes: list[int] = []
        unit_axis = example_axis = -1
        for axis, length in enumerate(shape):
            first = len(sizes)
            if axis == self.units.axis:
                sizes += self.units.split(shape)
                unit_axis = first + 1
            elif self.examples is not None and axis == self.examples.axis:
                sizes += self.examples.split(shape)
                example_axis = first + 1
            else:
                sizes.append(length)
        tensor = tensor.reshape(sizes)
        if example_axis < 0:
            return tensor.movedim(unit_axis, -1).reshape(-1, 1, sizes[unit_axis])
        rest = [axis for axis in range(len(sizes)) if axis not in (unit_axis, example_axis)]
        if self.positions_last:
            order = [example_axis, unit_axis, *rest]
            return tensor.permute(order).flatten(2)
        order = [example_axis, *rest, unit_axis]
        return tensor.permute(order).flatten(1, -2)

    def refitted(
        self, old: Sequence[int], new: Sequence[int], n_examples: int
    ) -> Arrangement | None:
        """The arrangement of another call, whose tensor has the shape ``new`` instead of ``old``.

        The number of examples, and of positions, may differ; None where the units no longer
        fit.
        """
        if len(old) != len(new):
            return None
        units = _refitted(self.units, old, new, self.units.size)
        if units is None:
            return None
        examples = self.examples and _refitted(self.examples, old, new, n_examples)
        return Arrangement(units, examples)

    @property
    def _flattened(self) -> bool:
        """Whether one axis holds all: one example after the other, and in each its units."""
        return self.examples is not None and self.examples.axis == self.units.axis

    def _unflattened(self, tensor: torch.Tensor) -> torch.Tensor:
        """Arrange a tensor whose examples and units share an axis, as BatchTopK's do."""
        units, examples = self.units, self.examples
        assert examples is not None  # noqa: S101 - for the type checker
        axis, last = units.axis, units.size * units.inner
        sizes = (-1, examples.size, examples.inner // last, last)
        tensor = tensor.reshape(*tensor.shape[:axis], *sizes, *tensor.shape[axis + 1 :])
        apart = Arrangement(
            Place(axis + 3, units.size, units.inner), Place(axis + 1, examples.size)
        )
        return apart.arrange(tensor)

    def _plain(self, shape: torch.Size) -> bool:
        """Whether a tensor of this shape has examples, units and positions already in order."""
        units, examples = self.units, self.examples
        return (
            examples is not None
            and (examples.axis, units.axis) == (0, 1)
            and (examples.size, units.size) == shape[:2]
            and shape.numel() > 0
        )

    @property
    def positions_last(self) -> bool:
        """Whether `arrange` puts the positions after the units (images) or before (tokens)."""
        return self.examples is not None and self.units.axis == self.examples.axis + 1


def _refitted(place: Place, old: Sequence[int], new: Sequence[int], size: int) -> Place | None:
    """The place with ``size`` values, where its axis is as long as ``new`` says."""
    outer, _, inner = place.split(old)
    if inner > 1 and outer == 1 and size:
        inner = max(1, new[place.axis] // size)
    found = Place(place.axis, size, inner)
    return found if found.fits(new) else None
