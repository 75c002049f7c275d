"""One record as one line of strict JSON, and back."""

from __future__ import annotations

import json
import math
from typing import Any

from hinge.events import Cause, Event, Kind
from hinge.sinks.record import Numbers, Record

SCHEMA = "hinge/watch"
VERSION = 1
HEADER = json.dumps({"schema": SCHEMA, "version": VERSION}).encode() + b"\n"
"""The first line of every file."""


def line(record: Record) -> bytes:
    r"""Encode a record, NaN and infinity as null; ASCII, with its line feed.

    >>> line(Numbers(16, {"hinge/relu/dead": 3.0, "hinge/relu/mean": float("nan")}))
    b'{"step": 16, "values": {"hinge/relu/dead": 3.0, "hinge/relu/mean": null}}\n'
    """
    document = _numbers(record) if isinstance(record, Numbers) else _event(record)
    return json.dumps(document, allow_nan=False).encode() + b"\n"


def parsed(text: bytes) -> dict[str, Any]:
    """Parse a line. Raises `ValueError` if it is no strict JSON object."""
    try:
        document = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("values nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError(f"a {type(document).__name__} instead of an object")  # noqa: TRY004
    return document


def record(document: dict[str, Any]) -> Record:
    """Make a record of a parsed line, null as NaN. Raises `ValueError` if it is none."""
    try:
        if document.keys() == {"event"}:
            return _read_event(**document["event"])
        if document.keys() == {"step", "values"}:
            values = {str(name): _read(value) for name, value in document["values"].items()}
            return Numbers(int(document["step"]), values)
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"a record that lacks a part or has a wrong one ({error})") from error
    raise ValueError("neither numbers nor an event")


def _numbers(numbers: Numbers) -> dict[str, Any]:
    values = {name: float(value) for name, value in numbers.values.items()}
    finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
    return {"step": int(numbers.step), "values": finite}


def _event(event: Event) -> dict[str, Any]:
    parts = {
        "kind": event.kind.value,
        "step": int(event.step),
        "site": event.site,
        "units": [int(unit) for unit in event.units],
        "cause": event.cause.value,
        "evidence": event.evidence,
        "found_at": int(event.found_at),
    }
    return {"event": parts}


def _read_event(
    *, kind: str, step: int, site: str, units: list[int], cause: str, evidence: str, found_at: int
) -> Event:
    return Event(
        Kind(kind),
        int(step),
        str(site),
        tuple(int(unit) for unit in units),
        Cause(cause),
        str(evidence),
        int(found_at),
    )


def _read(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _refuse(name: str) -> float:
    raise ValueError(f"{name}, which is not JSON")
