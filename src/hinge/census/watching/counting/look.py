"""A look at all sites at one step: copied to the host, read as soon as it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from hinge.census.watching.counting.gathering import Group
from hinge.census.watching.counting.gradients import Gradients, Signs
from hinge.census.watching.counting.ledger import Ledger
from hinge.census.watching.counting.moments import Batch
from hinge.census.watching.counting.post import Post
from hinge.census.watching.counting.shot import Shot, on_its_way
from hinge.census.watching.glimpse import Glimpse, Pulse
from hinge.units import Reals


@dataclass(frozen=True, eq=False)
class Beat:
    """What one step leaves to be read later: on an accelerator, numbers are still on their way."""

    step: int
    rate: float
    squares: list[float | torch.Tensor]
    scale: torch.Tensor | None = None
    infinite: torch.Tensor | None = None

    def pulse(self, scale_before: float | None) -> Pulse:
        """The step's numbers, on the host; a loss scale that fell tells of a step left out.

        But where the optimizer itself leaves steps out, ``infinite`` tells.
        """
        squares = np.array([float(one) for one in self.squares])
        scale = None if self.scale is None else float(self.scale)
        fell = scale is not None and scale_before is not None and scale < scale_before
        skipped = fell if self.infinite is None else bool(self.infinite)
        return Pulse(self.step, self.rate, np.sqrt(squares), scale, skipped)


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
        offsets = {name: on_its_way(one) for name, one in known.items() if one is not None}
        latest = {name: post.sampled.latest for name, post in posts.items()}
        moments = {name: one.on_its_way() for name, one in latest.items() if one is not None}
        signs = {
            name: (on_its_way(more), on_its_way(less), on_its_way(squares))
            for name, (more, less, squares) in gradients.taken_signs().items()
        }
        # From here on the processes wait for one another.
        if not group.all_well(next(iter(posts.values())).clock.device):
            raise RuntimeError("the watch of another process failed")
        states = group.reduced([(p.counts, p.reals, p.marks) for p in posts.values()])
        return cls(
            step,
            examples,
            dict(posts),
            {
                name: Shot.of(counts, reals, marks if posts[name].gradient_seen else None)
                for name, (counts, reals, marks) in zip(posts, states, strict=True)
            },
            offsets,
            moments,
            signs,
            beats,
            _arrival(posts),
        )

    def arrived(self) -> None:
        """Wait until all of it is there: at the next look it long is."""
        if self.arrival is not None:
            self.arrival.synchronize()

    def glimpses(self, ledger: Ledger, group: Group) -> dict[str, Glimpse]:
        """The sites as values on the host; the processes of ``group`` put theirs together."""
        own = [self._own(name, post, ledger) for name, post in self.posts.items()]
        whole = group.summed(own, next(iter(self.posts.values())).clock.device)
        pairs = zip(self.posts.items(), whole, strict=True)
        return {name: self._glimpse(name, post, rows) for (name, post), rows in pairs}

    def _own(self, name: str, post: Post, ledger: Ledger) -> Reals:
        """What adds up over processes: examples, silent ones; values and sums of a batch."""
        rows = np.zeros((6, post.wiring.site.n_units))
        rows[0] = self.examples
        rows[1] = self.examples - ledger.until(self.shots[name].counted("last_fired"))
        batch = self.moments.get(name)
        if batch is not None:
            rows[2], rows[3:] = batch.values.numpy(), batch.sums.numpy()
        return rows

    def _glimpse(self, name: str, post: Post, rows: Reals) -> Glimpse:
        shot, offset = self.shots[name], self.offsets.get(name)
        seen, (examples, silent) = shot.counted("seen"), rows[:2].astype(np.int64)
        mean, var, strength = _moments(rows[2:]) if name in self.moments else (None, None, None)
        share, norm = _read(self.signs.get(name))
        return Glimpse(
            site=post.wiring.site,
            traits=post.wiring.traits,
            seen=seen,
            fired=shot.counted("fired"),
            last_fired=shot.counted("last_fired"),
            silent=post.attendance(seen, int(examples.max(initial=0)), silent),
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


def _moments(rows: Reals) -> tuple[Reals, Reals, Reals]:
    """Mean and variance of the pre-activations, and E|h|, of each unit."""
    values, *sums = rows
    mean, squares, strength = np.stack(sums) / np.maximum(values, 1)
    return mean, np.maximum(squares - mean * mean, 0.0), strength


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
