"""A program computes what its network computes, from exactly the stored weights."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from regions_models import MODELS, Call, Flat, dense_network, fractions_of, network, signs_of
from torch import nn

import hinge
from hinge.errors import ModelError, UnsupportedError
from hinge.network import Between, Max
from hinge.regions.exactly.choices import positive_rows
from hinge.regions.programs.evaluation import program_values
from hinge.regions.programs.lowering import lower
from hinge.regions.programs.program import Bend, Fold, Larger, Linear

ITSELF = Flat(itself=True)


def read(*modules, shape=(2,)):
    return hinge.read(nn.Sequential(*modules).eval(), torch.zeros(2, *shape))


def test_a_small_network_is_a_linear_a_fold_and_a_bend():
    program = lower(read(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), ITSELF)
    assert [type(one) for one in program.operations] == [Linear, Fold, Bend, Linear]
    assert (program.widths, program.output, program.smooth) == ((2, 3, 3, 1), 3, "")


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_a_program_computes_what_the_network_does(name, dimension):
    found, domain = network(name), Flat(dimension)
    program = lower(found, domain)
    points = np.random.default_rng(1).normal(size=(200, dimension))
    values = program_values(program, points)
    assert [one.shape for one in values] == [(200, width) for width in program.widths]
    wanted = found(domain.inputs(points, found.input_shape)).reshape(200, -1)
    np.testing.assert_allclose(values[program.output], wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", MODELS)
def test_what_decides_stands_before_what_it_decides(name):
    operations = lower(network(name), Flat()).operations
    for before, operation in pairwise(operations):
        if isinstance(operation, (Bend, Larger)):
            assert isinstance(before, Fold)


@pytest.mark.parametrize("name", MODELS)
def test_rows_speak_of_every_entry_and_tell_its_sign(name):
    """At random points, in fractions: a row's sign is that of its pre-activation less a break."""
    found = network(name)
    program = lower(found, Flat())
    for point in np.random.default_rng(2).normal(size=(4, 2)).tolist():
        buffers = fractions_of(program, point)
        for meaning, rows, values in folded(program, buffers):
            signs = np.array([(one > 0) - (one < 0) for one in values])
            np.testing.assert_array_equal(rows, signs)
            step = found.step(meaning.step)
            assert meaning.winner == (step.kind == "Max")
            wanted = set() if meaning.winner else set(range(int(np.prod(step.shape))))
            assert wanted <= set(meaning.entries.tolist())


def folded(program, buffers):
    """For each fold: its meaning, its rows' signs as the forms say, and as the operations say."""
    signs = iter(zip(program.meanings, signs_of(program, buffers), strict=True))
    for before, operation in pairwise(program.operations):
        if not isinstance(before, Fold):
            continue
        meaning, forms = next(signs)
        constant = meaning.orientation.astype(np.int64)
        padded = np.append(forms, 1)
        rows = np.where(meaning.forms < 0, constant, constant * padded[meaning.forms])
        if isinstance(operation, Larger):
            x = buffers[operation.source]
            yield (
                meaning,
                rows,
                [
                    x[operation.second[match]] - x[operation.first[match]]
                    for match in meaning.matches
                ],
            )
        else:
            x, breaks = buffers[operation.source], operation.breaks
            places = zip(meaning.entries.tolist(), meaning.break_index.tolist(), strict=True)
            yield meaning, rows, [x[i] - Fraction(float(breaks[i, k])) for i, k in places]


CONVOLUTIONS = {
    "plain": (nn.Conv2d(2, 3, 3), (2, 5, 6)),
    "strided": (nn.Conv2d(2, 4, (2, 3), (3, 2), (1, 2), (2, 1), groups=2), (2, 7, 6)),
    "signal": (nn.Conv1d(4, 4, 3, padding=1, groups=4), (4, 6)),
    "volume": (nn.Conv3d(1, 2, 2, 2, 1), (1, 3, 4, 5)),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2, dilation=2), (4, 3, 4)),
    "transposed signal": (nn.ConvTranspose1d(2, 3, 4, 3), (2, 5)),
}


