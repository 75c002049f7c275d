"""Real calls of torch and nodes of ONNX are recognised, and nothing else is."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import hinge.activations as face
from hinge.activations import all_activations, find, from_aten, from_onnx, is_aten_name
from hinge.errors import HingeError, OptionError


class Recogniser(TorchDispatchMode):
    """Keeps what `from_aten` says of each call."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        schema = function._schema
        given = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
        given |= dict(zip([a.name for a in schema.arguments], args, strict=False))
        given |= kwargs or {}
        if schema.arguments:
            given.pop(schema.arguments[0].name)
        call = from_aten(schema.name.partition("::")[2].removesuffix("_"), given)
        self.found += [] if call is None else [call]
        return function(*args, **(kwargs or {}))


ZERO = torch.tensor(0.0)
CALLS = [
    ("relu", {}, F.relu),
    ("relu", {}, torch.relu),
    ("relu", {}, nn.ReLU(inplace=True)),
    ("relu", {}, torch.Tensor.relu_),
    ("relu", {}, lambda x: x.clamp(min=0)),
    ("relu", {}, lambda x: x.clamp_(min=0.0)),
    ("relu", {}, lambda x: x.clamp_min(0)),
    ("relu", {}, lambda x: x.clamp(min=ZERO)),
    ("relu", {}, lambda x: F.threshold(x, 0, 0)),
    ("relu", {}, lambda x: torch.maximum(x, ZERO)),
    ("relu", {}, lambda x: torch.maximum(x, torch.zeros_like(x))),
    ("relu6", {}, F.relu6),
    ("relu6", {}, nn.ReLU6(inplace=True)),
    ("relu6", {}, nn.Hardtanh(0, 6)),
    ("relu6", {}, lambda x: x.clamp(0, 6)),
    ("leaky_relu", {"negative_slope": 0.01}, F.leaky_relu),
    ("leaky_relu", {"negative_slope": 0.2}, nn.LeakyReLU(0.2, inplace=True)),
    ("elu", {"alpha": 1.0}, F.elu),
    ("elu", {"alpha": 0.5}, nn.ELU(0.5, inplace=True)),
    ("selu", {}, F.selu),
    ("selu", {}, nn.SELU(inplace=True)),
    ("sigmoid", {}, torch.Tensor.sigmoid_),
    ("tanh", {}, nn.Tanh()),
    ("silu", {}, nn.SiLU(inplace=True)),
    ("gelu", {}, F.gelu),
    ("gelu_tanh", {}, nn.GELU(approximate="tanh")),
    ("hardtanh", {"min_val": -1.0, "max_val": 1.0}, nn.Hardtanh()),
    ("hardtanh", {"min_val": -2.0, "max_val": 3.0}, nn.Hardtanh(-2.0, 3.0, inplace=True)),
    ("hardtanh", {}, lambda x: x.clamp(-1, 1)),
    ("relu_n", {"n": 20.0}, nn.Hardtanh(0.0, 20.0)),
    ("hardsigmoid", {}, nn.Hardsigmoid(inplace=True)),
    ("hardswish", {}, nn.Hardswish(inplace=True)),
    ("mish", {}, nn.Mish(inplace=True)),
    ("celu", {"alpha": 0.5}, nn.CELU(0.5, inplace=True)),
    ("softplus", {"beta": 2}, nn.Softplus(beta=2)),
    ("softplus", {"beta": 1}, lambda x: F.softplus(x, 1, 30)),
    ("logsigmoid", {}, F.logsigmoid),
    ("hardshrink", {"lambd": 0.3}, nn.Hardshrink(0.3)),
    ("softshrink", {"lambd": 0.3}, nn.Softshrink(0.3)),
    ("thresholded_relu", {"threshold": 0.5}, nn.Threshold(0.5, 0)),
    ("rrelu", {"lower": 0.1, "upper": 0.3}, nn.RReLU(0.1, 0.3).eval()),
]


@pytest.mark.parametrize(("name", "parameters", "call"), CALLS)
def test_calls_of_torch_are_recognised(name, parameters, call):
    with torch.no_grad(), Recogniser() as recogniser:
        call(torch.randn(2, 3))
    assert recogniser.found == [(find(name), parameters)]


def test_prelu_comes_with_its_weights_as_they_broadcast():
    module = nn.PReLU(3)
    with torch.no_grad(), Recogniser() as recogniser:
        out = module(x := torch.randn(2, 3, 4))
    ((found, parameters),) = recogniser.found
    assert found is face.prelu
    torch.testing.assert_close(found(x, **parameters), out)


OTHERS = [
    lambda x: x.clamp(0, 1),
    lambda x: x.clamp(min=0.1),
    lambda x: x.clamp(max=0),
    lambda x: x.clamp(min=torch.tensor([0.0, 1.0, 0.0])),
    nn.Threshold(0, 1),
    nn.RReLU(),  # while training
    nn.Softplus(1, 1),  # its branch for large x is far from the other
    nn.Softshrink(0.0),
    torch.abs,
    nn.Softsign(),
    lambda x: torch.maximum(x, torch.eye(2, 3)),
    lambda x: torch.ops.aten.elu(x, 1.0, 2.0),
    lambda x: x + 1,
]


@pytest.mark.parametrize("call", OTHERS)
def test_other_calls_are_not(call):
    with torch.no_grad(), Recogniser() as recogniser:
        call(torch.randn(2, 3))
    assert recogniser.found == []


def constant(value):
    return np.array(value, dtype=np.float32)


