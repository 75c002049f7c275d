"""`diagnose`: from what was observed to findings, the most alarming first."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hinge.diagnosis import conditions, death
from hinge.diagnosis.finding import Case, Finding
from hinge.units import RARE, Feeds, Observed

Rule = Callable[[Case], list[Finding]]

RULES: tuple[Rule, ...] = (
    conditions.not_finite,
    death.dead,
    conditions.blocked,
    conditions.saturated,
    conditions.silent,
    conditions.shifted,
    conditions.always_on,
    conditions.rare,
    conditions.sparse,
)
"""Each looks at one site; adding a rule is adding it here."""

_ALARM = ("bad", "warning", "info", "good")


def diagnose(
    observed: Mapping[str, Observed], feeds: Feeds, rare: float = RARE
) -> tuple[Finding, ...]:
    """Find what is wrong, why, and what would help.

    ``observed`` holds the sites in the order in which the network calls them, ``feeds``
    what is known of the layers behind them. Sites keep their order within one tone.
    """
    found = [
        finding
        for name, site in observed.items()
        for rule in RULES
        for finding in rule(Case(name, site, feeds.get(name), observed, rare))
    ]
    return tuple(sorted(found, key=lambda finding: _ALARM.index(finding.tone)))
