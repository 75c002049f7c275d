"""How many examples had been seen by each step: what turns silent steps into silent examples."""

from __future__ import annotations

from array import array

import numpy as np

from hinge.units import Counts


class Ledger:
    """The examples of every step so far: 16 bytes for each change of their number."""

    def __init__(self) -> None:
        self._first = array("q")  # the first step of each run of equal steps
        self._before = array("q")  # the examples before it
        self._each = array("q")  # the examples of each of its steps
        self._next = 0
        self.examples = 0

    def add(self, step: int, examples: int) -> None:
        """A step, or a part of it, is over in which so many examples were seen; in order."""
        if not self._each or self._each[-1] != examples or step != self._next:
            self._first.append(step)
            self._before.append(self.examples)
            self._each.append(examples)
        self._next = step + 1
        self.examples += examples

    def until(self, steps: Counts) -> Counts:
        """The examples of all steps up to these, inclusive; 0 for steps before the first."""
        if not self._first:
            return np.zeros_like(steps)
        first, before, each = (np.asarray(x) for x in (self._first, self._before, self._each))
        run = np.searchsorted(first, steps, side="right") - 1
        run_or_first = np.maximum(run, 0)
        inside = before[run_or_first] + each[run_or_first] * (steps - first[run_or_first] + 1)
        found: Counts = np.where(run < 0, 0, inside)
        return found
