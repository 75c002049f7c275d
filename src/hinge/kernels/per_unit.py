"""A batch of pre-activations and outputs of one site, reduced in one pass to numbers per unit."""

from __future__ import annotations

from typing import NamedTuple

import torch

from hinge.kernels.native import native
from hinge.units import Counts, Reals

COUNTS = ("seen", "fired", "always", "live", "values", "zeros", "nonfinite")
"""The counts among the fields of `Measured`."""

SUMS = ("total", "squares", "magnitude")
"""The sums among the fields of `Measured`."""

_MOST = 2**31  # examples or positions: the kernel counts them in 32 bits


class Measured(NamedTuple):
    """What one batch shows of the ``n`` units of one site: arrays of shape ``(n,)``.

    Counts are int64; see `hinge.units.Observed` for their meaning. ``min`` and ``max`` of the
    pre-activations are inf and -inf where nothing was seen. ``total``, ``squares`` and
    ``magnitude`` are the sums of z, z² and |h|; an overflow is the largest float64.
    """

    seen: Counts
    fired: Counts
    always: Counts
    live: Counts
    values: Counts
    zeros: Counts
    nonfinite: Counts
    min: Reals
    max: Reals
    total: Reals
    squares: Reals
    magnitude: Reals


def takes(z: torch.Tensor) -> bool:
    """Whether `tally` can read a tensor: dense float32 or float64 numbers in the main memory."""
    return (
        z.device.type == "cpu"
        and z.layout == torch.strided
        and z.dtype in (torch.float32, torch.float64)
        and z.is_contiguous()
        and not z.is_neg()
        and max(z.shape) < _MOST
    )


def tally(
    z: torch.Tensor, h: torch.Tensor, *, units_last: bool, kink: float, low: float, high: float
) -> Measured:
    """Count and sum per unit, in float64, one example after the other.

    An example is left out of a unit, and counted as nonfinite there, if its pre-activation or
    its output is NaN or infinite at some position.

    Parameters
    ----------
    z, h
        Pre-activations and outputs, equally shaped, of a kind that `takes` allows:
        ``(examples, units, positions)``, or ``(examples, positions, units)`` if ``units_last``.
    kink
        A value above it fires; NaN where nothing ever does. Rounded to the tensors' dtype,
        as torch does when it runs the activation, and so are the next two.
    low, high
        The open interval of pre-activations outside which the derivative is zero.

    Returns
    -------
    Measured
        The same bits for the same batch on any number of threads.

    Raises
    ------
    TypeError
        The tensors are not of a kind that `takes` allows.
    ValueError
        They are not equally shaped.

    >>> z = torch.tensor([[[-1.0, 2.0]], [[-3.0, -4.0]]])
    >>> m = tally(z, z.relu(), units_last=False, kink=0.0, low=0.0, high=float("inf"))
    >>> {name: getattr(m, name).item() for name in COUNTS}
    {'seen': 2, 'fired': 1, 'always': 0, 'live': 1, 'values': 4, 'zeros': 3, 'nonfinite': 0}
    >>> m.min.item(), m.max.item(), m.total.item(), m.squares.item(), m.magnitude.item()
    (-4.0, 2.0, -6.0, 30.0, 2.0)
    """
    counts, reals = native.tally(
        z.detach().numpy(),
        h.detach().numpy(),
        units_last,
        kink,
        low,
        high,
        torch.get_num_threads(),
    )
    return Measured(*counts, *reals)
