"""What cannot be partitioned is refused in four parts: what, where, found, do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from known_networks import default_network, square
from torch import Tensor, nn
from torch.nn import functional

import hinge
from hinge.errors import HingeError


def plain() -> nn.Module:
    return default_network((4,), 0)


def spoiled(value: float, name: str) -> nn.Module:
    network = default_network((4,), 0)
    with torch.no_grad():
        dict(network.named_parameters())[name].view(-1)[1] = value
    return network


def with_layer(*parts: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(2, 4), *parts, nn.Linear(4, 1)).double()


class Calling(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 4).double()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.linear(x))


def on_square(model: Any, **options: Any) -> Any:
    return hinge.partition(model, hinge.Polygon(square(1)), **options)


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "corners on one line": (lambda: hinge.Polygon([[0, 0], [1, 1], [2, 2]]), ValueError, "area"),
    "not convex": (
        lambda: hinge.Polygon([[0, 0], [2, 0], [0.5, 0.5], [0, 2]]),
        ValueError,
        "convex",
    ),
    "a bow tie": (lambda: hinge.Polygon([[0, 0], [1, 1], [1, 0], [0, 1]]), ValueError, ""),
    "a pentagram": (
        lambda: hinge.Polygon(
            [[np.sin(0.8 * k * np.pi), np.cos(0.8 * k * np.pi)] for k in range(5)]
        ),
        ValueError,
        "",
    ),
    "two corners": (lambda: hinge.Polygon([[0, 0], [1, 1]]), ValueError, "three"),
    "a corner twice": (
        lambda: hinge.Polygon([[0, 0], [1, 0], [1, 0], [0, 1]]),
        ValueError,
        "equal",
    ),
    "a corner that is NaN": (
        lambda: hinge.Polygon([[0, 0], [1, np.nan], [0, 1]]),
        ValueError,
        "nan",
    ),
    "a corner at infinity": (
        lambda: hinge.Polygon([[0, 0], [1, np.inf], [0, 1]]),
        ValueError,
        "inf",
    ),
    "corners in space": (lambda: hinge.Polygon(np.eye(3)), ValueError, "(3, 3)"),
    "corners of text": (lambda: hinge.Polygon("square"), ValueError, ""),
    "parallel directions": (lambda: hinge.Plane([0, 0, 0], [1, 2, 3], [2, 4, 6]), ValueError, ""),
    "three points on a line": (
        lambda: hinge.Plane.through([0, 0, 1], [1, 1, 1], [2, 2, 1]),
        ValueError,
        "line",
    ),
    "a segment of one point": (lambda: hinge.Segment([1, 2], [1, 2]), ValueError, ""),
    "ends of two shapes": (lambda: hinge.Segment([1, 2], [1, 2, 3]), ValueError, ""),
    "a weight that is NaN": (
        lambda: on_square(spoiled(np.nan, "0.weight")),
        Exception,
        "not a number",
    ),
    "a weight at infinity": (lambda: on_square(spoiled(np.inf, "0.weight")), Exception, "inf"),
    "a bias that is NaN": (lambda: on_square(spoiled(np.nan, "0.bias")), Exception, "not a number"),
    "a polygon for three inputs": (lambda: on_square(nn.Linear(3, 2)), Exception, "3"),
    "a polygon for an image": (lambda: on_square(nn.Conv2d(1, 2, 3)), Exception, ""),
    "a plane of four inputs for two": (
        lambda: hinge.partition(plain(), hinge.Plane(np.zeros(4), np.eye(4)[0], np.eye(4)[1])),
        Exception,
        "",
    ),
    "a segment of one input for two": (
        lambda: hinge.partition(plain(), hinge.Segment([0.0], [1.0])),
        Exception,
        "",
    ),
    "GELU": (lambda: on_square(with_layer(nn.GELU())), NotImplementedError, "gelu"),
    "a logistic": (lambda: on_square(with_layer(nn.Sigmoid())), NotImplementedError, "sigmoid"),
    "SiLU among ReLUs": (
        lambda: on_square(with_layer(nn.ReLU(), nn.SiLU())),
        NotImplementedError,
        "silu",
    ),
    "a jump": (
        lambda: on_square(with_layer(hinge.nn.BinaryStep())),
        NotImplementedError,
        "binary_step",
    ),
    "hard shrinkage, which jumps": (
        lambda: on_square(with_layer(nn.Hardshrink())),
        NotImplementedError,
        "in 1",
    ),
    "a softmax": (
        lambda: on_square(Calling(lambda z: functional.softmax(z, 1))),
        NotImplementedError,
        "softmax",
    ),
    "a product": (lambda: on_square(Calling(lambda z: z * z)), NotImplementedError, "mul"),
    "no model": (lambda: on_square(3), Exception, "int"),
    "no domain": (lambda: hinge.partition(plain(), square(1)), Exception, "tuple"),
    "no threads": (lambda: on_square(plain(), threads=0), ValueError, "0"),
    "fewer threads": (lambda: on_square(plain(), threads=-2), ValueError, "-2"),
    "half a thread": (lambda: on_square(plain(), threads=1.5), ValueError, "1.5"),
    "a budget below 0": (lambda: on_square(plain(), budget=-1), ValueError, "-1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_four_parts(name: str) -> None:
    call, kind, word = REFUSED[name]
    with pytest.raises(HingeError) as caught:
        call()
    error = caught.value
    assert isinstance(error, kind)
    for part in (error.what, error.where, error.found, error.do):
        assert part.strip()
        assert not part.endswith(".")
    assert word in str(error).lower()


def test_a_smooth_activation_is_named_with_its_place() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 4), nn.Mish(), nn.Linear(4, 1))
    with pytest.raises(HingeError) as caught:
        on_square(model.double())
    assert "mish" in str(caught.value)
    assert "3" in caught.value.where + caught.value.found


def test_a_point_outside_is_in_no_cell() -> None:
    found = on_square(plain(), threads=1)
    assert found.locate(np.array([[9.0, 9.0], [0.1, 0.2]])).tolist()[0] == -1


def test_a_point_of_another_size_is_refused() -> None:
    found = on_square(plain(), threads=1)
    with pytest.raises(HingeError):
        found.locate(np.zeros(3))


def test_a_cell_that_does_not_exist_is_refused() -> None:
    found = on_square(plain(), threads=1)
    for call in (found.pattern, found.affine):
        with pytest.raises((HingeError, IndexError)):
            call(found.n_cells)
