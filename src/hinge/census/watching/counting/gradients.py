"""Reads, just before an optimizer's step, which units a gradient reached and how large it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from hinge.census.watching.counting.post import Post
from hinge.census.watching.seeing.guard import Guard
from hinge.census.watching.seeing.hooks import Passive
from hinge.kernels.marking import signs

Signs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Of each unit's weight gradients: how many are positive, how many negative, and their squares."""

_MATRIX = 2
_UNKNOWN: float | torch.Tensor = float("nan")


class Gradients:
    """The gradients of the parameters around each site.

    A unit's gradient is that of the constant that is added last before its activation: it is
    the sum of the unit's gradients over examples and positions. Where there is no such
    parameter, or more than one site uses it, the gradient is seen at the pre-activation.
    """

    def __init__(self, model: nn.Module, posts: Mapping[str, Post]) -> None:
        self._parameters = dict(model.named_parameters())
        self._posts = list(posts.values())
        users = Counter(post.wiring.offset for post in self._posts)
        for post in self._posts:
            name = post.wiring.offset
            own = users[name] == 1 and name not in post.wiring.shared
            post.by_value = not (own and self._readable(name, post.wiring.site.n_units))
        self._readers = [
            (index, post, self._parameters[post.wiring.offset])
            for index, post in enumerate(self._posts)
            if not post.by_value
        ]
        self._taken: dict[str, Signs] = {}
        self._heard = [_UNKNOWN] * len(self._posts)

    def read(self, scale: torch.Tensor | None = None) -> list[float | torch.Tensor]:
        """Mark what the gradients show; the sum of squares of each site's, NaN if unknown.

        ``scale`` is that of the loss, where the optimizer divides by it on its own.
        """
        squares = [_UNKNOWN] * len(self._posts)
        for index, post, parameter in self._readers:
            gradient = parameter.grad
            if gradient is not None and not gradient.is_sparse:
                squares[index] = _unscaled(post.receive(gradient), scale)
        return squares

    def listen(self, guard: Guard) -> Iterator[Any]:
        """Read each gradient when backward made it, for who has no optimizer to wait for.

        Yields the handles of the hooks.
        """
        for index, post, parameter in self._readers:

            def made(parameter: torch.Tensor, index: int = index, post: Post = post) -> None:
                with guard:
                    if parameter.grad is not None:
                        self._heard[index] = post.receive(parameter.grad)

            hook = Passive(made)
            yield parameter.register_post_accumulate_grad_hook(hook)  # type: ignore[no-untyped-call] # torch gives it no types

    def heard(self) -> list[float | torch.Tensor]:
        """What `read` gives, of the gradients that were heard since the last call."""
        heard, self._heard = self._heard, [_UNKNOWN] * len(self._posts)
        return heard

    def take_signs(self, scale: torch.Tensor | None = None) -> None:
        """Count the signs of the weight gradients of every site that has them."""
        found = {post.wiring.site.name: self._signs(post) for post in self._posts}
        self._taken = {
            name: (more, less, squares if scale is None else squares / scale.double() ** 2)
            for name, (more, less, squares) in _known(found)
        }

    def taken_signs(self) -> dict[str, Signs]:
        """The signs that were counted since the last call."""
        taken, self._taken = self._taken, {}
        return taken

    def _signs(self, post: Post) -> Signs | None:
        """How many of each unit's weight gradients are positive, how many negative, their squares.

        None where the weights are unknown, or got no gradient.
        """
        maker = post.wiring.maker
        gradient = None if maker is None else self._gradient(maker.weight)
        if maker is None or gradient is None or gradient.ndim < _MATRIX:
            return None
        return signs(gradient.detach().movedim(maker.unit_axis, 0).flatten(1).contiguous())

    def offset(self, post: Post) -> torch.Tensor | None:
        """The constant that is added last before the activation, one entry per unit."""
        parameter = self._parameters.get(post.wiring.offset)
        size = post.wiring.site.n_units
        return parameter if parameter is not None and parameter.numel() == size else None

    def _readable(self, name: str, n_units: int) -> bool:
        parameter = self._parameters.get(name)
        if parameter is None or not parameter.requires_grad or _is_sharded(parameter):
            return False
        return parameter.numel() == n_units

    def _gradient(self, name: str) -> torch.Tensor | None:
        parameter = self._parameters.get(name)
        if parameter is None or _is_sharded(parameter):
            return None
        return (
            parameter.grad if parameter.grad is not None and not parameter.grad.is_sparse else None
        )


def _known(found: Mapping[str, Signs | None]) -> Iterator[tuple[str, Signs]]:
    return ((name, three) for name, three in found.items() if three is not None)


def _unscaled(square: float | torch.Tensor, scale: torch.Tensor | None) -> float | torch.Tensor:
    """A square of scaled gradients as that of unscaled ones, without waiting for a device."""
    if scale is None:
        return square
    if isinstance(square, float):
        return square / float(scale) ** 2 if scale.is_cpu else square
    return square / scale.double() ** 2


def _is_sharded(parameter: torch.Tensor) -> bool:
    """Whether each process holds a part of it only."""
    return hasattr(parameter, "placements")
