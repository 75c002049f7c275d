"""The colours in which a terminal paints a map, readable on light and on dark ground."""

from __future__ import annotations

from hinge.page import Scale

STRONG = "#ff5fa2"
"""What stands out from all creases."""

CREASE = "#101418"
PAPER = "#808080"
"""Where there is no cell, or no value."""

_TINTS = ("#6f97c4", "#c79f52", "#6aa98a", "#41658f", "#c47f76", "#8a73a5")
_NAMED = ("#4f8fd0", "#d8835a", "#58ab7c", "#b79b3a", "#a77fcf", "#3fa7ae", "#b45a60", "#7f9a55")
_SCALE = (
    *("#1c2435", "#22394d", "#245161", "#276a71", "#35837a", "#529c7d", "#7ab27b", "#a9c576"),
    "#ddd674",
)
_SIDES = (
    *("#1f6fc4", "#4a8fd6", "#82b2e2", "#bad2ea", "#e6e7e9", "#e8c3b3", "#db9c7f", "#cc7650"),
    "#b8501f",
)


def paints(key: Scale | tuple[str, ...]) -> tuple[str, ...]:
    """The colours of a map's cells, by their index."""
    if isinstance(key, Scale):
        return _SIDES if key.middle else _SCALE
    return _NAMED if key else _TINTS


def bar_of(scale: Scale) -> list[tuple[str, str]]:
    """The colours of a scale side by side."""
    return [("██", colour) for colour in paints(scale)]


def ramp(ascii_only: bool) -> str:  # noqa: FBT001 - a property of the screen
    """Characters from the lowest shade to the highest, where there are no colours."""
    return " .:*#" if ascii_only else " ░▒▓█"
