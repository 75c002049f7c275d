"""What a unit is, where it sits, and what was observed of it: arrays per site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

SATURATION = 1e-3
"""A smooth activation counts as flat where its derivative is below this."""

RARE = 0.01
"""A unit that fires on a smaller share of the examples than this is rare."""


class Verdict(StrEnum):
    """What a unit did on the data seen. Sparsity is no verdict: it is healthy."""

    DEAD = "dead"
    BLOCKED = "blocked"
    SATURATED = "saturated"
    SILENT = "silent"
    RARE = "rare"
    ALWAYS_ON = "always on"
    ALIVE = "alive"
    UNSEEN = "unseen"

    @property
    def meaning(self) -> str:
        """The verdict in a sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    Verdict.DEAD: "never fires on the data seen; its gradient was zero on every example",
    Verdict.BLOCKED: "fires, but no gradient reached it in the window watched",
    Verdict.SATURATED: "its derivative is zero, or nearly so, on every example, on a flat part",
    Verdict.SILENT: "never fires, but its activation lets gradient through below the kink",
    Verdict.RARE: "fires on a smaller share of the examples than the threshold for rare",
    Verdict.ALWAYS_ON: "fires everywhere on every example: it is linear on the data",
    Verdict.ALIVE: "fires on some examples and not on others",
    Verdict.UNSEEN: "no finite pre-activation was seen",
}


@dataclass(frozen=True)
class Site:
    """One place where an activation is called.

    ``module`` is the path of the module that calls it (empty for the model itself),
    ``function`` the activation's name when the module is more than that one activation,
    ``call`` counts the calls at the same place within one forward pass, from 1.

    >>> Site("block.relu", "", 2, "relu", 64).name
    'block.relu#2'
    >>> Site("block", "relu", 1, "relu", 64).name
    'block.relu()'
    """

    module: str
    function: str
    call: int
    activation: str
    n_units: int

    @property
    def name(self) -> str:
        """The site's name in every table; see `site_name`."""
        return site_name(self.module, self.function, self.call)


def site_name(module: str, function: str, call: int) -> str:
    """Name the ``call``-th call in ``module``: its path, ``.function()``, ``#call`` from 2 on."""
    called = f"{function}()" if function else ""
    place = ".".join(part for part in (module, called) if part) or "()"
    return place if call == 1 else f"{place}#{call}"


@dataclass(frozen=True)
class Traits:
    """What the verdicts need to know of a site's activation.

    ``fires_above``: the kink; NaN for a smooth activation, which has none.
    ``live``: the open interval of pre-activations outside which the derivative is
    zero (piecewise linear) or below `SATURATION` (smooth).
    ``by_output``: the pre-activation alone does not tell, or each unit has a kink of its own.
    Then a unit fires where its output is above 0 and is live where it is not 0, and the two
    above are about the output. ``kinks`` are then the units' kinks; empty where it depends on
    the other units which ones fire (TopK).
    """

    fires_above: float
    live: tuple[float, float]
    by_output: bool = False
    kinks: tuple[float, ...] = ()

    @property
    def has_kink(self) -> bool:
        """Whether "fires" is defined by a kink."""
        return not np.isnan(self.fires_above)

    @property
    def flat_below(self) -> bool:
        """Whether a unit that never fires gets no gradient at all."""
        return self.has_kink and self.live[0] >= self.fires_above

    @property
    def selects(self) -> bool:
        """Whether the units of a site compete for firing, so that none has a kink of its own."""
        return self.by_output and not self.kinks


