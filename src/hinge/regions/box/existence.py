"""Whether a cell exists: the signs at one of its points, decided in exact arithmetic."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hinge.regions.exactly.choices import choices
from hinge.regions.exactly.integers import whole
from hinge.regions.exactly.rational import ExactProgram, Run
from hinge.regions.programs.program import Program, Reals

Flags = npt.NDArray[np.bool_]


class Witnesses:
    """Proves that cells exist. Forms are those of all folds, in order."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._exact = ExactProgram(program)
        sizes = [fold.n_forms for fold in program.folds]
        self._ends = np.cumsum(sizes)[:-1]

    def prove(self, point: Reals, positive: Flags, flat: Flags) -> bool:
        """Whether the cell of this pattern exists and has ``point`` ``(d,)`` inside of it.

        It does if every form that is not flat has the sign of the pattern at the point, and
        every flat one is 0 as an affine function, with the pieces that the pattern takes:
        then the signs hold in a neighbourhood too.
        """
        integers, shift = whole(point)
        at = self._exact.run(integers.tolist(), 1 << shift)
        signs = [at.forms(fold) for fold in self._program.folds]
        values = np.concatenate(signs) if signs else np.zeros(0, object)
        right = np.where(positive, values > 0, values < 0) | flat
        return bool(right.all()) and (not flat.any() or self._all_zero(positive, flat))

    def _all_zero(self, positive: Flags, flat: Flags) -> bool:
        size = self._program.widths[0]
        start = np.array([[int(i == j) for j in range(size + 1)] for i in range(size)], object)
        ones = np.array([0] * size + [1], object)
        chosen = dict(choices(self._program, np.split(positive, self._ends)))
        run = Run(self._exact, ones, [start], chosen)
        forms = np.concatenate([run.columns(fold) for fold in self._program.folds])
        return not forms[flat].any()
