"""What gradients show of units: whether one came, of which signs, and how large it was."""

from __future__ import annotations

import torch
from torch import Tensor

from hinge.errors import OptionError
from hinge.kernels.native import native

MARKED = ("steps", "last")
"""The rows of ``marks``: how often a gradient came, and the step at which it last did."""


def nothing_marked(n_units: int, device: torch.device | str) -> Tensor:
    """``marks`` for `mark` before the first gradient."""
    marks = torch.zeros(len(MARKED), n_units, dtype=torch.int64, device=device)
    marks[1] = -1
    return marks


def mark(
    gradient: Tensor, marks: Tensor, clock: Tensor, *, units_last: bool = False
) -> float | Tensor:
    """Mark the units that a gradient reached, in place: those where an entry is not zero.

    NaN is not zero.

    Parameters
    ----------
    gradient
        Of a floating dtype. Of a parameter: ``(n_units,)`` or ``(n_units, k)``. Of
        pre-activations: ``(examples, n_units, positions)``, or ``(examples, positions,
        n_units)`` if ``units_last``.
    marks
        int64 of shape ``(2, n_units)`` on the same device: the rows `MARKED`.
    clock
        int64 on the same device; its first entry is the present step.

    Returns
    -------
    float or Tensor
        The sum of all squares, in float64: on the CPU a number, the same on any number of
        threads; elsewhere a tensor of shape ``()`` that nobody has waited for.

    Raises
    ------
    OptionError
        A tensor has another shape, dtype or device than stands here; nothing has changed.

    >>> marks = nothing_marked(2, "cpu")
    >>> mark(torch.tensor([[0.0, 3.0], [0.0, 0.0]]), marks, torch.tensor([7]))
    9.0
    >>> marks.tolist()
    [[1, 0], [7, -1]]
    """
    examples, units, positions = _sizes(gradient, (1, 2, 3), units_last=units_last)
    _check("marks", marks, (len(MARKED), units), gradient)
    _check("clock", clock, (max(clock.numel(), 1),), gradient)
    if not gradient.is_cpu:
        return mark_by_torch(gradient, marks, clock, units_last=units_last)
    gradient = _readable(gradient)
    units_last = units_last and gradient.dim() == 3  # noqa: PLR2004
    return native.mark(
        gradient.data_ptr(),
        gradient.dtype is torch.float64,
        examples,
        units,
        positions,
        units_last,
        marks.data_ptr(),
        clock.data_ptr(),
        torch.get_num_threads(),
    )


class Marker:
    """`mark` for one parameter at every step: what stays the same is looked at once."""

    def __init__(self, marks: Tensor, clock: Tensor) -> None:
        self._marks, self._clock = marks, clock
        self._n = marks.shape[1]
        self._rest = (1, self._n, 1, False, marks.data_ptr(), clock.data_ptr(), 1)
        self._native = marks.is_cpu and clock.is_cpu

    def __call__(self, gradient: Tensor) -> float | Tensor:
        """Mark by a gradient with one entry per unit; see `mark`."""
        dtype = gradient.dtype
        plain = gradient.is_cpu and (dtype is torch.float32 or dtype is torch.float64)
        if self._native and plain and gradient.is_contiguous() and gradient.numel() == self._n:
            return native.mark(gradient.data_ptr(), dtype is torch.float64, *self._rest)
        return mark(gradient.flatten(), self._marks, self._clock)


def mark_by_torch(gradient: Tensor, marks: Tensor, clock: Tensor, *, units_last: bool) -> Tensor:
    """Do what `mark` does, on any device: its definition, in torch's words, without a check."""
    gradient = gradient.detach()
    reached = gradient != 0
    if gradient.dim() == 2:  # noqa: PLR2004
        reached = reached.any(1)
    elif gradient.dim() == 3:  # noqa: PLR2004
        reached = reached.any(1).any(0) if units_last else reached.any(2).any(0)
    marks[0] += reached & (marks[1] != clock[0])
    marks[1] = torch.where(reached, clock[0], marks[1])
    norm: Tensor = torch.linalg.vector_norm(gradient, dtype=torch.float64)
    return norm.square()


def signs(gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Count the signs in the rows of a gradient and sum their squares, in one pass.

    Parameters
    ----------
    gradient
        ``(n_units, k)``, of a floating dtype. NaN has no sign.

    Returns
    -------
    tuple
        The entries above zero and those below: int64. The sums of squares: float64. All of
        shape ``(n_units,)``, on the gradient's device.

    Raises
    ------
    OptionError
        The gradient has not two axes, or no floating dtype.

    >>> [numbers.tolist() for numbers in signs(torch.tensor([[1.0, -2.0, -3.0], [0.0, 0.5, 0.0]]))]
    [[1, 1], [2, 0], [14.0, 0.25]]
    """
    _, units, columns = _sizes(gradient, (2,), units_last=False)
    if not gradient.is_cpu:
        return signs_by_torch(gradient)
    gradient = _readable(gradient)
    positive, negative = torch.empty(2, units, dtype=torch.int64)
    squares = torch.empty(units, dtype=torch.float64)
    native.signs(
        gradient.data_ptr(),
        gradient.dtype is torch.float64,
        units,
        columns,
        positive.data_ptr(),
        negative.data_ptr(),
        squares.data_ptr(),
        torch.get_num_threads(),
    )
    return positive, negative, squares


def signs_by_torch(gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Do what `signs` does, on any device: its definition, in torch's words."""
    gradient = gradient.detach()
    squares = torch.linalg.vector_norm(gradient, dim=1, dtype=torch.float64).square()
    return (gradient > 0).sum(1), (gradient < 0).sum(1), squares


def _readable(gradient: Tensor) -> Tensor:
    """The gradient as the compiled kernel reads it."""
    gradient = gradient.detach()
    if gradient.dtype is not torch.float32 and gradient.dtype is not torch.float64:
        gradient = gradient.float()
    return gradient.contiguous().resolve_neg()


def _sizes(gradient: Tensor, axes: tuple[int, ...], *, units_last: bool) -> tuple[int, int, int]:
    """Examples, units and positions of a gradient."""
    if gradient.dim() not in axes or not gradient.is_floating_point():
        allowed = " or ".join(str(number) for number in axes)
        raise _wrong("gradient", gradient, f"pass floating numbers with {allowed} axes")
    shape = gradient.shape
    if len(shape) == 3:  # noqa: PLR2004
        examples, first, second = shape
        return (examples, second, first) if units_last else (examples, first, second)
    return 1, shape[0], shape[1] if len(shape) == 2 else 1  # noqa: PLR2004


def _check(name: str, state: Tensor, shape: tuple[int, ...], gradient: Tensor) -> None:
    if (
        state.dtype is not torch.int64
        or state.shape != shape
        or state.device != gradient.device
        or not state.is_contiguous()
    ):
        listed = ", ".join(str(size) for size in shape)
        do = f"pass a contiguous torch.int64 of shape ({listed}) on {gradient.device}"
        raise _wrong(name, state, do)


def _wrong(name: str, found: Tensor, do: str) -> OptionError:
    kind = f"{found.dtype} of shape {tuple(found.shape)} on {found.device}"
    return OptionError(
        f"{name} is not of the kind that a mark takes", where=name, found=kind, do=do
    )
