"""When silence is death: how long a unit must be silent before it is called dead."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hinge.units import Counts, Reals

Mask = npt.NDArray[np.bool_]

PATIENCE = 100
"""Steps of silence before a unit is called dead."""

EXAMPLES = 300
"""Examples without one firing before a unit is called born dead."""

CHANCE = 1e-3
"""How improbable a silence must be at the unit's own earlier rate."""


def improbable(
    fired: Counts | Reals, until: Counts | Reals, silent: Counts, ever: Counts | None = None
) -> Mask:
    """Whether a silence is longer than chance allows, unit by unit; all shapes ``(n_units,)``.

    A unit that fired k times in the N examples up to its last firing stays silent for m more
    with probability ``(N / (N + m)) ** k`` if its rate has not changed: the waits of a Poisson
    process are exponential, so (k · next wait) / N has the F distribution with 2 and 2k degrees
    of freedom. For large k this is ``(1 - f) ** m`` with f = k / N; for small k it allows for
    f being uncertain. As every firing begins a new silence, the probability must be below
    ``CHANCE / k**2``: over a whole run it then happens by chance to at most 1.7 of a thousand
    units, as long as the firings are independent and the rate does not fall.

    Parameters
    ----------
    fired, until
        k and N; they may be weighted by how recent they are.
    silent
        m, the examples since the last firing.
    ever
        The firings of the whole run, for the square; ``fired`` if None.
    """
    firings = np.maximum(fired if ever is None else ever, 1)
    waits = silent / np.maximum(until, 1)
    logarithm = -fired * np.log1p(waits)
    return np.asarray((fired > 0) & (logarithm < np.log(CHANCE) - 2 * np.log(firings)))


def never(fired: Counts, seen: Counts, step: int, patience: int, examples: int) -> Mask:
    """Which units never fired although they had the chance to.

    After n examples without a firing the rate is below 3 / n with 95 % confidence: with the
    300 of `EXAMPLES`, of units that fire on 1 % of the examples 5 % are called dead wrongly,
    and of units that fire on 3 % one in ten thousand.
    """
    waited = step + 1 >= patience
    return np.asarray((fired == 0) & (seen >= max(examples, 1)) & waited)


def ceased(last_fired: Counts, step: int, patience: int) -> Mask:
    """Which units fired once, and not in the latest ``patience`` steps."""
    return np.asarray((last_fired >= 0) & (step - last_fired >= patience))
