"""Edges joined to the longest paths that do not branch, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hinge.regions.plane.ranking import cycle_heads, ranked
from hinge.regions.plane.topology import NONE, Numbers


@dataclass(frozen=True, eq=False)
class Paths:
    """Edges in the order of their paths.

    Path k has the edges ``edges[offsets[k]:offsets[k + 1]]``, one after the other;
    ``backwards`` tells which of them are passed from their second end to their first.
    """

    edges: Numbers
    backwards: npt.NDArray[np.bool_]
    offsets: Numbers

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def nodes(self, ends: Numbers, path: int) -> Numbers:
        """The nodes along a path, ``(n + 1,)``; the first comes again at the end of a ring."""
        part = slice(self.offsets[path], self.offsets[path + 1])
        edges, backwards = self.edges[part], self.backwards[part].astype(np.int64)
        starts = ends[edges, backwards]
        return np.append(starts, ends[edges[-1], 1 - backwards[-1]])


def paths(ends: Numbers) -> Paths:
    """Join edges ``(m, 2)``, pairs of nodes, to paths.

    Two edges are joined where they are the only two at a node; a node with more ends all of
    its paths. A path starts with the lowest edge at either of its two ends, a ring with its
    lowest edge of all.
    """
    m = len(ends)
    if not m:
        nothing = np.empty(0, dtype=np.int64)
        return Paths(nothing, np.empty(0, np.bool_), np.zeros(1, np.int64))
    # Directed edge 2e goes from the first end of e to the second, 2e + 1 back; ^ 1 turns it.
    following = _opened(_following(ends))
    last, left = ranked(following)
    turned = np.arange(2 * m) ^ 1
    start = last[turned] ^ 1
    chosen = np.flatnonzero(start < start[turned])
    order = chosen[np.lexsort((-left[chosen], start[chosen]))]
    begins = np.flatnonzero(np.diff(start[order], prepend=NONE))
    return Paths(order >> 1, (order & 1).astype(np.bool_), np.append(begins, m))


def _following(ends: Numbers) -> Numbers:
    """The directed edge after each one, `NONE` where its path ends."""
    tails = ends.ravel()
    order = np.argsort(tails, kind="stable")
    begins = np.flatnonzero(np.diff(tails[order], prepend=NONE))
    counts = np.diff(begins, append=len(order))
    through = begins[counts == 2]  # noqa: PLR2004 - a path passes
    one, other = order[through], order[through + 1]
    following = np.full(len(tails), NONE, dtype=np.int64)
    following[one ^ 1], following[other ^ 1] = other, one
    return following


def _opened(following: Numbers) -> Numbers:
    """The links with each ring opened before its lowest edge, passed forwards.

    A ring is there twice, once for each way round. The lowest elements of the two are the
    lowest edge forwards and the same edge backwards.
    """
    lowest = cycle_heads(following)
    forwards = lowest[lowest & 1 == 0]
    opened = following.copy()
    opened[following[forwards ^ 1] ^ 1] = NONE  # what comes before the lowest edge
    opened[forwards ^ 1] = NONE
    return opened
