"""Limits that a network must keep, such as "at most 5 % dead": asked for, checked, reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hinge.errors import OptionError
from hinge.page import Check
from hinge.units import RARE, Observed, Verdict

_PER_SITE = "any-site:"
_NAMED = 10  # units named in a message
_NAMES = {str(verdict).replace(" ", "-"): verdict for verdict in Verdict}


@dataclass(frozen=True)
class Limit:
    """At most this ``share`` of the units may have this verdict: of all, or ``per_site``."""

    verdict: Verdict
    share: float
    per_site: bool = False

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read a limit as people write it. Raises `OptionError` for anything else.

        >>> Limit.parse("dead=5%")
        Limit(verdict=<Verdict.DEAD: 'dead'>, share=0.05, per_site=False)
        >>> Limit.parse("any-site:always-on=0.5").per_site
        True
        """
        rest = text.strip().removeprefix(_PER_SITE)
        name, _, value = rest.partition("=")
        verdict, share = _NAMES.get(name.strip()), _share(value)
        if verdict is None or share is None:
            raise OptionError(
                "the limit cannot be read",
                where="--fail-on",
                found=repr(text),
                do="write VERDICT=SHARE, such as dead=5%, any-site:dead=20% or blocked=0; "
                f"VERDICT is one of {', '.join(_NAMES)}",
            )
        return cls(verdict, share, per_site=text.strip().startswith(_PER_SITE))

    @property
    def name(self) -> str:
        """The limit in words."""
        where = "of any site's units" if self.per_site else "of all units"
        return f"at most {100 * self.share:.4g} % {where} {self.verdict}"


def check(
    observed: Mapping[str, Observed], limits: Sequence[Limit], rare: float = RARE
) -> tuple[Check, ...]:
    """Hold a network against its limits."""
    return tuple(_checked(observed, limit, rare) for limit in limits)


def check_against(
    observed: Mapping[str, Observed], before: Mapping[str, Observed], rare: float = RARE
) -> Check:
    """Whether units are dead or blocked now that were not in an earlier examination."""
    lost = []
    for name, site in observed.items():
        if name in before and before[name].site == site.site:
            was, now = _lost(before[name], rare), _lost(site, rare)
            lost += [f"{name}[{unit}]" for unit in sorted(now - was)]
    named = ", ".join(lost[:_NAMED]) + (", …" if len(lost) > _NAMED else "")
    died = "1 unit" if len(lost) == 1 else f"{len(lost):,} units"
    message = f"{died} lost since: {named}" if lost else "none lost since"
    return Check("no unit dead or blocked that was not in the baseline", not lost, message)


def _lost(site: Observed, rare: float) -> set[int]:
    verdicts = site.verdicts(rare).tolist()
    return {unit for unit, v in enumerate(verdicts) if v in (Verdict.DEAD, Verdict.BLOCKED)}


def _checked(observed: Mapping[str, Observed], limit: Limit, rare: float) -> Check:
    found = {
        name: (int((site.verdicts(rare) == str(limit.verdict)).sum()), site.site.n_units)
        for name, site in observed.items()
    }
    if not limit.per_site:
        found = {"all": (sum(n for n, _ in found.values()), sum(of for _, of in found.values()))}
    worst = max(found, key=lambda name: found[name][0] / max(1, found[name][1]), default="all")
    n, of = found.get(worst, (0, 0))
    share = n / of if of else 0.0
    place = f" at {worst}" if limit.per_site else ""
    return Check(limit.name, share <= limit.share, f"{n:,} of {of:,} units{place} ({share:.2%})")


def _share(text: str) -> float | None:
    """A share from "5%" or "0.05"; None if it is neither or beyond 0 to 1."""
    text = text.strip()
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None
