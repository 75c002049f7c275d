"""An event in words and as a number, for places that know no events."""

from __future__ import annotations

from hinge.events import Event

_NAMED = 8  # units that a sentence names; the event has them all


def told(event: Event) -> str:
    """Tell an event as one line of plain text.

    >>> from hinge.events import Cause, Kind
    >>> print(told(Event(Kind.DIED, 40, "relu", (3, 5), Cause.BIAS, "bias -0.1 to -7.2", 48)))
    relu: died at step 40 (units 3, 5), probably by bias drift: bias -0.1 to -7.2
    """
    units = f" ({_units(event.units)})" if event.units else ""
    cause = f"probably by {event.cause}" if event.cause != "unknown" else "cause unknown"
    return f"{event.site}: {event.kind} at step {event.step}{units}, {cause}: {event.evidence}"


def counted(event: Event) -> dict[str, float]:
    """Name an event and say to how many units it happened, 1 if to the whole site.

    >>> from hinge.events import Cause, Kind
    >>> counted(Event(Kind.BORN_DEAD, 0, "relu", (3, 5), Cause.UNKNOWN, "", 16))
    {'hinge/relu/born dead': 2.0}
    """
    return {f"hinge/{event.site}/{event.kind}": float(len(event.units) or 1)}


def _units(units: tuple[int, ...]) -> str:
    named = ", ".join(str(unit) for unit in units[:_NAMED])
    more = f" and {len(units) - _NAMED} more" if len(units) > _NAMED else ""
    return f"unit{'s' if len(units) > 1 else ''} {named}{more}"
