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
from hinge.census.watching.moments import Batch
from hinge.census.watching.post import Post
from hinge.census.watching.shot import Shot, on_its_way
from hinge.units import Reals


@dataclass(frozen=True, eq=False)
class Beat:
    """What one step leaves to be read later: on an accelerator, numbers are still on their way."""

    step: int
    rate: float
    squares: list[float | torch.Tensor]
    scale: torch.Tensor | None = None

    def pulse(self, scale_before: float | None) -> Pulse:
        """The step's numbers, on the host; a loss scale that fell tells of a step left out."""
        squares = np.array([float(one) for one in self.squares])
        scale = None if self.scale is None else float(self.scale)
        fell = scale is not None and scale_before is not None and scale < scale_before
        return Pulse(self.step, self.rate, np.sqrt(squares), scale, skipped=fell)


@dataclass(frozen=True, eq=False)
class Look:
    """All that is known of the sites at one step, by their names, once it has `arrived`.

    ``examples`` are those of this process so far.
    """

    step: int
    examples: int
    posts: Mapping[str, Post]
    shots: Mapping[str, Shot]
    offsets: Mapping[str, torch.Tensor]
    moments: Mapping[str, Batch]
    signs: Mapping[str, Signs]
    beats: list[Beat]
    arrival: torch.Event | None

    @classmethod
    def at(
        cls,
        step: int,
        examples: int,
        posts: Mapping[str, Post],
        gradients: Gradients,
        beats: list[Beat],
        *,
        group: Group,
    ) -> Look:
        """Copy what is there now, put together over the processes that train the model."""
        known = {name: gradients.offset(post) for name, post in posts.items()}
        states = group.reduced([(p.counts, p.reals, p.marks) for p in posts.values()])
        latest = {name: post.sampled.latest for name, post in posts.items()}
        return cls(
            step,
            examples,
            dict(posts),
            {
                name: Shot.of(counts, reals, marks if posts[name].gradient_seen else None)
                for name, (counts, reals, marks) in zip(posts, states, strict=True)
            },
            {name: on_its_way(one) for name, one in known.items() if one is not None},
            {name: batch.on_its_way() for name, batch in latest.items() if batch is not None},
            {
                name: (on_its_way(more), on_its_way(less), on_its_way(squares))
                for name, (more, less, squares) in gradients.taken_signs().items()
            },
            beats,
            _arrival(posts),
        )

    def arrived(self) -> None:
        """Wait until all of it is there: at the next look it long is."""
        if self.arrival is not None:
            self.arrival.synchronize()

    def glimpses(self, ledger: Ledger, group: Group) -> dict[str, Glimpse]:
        """The sites as values on the host."""
        return {n: self._glimpse(n, post, ledger, group) for n, post in self.posts.items()}

    def _glimpse(self, name: str, post: Post, ledger: Ledger, group: Group) -> Glimpse:
        shot, offset, batch = self.shots[name], self.offsets.get(name), self.moments.get(name)
        last = shot.counted("last_fired")
        mean, var, strength = (None, None, None) if batch is None else batch.moments()
        share, norm = _read(self.signs.get(name))
        return Glimpse(
            site=post.wiring.site,
            traits=post.wiring.traits,
            seen=shot.counted("seen"),
            fired=shot.counted("fired"),
            last_fired=last,
            silent=group.summed(self.examples - ledger.until(last), post.clock.device),
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


def _arrival(posts: Mapping[str, Post]) -> torch.Event | None:
    """What an accelerator says when all copies that were asked for are made."""
    device = next(iter(posts.values())).clock.device
    if device.type == "cpu":
        return None
    event = torch.Event(device)
    event.record()
    return event


def _read(signs: Signs | None) -> tuple[Reals | None, float]:
    """The larger share of one sign among each unit's weight gradients, and their norm."""
    if signs is None:
        return None, float("nan")
    positive, negative, squares = (np.asarray(one) for one in signs)
    either = positive + negative
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(either > 0, np.maximum(positive, negative) / either, np.nan)
    return share, float(np.sqrt(squares.sum()))
