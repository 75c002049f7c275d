"""One batch of pre-activations of one site, reduced to one number per unit and statistic."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from hinge.kernels import COUNTS, SUMS, Measured, takes, tally
from hinge.tracing.arrangement import Arrangement
from hinge.units import Traits

_AT_ONCE = 1 << 24  # values reduced at a time by torch, which needs some 50 bytes for each


def measure(z: torch.Tensor, h: torch.Tensor, arrangement: Arrangement, traits: Traits) -> Measured:
    """Reduce pre-activations ``z`` and outputs ``h`` of one batch, equally shaped.

    Both may be of any floating dtype, on any device; counts are exact integers in each.
    """
    if traits.by_output:
        return _measure_by_output(z, h, arrangement, traits)
    z, h, units_last = both_laid_out(z, h, arrangement)
    if not takes(z, h):
        return measure_by_torch(z, h, traits, units_last=units_last)
    low, high = traits.live
    kink = traits.fires_above
    return tally(z, h, units_last=units_last, kink=kink, low=low, high=high)


def laid_out(tensor: torch.Tensor, arrangement: Arrangement) -> tuple[torch.Tensor, bool]:
    """A site's tensor as the kernels read it, contiguous, copied only where it must be.

    Also whether the units come last: ``(examples, positions, units)``, as channels-last images
    and tokens lie, or ``(examples, units, positions)``.
    """
    tensor, units_last = _computable(arrangement.arrange(tensor)), not arrangement.positions_last
    if not tensor.is_contiguous() and tensor.mT.is_contiguous():
        return tensor.mT, not units_last
    return tensor.contiguous(), units_last


def both_laid_out(
    z: torch.Tensor, h: torch.Tensor, arrangement: Arrangement
) -> tuple[torch.Tensor, torch.Tensor, bool]:
    """Pre-activations and outputs as `laid_out` lays them, both in the order of ``z``."""
    z, units_last = laid_out(z, arrangement)
    h, likewise = laid_out(h, arrangement)
    if likewise != units_last:
        h = h.mT.contiguous()  # in memory it lies in another order than z
    return z, h, units_last


def _measure_by_output(
    z: torch.Tensor, h: torch.Tensor, arrangement: Arrangement, traits: Traits
) -> Measured:
    """Let the output say what fires and what is live; all else is of the pre-activation."""
    plain = replace(traits, by_output=False)
    measured = measure(z, h, arrangement, plain)
    told = h.where(torch.isfinite(z), math.nan)  # left out of both where it is left out of one
    fires = measure(told, told, arrangement, plain).by_name()
    lives = measure(told.abs(), told, arrangement, plain).by_name()
    rows = {"fired": fires["fired"], "always": fires["always"], "live": lives["live"]}
    counts = [rows.get(name, row) for name, row in zip(COUNTS, measured.counts, strict=True)]
    return measured._replace(counts=np.stack(counts))


def measure_by_torch(
    z: torch.Tensor, h: torch.Tensor, traits: Traits, *, units_last: bool
) -> Measured:
    """Do what `hinge.kernels.tally` does, on any device: its definition, in torch's words."""
    if z.numel() == 0:
        return _nothing(z.shape[2 if units_last else 1])
    rows = max(1, _AT_ONCE * z.shape[0] // z.numel())
    pairs = zip(torch.split(z, rows), torch.split(h, rows), strict=True)
    parts = [reduced(*pair, traits, axis=1 if units_last else 2) for pair in pairs]
    counts, least, most, sums = (torch.stack(part) for part in zip(*parts, strict=True))
    bounded = torch.nan_to_num(sums.sum(0), nan=0.0)  # an overflow: the largest float64
    reals = torch.stack([least.amin(0), most.amax(0), *bounded]).cpu().numpy()
    return Measured(counts.sum(0).cpu().numpy(), reals[0], reals[1], reals[2:])


def reduced(
    z: torch.Tensor, h: torch.Tensor, traits: Traits, *, axis: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Counts, least and largest values, and sums, with the positions along ``axis``."""
    low, high = traits.live
    counted = (torch.isfinite(z) & torch.isfinite(h)).all(axis)
    kept = counted.unsqueeze(axis)
    top = z.where(kept, -math.inf).amax(axis)
    bottom = z.where(kept, math.inf).amin(axis)
    seen = counted.sum(0)
    counts = [
        seen,
        (top > traits.fires_above).sum(0),
        ((bottom > traits.fires_above) & counted).sum(0),
        (kept & (z > low) & (z < high)).any(axis).sum(0),
        seen * z.shape[axis],
        (kept & (h == 0)).sum((0, axis)),
        len(z) - seen,
    ]
    z, h = (x.where(kept, 0.0).double() for x in (z, h))
    sums = [x.sum((0, axis)) for x in (z, z * z, h.abs())]
    return torch.stack(counts), bottom.amin(0).double(), top.amax(0).double(), torch.stack(sums)


def _nothing(n_units: int) -> Measured:
    """What a batch without examples shows."""
    counts = np.zeros((len(COUNTS), n_units), np.int64)
    least, most = np.full(n_units, math.inf), np.full(n_units, -math.inf)
    return Measured(counts, least, most, np.zeros((len(SUMS), n_units)))


def _computable(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in a dtype that holds all its values and that both ways compute in."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()
