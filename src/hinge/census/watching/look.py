"""A look at all sites at one step: copied to the host, read as soon as it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from hinge.census.watching.gathering import Group
from hinge.census.watching.glimpse import Glimpse, Pulse
from hinge.census.watching.gradients import Gradients, Signs
from hinge.census.watching.ledger import Ledger
from hinge.census.watching.post import Post
from hinge.census.watching.shot import Shot, on_its_way
from hinge.units import Reals

_HOST = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Beat:
    """What one step leaves to be read later: what lies on an accelerator may be on its way."""

    step: int
    rate: float
    squares: list[float | torch.Tensor]
    scale: float | None = None
    skipped: bool | torch.Tensor = False

    def pulse(self) -> Pulse:
        """The step's numbers, on the host."""
        squares = np.array([float(one) for one in self.squares])
        return Pulse(self.step, self.rate, np.sqrt(squares), self.scale, bool(self.skipped))


@dataclass(frozen=True, eq=False)
class Look:
    """All that is known of the sites at one step, by their names."""

    step: int
    posts: Mapping[str, Post]
    shots: Mapping[str, Shot]
    offsets: Mapping[str, torch.Tensor]
    signs: Mapping[str, Signs]

    @classmethod
    def at(
        cls, step: int, posts: Mapping[str, Post], gradients: Gradients, *, group: Group
    ) -> Look:
        """Copy what is there now, put together over the processes that train the model."""
        known = {name: gradients.offset(post) for name, post in posts.items()}
        offsets = {name: on_its_way(one) for name, one in known.items() if one is not None}
        signs = {
            name: (on_its_way(more), on_its_way(less), on_its_way(squares))
            for name, (more, less, squares) in gradients.taken_signs().items()
        }
        # From here on the processes wait for one another.
        if not group.all_well(next((p.clock.device for p in posts.values()), _HOST)):
            raise RuntimeError("the watch of another process failed")
        states = group.reduced([(p.counts, p.reals, p.marks) for p in posts.values()])
        shots = {
            name: Shot.of(counts, reals, marks if posts[name].gradient_seen else None)
            for name, (counts, reals, marks) in zip(posts, states, strict=True)
        }
        return cls(step, dict(posts), shots, offsets, signs)

    def glimpses(self, ledger: Ledger, group: Group) -> dict[str, Glimpse]:
        """The sites as values on the host; the processes of ``group`` put theirs together."""
        own = [self._own(name, post, ledger) for name, post in self.posts.items()]
        device = next((post.clock.device for post in self.posts.values()), _HOST)
        whole = group.summed(own, device)
        pairs = zip(self.posts.items(), whole, strict=True)
        return {name: self._glimpse(name, post, rows) for (name, post), rows in pairs}

    def _own(self, name: str, post: Post, ledger: Ledger) -> Reals:
        """What adds up over processes: silent examples, and moments with their number."""
        rows = np.zeros((5, post.wiring.site.n_units))
        rows[0] = ledger.examples - ledger.until(self.shots[name].counted("last_fired"))
        latest = post.sampled.latest
        if latest is not None:
            mean, var, strength = latest
            rows[1:] = np.ones_like(mean), mean, var + mean * mean, strength
        return rows

    def _glimpse(self, name: str, post: Post, rows: Reals) -> Glimpse:
        shot, offset = self.shots[name], self.offsets.get(name)
        mean, var, strength = _moments(rows)
        share, norm = _read(self.signs.get(name))
        return Glimpse(
            site=post.wiring.site,
            traits=post.wiring.traits,
            seen=shot.counted("seen"),
            fired=shot.counted("fired"),
            last_fired=shot.counted("last_fired"),
            silent=rows[0].astype(np.int64),
            top=shot.top,
            gradient_steps=shot.gradient_steps,
            last_gradient=shot.last_gradient,
            bias=None if offset is None else offset.double().flatten().numpy(),
            mean=mean,
            var=var,
            strength=strength,
            signs=share,
            gradient_norm=norm,
            inputs=post.wiring.inputs,
        )


def _moments(rows: Reals) -> tuple[Reals, Reals, Reals] | tuple[None, None, None]:
    """Mean, variance and strength over the processes; None where there are none yet."""
    _, n, total, squares, magnitude = rows
    if not n.any():
        return None, None, None
    mean = total / n
    return mean, np.maximum(squares / n - mean * mean, 0.0), magnitude / n


def _read(signs: Signs | None) -> tuple[Reals | None, float]:
    """The larger share of one sign among each unit's weight gradients, and their norm."""
    if signs is None:
        return None, float("nan")
    positive, negative, squares = (np.asarray(one) for one in signs)
    either = positive + negative
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(either > 0, np.maximum(positive, negative) / either, np.nan)
    return share, float(np.sqrt(squares.sum()))
