"""What tests of `hinge.partition` ask of every result, and its comparison with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from slow_networks import Layers, network_of, site_names
from slow_reference import Cell, Point, Subdivision, at, subdivide

import hinge

Corners = Sequence[Sequence[float]]


def cut(layers: Layers, corners: Corners, threads: int = 1) -> Any:
    """Return Hinge's partition of a polygon."""
    return hinge.partition(network_of(layers), hinge.Polygon(corners), threads=threads)


def cut_line(layers: Layers, a: Sequence[float], b: Sequence[float], threads: int = 1) -> Any:
    """Return Hinge's partition of a segment."""
    return hinge.partition(network_of(layers, len(a)), hinge.Segment(a, b), threads=threads)


def counts(found: Any) -> tuple[int, int, int]:
    """Return vertices, edges and cells."""
    return len(found.vertices), len(found.edges), found.n_cells


def exact_corners(corners: Corners) -> list[tuple[Fraction, ...]]:
    """Return the corners as the reference takes them."""
    return [tuple(Fraction(one) for one in corner) for corner in corners]


def assert_as_reference(
    found: Any,
    layers: Layers,
    corners: Corners,
    *,
    domain: Any = None,
    names: Sequence[str | None] | None = None,
) -> Subdivision:
    """Compare everything that can be compared with the exact subdivision of the polygon.

    Of a plane in more dimensions, ``layers`` begin with its embedding, ``domain`` is the plane
    and ``names`` are those of the sites, None for a max.
    """
    truth = subdivide(layers, exact_corners(corners))
    assert counts(found) == (len(truth.vertices), len(truth.edges), len(truth.cells))
    assert found.n_regions == truth.n_regions
    assert found.certified
    assert found.complete
    assert_same_points(found.vertices, truth.vertices)
    areas = sorted(float(cell.area) for cell in truth.cells)
    np.testing.assert_allclose(np.sort(found.areas), areas, rtol=1e-9, atol=1e-13)
    sites = list(site_names(layers)) if names is None else names
    seen = {assert_same_cell(found, cell, sites, domain) for cell in truth.cells}
    assert len(seen) == len(truth.cells)
    return truth


def assert_same_cell(found: Any, cell: Cell, names: Sequence[str | None], domain: Any) -> int:
    """The cell at a point inside has the pieces and the affine map of the reference's."""
    centre = np.array([float(one) for one in cell.centre])
    x = centre if domain is None else domain.point(centre)
    i = int(found.locate(x))
    pattern = found.pattern(i)
    for name, pieces, flat in zip(names, cell.pieces, cell.flat, strict=True):
        if name is not None:
            clear = [j for j in range(len(pieces)) if j not in flat]
            assert pattern[name].dtype == np.int8
            assert pattern[name].ravel()[clear].tolist() == [pieces[j] for j in clear]
    weight, bias = found.affine(i)
    wanted = [float(at(form, cell.centre)) for form in cell.values]
    np.testing.assert_allclose(weight @ x.ravel() + bias, wanted, rtol=1e-9, atol=1e-12)
    slopes = [[float(one) for one in form[:-1]] for form in cell.values]
    matrix = np.eye(2) if domain is None else domain.embedding(x.shape)[0]
    np.testing.assert_allclose(weight @ matrix, slopes, rtol=1e-9, atol=1e-12)
    return i


def assert_same_points(found: Any, wanted: Sequence[Point]) -> None:
    """Both hold the same points, in any order, up to the last digits of float64."""
    exact = np.array([[float(one) for one in point] for point in wanted])
    found = np.asarray(found)
    assert found.shape == exact.shape
    size = max(1.0, float(np.abs(exact).max()))
    gaps = np.abs(exact[:, None, :] - found[None, :, :]).max(axis=2)
    assert (gaps.min(axis=0) < 1e-12 * size).all()
    assert len(set(gaps.argmin(axis=0).tolist())) == len(exact)


def assert_sound(found: Any, model: Any, area: float, domain: Any = None) -> None:
    """The laws that hold for every network: areas, Euler, polygons, affine maps.

    ``model`` is the torch module; ``domain`` says where its inputs lie, if in a plane.
    """
    vertices, edges, cells = counts(found)
    assert vertices - edges + cells == 1
    assert found.certified
    assert found.complete
    assert found.areas.shape == (cells,)
    assert (found.areas > 0).all()
    np.testing.assert_allclose(found.areas.sum(), area, rtol=1e-12)
    assert 1 <= found.n_regions <= cells
    assert_skeleton(found)
    random = np.random.default_rng(0)
    for i in random.choice(cells, min(cells, 60), replace=False).tolist():
        corners = np.asarray(found.cells[i])
        points = random.dirichlet(np.ones(len(corners)), 3) @ corners
        inputs = points if domain is None else domain.point(points)
        weight, bias = found.affine(i)
        with torch.no_grad():
            wanted = model(torch.from_numpy(inputs)).numpy().reshape(3, -1)
        given = inputs.reshape(3, -1) @ weight.T + bias
        np.testing.assert_allclose(given, wanted, rtol=1e-8, atol=1e-9)


def assert_skeleton(found: Any) -> None:
    """Each edge is there once, joins two vertices, and each cell goes round counter-clockwise."""
    edges = np.sort(np.asarray(found.edges), axis=1)
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert (edges[:, 0] < edges[:, 1]).all()
    assert set(edges.ravel().tolist()) == set(range(len(found.vertices)))
    assert len(found.cells) == found.n_cells
    for i in range(0, found.n_cells, max(1, found.n_cells // 100)):
        corners = np.asarray(found.cells[i])
        following = np.roll(corners, -1, axis=0)
        twice = corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]
        shifted = twice.sum() / 2
        np.testing.assert_allclose(shifted, found.areas[i], rtol=1e-6, atol=1e-12)


def assert_identical(one: Any, other: Any) -> None:
    """Two results are equal bit for bit."""
    for name in ("n_cells", "n_regions", "certified", "complete"):
        assert getattr(one, name) == getattr(other, name)
    for name in ("vertices", "edges", "areas"):
        assert same_bits(getattr(one, name), getattr(other, name))
    for i in range(0, one.n_cells, max(1, one.n_cells // 50)):
        assert same_bits(one.cells[i], other.cells[i])
        first, second = one.pattern(i), other.pattern(i)
        assert first.keys() == second.keys()
        assert all(np.array_equal(first[name], second[name]) for name in first)


def same_bits(one: Any, other: Any) -> bool:
    """Return whether two arrays hold the same bytes."""
    return np.asarray(one).tobytes() == np.asarray(other).tobytes()
