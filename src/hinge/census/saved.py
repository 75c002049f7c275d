"""A census as JSON, and back, without losing a bit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from hinge.census.counted import Counted
from hinge.census.exact import ExactSums
from hinge.census.tally import Tally
from hinge.errors import FileError
from hinge.kernels import COUNTS
from hinge.report import json
from hinge.units import Site, Traits

SCHEMA, VERSION = "census", 1


def to_json(counted: Counted) -> str:
    """Write all counts; the layers behind the sites belong to the model and are left out."""
    return json.dump(payload(counted), SCHEMA, VERSION)


def from_json(text: str) -> Counted:
    """Read what `to_json` wrote."""
    return counted_from(json.load(text, SCHEMA, VERSION))


def payload(counted: Counted) -> dict[str, Any]:
    """The census as plain values."""
    return {
        "seen": counted.seen,
        "skipped": counted.skipped,
        "skipped_at": list(counted.skipped_at),
        "complete": counted.complete,
        "notes": list(counted.notes),
        "nonnegative": counted.nonnegative,
        "sites": [_of_tally(tally) for tally in counted.tallies.values()],
    }


def counted_from(values: dict[str, Any]) -> Counted:
    """What was counted, from the plain values of `payload`. Raises `FileError` for any others."""
    try:
        tallies = [_tally(entry) for entry in values["sites"]]
        return Counted(
            tallies={tally.site.name: tally for tally in tallies},
            seen=int(values["seen"]),
            skipped=int(values["skipped"]),
            skipped_at=tuple(values["skipped_at"]),
            complete=bool(values["complete"]),
            notes=tuple(values["notes"]),
            nonnegative=bool(values["nonnegative"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileError(
            "the census is not whole",
            where="its JSON text",
            found=f"{type(error).__name__}: {error}",
            do="write it again with Census.to_json()",
        ) from error


def _of_tally(tally: Tally) -> dict[str, Any]:
    tally.settle()
    return {
        "name": tally.site.name,
        "site": asdict(tally.site),
        "traits": asdict(tally.traits),
        "counts": tally.counts,
        "min": tally.min,
        "max": tally.max,
        "sums": asdict(tally.sums),
        "reached": tally.reached,
        "reachable": tally.reachable,
        "watched": tally.watched,
        "sampled": tally.sampled,
    }


def _tally(entry: dict[str, Any]) -> Tally:
    site, traits = Site(**entry["site"]), dict(entry["traits"])
    traits["live"] = tuple(traits["live"])
    traits["kinks"] = tuple(traits.get("kinks", ()))
    tally = Tally.empty(site, Traits(**traits))
    for name in COUNTS:
        tally.counts[name][:] = _like(tally.counts[name], entry["counts"][name])
    tally.min, tally.max = (_like(tally.min, entry[name]) for name in ("min", "max"))
    top, digits = (_like(getattr(tally.sums, n), entry["sums"][n]) for n in ("top", "digits"))
    tally.sums = ExactSums(top, digits)
    tally.reached = _like(tally.reached, entry["reached"])
    tally.reachable = _like(tally.reachable, entry["reachable"])
    tally.watched = int(entry["watched"])
    tally.sampled = _like(tally.sampled, entry.get("sampled", entry["counts"]["values"]))
    return tally


def _like(model: Any, values: Any) -> Any:
    """An array of the model's shape and dtype. Raises `ValueError` for another shape."""
    array = np.asarray(values, dtype=model.dtype)
    if array.shape != model.shape:
        raise ValueError(f"shape {array.shape} instead of {model.shape}")
    return array
