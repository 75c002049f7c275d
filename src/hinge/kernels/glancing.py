"""A batch of pre-activations, added to the running numbers per unit cheaply enough for each step.

What it keeps stays on the tensor's device, and nothing waits for the device.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hinge.errors import OptionError
from hinge.kernels.native import native

GLANCED = ("seen", "fired", "always", "live", "values", "above", "nonfinite", "last_fired")
"""The rows of ``counts``: those that `hinge.kernels.COUNTS` names too mean the same.

``above`` counts positions above the kink; ``last_fired`` is the step of the last firing.
"""

EXTREMES = ("min", "max", "top")
"""The rows of ``reals``: over all that was counted, and the largest value of the present step."""

_PLAIN = (Tensor, torch.nn.Parameter)
_MOST = 2**31  # examples or positions: the kernel counts them in 32 bits


def nothing_glanced(n_units: int, device: torch.device | str) -> tuple[Tensor, Tensor, Tensor]:
    """``counts``, ``reals`` and ``clock`` for `glance` before the first batch, at step 0."""
    counts = torch.zeros(len(GLANCED), n_units, dtype=torch.int64, device=device)
    counts[-1] = -1
    reals = torch.full((len(EXTREMES), n_units), -math.inf, dtype=torch.float64, device=device)
    reals[0] = math.inf
    return counts, reals, torch.zeros(2, dtype=torch.int64, device=device)


def glance(
    z: Tensor,
    counts: Tensor,
    reals: Tensor,
    clock: Tensor,
    *,
    units_last: bool,
    kink: float,
    low: float,
    high: float,
) -> None:
    """Add one batch to the running numbers of its units, in place.

    An example is left out of a unit, and counted as nonfinite there, if its pre-activation is
    NaN or infinite at some position.

    Parameters
    ----------
    z
        Pre-activations of a floating dtype: ``(examples, units, positions)``, or ``(examples,
        positions, units)`` if ``units_last``. The compiled kernel reads contiguous float32 and
        float64 in main memory; torch's functions do the rest, in at least float32.
    counts
        int64 of shape ``(8, n_units)``: the rows `GLANCED`. ``last_fired`` stays where a unit
        does not fire.
    reals
        float64 of shape ``(3, n_units)``: the rows `EXTREMES`. A zero there is +0.
    clock
        int64 of shape ``(2,)``: the present step, and the step to which ``top`` belongs, which
        becomes the present one. Where they differ ``top`` starts anew.
    kink, low, high
        As for `hinge.kernels.tally`: a value above ``kink`` fires, NaN where nothing does; the
        derivative is zero outside of ``(low, high)``.

    Raises
    ------
    OptionError
        A tensor has another shape, dtype or device than stands here; nothing has changed.

    >>> counts, reals, clock = nothing_glanced(1, "cpu")
    >>> z = torch.tensor([[[-1.0, 2.0]], [[-3.0, -4.0]]])
    >>> glance(z, counts, reals, clock, units_last=False, kink=0.0, low=0.0, high=math.inf)
    >>> dict(zip(GLANCED, counts[:, 0].tolist()))
    {'seen': 2, 'fired': 1, 'always': 0, 'live': 1, 'values': 4, 'above': 1, 'nonfinite': 0,
     'last_fired': 0}
    """
    if torch.compiler.is_compiling():
        _OPERATOR(z.detach(), counts, reals, clock, units_last, kink, low, high)
    else:
        _glance(z, counts, reals, clock, units_last, kink, low, high)


class Glancer:
    """`glance` for one site at every step: what stays the same is looked at once.

    It takes ``z`` of any shape, contiguous, with the sizes that it is to be read by.
    """

    def __init__(
        self, state: tuple[Tensor, Tensor, Tensor], kink: float, low: float, high: float
    ) -> None:
        self._state = state
        counts, reals, clock = state
        self._rest = (counts.data_ptr(), reals.data_ptr(), clock.data_ptr(), kink, low, high)
        self._limits = kink, low, high
        self._native = all(tensor.is_cpu for tensor in state)

    def __call__(
        self, z: Tensor, examples: int, units: int, positions: int, *, units_last: bool
    ) -> None:
        """Add one batch; see `glance`."""
        if self._native and _takes(z) and examples < _MOST > positions:
            native.glance(
                z.data_ptr(),
                z.dtype is torch.float64,
                examples,
                units,
                positions,
                units_last,
                *self._rest,
                torch.get_num_threads(),
            )
            return
        shape = (examples, positions, units) if units_last else (examples, units, positions)
        kink, low, high = self._limits
        laid = z.reshape(shape)
        glance(laid, *self._state, units_last=units_last, kink=kink, low=low, high=high)


def _glance(  # noqa: PLR0917 - an operator's arguments have no names
    z: Tensor,
    counts: Tensor,
    reals: Tensor,
    clock: Tensor,
    units_last: bool,  # noqa: FBT001
    kink: float,
    low: float,
    high: float,
) -> None:
    shape = z.shape
    if len(shape) != 3 or not z.dtype.is_floating_point:  # noqa: PLR2004
        raise _wrong("z", z, "pass floating numbers with axes for examples, units and positions")
    examples, units, positions = shape
    if units_last:
        units, positions = positions, units
    if not (_takes(z) and _holds(units, counts, reals, clock) and examples < _MOST > positions):
        _check("counts", counts, torch.int64, (len(GLANCED), units), z)
        _check("reals", reals, torch.float64, (len(EXTREMES), units), z)
        _check("clock", clock, torch.int64, (2,), z)
        glance_by_torch(
            z, counts, reals, clock, units_last=units_last, kink=kink, low=low, high=high
        )
        return
    native.glance(
        z.data_ptr(),
        z.dtype is torch.float64,
        examples,
        units,
        positions,
        units_last,
        counts.data_ptr(),
        reals.data_ptr(),
        clock.data_ptr(),
        kink,
        low,
        high,
        torch.get_num_threads(),
    )


def glance_by_torch(
    z: Tensor,
    counts: Tensor,
    reals: Tensor,
    clock: Tensor,
    *,
    units_last: bool,
    kink: float,
    low: float,
    high: float,
) -> None:
    """Do what `glance` does, on any device: its definition, in torch's words, without a check."""
    step, axis = clock[0], 1 if units_last else 2
    reals[2].masked_fill_(step != clock[1], -math.inf)
    clock[1].copy_(step)
    if z.numel() == 0:
        return
    z = z.detach()
    z = z if z.dtype == torch.float64 else z.float()
    positions = z.shape[axis]
    least, most = z.amin(axis), z.amax(axis)  # both let NaN through
    counted = torch.isfinite(least) & torch.isfinite(most)
    above = (z > kink).sum(axis) * counted
    fired, always = above > 0, above == positions
    if (low, high) == (kink, math.inf):
        live = fired
    elif (low, high) == (-math.inf, math.inf):
        live = counted
    else:
        live = ((z > low) & (z < high)).any(axis) & counted
    examples = torch.stack((counted, fired, always, live)).sum(1)
    counts[:4] += examples
    counts[4] += examples[0] * positions
    counts[5] += above.sum(0)
    counts[6] += len(z) - examples[0]
    counts[7] = torch.where(examples[1] > 0, step, counts[7])
    # A zero is +0, whatever its sign was.
    least = least.where(counted, math.inf).amin(0) + 0.0
    most = most.where(counted, -math.inf).amax(0) + 0.0
    torch.minimum(reals[0], least.double(), out=reals[0])
    torch.maximum(reals[1:], most.double(), out=reals[1:])


