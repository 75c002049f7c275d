"""Known truths of the gated, concatenated and selecting functions, and what they refuse."""

import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from onnx.reference import ReferenceEvaluator

import hinge.activations as face
from hinge.activations import (
    all_activations,
    all_kin,
    crelu,
    find,
    frelu,
    geglu,
    gelu,
    glu,
    maxout,
    reglu,
    relu,
    silu,
    swiglu,
    topk,
)
from hinge.errors import DataError, HingeError, OptionError

INF = math.inf
GATED = (glu, reglu, geglu, swiglu)


def noise(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def halves(x, dim=-1):
    return x.chunk(2, dim)


def kept(x, k):
    values, places = x.topk(k, dim=-1)
    return torch.zeros_like(x).scatter(-1, places, values)


COMPOSED = [
    (crelu, {"dim": 1}, lambda x: torch.cat([F.relu(x), F.relu(-x)], dim=1)),
    (crelu, {"dim": -1}, lambda x: torch.cat([F.relu(x), F.relu(-x)], dim=-1)),
    (maxout, {"pieces": 3}, lambda x: x.unflatten(1, (-1, 3)).amax(2)),
    (maxout, {"pieces": 2, "dim": -1}, lambda x: x.unflatten(-1, (-1, 2)).amax(-1)),
    (glu, {}, F.glu),
    (glu, {"dim": 1}, lambda x: F.glu(x, 1)),
    (reglu, {}, lambda x: F.relu(halves(x)[0]) * halves(x)[1]),
    (geglu, {}, lambda x: F.gelu(halves(x)[0]) * halves(x)[1]),
    (swiglu, {}, lambda x: F.silu(halves(x)[0]) * halves(x)[1]),
    (swiglu, {"dim": 0}, lambda x: F.silu(halves(x, 0)[0]) * halves(x, 0)[1]),
    (topk, {"k": 3}, lambda x: kept(x, 3)),
    (topk, {"k": 12}, lambda x: x),
]


@pytest.mark.parametrize(("kin", "given", "composed"), COMPOSED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_those_of_composed_torch(kin, given, composed, dtype):
    x, twin = (noise(6, 6, 12, dtype=dtype).requires_grad_() for _ in range(2))
    ours, theirs = kin(x, **given), composed(twin)
    tolerance = 16 * torch.finfo(dtype).eps
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
    gradient = noise(*ours.shape, dtype=dtype, seed=1)
    ours.backward(gradient)
    theirs.backward(gradient)
    torch.testing.assert_close(x.grad, twin.grad, rtol=tolerance, atol=tolerance)


def test_glu_is_that_of_jax():
    x = jnp.asarray(noise(4, 6).numpy(), dtype=jnp.float32)
    for dim in (0, 1, -1):
        np.testing.assert_allclose(glu(x, dim=dim), jax.nn.glu(x, axis=dim), rtol=1e-6)


def test_swiglu_is_that_of_onnx():
    """Its first input is the gate: our first half."""
    spelling = swiglu.names.onnx[0]
    node = onnx.helper.make_node(spelling.operator, ["gate", *spelling.inputs], ["y"])
    tensors = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n"])
        for name in ("gate", *spelling.inputs, "y")
    ]
    graph = onnx.helper.make_graph([node], "one", tensors[:2], tensors[2:])
    opset = [onnx.helper.make_opsetid("", 28)]
    model = onnx.helper.make_model(graph, opset_imports=opset)
    a, b = noise(2, 8, dtype=torch.float32).numpy()
    (theirs,) = ReferenceEvaluator(model).run(None, {"gate": a, spelling.inputs[0]: b})
    np.testing.assert_allclose(swiglu(np.concatenate([a, b])), theirs, rtol=2e-6)


def test_the_gate_is_the_second_half_of_glu_and_the_first_of_the_others():
    """By sign: a shut gate gives 0, whatever the other half."""
    first_shut, second_shut = np.array([-800.0, 3.0]), np.array([3.0, -800.0])
    assert glu(second_shut) == pytest.approx(0, abs=1e-300)
    assert glu(first_shut) == pytest.approx(-800 / (1 + math.exp(-3)))
    for kin in (reglu, geglu, swiglu):
        assert kin(first_shut) == pytest.approx(0, abs=1e-300)
        assert abs(kin(second_shut)) > 1000


def test_maxout_takes_neighbours():
    x = np.array([[1.0, 5.0, 2.0, 4.0, 9.0, 0.0]])
    assert maxout(x).tolist() == [[5, 4, 9]]
    assert maxout(x, pieces=3).tolist() == [[5, 9]]
    assert maxout(x, pieces=6).tolist() == [[9]]


def torch_gradient(function, *arrays):
    arrays = [torch.tensor(one, dtype=torch.float64, requires_grad=True) for one in arrays]
    function(*arrays).sum().backward()
    return [one.grad.tolist() for one in arrays]


def test_both_halves_of_crelu_stand_still_at_0():
    assert crelu.pullback(np.ones((1, 2)), np.array([[0.0]])).tolist() == [[0]]
    assert crelu.pullback(np.ones((1, 2)), np.array([[-0.0]])).tolist() == [[0]]
    assert torch_gradient(lambda x: crelu(x, dim=0), [0.0, -0.0]) == [[0, 0]]


def test_what_ties_in_maxout_shares_as_in_amax_of_torch_and_max_of_jax():
    x = [1.0, 1.0, 0.0, 2.0, 2.0, 2.0]
    ours = torch_gradient(lambda x: maxout(x, pieces=3, dim=0), x)
    theirs = torch_gradient(lambda x: x.unflatten(0, (2, 3)).amax(1), x)
    assert ours == theirs
    np.testing.assert_allclose(ours[0], [1 / 2, 1 / 2, 0, 1 / 3, 1 / 3, 1 / 3])
    slopes = jax.grad(lambda x: x.reshape(2, 3).max(1).sum())(jnp.asarray(x))
    np.testing.assert_allclose(ours[0], slopes, rtol=1e-6)


def test_what_ties_in_frelu_shares_as_in_maximum_of_torch():
    x, condition = [1.0, -2.0, 3.0], [1.0, 4.0, -1.0]
    assert torch_gradient(frelu, x, condition) == torch_gradient(torch.maximum, x, condition)
    np.testing.assert_array_equal(
        np.array(frelu.pullback(np.ones(3), np.array(x), np.array(condition))),
        [[0.5, 0, 1], [0.5, 1, 0]],
    )


@pytest.mark.parametrize("made", [np.asarray, torch.as_tensor, jnp.asarray])
def test_topk_keeps_the_first_of_equal_entries(made):
    x = made(np.array([[0.0, 3.0, 1.0, 3.0, 3.0, -0.0]], dtype=np.float32))
    assert topk(x, k=1).tolist() == [[0, 3, 0, 0, 0, 0]]
    assert topk(x, k=2).tolist() == [[0, 3, 0, 3, 0, 0]]
    assert topk.partials(x, k=2)[0][0].tolist() == [[0, 1, 0, 1, 0, 0]]
    assert topk.partials(x, k=5)[0][0].tolist() == [[1, 1, 1, 1, 1, 0]]
    flat = made(np.zeros((1, 100), dtype=np.float32))
    assert topk.partials(flat, k=7)[0][0].tolist() == [[1] * 7 + [0] * 93]


@pytest.mark.parametrize("made", [np.asarray, torch.as_tensor, jnp.asarray])
def test_topk_never_hides_a_nan(made):
    x = made(np.array([1.0, np.nan, 5.0, np.nan, np.inf, -np.inf], dtype=np.float32))
    for k, others in ((1, [0, 0, 0, 0]), (3, [0, 0, np.inf, 0]), (6, [1, 5, np.inf, -np.inf])):
        y = np.asarray(topk(x, k=k))
        assert np.isnan(y[[1, 3]]).all()
        np.testing.assert_array_equal(y[[0, 2, 4, 5]], others)


def pair(kin, gate, linear):
    """The value at one gate and one linear part."""
    x = np.array([linear, gate] if kin is glu else [gate, linear])
    return float(kin(x)[0])


@pytest.mark.parametrize("kin", GATED)
def test_a_finite_linear_part_meets_the_limit_of_the_gate(kin):
    for linear in (-2.0, 0.0, 3.0):
        assert pair(kin, -INF, linear) == 0
    assert pair(kin, INF, 3.0) == (3.0 if kin is glu else INF)
    assert pair(kin, INF, -2.0) == (-2.0 if kin is glu else -INF)


@pytest.mark.parametrize("linear", [INF, -INF])
def test_an_infinite_linear_part_passes_every_gate_that_is_open(linear):
    for gate in (-1e300, -800.0, -1.0, 0.0, 1.0, 1e300, INF):
        assert pair(glu, gate, linear) == linear
    for kin in (geglu, swiglu):  # negative for every negative input, also where it underflows
        for gate in (-1e300, -800.0, -1.0):
            assert pair(kin, gate, linear) == -linear
    for kin in (reglu, geglu, swiglu):
        for gate in (1e-300, 1.0, 1e300, INF):
            assert pair(kin, gate, linear) == linear
    for gate in (-INF, -800.0, -1e-300):
        assert pair(reglu, gate, linear) == 0


def test_where_there_is_no_limit_there_is_nan():
    for kin in (reglu, geglu, swiglu):
        assert math.isnan(pair(kin, 0.0, INF))
        assert math.isnan(pair(kin, INF, 0.0))
    for kin in (glu, geglu, swiglu):
        assert math.isnan(pair(kin, -INF, INF))


@pytest.mark.parametrize("made", [torch.as_tensor, jnp.asarray])
@pytest.mark.parametrize("kin", GATED)
def test_infinities_are_the_same_in_every_library(kin, made):
    ends = np.array([-INF, -800.0, -1.0, 0.0, 1.0, 800.0, INF], dtype=np.float32)
    x = np.stack(np.meshgrid(ends, ends), axis=-1)
    np.testing.assert_allclose(np.asarray(kin(made(x))), kin(x), rtol=1e-6, atol=1e-36)
    ones = np.ones_like(x[..., :1])
    found = np.asarray(kin.pullback(made(ones), made(x)))
    np.testing.assert_allclose(found, kin.pullback(ones, x), rtol=1e-5, atol=1e-36)


def test_gradients_are_finite_where_the_gate_is_at_its_end():
    x = torch.tensor([-INF, 2.0], requires_grad=True)
    for kin in (reglu, geglu, swiglu):
        (slopes,) = torch.autograd.grad(kin(x).sum(), x)
        assert slopes.tolist() == [0, 0]
    x = torch.tensor([2.0, -INF], requires_grad=True)
    (slopes,) = torch.autograd.grad(glu(x).sum(), x)
    assert slopes.tolist() == [0, 0]


def test_gains_in_closed_form():
    assert crelu.gain() == pytest.approx(math.sqrt(2))
    assert reglu.gain() == pytest.approx(relu.gain)
    assert geglu.gain() == pytest.approx(gelu.gain)
    assert swiglu.gain() == pytest.approx(silu.gain)
    assert frelu.gain() == pytest.approx(1)
    assert maxout.gain(pieces=1) == pytest.approx(1)
    assert maxout.gain() == pytest.approx(1)
    assert maxout.gain(pieces=3) == pytest.approx((1 + math.sqrt(3) / (2 * math.pi)) ** -0.5)
    assert topk.gain(k=9, size=9) == pytest.approx(1)
    assert topk.gain(k=1, size=2) == pytest.approx(math.sqrt(2))  # E max² = 1 of two entries


def test_gain_of_topk_in_the_limit_of_many_entries():
    """∫_t^∞ z² φ dz = t φ(t) + Φ(−t), for the t that one entry in ten exceeds."""
    t = float(mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * mpmath.mpf(1) / 10))
    moment = t * math.exp(-t * t / 2) / math.sqrt(2 * math.pi) + 0.1
    assert topk.gain(k=10_000, size=100_000) == pytest.approx(moment**-0.5, rel=1e-4)


