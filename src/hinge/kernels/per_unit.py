"""A batch of pre-activations and outputs of one site, reduced in one pass to numbers per unit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt
import torch

from hinge.kernels.native import native
from hinge.units import Counts, Reals

COUNTS = ("seen", "fired", "always", "live", "values", "zeros", "nonfinite")
"""The rows of `Measured.counts`; see `hinge.units.Observed` for their meaning."""

SUMS = ("total", "squares", "magnitude")
"""The rows of `Measured.sums`: the sums of z, z² and |h|."""

_MOST = 2**31  # examples or positions: the kernel counts them in 32 bits


class Measured(NamedTuple):
    """What one batch shows of the ``n`` units of one site.

    ``counts``: int64 of shape ``(7, n)``, one row for each of `COUNTS`. ``min`` and ``max`` of
    the pre-activations: float64 of shape ``(n,)``, inf and -inf where nothing was seen.
    ``sums``: float64 of shape ``(3, n)``, one row for each of `SUMS`; a sum that overflows is
    the largest float64.
    """

    counts: Counts
    min: Reals
    max: Reals
    sums: Reals

    def by_name(self) -> dict[str, npt.NDArray[Any]]:
        """All of it by the names in `COUNTS` and `SUMS`, ``min`` and ``max``: shape ``(n,)``."""
        counts = dict(zip(COUNTS, self.counts, strict=True))
        sums = dict(zip(SUMS, self.sums, strict=True))
        return {**counts, "min": self.min, "max": self.max, **sums}


def takes(*tensors: torch.Tensor) -> bool:
    """Whether `tally` can read tensors: plain float32 or plain float64 in the main memory."""
    dtype = tensors[0].dtype
    return dtype in (torch.float32, torch.float64) and all(
        x.dtype == dtype
        and x.device.type == "cpu"
        and x.layout == torch.strided
        and x.is_contiguous()
        and not x.is_neg()
        and max(x.shape) < _MOST
        for x in tensors
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
    >>> {name: values.item() for name, values in m.by_name().items()}
    {'seen': 2, 'fired': 1, 'always': 0, 'live': 1, 'values': 4, 'zeros': 3, 'nonfinite': 0,
     'min': -4.0, 'max': 2.0, 'total': -6.0, 'squares': 30.0, 'magnitude': 2.0}
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
    return Measured(counts, reals[0], reals[1], reals[2:])
