"""`auto_revive`: begins to revive units while a network trains under a watch."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hinge.auto_revival.revival import AutoRevival
from hinge.auto_revival.rules import Rules, check_processes
from hinge.census.watching import Watch
from hinge.remedies import Lift
from hinge.remedies.reviving.remedy import Remedy


def auto_revive(
    watch: Watch,
    *,
    by: Remedy | None = None,
    every: int = 500,
    at_most: int | None = None,
    until: int | None = None,
    share: float = 0.0,
    sites: Collection[str] | None = None,
    data: Any = None,
) -> AutoRevival:
    """Revive the units that a watch reports dead, again and again while the network trains.

    Parameters
    ----------
    watch
        The watch over the training, with an optimizer: the revival acts between its steps.
    by
        The remedy: ``Lift()`` unless told otherwise. One with a ``seed`` counts it up each
        time, so that no two units are drawn alike.
    every
        At every so manyth step of the optimizer it acts, if there is something to revive. At
        least twice the watch's own ``every``: what was revived is looked at again before.
    at_most
        How many times it acts in all. None: as often as units die.
    until
        The step from which on it leaves the network alone, which late in a training settles.
    share
        The share of a site's units that must be dead before the site is touched.
    sites
        The sites it may touch. None: all.
    data
        On what the units are silent, and brought to fire: what `hinge.revive` takes, and in
        several processes the same in each. None: the inputs of the latest pass.

    Returns
    -------
    AutoRevival
        It acts from now on: until its ``stop()``, the end of its ``with`` block, or an error,
        which is told in one warning and never reaches the training.

    Raises
    ------
    OptionError
        The watch has no optimizer, a number means nothing, or several processes train without
        DistributedDataParallel.
    UnsupportedError
        The parameters are sharded over processes (FSDP).
    """
    rules = Rules(Lift() if by is None else by, every, at_most, until, share, sites, data)
    rules.check(watch)
    check_processes(watch.model)
    return AutoRevival(watch, rules)
