"""The affine map of a cell is the network on that cell, and no further off than it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from regions_sampled import dense, network, on_square, random_network, sampled
from torch import nn

import hinge
from hinge.domains import Plane
from hinge.errors import OptionError
from hinge.regions.cells.input_maps import equation, input_buffer, input_map
from hinge.regions.cells.maps import affine_maps, slopes_and_shifts
from hinge.regions.exactly.choices import positive_forms
from hinge.regions.exactly.rational import ExactProgram
from hinge.regions.programs.evaluation import program_values
from hinge.regions.programs.lowering import lower


class Varied(nn.Module):
    """A convolution, a max pool, leaky and clipped units, a residual sum and a join."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.spread = nn.Linear(2, 36)
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        self.leaky = nn.PReLU(2, init=0.3)
        self.hard = nn.Hardtanh(-0.4, 0.7)
        self.mix = nn.Linear(18, 18)
        self.out = nn.Linear(36, 3)

    def forward(self, x):
        y = self.spread(x).reshape(-1, 1, 6, 6)
        y = self.leaky(self.pool(self.conv(y))).flatten(1)
        z = self.hard(self.mix(y)) + y
        return self.out(torch.cat([z, torch.relu(y)], 1))


def varied():
    return hinge.read(Varied().double(), torch.zeros(2, 2, dtype=torch.float64))


NETWORKS = {
    "relu": lambda: random_network(2, 9, 7, 8, 2),
    "leaky": lambda: random_network(2, 9, 7, 1, activation=lambda: nn.LeakyReLU(0.01)),
    "relu6": lambda: random_network(2, 20, 9, 1, activation=nn.ReLU6),
    "varied": varied,
}


@pytest.fixture(params=NETWORKS)
def case(request):
    net = NETWORKS[request.param]()
    return net, *sampled(on_square(net), 40)


def test_the_map_of_a_cell_is_the_network_on_it(case):
    net, patterns, _, points, cells = case
    maps = affine_maps(patterns, np.arange(patterns.n_cells))
    found = np.einsum("nod,nd->no", maps.matrices[cells], points) + maps.shifts[cells]
    np.testing.assert_allclose(found, net(points), atol=1e-12)
    both = np.concatenate([maps.matrices, maps.shifts[..., None]], axis=-1)
    np.testing.assert_array_equal(slopes_and_shifts(patterns, np.arange(len(both))), both)


def test_exact_maps_are_as_near_as_the_bounds_say_and_these_are_small(case):
    _, patterns, *_ = case
    cells = np.arange(0, patterns.n_cells, 7)
    maps = affine_maps(patterns, cells)
    exact = ExactProgram(patterns.program)
    size = np.abs(maps.matrices).max() + np.abs(maps.shifts).max()
    assert max(maps.matrix_errors.max(), maps.shift_errors.max()) < 1e-12 * size
    for i, cell in enumerate(cells):
        forms = positive_forms(patterns.program, patterns.words[cell])
        integers, shift = exact.affine(forms)
        for row in range(integers.shape[0]):
            *slopes, constant = [int(one) / 2**shift for one in integers[row]]
            off = np.abs(maps.matrices[i, row] - slopes)
            assert (off <= maps.matrix_errors[i, row] + 1e-17).all()
            assert abs(maps.shifts[i, row] - constant) <= maps.shift_errors[i, row] + 1e-17


def test_bounds_hold_where_digits_cancel():
    """Two units whose slopes differ in the last place only: the sum is all rounding error."""
    third = 1 / 3
    net = network(dense([[third, 0], [third, 0]]), nn.ReLU(), dense([[0.1, -0.1 - 2**-56]]))
    patterns, *_ = sampled(on_square(net), 10)
    maps = affine_maps(patterns, np.arange(patterns.n_cells))
    exact = ExactProgram(patterns.program)
    for cell in range(patterns.n_cells):
        forms = positive_forms(patterns.program, patterns.words[cell])
        integers, shift = exact.affine(forms)
        off = abs(maps.matrices[cell, 0, 0] - int(integers[0, 0]) / 2**shift)
        assert off <= maps.matrix_errors[cell, 0, 0] <= 1e-16


def test_the_map_on_all_inputs_is_that_of_the_domain_through_its_embedding():
    net = random_network(5, 8, 9, 3, seed=4)
    rng = np.random.default_rng(0)
    plane = Plane(*rng.normal(size=(3, 5)))
    matrix, origin = plane.embedding((5,))
    patterns, *_ = sampled(lower(net, plane), 20)
    assert input_buffer(matrix, origin) == 1
    for cell in range(0, patterns.n_cells, 5):
        weights, bias = input_map(patterns, cell, 1)
        maps = affine_maps(patterns, np.array([cell]))
        np.testing.assert_allclose(weights @ matrix, maps.matrices[0], atol=1e-12)
        np.testing.assert_allclose(weights @ origin + bias, maps.shifts[0], atol=1e-12)


def test_the_map_on_all_inputs_is_the_gradient_there(case):
    net, patterns, _, points, cells = case
    for i in range(0, len(points), 97):
        x = torch.tensor(points[i : i + 1])
        wanted = torch.autograd.functional.jacobian(lambda x: net(x)[0], x)[:, 0].numpy()
        weights, bias = input_map(patterns, int(cells[i]), 0)
        np.testing.assert_allclose(weights, wanted, atol=1e-12)
        np.testing.assert_allclose(
            weights @ points[i] + bias, net(points[i : i + 1])[0], atol=1e-12
        )


def test_the_equation_of_a_fold_is_the_pre_activation(case):
    net, patterns, _, points, cells = case
    name = net.sites[-1].name
    wanted = net.pre_activations(points)[name].numpy().reshape(len(points), -1)
    for i in range(0, len(points), 97):
        found = equation(patterns, int(cells[i]), name, 3, 0)
        assert found.weights @ points[i] + found.bias == pytest.approx(wanted[i, 3], abs=1e-12)
        inputs = found.input_weights @ points[i] + found.input_bias
        assert inputs == pytest.approx(wanted[i, 3], abs=1e-12)


def test_an_equation_of_nothing_is_refused():
    patterns, *_ = sampled(on_square(random_network(2, 4, 1)), 5)
    with pytest.raises(OptionError, match="no such entry"):
        equation(patterns, 0, "1", 4, 0)
    with pytest.raises(OptionError, match="does not fold"):
        equation(patterns, 0, "nowhere", 0, 0)


def test_a_buffer_in_the_middle_has_maps_too():
    net = random_network(2, 6, 5, 1)
    patterns, _, points, cells = sampled(on_square(net), 20)
    source = patterns.program.folds[1].source
    maps = affine_maps(patterns, cells, source)
    found = np.einsum("nod,nd->no", maps.matrices, points) + maps.shifts
    np.testing.assert_allclose(found, program_values(patterns.program, points)[source], atol=1e-13)
