"""What others call each activation: torch, JAX and ONNX compute the same, and are recognised."""

import functools
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from activation_cases import breaks, every_activation, every_case, read
from onnx.reference import ReferenceEvaluator
from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors
from torch.utils._python_dispatch import TorchDispatchMode

from hinge.activations import from_aten, from_onnx
from hinge.errors import UnsupportedError


def arguments(act, given, library):
    """How a library's function is made to be this one, or a reason not to compare."""
    try:
        return act.arguments(library, given)
    except UnsupportedError:
        pytest.skip(f"{library} has none with these parameters")


def twin_of(path):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


DISTANCE = {"softplus": 2.1e-9}
"""How far torch's own values may be off: its softplus is the line where beta·x is above 20."""


@every_case
def test_values_are_those_of_torch(act, given):
    options = arguments(act, given, "torch")
    x = torch.linspace(-30, 30, 1201, dtype=torch.float64)
    with torch.no_grad():
        y = read(torch_twin(act, given, options)(x))
    # relative to |x|: torch's GELU cancels on the left
    off = DISTANCE.get(act.name, 0.0) / given.get("beta", 1.0)
    slack = 1e-15 * (1 + abs(read(x)) + abs(y)) + off
    np.testing.assert_array_less(abs(read(act(x, **given)) - y), slack)


def torch_twin(act, given, options):
    """Torch's module in evaluation, else its function."""
    if not act.names.torch_module:
        return functools.partial(twin_of(act.names.torch_function), **options)
    wide = {name: np.array(value) for name, value in given.items()}  # float64 stays float64
    module = act.torch_module(**wide).double().eval()
    assert isinstance(module, torch.nn.Module)
    return module


@every_case
def test_values_are_those_of_jax(act, given):
    twin = functools.partial(
        twin_of(act.names.jax or "jax.nn.relu"), **arguments(act, given, "jax")
    )
    x = jnp.linspace(-5, 30, 701)
    np.testing.assert_allclose(act(x, **given), twin(x), rtol=4e-6, atol=6e-7)


@every_activation
def test_conventions_are_what_torch_and_jax_do(act):
    """The derivative that each gives at each break is that of the side that we say."""
    for library in set(act.conventions) - {"keras"}:  # Keras runs on torch, JAX or TensorFlow
        options = arguments(act, {}, library)
        for at, side in zip(breaks(act, {}), act.conventions[library], strict=True):
            if library == "torch":
                x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
                torch_twin(act, {}, options)(x.reshape(1)).sum().backward()
                slope = float(x.grad)
            else:
                slope = float(jax.grad(functools.partial(twin_of(act.names.jax), **options))(at))
            sides = {"left": [-1e-7], "right": [1e-7], "mean": [-1e-7, 1e-7]}[side]
            ours = np.mean([act.derivative(at + step) for step in sides])
            assert slope == pytest.approx(ours, abs=1e-6), f"{library} at {at}"


def test_identity_is_not_read_as_an_activation():
    assert from_aten("identity", {}) is None
    assert from_onnx("Identity", {}, []) is None


class Calls(TorchDispatchMode):
    """Keeps the operators called, by schema name, with their arguments but the first."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        schema = function._schema
        arguments = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
        arguments |= dict(zip([a.name for a in schema.arguments], args, strict=False))
        arguments |= kwargs or {}
        arguments.pop(schema.arguments[0].name)
        self.seen.append((schema.name.partition("::")[2].removesuffix("_"), arguments))
        return function(*args, **(kwargs or {}))


@every_case
def test_a_call_of_the_torch_module_is_recognised(act, given):
    if not act.names.aten:
        return
    arguments(act, given, "torch")
    with Calls() as calls, torch.no_grad():
        act.torch_module(**given).eval()(torch.randn(2, 3))
    op, held = calls.seen[-1]
    found, parameters = from_aten(op, held)
    assert found is act or given  # Hardtanh from 0 to 1 is a ReLU-n
    x = np.linspace(-8.0, 8.0, 65)
    held = {name: read(torch.as_tensor(value)).item() for name, value in parameters.items()}
    np.testing.assert_allclose(found(x, **held), act(x, **given), rtol=1e-6)


def node_of(act, given):
    """The ONNX node that says this call, as a model of one node; its constants."""
    spelt = [one for one in act.names.onnx if set(given) <= set(one.takes.values())]
    if not spelt:
        pytest.skip("ONNX has none with these parameters")
    spelling = spelt[0]
    arguments = dict(spelling.fixed)
    for theirs, ours in spelling.takes.items():
        default = next(p.default for p in act.parameters if p.name == ours)
        arguments[theirs] = given.get(ours, default)
    constants = [np.array(arguments.pop(name), np.float32) for name in spelling.inputs]
    node = onnx.helper.make_node(spelling.operator, ["x", *spelling.inputs], ["y"], **arguments)
    graph = onnx.helper.make_graph(
        [node],
        "one",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n"])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n"])],
        [
            onnx.numpy_helper.from_array(constant, name)
            for name, constant in zip(spelling.inputs, constants, strict=True)
        ],
    )
    return onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 24)], ir_version=11
    ), constants


@every_case
def test_onnx_node_is_recognised_and_computes_the_same(act, given):
    if not act.names.onnx:
        return
    model, constants = node_of(act, given)
    node = model.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    found, parameters = from_onnx(node.op_type, attributes, constants)
    assert found is act or given  # a Clip from 0 to 1 is a ReLU-n
    x = np.linspace(-5, 30, 701, dtype=np.float32)
    with np.errstate(over="ignore"):  # in the branch that its Celu does not take
        truth = ReferenceEvaluator(model).run(None, {"x": x})[0]
    np.testing.assert_allclose(found(x, **parameters), truth, rtol=4e-6, atol=6e-7)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString())
    except (onnxruntime_errors.InvalidGraph, onnxruntime_errors.NotImplemented):
        pytest.skip(f"this onnxruntime has no {node.op_type}")
    np.testing.assert_allclose(
        found(x, **parameters), session.run(None, {"x": x})[0], rtol=4e-6, atol=6e-7
    )
