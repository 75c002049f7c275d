"""The running state of one watched site: what its units did at every step, on its own device."""

from __future__ import annotations

import numpy as np
import torch

from hinge.census.measure import laid_out
from hinge.census.tally import Tally
from hinge.census.watching.moments import Moments
from hinge.census.watching.shot import Shot
from hinge.kernels import COUNTS
from hinge.kernels.glancing import GLANCED, glance
from hinge.kernels.marking import mark
from hinge.tracing.arrangement import Arrangement
from hinge.tracing.wiring import Wiring

_ROW = {name: row for row, name in enumerate(GLANCED)}
_EXACT = [name for name in COUNTS if name != "zeros"]


class Post:
    """What is counted at one site.

    ``counts`` and ``reals`` are what `glance` adds to, ``marks`` what `mark` adds to; all three
    stay the same tensors, since compiled code may hold them. ``clock`` is the watch's.
    ``wiring`` is filled in after the first pass. ``by_value`` says that gradients are seen at
    the pre-activation, where no parameter of its own tells.
    """

    def __init__(self, wiring: Wiring, clock: torch.Tensor) -> None:
        n, device = wiring.site.n_units, clock.device
        self.wiring = wiring
        self.clock = clock
        self.counts = torch.zeros(len(GLANCED), n, dtype=torch.int64, device=device)
        self.reals = torch.zeros(3, n, dtype=torch.float64, device=device)
        self.marks = torch.zeros(2, n, dtype=torch.int64, device=device)
        self.sampled = Moments(wiring.site, wiring.traits)
        self.gradient_seen = False
        self.by_value = False
        self._arrangements: dict[tuple[torch.Size, int], Arrangement | None] = {}
        self.restart()

    def restart(self) -> None:
        """Forget all that was counted."""
        self.counts.zero_()
        self.counts[_ROW["last_fired"]] = -1
        self.reals[0], self.reals[1:] = torch.inf, -torch.inf
        self.marks.zero_()
        self.marks[1] = -1
        self.sampled = Moments(self.wiring.site, self.wiring.traits)
        self.gradient_seen = False

    def part(self) -> None:
        """Leave what compiled code goes on counting behind."""
        self.counts, self.reals = self.counts.clone(), self.reals.clone()

    def arrangement(self, shape: torch.Size, n_examples: int) -> Arrangement | None:
        """How a pre-activation of this shape is laid out; None where its units do not fit."""
        key = shape, n_examples
        if key not in self._arrangements:
            wiring = self.wiring
            self._arrangements[key] = wiring.arrangement.refitted(wiring.shape, shape, n_examples)
        return self._arrangements[key]

    def see(self, z: torch.Tensor, arrangement: Arrangement) -> None:
        """Count one batch of pre-activations."""
        traits = self.wiring.traits
        low, high = traits.live
        laid, units_last = laid_out(z.detach(), arrangement)
        state = self.counts, self.reals, self.clock
        glance(laid, *state, units_last=units_last, kink=traits.fires_above, low=low, high=high)

    def sample(self, z: torch.Tensor, h: torch.Tensor, arrangement: Arrangement) -> None:
        """Take the moments of one batch."""
        self.sampled.add(z, h, arrangement)

    def receive(
        self, gradient: torch.Tensor, arrangement: Arrangement | None = None
    ) -> float | torch.Tensor:
        """Mark the units that got a gradient: one entry each, or one per pre-activation.

        Return the sum of its squares, on an accelerator as a tensor there.
        """
        self.gradient_seen = True
        if arrangement is None:
            return mark(gradient.detach(), self.marks, self.clock)
        laid, units_last = laid_out(gradient.detach(), arrangement)
        return mark(laid, self.marks, self.clock, units_last=units_last)

    def shot(self) -> Shot:
        """The state as it is now, on its way to the host."""
        return Shot.of(self.counts, self.reals, self.marks if self.gradient_seen else None)

    def tally(self) -> Tally:
        """The counts of every step, with the moments of the sampled ones, as a census has them."""
        tally, shot = self.sampled.tally(), self.shot()
        for name in _EXACT:
            tally.counts[name][:] = shot.counted(name)
        np.copyto(tally.min, shot.least)
        np.copyto(tally.max, shot.most)
        if shot.gradient_steps is not None:
            tally.reached[:] = shot.gradient_steps
            tally.reachable[:] = tally.counts["live"]
            tally.watched = int(shot.gradient_steps.max(initial=0))
        return tally
