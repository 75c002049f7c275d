"""Networks described by exact numbers, and the same numbers as a torch module or a `Network`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from hinge import activations
from hinge.network.building.builder import Builder, Call, Value
from hinge.network.maxima import Between
from hinge.network.network import Network
from hinge.network.operators.affine import Dense as DenseOperator
from hinge.network.operators.shapes import Take
from hinge.nn import Abs

Number = int | Fraction
Row = tuple[Fraction, ...]


@dataclass(frozen=True)
class Dense:
    """``weight @ x + bias``."""

    weight: tuple[Row, ...]
    bias: Row


@dataclass(frozen=True)
class Bent:
    """A continuous activation: ``height`` at the first break, a slope left and right of each."""

    name: str
    breaks: Row
    slopes: Row
    height: Fraction = Fraction(0)
    options: tuple[tuple[str, float], ...] = ()

    def __call__(self, z: Fraction) -> Fraction:
        """Return its value."""
        slope, height = self.piece(sum(z > one for one in self.breaks))
        return slope * z + height

    def piece(self, index: int) -> tuple[Fraction, Fraction]:
        """Return slope and height at zero of one piece, counted from the left."""
        height = self.height - self.slopes[0] * self.breaks[0]
        for i in range(index):
            height += (self.slopes[i] - self.slopes[i + 1]) * self.breaks[i]
        return self.slopes[index], height


@dataclass(frozen=True)
class Largest:
    """The largest of each ``size`` neighbours."""

    size: int = 2


@dataclass(frozen=True)
class Residual:
    """``x + body(x)``."""

    body: tuple[Layer, ...]


Layer = Dense | Bent | Largest | Residual
Layers = tuple[Layer, ...]


def dense(weight: Iterable[Iterable[Number | float]], bias: Iterable[Number | float]) -> Dense:
    """Return a layer of exactly these numbers."""
    rows = tuple(tuple(Fraction(one) for one in row) for row in weight)
    return Dense(rows, tuple(Fraction(one) for one in bias))


RELU = Bent("relu", (Fraction(0),), (Fraction(0), Fraction(1)))
ABS = Bent("abs", (Fraction(0),), (Fraction(-1), Fraction(1)))
LEAKY = Bent(
    "leaky_relu",
    (Fraction(0),),
    (Fraction(1, 4), Fraction(1)),
    options=(("negative_slope", 0.25),),
)
HARDTANH = Bent(
    "hardtanh",
    (Fraction(-1), Fraction(1)),
    (Fraction(0), Fraction(1), Fraction(0)),
    Fraction(-1),
    options=(("min_val", -1.0), ("max_val", 1.0)),
)
RELU6 = Bent("relu6", (Fraction(0), Fraction(6)), (Fraction(0), Fraction(1), Fraction(0)))
ACTIVATIONS = (RELU, ABS, LEAKY, HARDTANH, RELU6)


def evaluate(layers: Sequence[Layer], x: Sequence[Number]) -> Row:
    """Return the network's exact value at one point."""
    values = tuple(Fraction(one) for one in x)
    for layer in layers:
        values = _evaluated(layer, values)
    return values


def _evaluated(layer: Layer, x: Row) -> Row:
    match layer:
        case Dense():
            return tuple(
                sum((w * v for w, v in zip(row, x, strict=True)), bias)
                for row, bias in zip(layer.weight, layer.bias, strict=True)
            )
        case Bent():
            return tuple(layer(z) for z in x)
        case Largest():
            return tuple(max(x[i : i + layer.size]) for i in range(0, len(x), layer.size))
        case Residual():
            return tuple(a + b for a, b in zip(x, evaluate(layer.body, x), strict=True))


def module_of(layers: Sequence[Layer]) -> nn.Module:
    """Return a float64 torch module of exactly these numbers."""
    return nn.Sequential(*(_module(layer) for layer in layers)).double().eval()


_MODULES: dict[str, Any] = {
    "relu": nn.ReLU,
    "abs": Abs,
    "leaky_relu": nn.LeakyReLU,
    "hardtanh": nn.Hardtanh,
    "relu6": nn.ReLU6,
}


def _module(layer: Layer) -> nn.Module:
    match layer:
        case Dense():
            made = nn.Linear(len(layer.weight[0]), len(layer.bias)).double()
            with torch.no_grad():
                made.weight.copy_(_tensor(layer.weight))
                made.bias.copy_(_tensor(layer.bias))
            return made
        case Bent():
            module: nn.Module = _MODULES[layer.name](**dict(layer.options))
            return module
        case Largest():
            return _Largest(layer.size)
        case Residual():
            return _Residual(layer.body)


class _Largest(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, self.size)).amax(2)


class _Residual(nn.Module):
    def __init__(self, body: Layers) -> None:
        super().__init__()
        self.body = module_of(body)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.body(x)
        return added


def network_of(layers: Sequence[Layer], n_inputs: int = 2) -> Network:
    """Return the same as a `Network`, without the second that reading a module takes."""
    build = Builder((n_inputs,))
    output = _built(build, layers, build.input, "")
    return build.network(output, torch.float64, "exact numbers")


def _built(build: Builder, layers: Sequence[Layer], x: Value, path: str) -> Value:
    for i, layer in enumerate(layers):
        label = f"{path}{i}"
        build.call = Call(label, label, alone=True)
        match layer:
            case Dense():
                shape = (len(layer.weight[0]),)
                weight, bias = _tensor(layer.weight), _tensor(layer.bias)
                x = build.affine(x, DenseOperator(input_shape=shape, weight=weight, bias=bias))
            case Bent():
                record = getattr(activations, layer.name)
                x = build.activate(x, record, dict(layer.options))
            case Largest():
                rivals = [_every(build, x, layer.size, k) for k in range(layer.size)]
                x = build.maximum(rivals, Between())
            case Residual():
                x = build.add([x, _built(build, layer.body, x, f"{label}.body.")])
    return x


def _every(build: Builder, x: Value, size: int, start: int) -> Value:
    positions = torch.arange(start, x.shape[0], size)
    return build.affine(x, Take(input_shape=x.shape, axis=1, index=positions))


def _tensor(numbers: Sequence[Any]) -> Tensor:
    """Return float64 numbers, all of them exact."""
    found = torch.tensor(
        [[float(one) for one in row] if isinstance(row, tuple) else float(row) for row in numbers],
        dtype=torch.float64,
    )
    wanted = [one for row in numbers for one in (row if isinstance(row, tuple) else (row,))]
    assert [Fraction(one) for one in found.flatten().tolist()] == wanted, "not float64 numbers"
    return found


def site_names(layers: Sequence[Layer], path: str = "") -> Iterator[str | None]:
    """Yield the name of each site in the order of a subdivision's folds; None for a max."""
    for i, layer in enumerate(layers):
        match layer:
            case Bent():
                yield f"{path}{i}"
            case Largest():
                yield None
            case Residual():
                yield from site_names(layer.body, f"{path}{i}.body.")
            case _:
                pass
