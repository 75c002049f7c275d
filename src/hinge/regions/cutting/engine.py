"""Hands a program to the compiled engine, which cuts a segment or a polygon into its cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Generic, TypeVar, assert_never

import numpy as np
import numpy.typing as npt

from hinge.kernels.native import native
from hinge.regions.cutting.budget import Budget
from hinge.regions.cutting.mesh import Chain, Mesh
from hinge.regions.exactly.oracle import Oracle
from hinge.regions.programs.program import (
    Bend,
    Fold,
    Indices,
    Join,
    Larger,
    Linear,
    Operation,
    Program,
    Reals,
    Total,
)

Progress = Callable[[int, int | None], None]
"""Told the number of cells found so far, and about how many there will be, once that is known."""

_PIECE_BYTES = 1 << 22
_MOST_TOGETHER, _FEWEST_TOGETHER = 2048, 64
"""Cells are refined together while their vertices' values stay near the processor: measured."""

_FEWEST = 8
"""The same where a small budget asks for small pieces."""

_MARGIN = 1 + 1e-9

Result = TypeVar("Result", Mesh, Chain)


@dataclass(frozen=True)
class Work:
    """How a subdivision is to be done; ``count_only`` keeps no cells."""

    budget: Budget
    threads: int
    progress: Progress | None = None
    count_only: bool = False


@dataclass(frozen=True, eq=False)
class Outcome(Generic[Result]):
    """What came of a subdivision.

    ``complete`` tells whether the budget sufficed, ``sharpened`` how many vertices were computed
    in twice the precision, ``decided`` for how many that did not suffice, so that exact
    arithmetic decided. ``interrupted`` is the exception that stopped it, if one did.
    """

    result: Result
    n_cells: int
    complete: bool
    sharpened: int
    decided: int
    interrupted: BaseException | None = None


def cut_polygon(
    program: Program, corners: Reals, work: Work, each: Callable[[Mesh], None] | None = None
) -> Outcome[Mesh]:
    """Cut a convex polygon, whose ``corners`` ``(n, 2)`` are counter-clockwise.

    Every sign that decides where a cell ends is certain. An incomplete mesh holds whole cells.
    With ``each``, it is given piece after piece, always in the same order and cut the same way,
    and nothing is kept: the outcome's mesh is empty. Neighbouring pieces each have the vertices
    and edges between them.
    """
    given = np.ascontiguousarray(corners, np.float64)
    handed = 0

    def hand_over(piece: dict[str, Any]) -> None:
        nonlocal handed
        mesh = _mesh(piece, program)
        handed += len(mesh.offsets) - 1
        if each is not None:
            each(mesh)

    def cut(compiled: Any, decide: Any, tell: Any, *rest: Any) -> Any:
        taker = hand_over if each is not None else None
        return native.cut_plane(compiled, given, decide, tell, taker, *rest)

    found = _cut(program, given, work, cut)
    mesh = _mesh(found, program)
    if each is not None and found["cells"]:  # too few cells to be cut in pieces
        hand_over(found)
        mesh = replace(mesh, offsets=mesh.offsets[:1], sides=mesh.sides[:0])
    outcome = _outcome(mesh, found)
    return replace(outcome, n_cells=handed) if each is not None else outcome


def _mesh(found: dict[str, Any], program: Program) -> Mesh:
    return Mesh(
        vertices=found["vertices"],
        edges=found["edges"],
        labels=found["labels"],
        label_sets=found["label_sets"],
        offsets=found["offsets"],
        sides=found["sides"],
        patterns=found["patterns"].reshape(len(found["offsets"]) - 1, program.first_words[-1]),
        flat=found["flat"],
    )


def cut_segment(program: Program, work: Work) -> Outcome[Chain]:
    """Cut the segment from 0 to 1; an incomplete chain begins at 0 and ends too early."""
    found = _cut(program, np.array([[0.0], [1.0]]), work, native.cut_line)
    pieces = max(len(found["points"]) - 1, 0)
    chain = Chain(
        points=found["points"],
        labels=found["labels"],
        label_sets=found["label_sets"],
        patterns=found["patterns"].reshape(pieces, program.first_words[-1]),
        flat=found["flat"],
    )
    return _outcome(chain, found)


