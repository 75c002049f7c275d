"""Domains, budgets, parameters as the command line spells them: text in, numbers out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hinge.errors import OptionError

Vector = tuple[float, ...]

_NUMERIC = re.compile(r"[-+0-9.eE,:\s]*")
_ROWS = re.compile(r"(?P<data>.+)@(?P<rows>[^@]*)")
_SIZES = {"plane": 3, "segment": 2}
_LIKE = {
    "box": "--box -1:1,0:2 (a range for each input), --box 0:1 (one for all), "
    "or --box data.npz (around all examples)",
    "plane": "--plane data.npz@0,5,9 (through three examples) or --plane 0,0,1:1,0,1:0,1,1 "
    "(through three inputs)",
    "segment": "--segment data.npz@0,5 (between two examples) or --segment -1,0:1,0 "
    "(between two inputs)",
}
_UNITS = {"": 1, "b": 1} | {
    f"{letter}{ending}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for ending, base in (("b", 1000), ("ib", 1024))
}
_AMOUNT = re.compile(r"(?P<number>[-+0-9.eE]+?)\s*(?P<unit>[A-Za-z]*)")
_BUDGET = "write it as cells=1e6,seconds=60,bytes=4GiB, or a part of that"


@dataclass(frozen=True)
class Spelled:
    """A domain as it was spelled: what ``kind`` of domain, and where its numbers come from.

    Either ``vectors`` holds them (of a box: the lower and the upper bounds), or ``data`` names
    data, of which ``rows`` are the examples that are meant (None: all).
    """

    kind: str
    text: str
    vectors: tuple[Vector, ...] = ()
    data: str | None = None
    rows: tuple[int, ...] | None = None


def domain(*, box: str | None, plane: str | None, segment: str | None) -> Spelled:
    """Read the one option of the three that was given.

    Raises `OptionError` unless it is one, and can be read.

    >>> domain(box="-1:1,0:2", plane=None, segment=None).vectors
    ((-1.0, 0.0), (1.0, 2.0))
    >>> domain(box=None, plane="data.npz@0,5,9", segment=None).rows
    (0, 5, 9)
    """
    asked = {"box": box, "plane": plane, "segment": segment}
    given = {kind: text for kind, text in asked.items() if text is not None}
    if len(given) != 1:
        raise OptionError(
            "it takes one domain",
            where="hinge partition",
            found=" and ".join(f"--{kind}" for kind in given) or "none",
            do="say where: --box -1:1,-1:1, --plane data.npz@0,5,9 or --segment data.npz@0,5",
        )
    ((kind, text),) = given.items()
    rows = _ROWS.fullmatch(text)
    if rows is not None:
        return Spelled(kind, text, data=rows["data"], rows=_indices(kind, rows["rows"]))
    if kind == "box":
        return _box(text)
    vectors = tuple(_vector(kind, part) for part in text.split(":"))
    if len(vectors) != _SIZES[kind] or len({len(vector) for vector in vectors}) > 1:
        sizes = ", ".join(str(len(vector)) for vector in vectors)
        found = f"{len(vectors)} inputs of {sizes} numbers"
        raise _unreadable(kind, f"{found}; it takes {_SIZES[kind]} of one length")
    return Spelled(kind, text, vectors)


def budget(text: str | None) -> dict[str, float]:
    """Read how much may be spent; what is not named has no entry.

    >>> budget("cells=1e6,bytes=4GiB")
    {'cells': 1000000, 'bytes': 4294967296}
    """
    limits: dict[str, float] = {}
    for part in text.split(",") if text is not None else ():
        name, _, amount = (piece.strip() for piece in part.partition("="))
        found = _AMOUNT.fullmatch(amount)
        value = _number(found["number"]) if found else None
        unit = _UNITS.get(found["unit"].lower() if found and name == "bytes" else "")
        known = name in ("cells", "seconds", "bytes") and name not in limits
        spelled = found is not None and (name == "bytes" or not found["unit"])
        if value is None or value <= 0 or unit is None or not known or not spelled:
            raise OptionError(
                "the budget cannot be read", where="--budget", found=repr(part), do=_BUDGET
            )
        limits[name] = value if name == "seconds" else math.ceil(value * unit)
    return limits


def shape(text: str | None) -> tuple[int, ...] | None:
    """Read the shape of one input, such as ``1,28,28``."""
    if text is None:
        return None
    sizes = tuple(int(part) for part in text.split(",") if part.strip().isdecimal())
    if len(sizes) != text.count(",") + 1 or 0 in sizes:
        raise OptionError(
            "the shape cannot be read",
            where="--shape",
            found=repr(text),
            do="write the sizes of one input without the batch, such as 1,28,28",
        )
    return sizes


def settings(texts: Sequence[str]) -> dict[str, float]:
    """Read parameters of an activation.

    >>> settings(["negative_slope=0.01"])
    {'negative_slope': 0.01}
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, amount = (piece.strip() for piece in text.partition("="))
        value = _number(amount)
        if value is None or not name.isidentifier() or name in found:
            raise OptionError(
                "the parameter cannot be read",
                where="--set",
                found=repr(text),
                do="write a name and a number, each name once, such as negative_slope=0.01",
            )
        found[name] = value
    return found


def _box(text: str) -> Spelled:
    if not _NUMERIC.fullmatch(text):
        return Spelled("box", text, data=text)
    ranges = [part.split(":") for part in text.split(",")]
    bounds = [[_number(end) for end in ends] for ends in ranges]
    lower, upper = [], []
    for ends, text_of in zip(bounds, ranges, strict=True):
        low, high = ends if len(ends) == 2 else (None, None)  # noqa: PLR2004 - a range's ends
        if low is None or high is None or not low < high:
            raise _unreadable("box", f"the range {':'.join(text_of)!r}")
        lower.append(low)
        upper.append(high)
    return Spelled("box", text, (tuple(lower), tuple(upper)))


def _indices(kind: str, text: str) -> tuple[int, ...]:
    rows = tuple(int(part) for part in text.split(",") if part.strip().isdecimal())
    if len(rows) != text.count(",") + 1 or len(rows) != _SIZES.get(kind, len(rows)):
        needed = f"; it takes {_SIZES[kind]}, counted from 0" if kind in _SIZES else ""
        raise _unreadable(kind, f"the examples {text!r}{needed}")
    return rows


def _vector(kind: str, text: str) -> Vector:
    values = [_number(part) for part in text.split(",")]
    if None in values:
        raise _unreadable(kind, f"the input {text!r}")
    return tuple(value for value in values if value is not None)


def _number(text: str) -> float | None:
    """Read a finite number; None if it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _unreadable(kind: str, found: str) -> OptionError:
    return OptionError(
        f"the {kind} cannot be read",
        where=f"--{kind}",
        found=found,
        do=f"write it as {_LIKE[kind]}",
    )
