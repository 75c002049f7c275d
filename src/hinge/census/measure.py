"""One batch of pre-activations of one site, reduced to one number per unit and statistic.

Each statistic is a plain reduction that the hardware does at the speed of memory:
comparisons write into a float buffer instead of a mask, because reductions over masks
cost ten times as much, and only the extremes are taken per example.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import reduce

import torch

from hinge.layout import Place
from hinge.units import Traits

_BUFFER = 1 << 19  # values measured at a time: what a core's cache can hold
_ANCHORS = 8  # examples whose mean is the shift of the variance


@dataclass(frozen=True)
class Measured:
    """What one batch adds to the tallies of one site: tensors of shape ``(n_units,)``.

    Counts are int64, sums float64; see `hinge.units.Observed` for their meaning.
    ``total`` and ``squares`` are sums of z and z² of the pre-activations.
    """

    seen: torch.Tensor
    fired: torch.Tensor
    always: torch.Tensor
    live: torch.Tensor
    values: torch.Tensor
    zeros: torch.Tensor
    nonfinite: torch.Tensor
    min: torch.Tensor
    max: torch.Tensor
    total: torch.Tensor
    squares: torch.Tensor
    magnitude: torch.Tensor

    def __add__(self, other: Measured) -> Measured:
        """The measure of two parts of one batch together."""
        joined = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in fields(self)
        }
        joined["min"] = torch.minimum(self.min, other.min)
        joined["max"] = torch.maximum(self.max, other.max)
        return Measured(**joined)


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

    @property
    def positions_last(self) -> bool:
        """Whether `arrange` puts the positions after the units (images) or before (tokens)."""
        return self.examples is not None and self.units.axis == self.examples.axis + 1


def measure(
    z: torch.Tensor, h: torch.Tensor, arrangement: Arrangement, traits: Traits, *, positive: bool
) -> Measured:
    """Reduce pre-activations ``z`` and outputs ``h`` of one batch, equally shaped.

    Both may be of any floating dtype; counts are exact integers in each. ``positive``
    says that the outputs cannot be negative, which saves a pass.
    """
    z, h = (_computable(arrangement.arrange(tensor)) for tensor in (z, h))
    axis = 2 if arrangement.positions_last else 1
    single = z.shape[axis] == 1
    if single:
        z, h = z.squeeze(axis), h.squeeze(axis)
    part = _Part(None if single else axis, traits, positive)
    rows = max(1, _BUFFER * z.shape[0] // max(1, z.numel()))
    pairs = zip(torch.split(z, rows), torch.split(h, rows), strict=True)
    return reduce(Measured.__add__, (part.measure(*pair) for pair in pairs))


@dataclass(frozen=True)
class _Part:
    """The reductions over some examples, shape ``(examples, ...)``.

    ``axis`` holds the positions; it is None, and absent, where there is one position.
    """

    axis: int | None
    traits: Traits
    positive: bool

    def measure(self, z: torch.Tensor, h: torch.Tensor) -> Measured:
        """Measure at full speed where all is finite, else example by example."""
        buffer = torch.empty_like(z)
        total, squares = self._moments(z, buffer)
        magnitude = self._sum(h if self.positive else torch.abs(h, out=buffer)).double()
        if not bool(torch.isfinite(squares + magnitude).all()):
            return self._measure_with_gaps(z.double(), h.double())
        top, bottom = self._extremes(z)
        largest, smallest = top.amax(0), bottom.amin(0)
        seen = torch.full_like(total, z.shape[0], dtype=torch.int64)
        values = seen if self.axis is None else seen * z.shape[self.axis]
        fired = self._above(top, self.traits.fires_above)
        return Measured(
            seen=seen,
            fired=fired,
            always=fired if self.axis is None else self._above(bottom, self.traits.fires_above),
            live=self._live(z, top, largest, fired),
            values=values,
            zeros=self._zeros(h, fired, values, buffer),
            nonfinite=torch.zeros_like(seen),
            min=smallest.double(),
            max=largest.double(),
            total=total,
            squares=squares,
            magnitude=magnitude,
        )

    def _sum(self, values: torch.Tensor) -> torch.Tensor:
        """Sum over positions and examples; exact for whole numbers below 2^24."""
        return (values if self.axis is None else values.sum(self.axis)).sum(0)

    def _moments(self, z: torch.Tensor, buffer: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Sums of z and z², float64: taken about a few examples' mean, which loses no digits."""
        rows = z.shape[0]
        some = z[:: max(1, rows // _ANCHORS)]
        anchor = some.mean(0 if self.axis is None else (0, self.axis))
        shift = anchor if self.axis in (None, 1) else anchor[:, None]
        torch.sub(z, shift, out=buffer)
        total = self._sum(buffer).double()
        squares = self._sum(buffer.mul_(buffer)).double()
        centre = anchor.double()
        count = rows * (1 if self.axis is None else z.shape[self.axis])
        return (
            total + count * centre,
            squares + 2 * centre * total + count * centre * centre,
        )

    def _extremes(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Largest and smallest value of each example and unit, shape ``(examples, units)``."""
        return (z, z) if self.axis is None else (z.amax(self.axis), z.amin(self.axis))

    def _above(self, values: torch.Tensor, threshold: float) -> torch.Tensor:
        """Count the examples whose value is above the threshold; none is above NaN."""
        above = torch.gt(values, threshold, out=torch.empty_like(values))
        return above.sum(0).to(torch.int64)

    def _live(
        self, z: torch.Tensor, top: torch.Tensor, largest: torch.Tensor, fired: torch.Tensor
    ) -> torch.Tensor:
        """Count the examples with a value strictly inside the live interval."""
        low, high = self.traits.live
        if high == math.inf or float(largest.max()) < high:
            return fired if low == self.traits.fires_above else self._above(top, low)
        inside = ((z > low) & (z < high)).to(z.dtype)
        return (inside if self.axis is None else inside.amax(self.axis)).sum(0).to(torch.int64)

    def _zeros(
        self, h: torch.Tensor, fired: torch.Tensor, values: torch.Tensor, buffer: torch.Tensor
    ) -> torch.Tensor:
        """Count the outputs that are zero."""
        if self.axis is None and self.traits.zero_below:
            return values - fired
        return self._sum(torch.eq(h, 0, out=buffer)).to(torch.int64)

    def _measure_with_gaps(self, z: torch.Tensor, h: torch.Tensor) -> Measured:
        """Measure in float64, leaving out the examples with NaN or infinity, unit by unit."""
        keep = torch.isfinite(z)
        counted = keep if self.axis is None else keep.all(self.axis)
        wide = counted if self.axis is None else counted.unsqueeze(self.axis)
        low, high = self.traits.live
        top, _ = self._extremes(z.where(wide, torch.tensor(-math.inf, dtype=z.dtype)))
        _, bottom = self._extremes(z.where(wide, torch.tensor(math.inf, dtype=z.dtype)))
        z, h = z.where(wide, 0.0), h.where(wide, 0.0)
        inside = wide & (z > low) & (z < high)
        seen = counted.sum(0)
        return Measured(
            seen=seen,
            fired=self._above(top, self.traits.fires_above),
            always=((bottom > self.traits.fires_above) & counted).sum(0),
            live=(inside if self.axis is None else inside.any(self.axis)).sum(0),
            values=seen * (1 if self.axis is None else z.shape[self.axis]),
            zeros=self._sum((wide & (h == 0)).to(torch.int64)),
            nonfinite=(~counted).sum(0),
            min=bottom.amin(0),
            max=top.amax(0),
            total=self._sum(z),
            squares=_bounded(self._sum(z * z)),
            magnitude=_bounded(self._sum(h.abs())),
        )


def _bounded(sums: torch.Tensor) -> torch.Tensor:
    """Replace an overflow by the largest float64, which a sum can still hold."""
    return torch.nan_to_num(sums, nan=0.0)


def _computable(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in a dtype that sums whole numbers exactly: float32 or float64."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()
