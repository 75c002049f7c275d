"""What every function of several numbers promises on arrays: kinds, dtypes, gradients, layouts."""

import functools

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import torch
from activation_cases import every_kind, made, read
from kin_cases import SHAPE, apart, drawn, every_case, tied


def as_tuple(found):
    return found if isinstance(found, tuple) else (found,)


def assert_rounded(found, exact, kind, dtype, ulps=10):
    """Within half a unit of the last place where the working precision is wider than the dtype.

    On torch the kernels compute in float32, and what selects computes in its own dtype.
    """
    wide = read(made(exact, kind, dtype))
    eps = float(ml_dtypes.finfo(dtype).eps)
    narrow = dtype in ("float16", "bfloat16") or (kind == "numpy" and dtype == "float32")
    half = 1.51 if kind == "torch" else 0.51
    least = max(5e-38, float(ml_dtypes.finfo(dtype).smallest_subnormal))
    np.testing.assert_allclose(found, wide, rtol=(half if narrow else ulps) * eps, atol=least)


@every_kind
@every_case
def test_same_kind_and_value_as_in_float64(kin, given, kind, dtype):
    for source in (drawn, tied):
        arrays = [made(one, kind, dtype) for one in source(kin)]
        exact = [read(one) for one in arrays]
        y = kin(*arrays, **given)
        assert type(y) is type(arrays[0])
        assert y.dtype == arrays[0].dtype
        assert_rounded(read(y), kin(*exact, **given), kind, dtype)


@every_kind
@every_case
def test_pullback_is_the_same_in_every_kind(kin, given, kind, dtype):
    arrays = [made(one, kind, dtype) for one in tied(kin)]
    exact = [read(one) for one in arrays]
    gradient = made(np.random.default_rng(1).normal(size=kin(*exact, **given).shape), kind, dtype)
    wide = as_tuple(kin.pullback(read(gradient), *exact, **given))
    for found, wanted, array in zip(
        as_tuple(kin.pullback(gradient, *arrays, **given)), wide, arrays, strict=True
    ):
        assert type(found) is type(array)
        assert found.dtype == array.dtype
        assert_rounded(read(found), wanted, kind, dtype, ulps=16)


@every_kind
@every_case
def test_the_input_is_not_touched(kin, given, kind, dtype):
    arrays = [made(one, kind, dtype) for one in drawn(kin)]
    before = [read(one).copy() for one in arrays]
    if kind == "numpy":
        for one in arrays:
            one.flags.writeable = False
    y = kin(*arrays, **given)
    kin.pullback(y, *arrays, **given)
    for one, was in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(read(one), was)
        if kind == "numpy":
            assert not np.shares_memory(one, y)
        elif kind == "torch":
            assert one.untyped_storage().data_ptr() != y.untyped_storage().data_ptr()


@every_case
def test_strided_inputs_give_what_dense_ones_give(kin, given):
    dense = drawn(kin)
    strided = [np.repeat(one, 2, axis=0)[::2].transpose(0, 2, 1)[:, ::-1] for one in dense]
    copies = [np.ascontiguousarray(one) for one in strided]
    np.testing.assert_allclose(kin(*strided, **given), kin(*copies, **given), rtol=1e-15)
    tensors = [torch.from_numpy(one).transpose(0, 2) for one in dense]
    found = kin(*tensors, **given)
    np.testing.assert_allclose(read(found), kin(*map(read, tensors), **given), rtol=1e-15)


@every_case
def test_every_axis_does_the_same(kin, given):
    if "dim" not in {option.name for option in kin.options}:
        return
    (x,) = drawn(kin)
    along_last = kin(x, **{**given, "dim": -1})
    for axis in (0, 1):
        y = kin(np.moveaxis(x, -1, axis), **{**given, "dim": axis})
        np.testing.assert_array_equal(np.moveaxis(y, axis, -1), along_last)


