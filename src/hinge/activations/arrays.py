"""Which array library an input belongs to: NumPy, torch or JAX, none of them imported for it."""

from __future__ import annotations

import functools
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from hinge.errors import DataError, OptionError

Array = Any
"""A NumPy array, a torch tensor, a JAX array or a Python float."""

Namespace = Any
"""A module with the array functions of one library: ``numpy``, ``torch`` or ``jax.numpy``."""

Function = Callable[[Array], Array]

FLOATS = ("float16", "bfloat16", "float32", "float64")
"""The dtypes of inputs. Everything else is refused, not converted in silence."""


class Library(ABC):
    """What a formula needs to know of one array library.

    Formulas compute in ``working`` precision: float64, or the widest that the library
    offers, so that a result in a narrower dtype is rounded once.
    """

    module: ClassVar[str]

    @property
    def xp(self) -> Namespace:
        """The library's functions; the library is in use, so its module is loaded."""
        return sys.modules[self.module]

    @abstractmethod
    def owns(self, x: Array) -> bool:
        """Whether ``x`` belongs to this library."""

    @abstractmethod
    def widened(self, x: Array, like: Array) -> Array:
        """``x`` as an array of this library in the working precision for inputs like ``like``."""

    @abstractmethod
    def narrowed(self, y: Array, like: Array) -> Array:
        """``y`` in the kind and dtype of ``like``."""

    def with_derivative(self, value: Function, derivative: Function, x: Array) -> Array:  # noqa: ARG002
        """``value(x)``, for which automatic differentiation uses ``derivative``.

        NumPy does not differentiate, and torch has operators; see `on_torch`.
        """
        return value(x)


class _NumPy(Library):
    module = "numpy"

    def owns(self, x: Array) -> bool:
        return isinstance(x, (float, np.ndarray, np.generic))

    def widened(self, x: Array, like: Array) -> Array:  # noqa: ARG002  float64 is always there
        return np.asarray(x, dtype=np.float64)

    def narrowed(self, y: Array, like: Array) -> Array:
        if not isinstance(like, (np.ndarray, np.generic)):
            return float(y)
        narrow = np.asarray(y).astype(like.dtype)
        return narrow if isinstance(like, np.ndarray) else narrow[()]


class _Torch(Library):
    module = "torch"

    def owns(self, x: Array) -> bool:
        return self.module in sys.modules and isinstance(x, self.xp.Tensor)

    def widened(self, x: Array, like: Array) -> Array:
        torch = self.xp
        wide = torch.float32 if like.device.type == "mps" else torch.float64  # MPS has no float64
        return torch.as_tensor(x, device=like.device).to(wide)

    def narrowed(self, y: Array, like: Array) -> Array:
        return y.to(like.dtype)


class _Jax(Library):
    module = "jax.numpy"

    def owns(self, x: Array) -> bool:
        return "jax" in sys.modules and isinstance(x, sys.modules["jax"].Array)

    def widened(self, x: Array, like: Array) -> Array:
        wide = like.dtype if like.dtype.itemsize > self.xp.float32.dtype.itemsize else "float32"
        return self.xp.asarray(x, dtype=wide)

    def narrowed(self, y: Array, like: Array) -> Array:
        return y.astype(like.dtype)

    def with_derivative(self, value: Function, derivative: Function, x: Array) -> Array:
        function = sys.modules["jax"].custom_jvp(value)
        function.defjvp(lambda at, along: (function(*at), derivative(*at) * along[0]))
        return function(x)


_LIBRARIES: tuple[Library, ...] = (_NumPy(), _Torch(), _Jax())


def library_of(x: Array, where: str) -> Library:
    """Find the library of ``x``, an array of one of the dtypes in `FLOATS`.

    Raises `DataError` for anything else; ``where`` names the call in its message.
    """
    for library in _LIBRARIES:
        if library.owns(x):
            if not isinstance(x, float) and dtype_name(x) not in FLOATS:
                raise not_real(x, where)
            return library
    raise DataError(
        "this is no array",
        where=where,
        found=f"{type(x).__module__}.{type(x).__qualname__}",
        do="pass a NumPy array, a torch tensor, a JAX array or a float",
    )


def not_real(x: Array, where: str) -> DataError:
    """The error for an array of integers, truth values or complex numbers."""
    return DataError(
        "an activation is a function of real numbers in floating point",
        where=where,
        found=f"an array of {x.dtype}",
        do=f"convert it first to one of {', '.join(FLOATS)}",
    )


def dtype_name(x: Array) -> str:
    """Name the dtype of an array, as "float32", in the same way for every library."""
    return getattr(x.dtype, "name", str(x.dtype).removeprefix("torch."))


def broadcast_to_input(parameter: Array, x: Array, where: str) -> None:
    """Check that an array of parameters broadcasts against ``x`` without enlarging it."""
    try:
        shape = np.broadcast_shapes(tuple(np.shape(x)), tuple(parameter.shape))
    except ValueError:
        shape = ()
    if shape != tuple(np.shape(x)):
        raise OptionError(
            "the parameter's shape does not broadcast to the input's",
            where=where,
            found=f"a parameter of shape {tuple(parameter.shape)}, an input of {np.shape(x)}",
            do="reshape it, as to (1, C, 1, 1) for one value per channel of (B, C, H, W)",
        )


def to_numpy(x: Array) -> Array:
    """Copy a number or an array of any of the libraries to NumPy, in float64."""
    if _LIBRARIES[1].owns(x):
        x = x.detach().double().cpu().numpy()
    return np.asarray(x, dtype=np.float64)


def erfcx(xp: Namespace, x: Array) -> Array:
    """exp(x²) erfc(x), which each library keeps elsewhere."""
    special = xp.special if xp.__name__ == "torch" else _special(xp.__name__)
    return special.erfcx(x)


@functools.cache
def _special(name: str) -> Namespace:
    homes = {"numpy": "scipy.special", "jax.numpy": "jax.scipy.special"}
    return import_module(homes[name])