def test_intervals_in_closed_form():
    dip = -0.2784645427610738
    low, high = swiglu.interval([-5.0, 2.0], [0.5, 3.0])
    assert low[0] == pytest.approx(3 * dip)
    assert high[0] == pytest.approx(3 * 0.5 / (1 + math.exp(-0.5)))
    low, high = reglu.interval([-1.0, -INF], [2.0, INF])
    assert (low[0], high[0]) == (-INF, INF)
    low, high = reglu.interval([-3.0, -INF], [-1.0, INF])
    assert (low[0], high[0]) == (0, 0)
    low, high = glu.interval([1.0, -800.0], [INF, -800.0])
    assert (low[0], high[0]) == (0, INF)
    low, high = swiglu.interval([1e200, 1.0], [1e200, 1e200])
    assert (low[0], high[0]) == (1e200, INF)
    low, high = topk.interval([1.0, 3.0, -2.0], [2.0, 5.0, 0.5], k=1)
    assert low.tolist() == [0, 3, 0]
    assert high.tolist() == [0, 5, 0]
    low, high = topk.interval([1.0, 0.0, -9.0], [4.0, 2.0, -8.0], k=2)
    assert low.tolist() == [1, 0, 0]
    assert high.tolist() == [4, 2, 0]


BAD_CALLS = [
    (glu, [np.zeros((2, 5))], {}, DataError, ("5", "(2, 5)", "dim=-1")),
    (swiglu, [torch.zeros(3, 4)], {"dim": 0}, DataError, ("3", "(3, 4)", "dim=0")),
    (maxout, [np.zeros((2, 5))], {"pieces": 3}, DataError, ("5", "(2, 5)", "dim=1")),
    (crelu, [np.zeros(3)], {}, OptionError, ("dim=1", "(3,)")),
    (glu, [np.zeros((2, 4))], {"dim": -3}, OptionError, ("dim=-3", "(2, 4)")),
    (glu, [torch.tensor(1.0)], {}, DataError, ("()",)),
    (crelu, [1.0], {}, DataError, ("()",)),
    (topk, [np.zeros((2, 4))], {"k": 5}, OptionError, ("k=5", "4", "(2, 4)", "dim=-1")),
    (topk, [np.zeros((2, 4))], {"k": 0}, OptionError, ("k=0",)),
    (topk, [np.zeros((2, 4))], {}, OptionError, ("nothing",)),
    (topk, [np.zeros((2, 4))], {"k": 2.0}, OptionError, ("k=2.0",)),
    (topk, [np.zeros((2, 4))], {"k": True}, OptionError, ("k=True",)),
    (glu, [np.zeros((2, 4))], {"dim": None}, OptionError, ("nothing",)),
    (glu, [np.zeros((2, 4))], {"axis": 0}, OptionError, ("axis",)),
    (maxout, [np.zeros((2, 4))], {"pieces": 0}, OptionError, ("pieces=0",)),
    (frelu, [np.zeros(4), np.zeros(4)], {"dim": 0}, OptionError, ("dim",)),
    (glu, [np.zeros((2, 4), dtype=int)], {}, DataError, ("int64",)),
    (crelu, [np.zeros((2, 4), dtype=complex)], {}, DataError, ("complex128",)),
    (reglu, [[1.0, 2.0]], {}, DataError, ("list",)),
    (glu, [np.zeros((2, 4)), -1], {}, DataError, ("2 arrays",)),
    (frelu, [np.zeros(4)], {}, DataError, ("1 arrays",)),
    (frelu, [np.zeros(4), np.zeros(3)], {}, DataError, ("(4,)", "(3,)")),
    (frelu, [np.zeros(4), torch.zeros(4)], {}, DataError, ("ndarray", "Tensor")),
    (frelu, [torch.zeros(4), torch.zeros(4).double()], {}, DataError, ("float32", "float64")),
]


