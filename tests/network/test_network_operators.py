"""The laws of every operator: linear, its transpose, its magnitude, its matrix, its places."""

from __future__ import annotations

from math import prod

import pytest
import torch

from hinge import network
from hinge.errors import ModelError
from hinge.layout import Place
from hinge.network import (
    AdaptiveAveragePool,
    AveragePool,
    Constant,
    Convolution,
    Dense,
    Expand,
    Operator,
    Pad,
    Permute,
    Reshape,
    Scale,
    Sum,
    Take,
)


def _random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64)


def _convolution(rank: int, **options: object) -> Convolution:
    defaults = {"stride": (1,) * rank, "padding": (0,) * rank, "dilation": (1,) * rank}
    return Convolution(**{**defaults, **options})


def _operators() -> dict[str, Operator]:
    torch.manual_seed(0)
    image = (4, 6, 5)
    return {
        "dense": Dense(input_shape=(5,), weight=_random(3, 5), bias=_random(3)),
        "dense without bias": Dense(input_shape=(5,), weight=_random(3, 5)),
        "dense on tokens": Dense(input_shape=(2, 5), weight=_random(3, 5), bias=_random(3), axis=2),
        "dense on the left": Dense(
            input_shape=(2, 5, 4), weight=_random(3, 5), bias=_random(3), axis=2
        ),
        "scale": Scale(input_shape=image, factor=_random(4, 1, 1), term=_random(4, 1, 1)),
        "term": Scale(input_shape=(5,), term=_random(5)),
        "factor": Scale(input_shape=(5,), factor=_random()),
        "constant": Constant(input_shape=(5,), value=_random(2, 3)),
        "convolution 1d": _convolution(
            1, input_shape=(4, 9), weight=_random(6, 2, 3), bias=_random(6), groups=2, stride=(2,)
        ),
        "convolution 2d": _convolution(
            2,
            input_shape=image,
            weight=_random(3, 4, 3, 2),
            bias=_random(3),
            padding=(1, 2),
            dilation=(2, 1),
        ),
        "convolution 3d": _convolution(3, input_shape=(2, 3, 4, 3), weight=_random(3, 2, 2, 2, 2)),
        "transposed 2d": _convolution(
            2,
            input_shape=image,
            weight=_random(4, 3, 3, 2),
            bias=_random(6),
            groups=2,
            stride=(2, 3),
            padding=(1, 0),
            transposed=True,
            output_padding=(1, 2),
        ),
        "average pool": AveragePool(
            input_shape=image,
            kernel=(3, 2),
            stride=(2, 2),
            padding=(1, 1),
            ceil=True,
            count_padding=False,
        ),
        "average pool by 1": AveragePool(
            input_shape=image, kernel=(3, 2), stride=(2, 2), padding=(1, 1), divisor=1
        ),
        "adaptive pool": AdaptiveAveragePool(input_shape=image, size=(4, 2)),
        "reshape": Reshape(input_shape=image, to_shape=(12, 10)),
        "permute": Permute(input_shape=image, order=(0, 2, 3, 1)),
        "take": Take(input_shape=image, axis=2, index=torch.tensor([5, 0, 0, 3])),
        "pad": Pad(input_shape=image, pads=(1, -2, 0, 3), value=0.5),
        "expand": Expand(input_shape=(4, 1, 5), to_shape=(4, 3, 5)),
        "sum": Sum(input_shape=image, axes=(1, 3)),
        "mean": Sum(input_shape=image, axes=(2, 3), keep=True, divisor=30),
    }


OPERATORS = _operators()
each = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS.keys())


@each
def test_linear(operator: Operator):
    x, y = _random(3, *operator.input_shape), _random(3, *operator.input_shape)
    whole = operator.linear(2 * x - 3 * y)
    torch.testing.assert_close(whole, 2 * operator.linear(x) - 3 * operator.linear(y))
    assert whole.shape == (3, *operator.output_shape)


@each
def test_transpose(operator: Operator):
    x, y = _random(3, *operator.input_shape), _random(3, *operator.output_shape)
    pulled = operator.transpose(y)
    assert pulled.shape == x.shape
    ours = (operator.linear(x) * y).flatten(1).sum(1)
    torch.testing.assert_close(ours, (x * pulled).flatten(1).sum(1))


@each
def test_matrix_shift_and_magnitude(operator: Operator):
    x = _random(3, *operator.input_shape)
    matrix = operator.matrix()
    assert matrix.shape == (prod(operator.output_shape), prod(operator.input_shape))
    shift = torch.zeros((), dtype=torch.float64) if operator.shift is None else operator.shift
    shift = shift.broadcast_to(operator.output_shape).flatten()
    torch.testing.assert_close(operator.apply(x).flatten(1), x.flatten(1) @ matrix.T + shift)
    magnitude = operator.magnitude(x).flatten(1)
    torch.testing.assert_close(magnitude, x.flatten(1) @ matrix.abs().T)


@each
def test_each_example_on_its_own(operator: Operator):
    x = _random(3, *operator.input_shape)
    one_by_one = torch.cat([operator.apply(row[None]) for row in x])
    torch.testing.assert_close(operator.apply(x), one_by_one)


@each
def test_other_dtypes(operator: Operator):
    x = _random(2, *operator.input_shape)
    narrow = operator.to(torch.float32)
    result = narrow.apply(x.float())
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, operator.apply(x).float(), rtol=1e-4, atol=1e-4)
    assert all(t.dtype != torch.float32 for t in operator.tensors.values())


@each
def test_the_place_of_units(operator: Operator):
    """Units marked along the place in the input are marked along it in the output."""
    axis = 1
    place = Place(axis, operator.input_shape[0])
    after = operator.place(place)
    if after is None or isinstance(operator, (Dense, Convolution, Constant)):
        return
    positions = torch.arange(place.size, dtype=torch.float64)
    marked = positions.reshape(-1, *[1] * (len(operator.input_shape) - 1))
    x = marked.expand(1, *operator.input_shape).contiguous()
    if isinstance(operator, (Reshape, Permute, Take, Expand)):
        outer, size, inner = after.split((1, *operator.output_shape))
        y = operator.linear(x).movedim(after.axis, -1).reshape(-1, outer, size, inner)
        wanted = positions.reshape(1, 1, -1, 1).expand_as(y)
        torch.testing.assert_close(y, wanted)


def test_matrices_that_would_be_too_large_are_refused():
    pool = AdaptiveAveragePool(input_shape=(64, 224, 224), size=(1, 1))
    with pytest.raises(ModelError, match="too large"):
        pool.matrix()


def test_every_operator_of_the_room_is_under_the_laws():
    known = {kind for kind in vars(network).values() if isinstance(kind, type)}
    wanted = {kind for kind in known if issubclass(kind, Operator) and kind is not Operator}
    assert wanted == {type(operator) for operator in OPERATORS.values()}


def test_operators_are_shown_in_a_few_words():
    assert str(OPERATORS["dense"]) == "dense 5 -> 3"
    assert "2 groups" in str(OPERATORS["convolution 1d"])
    assert str(OPERATORS["mean"]) == "sum over axes 2, 3, divided by 30"
