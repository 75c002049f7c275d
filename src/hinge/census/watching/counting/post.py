"""The running state of one watched site: what its units did at every step, on its own device."""

from __future__ import annotations

import numpy as np
import torch

from hinge.census.measure import laid_out
from hinge.census.tally import Tally
from hinge.census.watching.counting.attendance import Attendance
from hinge.census.watching.counting.moments import Moments
from hinge.census.watching.counting.shot import Shot
from hinge.kernels import COUNTS
from hinge.kernels.glancing import Glancer, glance, nothing_glanced
from hinge.kernels.marking import Marker, mark, nothing_marked
from hinge.tracing.arrangement import Arrangement
from hinge.tracing.wiring import Wiring

_EXACT = [name for name in COUNTS if name != "zeros"]


class Post:
    """What is counted at one site.

    ``counts`` and ``reals`` are what `glance` adds to, ``marks`` what `mark` adds to; all three
    stay the same tensors, since compiled code may hold them. ``clock`` is the site's own.
    ``wiring`` is filled in after the first pass. ``by_value`` says that gradients are seen at
    the pre-activation, where no parameter of its own tells.
    """

    def __init__(self, wiring: Wiring, clock: torch.Tensor) -> None:
        n, device = wiring.site.n_units, clock.device
        self.wiring = wiring
        self.clock = clock
        self.counts, self.reals, _ = nothing_glanced(n, device)
        self.marks = nothing_marked(n, device)
        self.sampled = Moments(wiring.site, wiring.traits)
        self.attendance = Attendance(n)
        self.gradient_seen = False
        self.by_value = False
        self._glancer = self._new_glancer()
        self._marker = Marker(self.marks, clock)
        self._shape, self._n_examples = torch.Size(()), -1
        self._fit: Arrangement | None = None
        self._sizes: tuple[int, int, int, bool] | None = None
        self._arrangements: dict[tuple[torch.Size, int], Arrangement | None] = {}

    def restart(self) -> None:
        """Forget all that was counted, but not the latest step, whose top is no count."""
        n, device = self.wiring.site.n_units, self.clock.device
        counts, reals, _ = nothing_glanced(n, device)
        self.counts.copy_(counts)
        self.reals[:-1] = reals[:-1]
        self.marks.copy_(nothing_marked(n, device))
        self.sampled = Moments(self.wiring.site, self.wiring.traits)
        self.gradient_seen = False

    def part(self) -> None:
        """Leave what compiled code goes on counting behind."""
        self.counts, self.reals = self.counts.clone(), self.reals.clone()
        self._glancer = self._new_glancer()

    def _new_glancer(self) -> Glancer:
        traits = self.wiring.traits
        return Glancer((self.counts, self.reals, self.clock), traits.fires_above, *traits.live)

    def arrangement(self, shape: torch.Size, n_examples: int) -> Arrangement | None:
        """How a pre-activation of this shape is laid out; None where its units do not fit."""
        key = shape, n_examples
        if key not in self._arrangements:
            wiring = self.wiring
            self._arrangements[key] = wiring.arrangement.refitted(wiring.shape, shape, n_examples)
        return self._arrangements[key]

    @property
    def misfits(self) -> bool:
        """Whether there was a pre-activation whose units did not fit."""
        return None in self._arrangements.values()

    def glance(self, z: torch.Tensor, n_examples: int) -> Arrangement | None:
        """Count one batch of pre-activations, as cheaply as can be; None if it does not fit."""
        shape = z.shape
        if shape != self._shape or n_examples != self._n_examples:
            self._shape, self._n_examples = shape, n_examples
            self._fit = self.arrangement(shape, n_examples)
            self._sizes = None if self._fit is None else _sizes(self._fit, shape)
        if self._sizes is not None and z.is_contiguous():
            *sizes, units_last = self._sizes
            self._glancer(z, *sizes, units_last=units_last)
        elif self._fit is not None:
            self.see(z, self._fit)
        return self._fit

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

    def receive(self, gradient: torch.Tensor) -> float | torch.Tensor:
        """Mark the units that got a gradient, one entry each.

        Return the sum of its squares, on an accelerator as a tensor there.
        """
        self.gradient_seen = True
        return self._marker(gradient)

    def receive_values(self, gradient: torch.Tensor, arrangement: Arrangement) -> None:
        """Mark the units that got a gradient, by that of the pre-activation."""
        self.gradient_seen = True
        laid, units_last = laid_out(gradient.detach(), arrangement)
        mark(laid, self.marks, self.clock, units_last=units_last)

    def shot(self) -> Shot:
        """The state as it is now, on its way to the host."""
        return Shot.of(self.counts, self.reals, self.marks if self.gradient_seen else None)

    def tally(self) -> Tally:
        """The counts of every step, with the moments of the sampled ones, as a census has them."""
        tally, shot = self.sampled.tally(), self.shot()
        if self.clock.device.type != "cpu":
            torch.accelerator.synchronize(self.clock.device)
        for name in _EXACT:
            tally.counts[name][:] = shot.counted(name)
        np.copyto(tally.min, shot.least)
        np.copyto(tally.max, shot.most)
        if shot.gradient_steps is not None:
            tally.reached[:] = shot.gradient_steps
            tally.reachable[:] = tally.counts["live"]
            tally.watched = int(shot.gradient_steps.max(initial=0))
        return tally


def _sizes(arrangement: Arrangement, shape: torch.Size) -> tuple[int, int, int, bool] | None:
    """Examples, units and positions of a contiguous tensor of this shape, and whether units last.

    None where the kernel could not read it as it lies.
    """
    laid = arrangement.arrange(torch.empty(shape, device="meta"))
    units_last = not arrangement.positions_last
    if not laid.is_contiguous():
        laid, units_last = laid.mT, not units_last
    if not laid.is_contiguous():
        return None
    examples, first, second = laid.shape
    return (examples, second, first, True) if units_last else (examples, first, second, False)
