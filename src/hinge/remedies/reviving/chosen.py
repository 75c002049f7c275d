"""Which units a remedy is for: the dead ones of a census, or those that are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hinge.errors import OptionError
from hinge.tracing.wiring import Wiring
from hinge.units import Observed, Verdict

Chosen = dict[str, tuple[int, ...]]


def chosen_units(units: Any) -> Chosen:
    """The units by site, in order and each once; sites without any are left out.

    Of a site's `Observed` the dead ones are taken. Raises `OptionError` for anything that is
    no mapping of sites to that or to numbers.
    """
    if not isinstance(units, Mapping):
        raise _meaningless("units", type(units).__name__)
    found = {str(site): _of_site(str(site), wanted) for site, wanted in units.items()}
    return {site: numbers for site, numbers in found.items() if numbers}


def check_units(chosen: Chosen, wirings: Mapping[str, Wiring]) -> None:
    """See that the model has these units and that they can fire. Raises `OptionError`."""
    for site, units in chosen.items():
        wiring = wirings.get(site)
        if wiring is None:
            raise OptionError(
                "the model has no such site",
                where="units",
                found=repr(site),
                do="use one of " + ", ".join(map(repr, wirings)),
            )
        n = wiring.site.n_units
        wrong = [unit for unit in units if not 0 <= unit < n]
        if wrong:
            raise OptionError(
                "the site has no such unit",
                where=f"units of {site}",
                found=f"{wrong[0]}, where the units are 0 to {n - 1}",
                do="pass numbers of units, or the census of this very model",
            )
        if not wiring.traits.has_kink:
            raise OptionError(
                "units without a kink cannot be brought to fire",
                where=site,
                found=f"{wiring.site.activation}, which is smooth",
                do="leave this site out; scale the layer before, or use hinge.reinit",
            )


def _of_site(site: str, wanted: Any) -> tuple[int, ...]:
    if isinstance(wanted, Observed):
        return tuple(np.flatnonzero(wanted.verdicts() == Verdict.DEAD).tolist())
    try:
        numbers = list(wanted)
    except TypeError:
        numbers = [wanted]
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise _meaningless(f"units of {site}", repr(number))
    return tuple(sorted({int(number) for number in numbers}))


def _meaningless(where: str, found: str) -> OptionError:
    return OptionError(
        "this names no units",
        where=where,
        found=found,
        do="pass a census, or a mapping of site names to unit numbers, such as {'0.relu': [3, 7]}",
    )
