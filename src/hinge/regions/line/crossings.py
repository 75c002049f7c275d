"""Where an output that is linear between given points takes a value, or another one leads."""

from __future__ import annotations

import numpy as np

from hinge.regions.cells.signs import Numbers
from hinge.regions.programs.program import Reals


def level_set(points: Reals, values: Reals, level: float) -> Reals:
    """Where ``values`` ``(P,)``, joined by lines between ``points`` ``(P,)``, are ``level``.

    Ascending float64. Where a whole piece is at the level, both its ends are given.
    """
    off = values - level
    before, after = off[:-1], off[1:]
    inside = np.flatnonzero(np.sign(before) * np.sign(after) < 0)
    share = before[inside] / (before[inside] - after[inside])
    found = points[inside] + share * (points[inside + 1] - points[inside])
    return np.unique(np.concatenate([points[off == 0], found]))


def lead_changes(points: Reals, values: Reals) -> Reals:
    """Where the largest of several outputs becomes another one.

    ``values`` ``(P, n_out)`` are joined by lines between ``points`` ``(P,)``. Of outputs that
    are equal along a piece the first one leads. Ascending float64.
    """
    start, end = _leaders(values[:-1], values[1:]), _leaders(values[1:], values[:-1])
    found = [points[1:-1][start[1:] != end[:-1]]]
    pieces = np.flatnonzero(start != end)
    leader = start[pieces]
    while len(pieces):
        share, leader, left = _overtaken(values[pieces], values[pieces + 1], leader)
        pieces, leader, share = pieces[left], leader[left], share[left]
        found.append(points[pieces] + share * (points[pieces + 1] - points[pieces]))
        going = leader != end[pieces]
        pieces, leader = pieces[going], leader[going]
    return np.unique(np.concatenate(found))


def _leaders(here: Reals, there: Reals) -> Numbers:
    """The largest ``here``; of equal ones that which is largest ``there``, the other end."""
    largest = here == here.max(axis=1, keepdims=True)
    leaders: Numbers = np.where(largest, there, -np.inf).argmax(axis=1)
    return leaders


def _overtaken(here: Reals, there: Reals, leader: Numbers) -> tuple[Reals, Numbers, Numbers]:
    """Where along its piece each leader is met first, by whom, and which of them are at all."""
    rows = np.arange(len(leader))
    behind = here[rows, leader][:, None] - here
    ahead = there - there[rows, leader][:, None]
    gain = behind + ahead
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(gain > 0, behind / gain, np.inf)
    # Of several that meet it at one place the one that gains most leads from there on.
    first = share == share.min(axis=1, keepdims=True)
    other = np.where(first, gain, -np.inf).argmax(axis=1)
    met = share[rows, other]
    return met, other, np.flatnonzero(met < 1)
