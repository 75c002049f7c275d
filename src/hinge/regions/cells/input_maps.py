"""The affine map of one cell on all inputs of the network, not only on those of the domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hinge.errors import OptionError
from hinge.regions.cells.maps import slopes_and_shifts
from hinge.regions.cells.patterns import Patterns
from hinge.regions.cells.propagation import chosen, constants
from hinge.regions.programs.program import Bend, Fold, Join, Larger, Linear, Program, Reals, Total


def input_buffer(matrix: Reals, origin: Reals) -> int:
    """The buffer that holds the network's inputs, given the domain's embedding.

    Buffer 0 where inputs are the domain's own coordinates, else what comes first after it.
    """
    plain = matrix.shape[0] == matrix.shape[1] and not origin.any()
    return 0 if plain and bool((matrix == np.eye(len(matrix))).all()) else 1


def input_map(
    patterns: Patterns, cell: int, inputs: int, buffer: int | None = None
) -> tuple[Reals, Reals]:
    """Return ``(W, b)`` with ``W @ x + b`` the output for the inputs x with the cell's pattern.

    ``inputs`` is the buffer that holds x (see `input_buffer`). ``W`` is ``(n_out, n_in)``
    and ``b`` ``(n_out,)``, float64; inputs and outputs of a shape are flat, in C order. With
    ``buffer`` it is the map to that buffer. Computed from the output backwards.
    """
    program = patterns.program
    target = program.output if buffer is None else buffer
    return _backward(patterns, cell, inputs, target, np.eye(program.widths[target]))


@dataclass(frozen=True, eq=False)
class Equation:
    """The pre-activation of one entry as it is in one cell, in two spaces.

    On the domain's coordinates c it is ``weights @ c + bias``; on all inputs x that have
    the cell's pattern ``input_weights @ x + input_bias``. Where it is at a break of the
    activation, the network folds. ``weights`` ``(d,)``, ``input_weights`` ``(n_in,)``, float64.
    """

    weights: Reals
    bias: float
    input_weights: Reals
    input_bias: float


def equation(patterns: Patterns, cell: int, step: str, entry: int, inputs: int) -> Equation:
    """Return the pre-activation of ``entry`` (flat) of an activation step in a cell.

    Raises `OptionError` for a step that is no piecewise-linear activation of the program,
    and for an entry that it does not have.
    """
    source = _source(patterns.program, step)
    width = patterns.program.widths[source]
    if not 0 <= entry < width:
        raise OptionError(
            "the site has no such entry",
            where=f"site {step!r}",
            found=str(entry),
            do=f"count entries of the pre-activation, flat, from 0 to {width - 1}",
        )
    row = slopes_and_shifts(patterns, np.array([cell]), source)[0, entry]
    one = np.zeros((1, width))
    one[0, entry] = 1.0
    weights, bias = _backward(patterns, cell, inputs, source, one)
    return Equation(row[:-1], float(row[-1]), weights[0], float(bias[0]))


def _source(program: Program, step: str) -> int:
    found = {
        meaning.step: fold.source
        for meaning, fold in zip(program.meanings, program.folds, strict=True)
        if not meaning.winner
    }
    if step not in found:
        raise OptionError(
            "the domain does not fold at such a site",
            where="equation(cell, step, entry)",
            found=repr(step),
            do="take one of " + ", ".join(found) if found else "the network folds nowhere",
        )
    return found[step]


def _backward(
    patterns: Patterns, cell: int, inputs: int, target: int, start: Reals
) -> tuple[Reals, Reals]:
    """Go from ``start @ buffer target`` back to the buffer that holds the inputs."""
    pulled: dict[int, Reals] = {target: start}
    shift = np.zeros(len(start))
    operations = list(enumerate(patterns.program.operations))
    for number, operation in reversed(operations):
        if isinstance(operation, Fold) or operation.target <= inputs:
            continue
        above = pulled.pop(operation.target, None)
        if above is None:
            continue
        below, constant = _pull(patterns, cell, number, above)
        shift += constant
        for buffer, part in below:
            pulled[buffer] = pulled[buffer] + part if buffer in pulled else part
    empty = np.zeros((len(start), patterns.program.widths[inputs]))
    return pulled.get(inputs, empty), shift


def _pull(
    patterns: Patterns, cell: int, number: int, above: Reals
) -> tuple[list[tuple[int, Reals]], Any]:
    """One operation backwards: the rows for each buffer that it reads, and the constant."""
    operation = patterns.program.operations[number]
    widths = patterns.program.widths
    match operation:
        case Linear(source, _, matrix, bias):
            return [(source, (matrix.T @ above.T).T)], above @ bias
        case Total(several, _):
            return [(one, above) for one in several], 0.0
        case Join(several, _):
            cuts = np.cumsum([widths[one] for one in several])[:-1]
            return list(zip(several, np.split(above, cuts, axis=1), strict=True)), 0.0
        case Bend(source):
            pieces = patterns.pieces(number, np.array([cell])).T
            slopes = chosen(operation.slopes, pieces)[:, 0]
            heights = chosen(constants(operation), pieces)[:, 0]
            return [(source, above * slopes)], above @ heights
        case Larger(source, _, first, second):
            taken = patterns.pieces(number, np.array([cell]))[0] > 0
            below = np.zeros((widths[source], len(above)))
            np.add.at(below, np.where(taken, second, first), above.T)
            return [(source, below.T)], 0.0
        case Fold():
            return [], 0.0
