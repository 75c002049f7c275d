"""`partition`: the cells of a network on a segment, a polygon, a plane or in a box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from hinge.domains import Box, Plane, Polygon, Segment
from hinge.errors import DataError, ModelError, OptionError, UnsupportedError
from hinge.network import Network, read
from hinge.regions.box.partition import BoxPartition
from hinge.regions.box.verb import MOST_CELLS, MOST_SECONDS, partition_box
from hinge.regions.counted import CellCount
from hinge.regions.cutting.budget import Budget
from hinge.regions.cutting.engine import Outcome, Progress, Work, cut_polygon, cut_segment
from hinge.regions.cutting.mesh import Mesh
from hinge.regions.line.partition import LinePartition
from hinge.regions.plane.partition import PlanePartition
from hinge.regions.programs.lowering import lower
from hinge.regions.programs.program import Program

Domain = Segment | Polygon | Plane | Box
Partition = LinePartition | PlanePartition | BoxPartition


def partition(
    model: nn.Module | Network,
    domain: Domain,
    *,
    budget: Budget | Mapping[str, float] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    count_only: bool = False,
    each: Callable[[PlanePartition], object] | None = None,
    smooth_creases: bool = False,
) -> Partition | CellCount:
    """Cut a domain into the cells on which a piecewise-linear network is affine, exactly.

    Parameters
    ----------
    model
        A torch module, or a `Network` from `hinge.read`. Its weights are taken as the exact numbers
        that they are stored as.
    domain
        `hinge.Segment` (a line through inputs of any shape), `hinge.Polygon` (of a network with
        two inputs), `hinge.Plane` (a polygon in a plane through inputs of any shape), or
        `hinge.Box` (of a few inputs; one and two are a segment and a polygon).
    budget
        Limits, as `hinge.regions.Budget` or as in ``{"cells": 1e6, "seconds": 60, "bytes": 4e9}``.
        When one is met the result holds what is complete, and says so. In a box a search ends
        after 100 000 cells or a minute unless it is told otherwise.
    threads
        How many; torch's own number if not given. The result is the same for any number.
    progress
        Called now and then with the number of cells found and an estimate of all, or None.
    count_only
        Count cells and keep none: the result is a `CellCount`. Not for networks with max steps.
    each
        Of a polygon or a plane: called with piece after piece of the domain, each a partition of
        its own, so that no more than a piece is held in memory. The result is a `CellCount`. Not
        for networks with max steps.
    smooth_creases
        Of a network with smooth activations: cut as far as the first of them, at z = 0. These are
        places where the activation is centred, not folds.

    Returns
    -------
    LinePartition, PlanePartition, BoxPartition or CellCount
        Ctrl-C ends the work early, and what is complete comes back.

    Raises
    ------
    UnsupportedError
        An activation that is smooth or jumps, or a step that cannot be followed, named.
    DataError, ModelError, OptionError
        The domain does not fit the network, weights are not finite, a limit means nothing.
    """
    _check_kinds(model, domain)
    _check_ends(each, count_only=count_only)
    work = Work(Budget.of(budget), _threads(threads), progress, count_only)
    network = model if isinstance(model, Network) else _read(model, domain)
    if isinstance(domain, Box):
        if each is not None:
            raise _whole(domain)
        return _in_box(network, domain, work)
    program = lower(network, domain, smooth_creases=smooth_creases)
    if count_only or each is not None:
        _check_no_max(network, program)
    if isinstance(domain, Segment):
        if each is not None:
            raise _whole(domain)
        line = cut_segment(program, work)
        _raise_if_failed(line)
        if count_only:
            return CellCount(line.n_cells, line.complete)
        return LinePartition.of(network, domain, program, line.result, complete=line.complete)

    def hand_over(mesh: Mesh) -> None:
        if each is not None:
            each(PlanePartition.of(network, domain, program, mesh, complete=False))

    found = cut_polygon(program, domain.corners, work, None if each is None else hand_over)
    _raise_if_failed(found)
    if count_only or each is not None:
        return CellCount(found.n_cells, found.complete)
    return PlanePartition.of(network, domain, program, found.result, complete=found.complete)


def _check_ends(each: object, *, count_only: bool) -> None:
    if count_only and each is not None:
        raise OptionError(
            "cells that are only counted are not handed over",
            where="partition(..., count_only, each)",
            found="both",
            do="leave out one of them; with each, the result is the count too",
        )


def _check_no_max(network: Network, program: Program) -> None:
    """Of a max too many cells are cut at first, and joined when all are known."""
    if any(meaning.winner for meaning in program.meanings):
        raise UnsupportedError(
            "cells of a network with max steps are known only when all of them are kept",
            where=network.origin,
            found="a max step, and count_only or each",
            do="leave them out; .n_cells is the count",
        )


def _whole(domain: Segment | Box) -> OptionError:
    return OptionError(
        "only a polygon or a plane is handed over piece by piece",
        where="partition(..., each)",
        found=type(domain).__name__,
        do="leave out each; the result has all pieces",
    )


def _check_kinds(model: Any, domain: Any) -> None:
    if not isinstance(model, nn.Module | Network):
        raise OptionError(
            "only a network can be partitioned",
            where="partition(model, ...)",
            found=type(model).__name__,
            do="pass a torch.nn.Module, or what hinge.read returns of a file",
        )
    if not isinstance(domain, Domain):
        raise OptionError(
            "a partition holds on a domain",
            where="partition(..., domain)",
            found=type(domain).__name__,
            do="pass a hinge.Segment, hinge.Polygon, hinge.Plane or hinge.Box",
        )


def _read(model: nn.Module, domain: Domain) -> Network:
    """Read a module with an example from the domain, in the dtype of its weights."""
    dtype = next((one.dtype for one in model.parameters()), torch.float64)
    example = torch.tensor(_example(domain)[None], dtype=dtype)
    try:
        return read(model, example)
    except ModelError as error:
        if not _runs_not(model, example):
            raise
        raise DataError(
            "the network cannot be run on inputs from the domain",
            where=type(model).__name__,
            found=f"inputs of shape {tuple(example.shape[1:])}; {error.found.rstrip('.')}",
            do="give the domain inputs of the network's shape, or pass hinge.read(model, example)",
        ) from error


def _runs_not(model: nn.Module, example: torch.Tensor) -> bool:
    with torch.no_grad():
        try:
            model(example)
        except RuntimeError:
            return True
    return False


def _in_box(network: Network, box: Box, work: Work) -> BoxPartition:
    """Search a box, which neither counts alone nor uses threads."""
    if work.count_only:
        raise UnsupportedError(
            "cells in a box cannot be counted without being kept",
            where=network.origin,
            found="count_only, and a Box",
            do="leave out count_only; .n_cells is the count",
        )
    budget = work.budget
    return partition_box(
        network,
        box,
        cells=MOST_CELLS if budget.cells is None else budget.most_cells,
        seconds=MOST_SECONDS if budget.seconds is None else budget.most_seconds,
        progress=work.progress,
    )


def _example(domain: Domain) -> npt.NDArray[np.float64]:
    if isinstance(domain, Box):
        return np.asarray(domain.lower)
    return np.asarray(domain.point(domain.corners[0]))


def _threads(given: int | None) -> int:
    if given is None:
        return torch.get_num_threads()
    if not isinstance(given, int) or given < 1:
        raise OptionError(
            "there must be a thread to work",
            where="threads",
            found=str(given),
            do="pass 1 or more",
        )
    return given


def _raise_if_failed(found: Outcome[Any]) -> None:
    """Ctrl-C leaves what is complete; any other exception of a progress callback is passed on."""
    stopped = found.interrupted
    if stopped is not None and not isinstance(stopped, KeyboardInterrupt):
        raise stopped