def matrix_of(module, shape):
    program = lower(read(module, shape=shape), Identity(int(np.prod(shape))))
    whole, bias = np.eye(program.widths[0]), np.zeros(program.widths[0])
    for linear in program.operations:
        dense = linear.matrix if isinstance(linear.matrix, np.ndarray) else linear.matrix.toarray()
        kept_dense = np.count_nonzero(dense) > dense.size / 4
        assert kept_dense == isinstance(linear.matrix, np.ndarray)
        whole, bias = dense @ whole, dense @ bias + linear.bias
    return whole, bias


class Identity:
    """All inputs as coordinates: no domain to cut, but enough to see a matrix."""

    def __init__(self, dimension):
        self.dimension = dimension

    def embedding(self, input_shape):
        return np.eye(self.dimension), np.zeros(self.dimension)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_is_its_weights_bit_for_bit(name):
    module, shape = CONVOLUTIONS[name]
    torch.manual_seed(0)
    module.reset_parameters()
    matrix, bias = matrix_of(module, shape)
    stored = set(module.weight.detach().double().flatten().tolist()) | {0.0}
    assert set(matrix.ravel().tolist()) <= stored
    units = torch.eye(matrix.shape[1], dtype=torch.float64).reshape(-1, *shape)
    with torch.no_grad():
        images = module.double()(units).flatten(1).numpy().T
    module.float()
    np.testing.assert_allclose(matrix + bias[:, None], images, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_each_weight_of_a_convolution_is_in_its_place(name):
    """With whole numbers for weights torch rounds nothing, by whatever algorithm it goes."""
    module, shape = CONVOLUTIONS[name]
    numbers = torch.arange(1, module.weight.numel() + 1, dtype=torch.float32)
    module.weight.data, module.bias.data = numbers.reshape(module.weight.shape), module.bias * 0
    matrix, _ = matrix_of(module, shape)
    units = torch.eye(matrix.shape[1], dtype=torch.float64).reshape(-1, *shape)
    with torch.no_grad():
        images = module.double()(units).flatten(1).round().numpy().T
    module.float()
    np.testing.assert_array_equal(matrix, images)


@pytest.mark.parametrize(
    ("module", "shape", "entries"),
    [
        (nn.AvgPool2d(3, 1), (2, 4, 4), {0, 1 / 9}),
        (nn.AvgPool1d(3, 2, 1, count_include_pad=False), (2, 5), {0, 1 / 3, 1 / 2}),
        (nn.AdaptiveAvgPool1d(2), (3, 5), {0, 1 / 3}),
        (Call(lambda x: x.mean(1)), (7, 2), {0, 1 / 7}),
        (Call(lambda x: x.sum((1, 2))), (2, 3, 2), {0, 1}),
        (Call(lambda x: x.roll(1, 1).flip(2)), (3, 4), {0, 1}),
        (nn.ReflectionPad1d(2), (2, 4), {0, 1}),
        (nn.ConstantPad1d((1, 2), 0.1), (2, 4), {0, 1}),
        (nn.Upsample(scale_factor=2), (1, 2, 2), {0, 1}),
    ],
)
def test_pools_and_moves_have_the_entries_of_a_float64_run(module, shape, entries):
    matrix, bias = matrix_of(module, shape)
    assert set(matrix.ravel().tolist()) == entries
    x = torch.randn(1, *shape, dtype=torch.float64)
    wanted = module(x).flatten().numpy()
    np.testing.assert_allclose(matrix @ x.flatten().numpy() + bias, wanted, atol=1e-15)


def test_batch_normalisation_stays_a_scale_of_its_own():
    norm = nn.BatchNorm1d(3)
    program = lower(read(nn.Linear(2, 3, bias=False), norm, nn.ReLU()), ITSELF)
    assert [type(one) for one in program.operations] == [Linear, Linear, Fold, Bend]


def test_reshapes_and_maps_to_itself_cost_nothing():
    module = Call(lambda x: (x.unflatten(1, (2, 1)) * 1 + 0).flatten(1))
    program = lower(read(module, nn.Identity(), nn.PReLU(init=1.0)), ITSELF)
    assert (program.operations, program.widths, program.output) == ((), (2,), 0)


def test_no_zero_is_negative():
    found = dense_network(([[-0.0, 1.0]], [-0.0]))
    linear = lower(found, ITSELF).operations[0]
    assert not np.signbit(np.asarray(linear.matrix)).any()
    assert not np.signbit(linear.bias).any()


WEIGHTS = np.array([[1.0, 2.0], [2.0, 4.0], [-0.5, -1.0], [0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])


def test_multiples_and_constants_share_a_form():
    found = dense_network((WEIGHTS, [0.1, 0.2, -0.05, -3.0, 0.3, 0.0]))
    program = lower(found, ITSELF)
    (meaning,), (fold,) = program.meanings, program.folds
    assert fold.columns.tolist() == [0, 4, 5]
    assert meaning.forms.tolist() == [0, 0, 0, -1, 1, 2]
    assert meaning.orientation.tolist() == [1, 1, -1, -1, 1, 1]


def test_forms_that_only_rounding_makes_equal_differ():
    """0.1 + 0.2 is not 0.3 in floats, and a third of 3 ulp is not 1 ulp of another number."""
    rows = [[1.0, 3.0], [1.0 + 2**-52, 3.0], [3.0, 9.0], [3.0, 9.000000000000002]]
    program = lower(dense_network((rows, [0.0] * 4)), ITSELF)
    assert program.meanings[0].forms.tolist() == [0, 1, 0, 2]
    program = lower(dense_network(([[1.0, 1.0], [3.0, 3.0]], [0.1, 0.3])), ITSELF)
    assert program.folds[0].n_forms == 2  # 3 times the double 0.1 is not the double 0.3


def test_forms_of_extreme_size_are_compared_exactly():
    tiny, huge = 5e-324, 1.5e308
    rows = [[tiny, huge], [huge, tiny], [2 * tiny, huge], [tiny, huge / 2]]
    program = lower(dense_network((rows, [0.0] * 4)), ITSELF)
    assert program.meanings[0].forms.tolist() == [0, 1, 2, 2]


def test_breaks_of_multiples_meet_where_they_do():
    """ReLU6 of x and of 2x + 6: 2x + 6 = 6 where x = 0; and the unit that is always 6 or more."""
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU6())
    model[0].weight.data = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    model[0].bias.data = torch.tensor([0.0, 6.0, 7.0])
    program = lower(read(*model), ITSELF)
    (meaning,), (fold,) = program.meanings, program.folds
    assert meaning.entries.tolist() == [0, 0, 1, 1, 2, 2]
    assert meaning.break_index.tolist() == [0, 1, 0, 1, 0, 1]
    assert meaning.forms.tolist() == [0, 1, 2, 0, -1, -1]
    assert meaning.orientation.tolist() == [1, 1, 1, 1, 1, 1]
    assert (fold.columns.tolist(), fold.breaks.tolist()) == ([0, 0, 1], [0, 6, 0])


def test_a_slope_that_does_not_change_is_no_fold():
    prelu = nn.PReLU(3)
    prelu.weight.data = torch.tensor([0.5, 1.0, -1.0])
    program = lower(read(nn.Linear(2, 3), prelu), ITSELF)
    assert program.meanings[0].entries.tolist() == [0, 2]
    assert program.folds[0].columns.tolist() == [0, 2]


def test_a_pair_that_two_windows_share_meets_once():
    found = hinge.read(Call(lambda x: torch.max_pool1d(x[:, None], 2, 1)), torch.zeros(2, 5))
    program = lower(found, Flat())
    assert program.folds[0].n_forms == 4
    found = hinge.read(Call(lambda x: torch.max_pool1d(x[:, None], 4, 1)), torch.zeros(2, 6))
    program = lower(found, Flat())
    assert [fold.n_forms for fold in program.folds] == [5, 3]  # (i, i+1); (i, i+1) with (i+2, i+3)
    assert program.meanings[0].entries.tolist() == [0, 0, 1, 1, 2, 2]
    assert program.meanings[0].slot.tolist() == [0, 1, 0, 1, 0, 1]
    assert [meaning.round for meaning in program.meanings] == [0, 1]


def test_the_larger_of_a_thing_and_itself_is_no_match():
    found = hinge.read(Call(lambda x: torch.maximum(x + 1, x + 1)), torch.zeros(2, 2))
    twice = Between()
    step = Max(name="max", inputs=(found.steps[0].name,) * 2, shape=(2,), place=None, rule=twice)
    network = dataclasses.replace(found, steps=(found.steps[0], step), output="max")
    assert not lower(network, ITSELF).folds


def test_rounds_are_few():
    found = hinge.read(Call(lambda x: x.amax(1, keepdim=True)), torch.zeros(2, 13))
    program = lower(found, Flat())
    assert [fold.n_forms for fold in program.folds] == [6, 3, 2, 1]


def test_dead_ends_keep_their_folds_and_nothing_else():
    found = read(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    cut = dataclasses.replace(found, output=found.steps[0].name)
    program = lower(cut, ITSELF)
    kinds = [type(one) for one in program.operations]
    assert kinds == [Linear, Fold, Bend, Linear, Fold]
    assert (program.widths, program.output) == ((2, 3, 3, 4), 1)


@pytest.mark.parametrize("where", ["weight", "bias"])
def test_a_weight_that_is_no_number_is_named(where):
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    getattr(model[2], where).data[0] = torch.nan
    with pytest.raises(ModelError, match="not all finite") as caught:
        lower(hinge.read(model, torch.zeros(2, 2)), ITSELF)
    assert "'2'" in caught.value.where


@pytest.mark.parametrize(
    "module", [hinge.nn.BinaryStep(), hinge.nn.ThresholdedReLU(0.5), nn.Threshold(0.5, 0.0)]
)
def test_what_jumps_is_refused_by_name(module):
    with pytest.raises(UnsupportedError, match="jumps") as caught:
        lower(read(nn.Linear(2, 3), module), ITSELF)
    assert "'1'" in caught.value.where


def test_a_threshold_of_zero_is_a_relu():
    program = lower(read(nn.Linear(2, 3), hinge.nn.ThresholdedReLU(0.0)), ITSELF)
    assert program.folds[0].n_forms == 3


SMOOTH = (nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2), nn.Tanh())


def test_curved_activations_are_refused_all_at_once():
    with pytest.raises(UnsupportedError, match="curved") as caught:
        lower(read(*SMOOTH), ITSELF)
    assert "3 (gelu), 5 (tanh)" in caught.value.found
    assert "smooth_creases=True" in caught.value.do
    assert "observe" in caught.value.do


def test_smooth_creases_end_at_the_first_curved_site():
    found = read(*SMOOTH)
    program = lower(found, ITSELF, smooth_creases=True)
    assert program.smooth == "3"
    assert [type(one) for one in program.operations] == [Linear, Fold, Bend, Linear, Fold]
    points = np.random.default_rng(0).normal(size=(20, 2))
    wanted = found.pre_activations(points)["3"].detach().numpy()
    np.testing.assert_allclose(program_values(program, points)[program.output], wanted, atol=1e-14)
    assert program.meanings[-1].entries.tolist() == [0, 1, 2, 3]
    assert lower(read(nn.Linear(2, 1)), ITSELF, smooth_creases=True).smooth == ""


def test_a_fold_without_forms_has_constant_rows():
    found = dense_network(([[0.0, 0.0], [0.0, 0.0]], [1.0, 0.0]))
    program = lower(found, ITSELF)
    assert program.folds[0].n_forms == 0
    assert program.first_words == (0, 0)
    rows = positive_rows(program.meanings[0], np.zeros(0, bool))
    assert rows.tolist() == [True, False]
