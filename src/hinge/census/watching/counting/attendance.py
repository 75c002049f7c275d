"""How many examples a site itself saw while a unit was silent: not every pass shows every site."""

from __future__ import annotations

import numpy as np

from hinge.units import Counts


class Attendance:
    """Turns a unit's silence, in examples of the model, into that in examples of its site.

    The two differ where an expert is left out of passes, where a site is seen at sampled steps
    only, and where one example comes to it as several. Nobody knows which of the examples since
    a look the site missed: those of the silence first, so that no silence is made of them.
    """

    def __init__(self, n_units: int) -> None:
        self._seen: Counts = np.zeros(n_units, dtype=np.int64)
        self._until: Counts = np.zeros(n_units, dtype=np.int64)  # seen up to the last firing
        self._examples = 0

    def __call__(self, seen: Counts, examples: int, silent: Counts) -> Counts:
        """The examples that a site saw since each unit's last firing.

        ``seen`` are the site's examples so far, ``examples`` the model's, ``silent`` those of the
        model since the last firing.
        """
        begun_anew = examples < self._examples or bool((seen < self._seen).any())
        if begun_anew:
            own = np.minimum(silent, seen)
        else:
            more, own_more = examples - self._examples, seen - self._seen
            missed = np.maximum(more - own_more, 0)
            several = np.maximum(own_more / max(more, 1), 1.0)
            lately = np.rint(np.maximum(silent - missed, 0) * several).astype(np.int64)
            own = np.where(silent <= more, lately, seen - self._until)
        self._seen, self._until, self._examples = seen.copy(), seen - own, examples
        return own
