"""What every activation promises on arrays: kinds, dtypes, limits, signs, gradients, twins."""

import functools
import importlib

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from activation_cases import breaks, every_case, every_kind, grid, made, read
from onnx.reference import ReferenceEvaluator
from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors
from torch.utils._python_dispatch import TorchDispatchMode

from hinge.activations import from_aten, from_onnx

LARGE = (-1e4, -710.0, -100.0, -89.0, -20.0, 20.0, 89.0, 100.0, 710.0, 1e4)
SMALL = (-1e-3, -1e-30, 1e-30, 1e-3)


def points(act, given):
    return np.concatenate([grid(act, given, count=401), LARGE, SMALL])


def precision(dtype):
    """The spacing of numbers next to 1."""
    return float(ml_dtypes.finfo(dtype).eps)


def assert_close(found, truth, dtype, ulps):
    """Equal to within some units in the last place; JAX flushes what is about 1e-38 to 0."""
    least = max(5e-38, float(ml_dtypes.finfo(dtype).smallest_subnormal))
    np.testing.assert_allclose(found, truth, rtol=ulps * precision(dtype), atol=least)


def sample(act, given, kind, dtype):
    """Points as the library holds them, and again as exact float64."""
    x = made(points(act, given), kind, dtype)
    return x, read(x)


@every_kind
@every_case
def test_same_kind_and_value_as_in_float64(act, given, kind, dtype):
    x, exact = sample(act, given, kind, dtype)
    y = act(x, **given)
    assert type(y) is type(x)
    assert y.dtype == x.dtype
    assert y.shape == x.shape
    wide = read(made(act(exact, **given), kind, dtype))
    ulps = 10 if dtype in ("float32", "float64") else 0.51
    assert_close(read(y), wide, dtype, ulps)


@every_kind
@every_case
def test_derivative_is_the_same_in_every_kind(act, given, kind, dtype):
    x, exact = sample(act, given, kind, dtype)
    slope = act.derivative(x, **given)
    assert type(slope) is type(x)
    assert slope.dtype == x.dtype
    wide = read(made(act.derivative(exact, **given), kind, dtype))
    eps = precision(dtype)
    np.testing.assert_allclose(read(slope), wide, rtol=16 * eps, atol=2 * eps)  # f' has roots


@every_kind
@every_case
def test_limits(act, given, kind, dtype):
    """At ±inf stands the limit, and the derivative's; NaN stays NaN, in any place."""
    y = read(act(made([-np.inf, np.inf], kind, dtype), **given))
    slope = read(act.derivative(made([-np.inf, np.inf], kind, dtype), **given))
    far = act(np.array([-1e30, 1e30]), **given)
    limit = np.where(abs(far) > 1e20, np.copysign(np.inf, far), far)
    np.testing.assert_array_equal(y, read(made(limit, kind, dtype)))
    np.testing.assert_array_equal(np.signbit(y), np.signbit(limit))
    far_slope = read(made(act.derivative(np.array([-1e30, 1e30]), **given), kind, dtype))
    np.testing.assert_allclose(slope, far_slope, rtol=precision(dtype))


@every_kind
@every_case
def test_nan_stays_nan_wherever_it_stands(act, given, kind, dtype):
    for length in (1, 24, 67):  # torch's vector body and its scalar tail differ
        x = np.linspace(-3, 3, length)
        x[[0, -1]] = np.nan
        assert np.array_equal(np.isnan(read(act(made(x, kind, dtype), **given))), np.isnan(x))
        slope = act.derivative(made(x, kind, dtype), **given)
        assert np.array_equal(np.isnan(read(slope)), np.isnan(x))


@every_kind
@every_case
def test_sign_of_zero_is_kept(act, given, kind, dtype):
    if act(0.0, **given) != 0:
        return
    y = read(act(made([-0.0, 0.0] * 20, kind, dtype), **given))
    assert np.array_equal(y, np.zeros(40))
    falls = bool(act.derivative(0.0, **given) < 0)  # a falling line turns the sign around
    assert np.array_equal(np.signbit(y), [not falls, falls] * 20)


@every_kind
@every_case
def test_finite_at_the_extremes(act, given, kind, dtype):
    largest = float(ml_dtypes.finfo(dtype).max)
    x = made([-largest, -1e4, 1e4, largest], kind, dtype)
    y, slope = read(act(x, **given)), read(act.derivative(x, **given))
    assert not np.isnan(y).any()
    assert np.isfinite(y).all() or act.lipschitz(**given) > 1  # there the true value overflows
    bound = act.lipschitz(**given) * (1 + precision(dtype))
    assert np.all(abs(slope) <= bound)