@every_case
def test_empty_arrays_stay_empty(kin, given):
    arrays = [np.zeros((0, 6, 6))] * len(kin.arguments)
    options = {**given, "dim": 1} if "dim" in given else given
    assert kin(*arrays, **options).size == 0
    assert kin(*map(torch.from_numpy, arrays), **options).numel() == 0
    assert kin(*map(jnp.asarray, arrays), **options).size == 0


@every_case
def test_autograd_of_torch_gives_the_pullback(kin, given):
    for dtype in ("float32", "float64"):
        for source in (tied, drawn):
            arrays = [made(one, "torch", dtype).requires_grad_() for one in source(kin)]
            y = kin(*arrays, **given)
            gradient = torch.randn(y.shape, dtype=y.dtype, generator=torch.manual_seed(0))
            found = torch.autograd.grad(y, arrays, gradient)
            detached = [one.detach() for one in arrays]
            wanted = as_tuple(kin.pullback(gradient, *detached, **given))
            for one, other in zip(found, wanted, strict=True):
                eps = torch.finfo(one.dtype).eps
                torch.testing.assert_close(one, other, rtol=16 * eps, atol=eps)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
@every_case
def test_torch_differentiates_twice_and_forward(kin, given):
    arrays = [torch.from_numpy(one).requires_grad_() for one in apart(kin, shape=(6, 1, 6))]
    if kin.options and given.get("dim", kin.options[-1].default) == 1:
        arrays = [one.detach().transpose(0, 1).contiguous().requires_grad_() for one in arrays]
    function = functools.partial(kin, **given)
    assert torch.autograd.gradcheck(function, arrays, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function, arrays)


@every_case
def test_torch_maps_and_transforms(kin, given):
    """A batch at once gives what its members give, also with gradients inside."""
    options = {**given, "dim": 0} if "dim" in given or kin.options else given
    function = functools.partial(kin, **options)
    arrays = [torch.from_numpy(one) for one in tied(kin)]
    batched = torch.func.vmap(function)(*arrays)
    singly = torch.stack([function(*members) for members in zip(*arrays, strict=True)])
    torch.testing.assert_close(batched, singly, rtol=0, atol=0)
    slope = torch.func.grad(lambda *x: function(*x).square().sum())
    singly = torch.stack([slope(*members) for members in zip(*arrays, strict=True)])
    torch.testing.assert_close(torch.func.vmap(slope)(*arrays), singly)
    tangent = torch.randn(SHAPE, dtype=torch.float64, generator=torch.manual_seed(0))
    _, forward = torch.func.jvp(lambda x: function(x, *arrays[1:]), (arrays[0],), (tangent,))
    _, pull = torch.func.vjp(lambda x: function(x, *arrays[1:]), arrays[0])
    ones = torch.randn(forward.shape, dtype=torch.float64, generator=torch.manual_seed(1))
    torch.testing.assert_close((forward * ones).sum(), (tangent * pull(ones)[0]).sum())


@every_case
def test_transformations_of_jax(kin, given):
    options = {**given, "dim": 0} if kin.options else given
    function = functools.partial(kin, **options)
    arrays = [jnp.asarray(one, dtype=jnp.float32) for one in tied(kin)]
    batched = jax.jit(jax.vmap(function))(*arrays)
    singly = jnp.stack([function(*members) for members in zip(*arrays, strict=True)])
    np.testing.assert_allclose(batched, singly, rtol=2e-6, atol=1e-7)
    y = function(*arrays)
    numbers = tuple(range(len(arrays)))
    slopes = jax.jit(jax.grad(lambda *x: (function(*x) * y).sum(), numbers))(*arrays)
    wanted = as_tuple(kin.pullback(y, *arrays, **options))
    for one, other in zip(slopes, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-6, atol=1e-6)
    _, forward = jax.jvp(function, arrays, arrays)
    both = jax.vjp(function, *arrays)[1](y)
    pairing = sum(float((one * x).sum()) for one, x in zip(both, arrays, strict=True))
    assert float((forward * y).sum()) == pytest.approx(pairing, rel=1e-5)