ALPHA, GAMMA = 1.67326319217681884765625, 1.05070102214813232421875
NODES = [
    ("relu", {}, ("Relu", {}, [])),
    ("relu", {}, ("Clip", {"min": 0.0}, [])),
    ("relu", {}, ("Clip", {"min": 0.0, "max": 3.4028234663852886e38}, [])),
    ("relu", {}, ("Clip", {}, [constant(0)])),
    ("relu", {}, ("Clip", {}, [constant(0), None])),
    ("relu", {}, ("Max", {}, [constant(0)])),
    ("relu6", {}, ("Clip", {"min": 0.0, "max": 6.0}, [])),
    ("relu6", {}, ("Clip", {}, [constant(0), constant(6)])),
    ("leaky_relu", {"negative_slope": 0.01}, ("LeakyRelu", {}, [])),
    ("leaky_relu", {"negative_slope": 0.3}, ("LeakyRelu", {"alpha": 0.3}, [])),
    ("prelu", {"weight": constant(0.2)}, ("PRelu", {}, [constant(0.2)])),
    ("elu", {"alpha": 1.0}, ("Elu", {}, [])),
    ("selu", {}, ("Selu", {}, [])),
    ("selu", {}, ("Selu", {"alpha": ALPHA, "gamma": GAMMA}, [])),
    ("sigmoid", {}, ("Sigmoid", {}, [])),
    ("tanh", {}, ("Tanh", {}, [])),
    ("gelu", {}, ("Gelu", {}, [])),
    ("gelu", {}, ("Gelu", {"approximate": b"none"}, [])),
    ("silu", {}, ("Swish", {}, [])),
    ("silu", {"beta": 2.0}, ("Swish", {"alpha": 2.0}, [])),
    ("quick_gelu", {}, ("Swish", {"alpha": 1.702}, [])),
    ("quick_gelu", {}, ("Swish", {"alpha": float(np.float32(1.702))}, [])),
    ("gelu_tanh", {}, ("Gelu", {"approximate": b"tanh"}, [])),
    ("relu_n", {"n": constant(1)}, ("Clip", {}, [constant(0), constant(1)])),
    ("hardtanh", {"min_val": -2.0, "max_val": 3.0}, ("Clip", {"min": -2.0, "max": 3.0}, [])),
    ("hardsigmoid", {}, ("HardSigmoid", {"alpha": float(np.float32(1 / 6))}, [])),
    ("hardswish", {}, ("HardSwish", {}, [])),
    ("mish", {}, ("Mish", {}, [])),
    ("celu", {"alpha": 0.5}, ("Celu", {"alpha": 0.5}, [])),
    ("softplus", {}, ("Softplus", {}, [])),
    ("softsign", {}, ("Softsign", {}, [])),
    ("hardshrink", {"lambd": 0.5}, ("Shrink", {}, [])),
    ("softshrink", {"lambd": 0.3}, ("Shrink", {"lambd": 0.3, "bias": 0.3}, [])),
    ("thresholded_relu", {"threshold": 1.0}, ("ThresholdedRelu", {}, [])),
]


@pytest.mark.parametrize(("name", "parameters", "node"), NODES)
def test_nodes_of_onnx_are_recognised(name, parameters, node):
    assert from_onnx(*node) == (find(name), parameters)


@pytest.mark.parametrize(
    "node",
    [
        ("Clip", {}, [constant(1), constant(0)]),
        ("Clip", {}, [None, constant(6)]),
        ("Clip", {}, []),
        ("Max", {}, [constant(0), constant(0)]),
        ("Max", {}, [constant(1)]),
        ("PRelu", {}, [None]),
        ("Selu", {"alpha": 1.6}, []),
        ("Swish", {"alpha": -1.0}, []),
        ("HardSigmoid", {}, []),  # alpha is 0.2 unless it is said
        ("Shrink", {"lambd": 0.3, "bias": 0.2}, []),
        ("Abs", {}, []),
        ("Identity", {}, []),
        ("Conv", {}, []),
    ],
)
def test_other_nodes_are_not(node):
    assert from_onnx(*node) is None


def test_every_operator_of_a_record_has_a_quick_look():
    for act in all_activations():
        assert all(is_aten_name(spelling.operator) for spelling in act.names.aten)
    assert not is_aten_name("convolution")


def test_find_knows_torch_names_and_lists_near_ones():
    assert find("relu6") is find("ReLU6") is face.relu6
    assert find("Leaky ReLU") is face.leaky_relu
    assert find("RReLU") is face.rrelu
    assert find("Swish") is find("SiLU") is face.silu
    assert find("hard_silu") is face.hardswish
    assert find("GELU") is face.gelu
    assert find("Hardtanh") is face.hardtanh
    with pytest.raises(OptionError) as caught:
        find("gelou")
    assert "gelu" in caught.value.do
    with pytest.raises(OptionError, match="no such activation") as caught:
        find("")
    assert "prelu" in caught.value.do


def test_the_face_is_sorted_and_whole():
    assert face.__all__ == sorted(face.__all__)
    assert {act.name for act in all_activations()} < set(face.__all__)
    assert all(hasattr(face, name) for name in face.__all__)
    assert dir(face) == face.__all__
    with pytest.raises(AttributeError, match="no attribute 'swoosh'"):
        face.swoosh  # noqa: B018  the look-up is what is tested


def test_errors_have_four_parts():
    with pytest.raises(HingeError) as caught:
        find("swoosh")
    assert all((caught.value.what, caught.value.where, caught.value.found, caught.value.do))
