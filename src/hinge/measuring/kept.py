"""How many bytes autograd keeps between the forward and the backward pass of any function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from hinge.errors import DataError


@dataclass(frozen=True)
class Kept:
    """Bytes that autograd keeps for the backward pass, by what they belong to.

    Each storage counts once, and whole, however often it or views of it are saved:
    ``output`` if the result lies in it (also where the function worked in place), else
    ``input``, else ``parameters`` (and buffers), else ``extra``: memory that nothing
    but the backward pass needs. ``elements`` is the number of elements of the result.
    """

    input: int
    output: int
    parameters: int
    extra: int
    elements: int

    @property
    def total(self) -> int:
        """All of it, in bytes."""
        return self.input + self.output + self.parameters + self.extra

    @property
    def per_element(self) -> float:
        """Bytes for each element of the result, parameters left out; NaN for an empty result.

        Parameters are left out because they are there anyway, whatever the batch.
        """
        activations = self.input + self.output + self.extra
        return activations / self.elements if self.elements else float("nan")

    def __str__(self) -> str:
        parts = {
            name: getattr(self, name)
            for name in ("input", "output", "parameters", "extra")
            if getattr(self, name)
        }
        listed = ", ".join(f"{name} {count:,}" for name, count in parts.items())
        return f"{self.total:,} bytes" + (f": {listed}" if parts else "")


def kept_bytes(function: Callable[..., Any], *inputs: Any) -> Kept:
    """Count the bytes that ``function(*inputs)`` leaves behind for its backward pass.

    Parameters
    ----------
    function
        A `torch.nn.Module` or any function of tensors. It is called once, in the mode it
        is in. Parameters collect no gradient; buffers and torch's random state stay as they were.
    *inputs
        Its arguments. Floating-point and complex tensors are copied, and the copies require
        gradients; anything else is passed on.

    Counted is what autograd itself saves, by the hooks for saved tensors. What a custom
    `torch.autograd.Function` hides in attributes of its context cannot be seen.

    Raises
    ------
    DataError
        The result holds no tensor.

    >>> import torch
    >>> print(kept_bytes(torch.relu, torch.randn(100)))
    400 bytes: output 400
    """
    fed = [_fed(one) for one in inputs]
    saved: list[torch.Tensor] = []  # they live until all are counted, so no address comes twice

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        saved.append(tensor)
        return tensor

    owned, call = _owned(function)
    devices = {one.device for one in _tensors(fed) if one.is_cuda}
    hooks = saved_tensors_hooks(keep, lambda tensor: tensor)
    with torch.enable_grad(), torch.random.fork_rng(devices), hooks:
        result = call(*fed)
    results = list(_tensors(result))
    if not results:
        raise DataError(
            "the function gives no tensor",
            where="kept_bytes(function, ...)",
            found=f"{type(result).__qualname__}",
            do="pass a function that returns a tensor, or tuples, lists or dicts of tensors",
        )
    counts = _counted(saved, results, list(_tensors(fed)), owned)
    return Kept(**counts, elements=sum(one.numel() for one in results))


def _counted(
    saved: list[torch.Tensor],
    results: list[torch.Tensor],
    inputs: list[torch.Tensor],
    owned: list[torch.Tensor],
) -> dict[str, int]:
    homes = {
        **{_address(one): "parameters" for one in saved if one.is_leaf and one.requires_grad},
        **{_address(one): "parameters" for one in owned},
        **{_address(one): "input" for one in inputs},
        **{_address(one): "output" for one in results},
    }
    sizes = {_address(one): one.untyped_storage().nbytes() for one in saved}
    counts = dict.fromkeys(("input", "output", "parameters", "extra"), 0)
    for address, size in sizes.items():
        counts[homes.get(address, "extra")] += size
    return counts


def _address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _fed(given: Any) -> Any:
    """A copy that requires a gradient and may yet be written to, as inside a network."""
    if isinstance(given, torch.Tensor) and (given.is_floating_point() or given.is_complex()):
        with torch.enable_grad():
            return given.detach().requires_grad_().clone()
    return given


def _owned(function: Callable[..., Any]) -> tuple[list[torch.Tensor], Callable[..., Any]]:
    """The parameters and buffers of a module, and a call that leaves its buffers alone."""
    if not isinstance(function, nn.Module):
        return [], function
    buffers = {name: buffer.clone() for name, buffer in function.named_buffers()}

    def call(*arguments: Any) -> Any:
        return torch.func.functional_call(function, buffers, arguments)

    return [*function.parameters(), *buffers.values()], call


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """Find the tensors in tuples, lists and dicts."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _tensors(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _tensors(one)