@pytest.mark.parametrize(("kin", "arrays", "given", "error", "told"), BAD_CALLS)
def test_calls_that_mean_nothing_are_refused(kin, arrays, given, error, told):
    with pytest.raises(error) as caught:
        kin(*arrays, **given)
    assert kin.name in caught.value.where
    assert all((caught.value.what, caught.value.do))
    for part in told:
        assert part in caught.value.found


def test_gradients_and_bounds_that_do_not_fit_are_refused():
    x = np.zeros((2, 4))
    for gradient in (np.zeros((2, 4)), np.zeros(2), torch.zeros(2, 2)):
        with pytest.raises(DataError, match="does not match the result"):
            glu.pullback(gradient, x)
    with pytest.raises(DataError, match="lower ≤ upper"):
        glu.interval(x + 1, x)
    with pytest.raises(DataError, match="does not divide"):
        glu.interval(np.zeros(3), np.ones(3))
    with pytest.raises(DataError, match="x and condition"):
        frelu.interval(x, x + 1)
    with pytest.raises(DataError, match="does not divide"):
        glu.width(5)
    for call in (lambda: topk.gain(k=3), lambda: topk.gain(k=3, size=2)):
        with pytest.raises(OptionError, match="fewer than k"):
            call()


def test_frelu_takes_numbers_without_axes():
    assert frelu(-1.0, 2.0) == 2
    assert type(frelu(-1.0, 2.0)) is float
    assert frelu(torch.tensor(3.0), torch.tensor(2.0)).item() == 3
    assert frelu.pullback(1.0, 2.0, 2.0) == (0.5, 0.5)
    assert frelu.width(7) == 7


