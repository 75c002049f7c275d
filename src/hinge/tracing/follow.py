"""How the places of units and examples move through one tensor operator.

Layers whose weights make the units say where these lie; every other operator moves
them, keeps them, or loses them. The rules are tables by the operator's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hinge.layout import Place

Shape = Sequence[int]
Rule = Callable[[Place, Shape, Shape, Mapping[str, Any]], Place | None]
"""(place before, shape before, shape after, arguments by name) -> place after."""


def moved(
    operator: str, place: Place, old: Shape, new: Shape, arguments: Mapping[str, Any]
) -> Place | None:
    """The place of an index of the operator's main input in its output; None if lost."""
    after = _RULES.get(operator, _kept)(place, old, new, arguments)
    return after if after is not None and after.fits(new) else None


def resized(place: Place, old: Shape, new: Shape) -> Place | None:
    """The place of units whose number an operator changed along their own axis.

    So do a slice, a concatenation, a gate that halves the channels.
    """
    plain = len(old) == len(new) and old[place.axis] == place.size
    return replace(place, size=new[place.axis]) if plain and new[place.axis] else None


def _kept(place: Place, old: Shape, new: Shape, _: Mapping[str, Any]) -> Place | None:
    """An operator that acts place by place, or along other axes; broadcasting allowed."""
    return place.aligned(old, new)


def _reshaped(place: Place, old: Shape, new: Shape, _: Mapping[str, Any]) -> Place | None:
    return place.reshaped(old, new)


def _permuted(place: Place, _: Shape, __: Shape, arguments: Mapping[str, Any]) -> Place:
    return place.permuted(arguments["dims"])


def _transposed(place: Place, old: Shape, _: Shape, arguments: Mapping[str, Any]) -> Place:
    first, second = arguments.get("dim0", 0), arguments.get("dim1", len(old) - 1)
    order = list(range(len(old)))
    order[first], order[second] = order[second], order[first]
    return place.permuted(order)


def _axis_added(place: Place, _: Shape, new: Shape, arguments: Mapping[str, Any]) -> Place:
    axis = arguments.get("dim", 0) % len(new)
    return replace(place, axis=place.axis + (place.axis >= axis))


def _axis_removed(
    place: Place, old: Shape, new: Shape, arguments: Mapping[str, Any]
) -> Place | None:
    axis = arguments.get("dim", 0)
    axes = list(axis) if isinstance(axis, Sequence) else [axis]
    gone = [axis for axis in axes if len(old) - len(new) == len(axes) or old[axis] == 1]
    return place if len(old) == len(new) else place.reduced(gone, len(old), keepdim=False)


def _reduced(place: Place, old: Shape, new: Shape, arguments: Mapping[str, Any]) -> Place | None:
    axis = arguments.get("dim")
    if axis is None or axis == []:
        return _kept(place, old, new, arguments)  # `max` of two tensors, or one number left
    axes = list(axis) if isinstance(axis, Sequence) else [axis]
    return place.reduced(axes, len(old), keepdim=len(old) == len(new))


_RULES: dict[str, Rule] = {
    **dict.fromkeys(
        ("view", "_unsafe_view", "reshape", "_reshape_alias", "squeeze", "flatten"), _reshaped
    ),
    "permute": _permuted,
    **dict.fromkeys(("transpose", "t"), _transposed),
    **dict.fromkeys(("unsqueeze", "stack"), _axis_added),
    **dict.fromkeys(("select", "unbind"), _axis_removed),
    **dict.fromkeys(
        (
            "mean",
            "sum",
            "amax",
            "amin",
            "max",
            "min",
            "prod",
            "logsumexp",
            "var",
            "std",
            "linalg_vector_norm",
            "any",
            "all",
            "argmax",
            "argmin",
            "median",
            "mode",
        ),
        _reduced,
    ),
}