def _takes(z: Tensor) -> bool:
    """Whether the compiled kernel can read ``z``, but for its size."""
    dtype = z.dtype
    return (
        z.is_cpu
        and (dtype is torch.float32 or dtype is torch.float64)
        and type(z) in _PLAIN
        and z.is_contiguous()
        and not z.is_neg()
    )


def _holds(units: int, counts: Tensor, reals: Tensor, clock: Tensor) -> bool:
    """Whether the state is as `_check` wants it, in main memory: quick, for it comes each time."""
    return (
        counts.shape == (8, units)
        and reals.shape == (3, units)
        and clock.shape == (2,)
        and counts.dtype is torch.int64
        and reals.dtype is torch.float64
        and clock.dtype is torch.int64
        and counts.is_cpu
        and reals.is_cpu
        and clock.is_cpu
        and counts.is_contiguous()
        and reals.is_contiguous()
        and clock.is_contiguous()
    )


def _check(name: str, state: Tensor, dtype: torch.dtype, shape: tuple[int, ...], z: Tensor) -> None:
    if (
        state.dtype is not dtype
        or state.shape != shape
        or state.device != z.device
        or not state.is_contiguous()
    ):
        listed = ", ".join(str(size) for size in shape)
        raise _wrong(name, state, f"pass a contiguous {dtype} of shape ({listed}) on {z.device}")


def _wrong(name: str, found: Tensor, do: str) -> OptionError:
    kind = f"{found.dtype} of shape {tuple(found.shape)} on {found.device}"
    return OptionError(
        f"{name} is not of the kind that a glance takes", where=name, found=kind, do=do
    )


_OPERATOR = torch.library.custom_op(
    "hinge::glance", _glance, mutates_args=("counts", "reals", "clock")
)
_OPERATOR.register_fake(lambda *_: None)