def _cut(program: Program, corners: Reals, work: Work, cut: Callable[..., Any]) -> dict[str, Any]:
    """Run the engine. Ctrl-C stops it, and what is complete comes back."""
    decider = _Decider(program, corners)
    found: dict[str, Any] = cut(
        _compiled(program),
        decider,
        _told(work.progress, decider),
        work.budget.most_cells,
        work.budget.most_bytes,
        work.budget.most_seconds,
        work.count_only,
        work.threads,
        _together(program, work.budget),
    )
    return found


class _Decider:
    """Exact signs for one thread after the other. Ctrl-C is put off until the engine asks."""

    def __init__(self, program: Program, corners: Reals) -> None:
        self._program, self._corners = program, corners
        self._oracle: Oracle | None = None
        self._lock = Lock()
        self.interrupted = False

    def __call__(self, births: Indices, wanted: Indices) -> npt.NDArray[np.int8]:
        with self._lock:
            if self._oracle is None:  # most subdivisions never need one
                self._oracle = Oracle(self._program, self._corners)
            while True:
                try:
                    return self._oracle.signs(births, wanted)
                except KeyboardInterrupt:
                    self.interrupted = True


def _told(progress: Progress | None, decider: _Decider) -> Callable[[int, int, int], None]:
    """What the engine tells now and then: cells found, and how many of its pieces are done."""

    def tell(cells: int, done: int, pieces: int) -> None:
        if decider.interrupted:
            raise KeyboardInterrupt
        if progress is not None:
            progress(cells, round(cells * pieces / done) if done else None)

    return tell


def _outcome(result: Result, found: dict[str, Any]) -> Outcome[Result]:
    return Outcome(
        result,
        found["cells"],
        found["complete"],
        found["sharpened"],
        found["decided"],
        found["failure"],
    )


def _together(program: Program, budget: Budget) -> int:
    """How many cells are refined as one piece: as many as there are vertices, roughly.

    Few where few are wanted: of a piece that is not finished nothing is kept.
    """
    folds = [program.widths[fold.source] for fold in program.folds]
    per_vertex = 8 * 2 * (max(folds, default=1) + 8)
    fitting = int(np.clip(_PIECE_BYTES // per_vertex, _FEWEST_TOGETHER, _MOST_TOGETHER))
    return max(_FEWEST, min(fitting, budget.most_cells // 16))


def _compiled(program: Program) -> Any:
    """The same program for the engine."""
    compiled = native.RegionProgram(list(program.widths))
    for operation in program.operations:
        _add(compiled, operation)
    compiled.close()
    return compiled


def _add(compiled: Any, operation: Operation) -> None:
    match operation:
        case Linear(source, target, matrix, bias):
            _add_linear(compiled, source, target, matrix, bias)
        case Total(sources, target):
            compiled.total(list(sources), target)
        case Join(sources, target):
            compiled.join(list(sources), target)
        case Bend(source, target, breaks, slopes, heights):
            compiled.bend(source, target, breaks, slopes, heights)
        case Larger(source, target, first, second):
            compiled.larger(source, target, first, second)
        case Fold(source, columns, breaks):
            compiled.fold(source, columns, breaks)
        case _:
            assert_never(operation)


def _add_linear(compiled: Any, source: int, target: int, matrix: Any, bias: Reals) -> None:
    norm = _spectral_bound(matrix)
    if isinstance(matrix, np.ndarray):
        compiled.dense(source, target, np.ascontiguousarray(matrix, np.float64), bias, norm)
        return
    starts, inputs = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    compiled.sparse(source, target, starts, inputs, matrix.data, bias, norm)


def _spectral_bound(matrix: Any) -> float:
    """A number not below the largest singular value.

    With G = W Wᵀ it is at most ‖G⁴‖ to the power 1/8, in the Frobenius norm; of a sparse matrix,
    the root of the largest sums of magnitudes over a row and over a column (Golub and Van Loan,
    Matrix Computations, section 2.3).
    """
    if matrix.shape[0] * matrix.shape[1] == 0:
        return 0.0
    magnitudes = abs(matrix)
    rows, columns = magnitudes.sum(axis=1).max(), magnitudes.sum(axis=0).max()
    bound = float(np.sqrt(rows) * np.sqrt(columns))
    if not isinstance(matrix, np.ndarray) or bound == 0 or not np.isfinite(bound):
        return bound * _MARGIN
    scaled = matrix / bound
    gram = scaled @ scaled.T if len(scaled) <= scaled.shape[1] else scaled.T @ scaled
    fourth = np.linalg.matrix_power(gram, 4)
    powered: float = float(np.linalg.norm(fourth)) ** 0.125
    return min(bound, bound * powered) * _MARGIN