@dataclass(frozen=True, eq=False)
class Observed:
    """What the units of one site did over the data: one entry per unit, shape ``(n_units,)``.

    Counts are exact integers over all examples. An example counts for a unit when its
    pre-activation and its output there were finite at every position.

    * ``seen``: examples counted; ``nonfinite``: examples left out because of NaN or infinity;
    * ``fired``: examples on which it fired at some position; ``always``: at every position;
    * ``live``: examples on which its derivative was not flat at some position;
    * ``values``: pre-activations (examples times positions); ``zeros``: outputs equal to zero;
    * ``min``, ``max``, ``mean``, ``var``: of the pre-activation, over all values (``var`` is the
      population's);
    * ``strength``: mean of the output's magnitude, E|h|;
    * ``reached``: examples on which a gradient reached it, out of the ``reachable`` ones among
      ``watched`` where its derivative was not flat; None where gradients were not watched. What
      a watch saw while training counts optimizer steps there, not examples;
    * ``sampled``: how many of the values ``zeros``, ``mean``, ``var`` and ``strength`` rest on,
      where a watch took these from some steps only; None: all of them.
    """

    site: Site
    traits: Traits
    seen: Counts
    fired: Counts
    always: Counts
    live: Counts
    values: Counts
    zeros: Counts
    nonfinite: Counts
    min: Reals
    max: Reals
    mean: Reals
    var: Reals
    strength: Reals
    reached: Counts | None = None
    reachable: Counts | None = None
    watched: int = 0
    sampled: Counts | None = None

    @property
    def zero_share(self) -> Reals:
        """Share of zero outputs of each unit, 0 to 1; NaN where nothing was seen."""
        return _share(self.zeros, self.values if self.sampled is None else self.sampled)

    @property
    def fire_share(self) -> Reals:
        """Share of examples on which each unit fired, 0 to 1; NaN where nothing was seen."""
        return _share(self.fired, self.seen)

    @property
    def sparsity(self) -> float:
        """Share of zeros among all outputs of the site. 50 to 85 % is healthy; it is not death."""
        values = int((self.values if self.sampled is None else self.sampled).sum())
        return int(self.zeros.sum()) / values if values else float("nan")

    @property
    def mean_shift(self) -> float:
        """γ = ‖μ‖ / ‖σ‖ of the pre-activations (after Simon et al., arXiv 2605.31518, 2026)."""
        spread = float(np.sqrt(np.nansum(self.var)))
        shift = float(np.sqrt(np.nansum(self.mean**2)))
        return shift / spread if spread > 0 else (float("inf") if shift > 0 else 0.0)

    @property
    def dormancy(self) -> Reals:
        """ReDo score s_i = E|h_i| / mean_k E|h_k| (Sokar et al., 2023, eq. 2).

        The scores sum to the site's width. All NaN where every unit is silent (0/0).
        """
        known = self.strength[~np.isnan(self.strength)]
        mean = float(known.mean()) if known.size else 0.0
        return self.strength / mean if mean > 0 else np.full_like(self.strength, np.nan)

    @property
    def missing(self) -> Reals:
        """What each unit's largest pre-activation lacks to the kink: kink - max z.

        Positive or zero for units that never fire. A smooth activation is measured from 0;
        NaN where units compete for firing (`Traits.selects`).
        """
        traits = self.traits
        if traits.selects or len(traits.kinks) not in (0, self.max.size):
            return np.full(self.max.shape, np.nan)
        kink = traits.fires_above if traits.has_kink else 0.0
        return (np.asarray(traits.kinks) if traits.kinks else kink) - self.max

    @property
    def depth(self) -> Reals:
        """How far below the kink each unit stays: (kink - max z) / sd z, in standard deviations.

        Positive for units that never fire, ``inf`` where such a unit is constant; NaN as for
        `missing`.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.missing / np.sqrt(self.var)

    @property
    def fire_bounds(self) -> tuple[Reals, Reals]:
        """Between which rates each unit fires on data like this, with 95 % confidence.

        Clopper and Pearson (1934), for examples drawn independently; one-sided where a
        unit never or always fired, so that the bound is the well-known 3 / n.
        """
        never, ever = self.fired == 0, self.fired == self.seen
        tail = np.where(never | ever, 0.05, 0.025)
        with np.errstate(invalid="ignore"):
            low = betaincinv(self.fired, self.seen - self.fired + 1, tail)
            high = betaincinv(self.fired + 1, self.seen - self.fired, 1 - tail)
        return np.where(never, 0.0, low), np.where(ever, 1.0, high)

    def verdicts(self, rare: float = RARE) -> npt.NDArray[np.str_]:
        """The verdict of each unit as an array of strings; ``rare`` is a share of the examples."""
        nothing = self.live == 0
        silent = self.fired == 0 if self.traits.has_kink else np.zeros_like(nothing)
        flat = self.traits.flat_below
        rules = [
            (self.seen == 0, Verdict.UNSEEN),
            (nothing & silent & flat, Verdict.DEAD),
            (nothing, Verdict.SATURATED),
            (silent, Verdict.SILENT),
            (self._blocked(), Verdict.BLOCKED),
            ((self.always == self.seen) & self.traits.has_kink, Verdict.ALWAYS_ON),
            ((self.fired < rare * self.seen) & self.traits.has_kink, Verdict.RARE),
        ]
        return np.select(
            [np.asarray(where) for where, _ in rules],
            [str(verdict) for _, verdict in rules],
            default=str(Verdict.ALIVE),
        )

    def _blocked(self) -> npt.NDArray[np.bool_]:
        if self.reached is None or self.reachable is None:
            return np.zeros(self.seen.shape, dtype=np.bool_)
        return np.equal(self.reached, 0) & np.greater(self.reachable, 0)


@dataclass(frozen=True, eq=False)
class Feed:
    """The layer whose output is a site's pre-activation, as far as it is known.

    ``layer`` names it. ``weight`` has shape ``(n_units, n_inputs)``, a convolution's
    kernel summed up by input channel is not needed: its row is flattened. ``bias`` has
    shape ``(n_units,)``: the last constant added per unit. ``inputs`` are the names of
    the sites whose outputs the layer reads; empty for the model's own input.
    ``input_of`` maps each column of ``weight`` to the unit of the single input site
    that feeds it, or is None. ``nonnegative`` says that the layer's inputs cannot be
    negative. What is not known is None.
    """

    layer: str
    weight: npt.NDArray[Any] | None = None
    bias: npt.NDArray[Any] | None = None
    inputs: tuple[str, ...] = ()
    input_of: Counts | None = None
    nonnegative: bool = False


Feeds = Mapping[str, Feed]
"""What is known of the layers behind the sites, by the site's name."""


def _share(part: Counts, whole: Counts) -> Reals:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