@every_kind
@every_case
def test_every_element_stands_alone(act, given, kind, dtype):
    x = made([-7.5, -1.3, -0.2, 0.4, 2.5, 6.5, 31.0], kind, dtype)
    together = read(act(x, **given))
    alone = [float(read(act(x[i], **given))) for i in (0, 3, 6)]
    square = read(act(x[:6].reshape(2, 3), **given)).ravel()
    assert_close(np.array(alone), together[[0, 3, 6]], dtype, 4)
    assert_close(square, together[:6], dtype, 4)


@every_kind
@every_case
def test_the_input_is_not_touched(act, given, kind, dtype):
    x = made(points(act, given), kind, dtype)
    before = read(x).copy()
    if kind == "numpy":
        x.flags.writeable = False
    y = act(x, **given)
    act.derivative(x, **given)
    np.testing.assert_array_equal(read(x), before)
    if kind == "numpy":
        assert not np.shares_memory(x, y)
    elif kind == "torch":
        assert y.data_ptr() != x.data_ptr()


@every_case
def test_autograd_of_torch_gives_the_derivative(act, given):
    for dtype in ("float32", "float64"):
        x = made([*points(act, given), *breaks(act, given)], "torch", dtype).requires_grad_()
        act(x, **given).sum().backward()
        expected = read(act.derivative(x, **given))
        # torch finds the slope of sigmoid and tanh from the output, which costs their tails
        np.testing.assert_allclose(read(x.grad), expected, rtol=1e-6, atol=2e-7)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
@every_case
def test_torch_differentiates_twice_forward_and_in_batches(act, given):
    x = torch.tensor([-3.1, -0.7, 0.4, 1.9, 7.2], dtype=torch.float64, requires_grad=True)
    function = functools.partial(act, **given)
    assert torch.autograd.gradcheck(function, x, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function, x)
    np.testing.assert_allclose(read(torch.func.vmap(function)(x)), read(function(x)))


@every_case
def test_grad_of_jax_gives_the_derivative(act, given):
    x = jnp.asarray([*grid(act, given, count=61), *breaks(act, given)], dtype=jnp.float32)
    slopes = jax.jit(jax.vmap(jax.grad(functools.partial(act, **given))))(x)
    np.testing.assert_allclose(slopes, act.derivative(x, **given), rtol=1e-6, atol=1e-7)


@every_case
def test_values_are_those_of_torch(act, given):
    wide = {name: np.array(value) for name, value in given.items()}  # float64 stays float64
    module = act.torch_module(**wide).double()
    assert isinstance(module, torch.nn.Module)
    x = torch.linspace(-30, 30, 1201, dtype=torch.float64)
    with torch.no_grad():
        y = read(module(x))
    # relative to |x|: torch's GELU cancels on the left
    np.testing.assert_array_less(abs(read(act(x, **given)) - y), 1e-15 * (1 + abs(read(x))))


@every_case
def test_values_are_those_of_jax(act, given):
    if not act.names.jax:
        return
    twin = getattr(importlib.import_module("jax.nn"), act.names.jax.removeprefix("jax.nn."))
    exact = {"approximate": False} if act.name == "gelu" else {}  # JAX's default is tanh
    x = jnp.linspace(-5, 30, 701)
    np.testing.assert_allclose(act(x, **given), twin(x, **given, **exact), rtol=4e-6, atol=2e-7)


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
    with Calls() as calls, torch.no_grad():
        act.torch_module(**given)(torch.randn(2, 3))
    op, arguments = calls.seen[-1]
    found, parameters = from_aten(op, arguments)
    assert found is act
    for parameter in act.parameters:
        wanted = given.get(parameter.name, parameter.default)
        found = parameters[parameter.name]
        found = found.item() if isinstance(found, torch.Tensor) else found
        assert found == pytest.approx(wanted)


def node_of(act, given):
    """The ONNX node that the record names first, as a model of one node; its constants."""
    spelling = act.names.onnx[0]
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
    assert found is act
    x = np.linspace(-5, 30, 701, dtype=np.float32)
    truth = ReferenceEvaluator(model).run(None, {"x": x})[0]
    np.testing.assert_allclose(act(x, **parameters), truth, rtol=4e-6, atol=2e-7)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString())
    except (onnxruntime_errors.InvalidGraph, onnxruntime_errors.NotImplemented):
        pytest.skip(f"this onnxruntime has no {node.op_type}")
    np.testing.assert_allclose(
        act(x, **parameters), session.run(None, {"x": x})[0], rtol=4e-6, atol=2e-7
    )
