"""Hooks for models with compiled parts: what the compiler traces, it runs at every call."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from hinge.census.watching.post import Post
from hinge.kernels.glancing import glance


class TracedEyes:
    """Sees sites whose activation is a module that is called once, in compiled parts or not.

    The hooks must be there before the first compiled call: torch traces those that it finds,
    and never looks again. ``unseen`` names the sites that no such hook can see.
    """

    def __init__(self, model: nn.Module, posts: dict[str, Post]) -> None:
        self._hooks = ExitStack()
        calls = Counter(post.wiring.site.module for post in posts.values())
        self.unseen: list[str] = []
        for name, post in posts.items():
            site = post.wiring.site
            positions_last = _positions_last(post)
            if site.function or calls[site.module] > 1 or positions_last is None:
                self.unseen.append(name)
                continue
            module = model.get_submodule(site.module)
            hook = module.register_forward_pre_hook(_hook(post, positions_last=positions_last))
            self._hooks.callback(hook.remove)

    def close(self) -> None:
        """Take all hooks away; what was compiled keeps what it traced."""
        self._hooks.close()


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


def _hook(post: Post, *, positions_last: bool) -> Any:
    counts, reals, clock = post.counts, post.reals, post.clock
    kink, (low, high) = post.wiring.traits.fires_above, post.wiring.traits.live

    def entered(_: nn.Module, args: tuple[Any, ...]) -> None:
        if torch.is_grad_enabled():
            z = args[0].detach()
            z = z.float() if z.dtype != torch.float64 else z
            shape = (*z.shape[:2], -1) if positions_last else (len(z), -1, z.shape[-1])
            glance(
                z.reshape(shape).contiguous(),
                counts,
                reals,
                clock,
                units_last=not positions_last,
                kink=kink,
                low=low,
                high=high,
            )

    return entered