def test_frelu_of_the_paper_is_a_maximum_with_a_normalised_convolution():
    convolution = torch.nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=False)
    norm = torch.nn.BatchNorm2d(3)
    x = noise(2, 3, 5, 5, dtype=torch.float32).requires_grad_()
    y = frelu(x, norm(convolution(x)))
    assert y.shape == x.shape
    y.square().sum().backward()
    assert convolution.weight.grad.abs().sum() > 0
    assert torch.all(y >= x)


def test_kin_are_found_by_every_name_but_are_no_activations():
    assert find("SwiGLU") is find("swiglu") is find("Swi-GLU") is swiglu
    assert find("GLU") is glu
    assert find("C ReLU") is crelu
    assert find("relu") is relu
    assert not set(all_kin()) & set(all_activations())
    assert {record.name for record in all_kin()} == {
        *("crelu", "maxout", "topk", "glu", "reglu", "geglu", "swiglu", "frelu")
    }
    with pytest.raises(OptionError) as caught:
        find("swigluu")
    assert "swiglu" in caught.value.do
    names = {record.name for record in all_kin()}
    assert names < set(face.__all__)
    assert names < set(dir(face))
    assert all(getattr(face, name).name == name for name in names)


def test_no_name_stands_for_two_records():
    names = [record.name for record in (*all_activations(), *all_kin())]
    assert len(names) == len(set(names))


def test_numpy_users_do_not_pay_for_torch_or_jax():
    program = (
        "import sys, numpy, hinge.activations as a; a.swiglu(numpy.zeros(4)); "
        "a.topk(numpy.zeros(4), k=2); assert not {'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_errors_are_hinge_errors():
    for _, _, _, error, _ in BAD_CALLS:
        assert issubclass(error, HingeError)
