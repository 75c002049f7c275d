"""The engine as such: limits, interruption, threads, instruction levels, and its mesh's order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from known_networks import default_network, square
from torch import nn

import hinge
from hinge.domains import Polygon, Segment
from hinge.errors import OptionError
from hinge.kernels.native import native
from hinge.regions.cutting.budget import Budget
from hinge.regions.cutting.engine import Work, _compiled, cut_polygon, cut_segment
from hinge.regions.cutting.mesh import Mesh
from hinge.regions.exactly.oracle import Oracle
from hinge.regions.plane.partition import PlanePartition
from hinge.regions.programs.lowering import lower
from hinge.regions.programs.program import Program

SQUARE = Polygon(square(1))


def program(widths: tuple[int, ...], seed: int = 0) -> Program:
    network = hinge.read(default_network(widths, seed), torch.zeros(1, 2).double())
    return lower(network, SQUARE)


def cut(given: Program, **limits: float) -> Mesh:
    return cut_polygon(given, SQUARE.corners, Work(Budget(**limits), 1)).result


def area(mesh: Mesh) -> float:
    total = 0.0
    for begin, end in zip(mesh.offsets[:-1], mesh.offsets[1:], strict=True):
        sides = mesh.sides[begin:end]
        x, y = mesh.vertices[mesh.edges[sides >> 1, sides & 1]].T
        total += float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2
    return total


def test_every_half_of_an_edge_is_used_once() -> None:
    mesh = cut(program((32, 32, 32)))
    counts = np.bincount(mesh.sides, minlength=2 * len(mesh.edges)).reshape(-1, 2)
    border = [any(mark < 0 for mark in mesh.label_sets[label]) for label in mesh.labels]
    assert (counts.sum(axis=1) == np.where(border, 1, 2)).all()
    assert counts.max() == 1


def test_cells_are_walked_round_counter_clockwise() -> None:
    mesh = cut(program((32, 32, 32)))
    for begin, end in zip(mesh.offsets[:-1], mesh.offsets[1:], strict=True):
        sides = mesh.sides[begin:end]
        starts, ends = mesh.edges[sides >> 1, sides & 1], mesh.edges[sides >> 1, 1 - (sides & 1)]
        assert (np.roll(starts, -1) == ends).all()
    assert area(mesh) == pytest.approx(4, rel=1e-12)


@pytest.mark.parametrize("widths", [(128, 64), (24, 24, 24, 24)])
def test_pieces_are_sewn_together_as_if_there_were_one(widths: tuple[int, ...]) -> None:
    """However few cells are refined together, the same vertices, edges and cells come out."""
    given = program(widths)
    compiled, oracle = _compiled(given), Oracle(given, SQUARE.corners)
    found = [
        native.cut_plane(
            compiled,
            SQUARE.corners,
            oracle.signs,
            lambda *_: None,
            None,
            1 << 60,
            1 << 60,
            1e9,
            False,
            1,
            together,
        )
        for together in (8, 64, 1 << 30)
    ]
    for other in found[1:]:
        assert len(other["edges"]) == len(found[0]["edges"])
        assert sorted(map(bytes, other["patterns"])) == sorted(map(bytes, found[0]["patterns"]))
        here = np.sort(np.round(other["vertices"], 9), axis=0)
        np.testing.assert_allclose(
            here, np.sort(np.round(found[0]["vertices"], 9), axis=0), atol=2e-9
        )


@pytest.mark.parametrize("level", native.levels)
def test_every_instruction_level_finds_the_same_cells(level: str) -> None:
    given = program((32, 32, 32))
    found = native.cut_plane(
        _compiled(given),
        SQUARE.corners,
        Oracle(given, SQUARE.corners).signs,
        lambda *_: None,
        None,
        1 << 60,
        1 << 60,
        1e9,
        False,
        1,
        256,
        level,
    )
    assert (len(found["vertices"]), len(found["edges"]), found["cells"]) == (1255, 2434, 1180)


def test_counting_keeps_nothing_and_counts_the_same() -> None:
    given = program((64, 64))
    kept = cut_polygon(given, SQUARE.corners, Work(Budget(), 1))
    counted = cut_polygon(given, SQUARE.corners, Work(Budget(), 1, count_only=True))
    assert counted.n_cells == kept.n_cells == len(kept.result.offsets) - 1
    assert len(counted.result.offsets) == 1


def test_a_budget_of_cells_leaves_whole_cells() -> None:
    given = program((128, 128))
    found = cut_polygon(given, SQUARE.corners, Work(Budget(cells=3000), 1))
    assert not found.complete
    assert 0 < found.n_cells <= 3000
    whole = cut(given)
    known = set(map(bytes, whole.patterns))
    assert all(bytes(row) in known for row in found.result.patterns)
    assert area(found.result) < area(whole) * 0.9


@pytest.mark.parametrize("limits", [{"seconds": 1e-9}, {"bytes": 1}])
def test_a_tiny_budget_ends_at_once(limits: dict[str, float]) -> None:
    found = cut_polygon(program((128, 128)), SQUARE.corners, Work(Budget(**limits), 2))
    assert not found.complete


def test_an_interruption_keeps_what_is_complete() -> None:
    def interrupt(cells: int, _total: int | None) -> None:
        if cells > 1000:
            raise KeyboardInterrupt

    given = program((128, 128))
    found = cut_polygon(given, SQUARE.corners, Work(Budget(), 1, interrupt))
    assert isinstance(found.interrupted, KeyboardInterrupt)
    assert not found.complete
    assert found.n_cells > 1000
    result = hinge.partition(default_network((128, 128), 0), SQUARE, threads=1, progress=interrupt)
    assert not result.complete
    assert 0 < result.remaining_area < 4


def test_another_exception_of_the_progress_is_passed_on() -> None:
    def fail(_cells: int, _total: int | None) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        hinge.partition(default_network((8,), 0), SQUARE, progress=fail)


def test_progress_counts_up_to_all_cells() -> None:
    told: list[tuple[int, int | None]] = []
    found = cut_polygon(
        program((128, 128)), SQUARE.corners, Work(Budget(), 1, lambda *now: told.append(now))
    )
    counts = [cells for cells, _ in told]
    assert counts == sorted(counts)
    assert told[-1] == (found.n_cells, found.n_cells)


def test_a_stopped_line_begins_at_its_start() -> None:
    network = hinge.read(default_network((64, 64), 0), torch.zeros(1, 2).double())
    segment = Segment([-30.0, -20.0], [30.0, 25.0])
    given = lower(network, segment)
    whole = cut_segment(given, Work(Budget(), 1))
    assert whole.complete
    assert whole.result.points[[0, -1]].tolist() == [0, 1]
    for threads in (1, 2):
        again = cut_segment(given, Work(Budget(), threads))
        assert np.array_equal(again.result.points, whole.result.points)


@pytest.mark.parametrize("widths", [(8,), (96, 48)])
@pytest.mark.parametrize("threads", [1, 2])
def test_pieces_that_are_handed_over_are_the_whole(widths: tuple[int, ...], threads: int) -> None:
    network = default_network(widths, 0)
    pieces: list[PlanePartition] = []
    counted = hinge.partition(network, SQUARE, threads=threads, each=pieces.append)
    whole = hinge.partition(network, SQUARE, threads=1)
    assert counted.complete
    assert counted.n_cells == sum(one.n_cells for one in pieces) == whole.n_cells
    assert np.concatenate([one.areas for one in pieces]).sum() == pytest.approx(4, rel=1e-12)
    found = [row for one in pieces for row in map(bytes, one.cut.patterns)]
    assert found == list(map(bytes, whole.cut.patterns))


def test_an_exception_of_who_takes_a_piece_is_passed_on() -> None:
    def fail(_piece: object) -> None:
        raise ZeroDivisionError

    for widths in ((8,), (96, 48)):
        with pytest.raises(ZeroDivisionError):
            hinge.partition(default_network(widths, 0), SQUARE, threads=2, each=fail)


@pytest.mark.parametrize("domain", [Segment([0, 0], [1, 1]), hinge.Box([0, 0], [1, 1])])
def test_only_planes_come_in_pieces(domain: hinge.Segment | hinge.Box) -> None:
    with pytest.raises(OptionError):
        hinge.partition(default_network((8,), 0), domain, each=lambda _piece: None)


def stretched(scale: float, layers: int, dtype: torch.dtype) -> nn.Sequential:
    """A network whose values stay moderate, and whose layers' norms multiply beyond a double."""
    parts: list[nn.Module] = []
    for layer in range(layers):
        linear = nn.Linear(2, 2, bias=layer == layers - 1).to(dtype)
        with torch.no_grad():
            way = scale if layer % 2 == 0 else 1 / scale
            linear.weight.copy_(torch.tensor([[way, 0.0], [0.0, 1 / way]], dtype=dtype))
            if linear.bias is not None:
                linear.bias.copy_(torch.tensor([-0.5, -0.25], dtype=dtype))
        parts += [linear, nn.ReLU()]
    return nn.Sequential(*parts)


@pytest.mark.parametrize(
    ("scale", "layers", "dtype"),
    [(2.0**8, 2, torch.float64), (2.0**600, 2, torch.float64), (2.0**64, 18, torch.float32)],
)
def test_bounds_beyond_a_double_leave_signs_to_exact_arithmetic(
    scale: float, layers: int, dtype: torch.dtype
) -> None:
    """Of four quadrants one is cut by both last units, two by one of them, the last by none."""
    found = hinge.partition(stretched(scale, layers, dtype), SQUARE, threads=1)
    assert found.n_cells == 4 + 2 + 2 + 1


def test_counting_and_handing_over_exclude_each_other() -> None:
    with pytest.raises(OptionError):
        hinge.partition(default_network((8,), 0), SQUARE, count_only=True, each=print)


def test_who_fails_is_not_asked_again() -> None:
    calls: list[object] = []

    def fail(piece: object) -> None:
        calls.append(piece)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        hinge.partition(default_network((96, 48), 0), SQUARE, threads=1, each=fail)
    assert len(calls) == 1
