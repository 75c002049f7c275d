"""Which of the units that a watch reports dead a revival is for."""

from __future__ import annotations

from hinge.auto_revival.rules import Rules, Units
from hinge.census import Census
from hinge.census.watching import Watch
from hinge.errors import OptionError
from hinge.events import Cause, Kind
from hinge.units import Verdict


def candidates(watch: Watch, rules: Rules) -> Units:
    """The units that are dead by the watch, but for those that wait for their inputs."""
    dead, latest, chosen = watch.dead(), watch.latest, rules.sites
    unknown = sorted(set(chosen or ()) - set(latest)) if latest else []
    if unknown:
        raise OptionError(
            "the model has no such site",
            where="hinge.auto_revive(sites=)",
            found=unknown[0],
            do=f"use some of {', '.join(latest)}",
        )
    waiting = _starved(watch, dead)
    found = {
        site: tuple(unit for unit in units if (site, unit) not in waiting)
        for site, units in dead.items()
        if (chosen is None or site in chosen)
        and len(units) >= rules.share * latest[site].site.n_units
    }
    return {site: units for site, units in found.items() if units}


def _starved(watch: Watch, dead: Units) -> set[tuple[str, int]]:
    """Units that died because their inputs did, as long as some of these are dead."""
    causes = {
        (event.site, unit): event.cause
        for event in watch.events
        if event.kind in (Kind.DIED, Kind.BORN_DEAD)
        for unit in event.units
    }
    return {
        (site, unit)
        for (site, unit), cause in causes.items()
        if cause is Cause.UPSTREAM and any(source in dead for source in watch.latest[site].inputs)
    }


def silent(wanted: Units, census: Census) -> Units:
    """Those units that fire on none of the data either, so that nothing is lost."""
    chosen = {
        site: tuple(u for u in units if census[site].verdicts()[u] == Verdict.DEAD)
        for site, units in wanted.items()
    }
    return {site: units for site, units in chosen.items() if units}
