"""Hooks for models with compiled parts: what the compiler traces, it runs at every call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from hinge.census.watching.counting.post import Post
from hinge.census.watching.seeing.guard import Guard
from hinge.census.watching.seeing.hooks import Passive
from hinge.kernels.glancing import glance

Running = Callable[[], bool]
"""Whether a pass runs that is to be counted."""


class TracedEyes:
    """Sees sites whose activation is a module that is called once, in compiled parts or not.

    The hooks must be there before the first compiled call: torch traces those that it finds,
    and never looks again. ``unseen`` names the sites that no such hook can see.
    """

    def __init__(
        self, model: nn.Module, posts: dict[str, Post], guard: Guard, is_running: Running
    ) -> None:
        self._hooks = ExitStack()
        self._posts = posts
        calls = Counter(post.wiring.site.module for post in posts.values())
        self.unseen: list[str] = []
        for name, post in posts.items():
            site = post.wiring.site
            positions_last = _positions_last(post)
            if site.function or calls[site.module] > 1 or positions_last is None:
                self.unseen.append(name)
                continue
            module = model.get_submodule(site.module)
            hook = _hook(post, guard, is_running, positions_last=positions_last)
            self._hooks.callback(module.register_forward_pre_hook(hook).remove)

    def close(self) -> None:
        """Take all hooks away; what was compiled counts on, where nobody reads it any more."""
        self._hooks.close()
        for post in self._posts.values():
            post.part()


def _positions_last(post: Post) -> bool | None:
    """Whether the units lie before all positions, or behind; None where neither is so."""
    units, examples = post.wiring.arrangement.units, post.wiring.arrangement.examples
    rank = len(post.wiring.shape)
    if units.inner != 1 or units.size != post.wiring.shape[units.axis]:
        return None
    if examples is None or examples.axis != 0 or examples.size != post.wiring.shape[0]:
        return None
    if units.axis == 1:
        return True
    return False if units.axis == rank - 1 else None


def _hook(post: Post, guard: Guard, is_running: Running, *, positions_last: bool) -> Any:
    state = post.counts, post.reals, post.clock
    kink, (low, high) = post.wiring.traits.fires_above, post.wiring.traits.live

    def see(z: torch.Tensor) -> None:
        z = z.detach()
        z = z.float() if z.dtype != torch.float64 else z
        shape = (*z.shape[:2], -1) if positions_last else (len(z), -1, z.shape[-1])
        z = z.reshape(shape).contiguous()
        glance(z, *state, units_last=not positions_last, kink=kink, low=low, high=high)

    def entered(_: nn.Module, args: tuple[Any, ...]) -> None:
        if torch.compiler.is_compiling():
            if torch.is_grad_enabled():
                see(args[0])
        elif args and is_running():
            with guard:
                see(args[0])

    return Passive(entered)


def in_backward() -> bool:
    """Whether a backward pass runs: what is computed there was computed before."""
    return bool(torch._C._current_graph_task_id() != -1)  # noqa: SLF001 - torch has no public name
