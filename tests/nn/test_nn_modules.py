"""hinge.nn's modules are torch's: same names, signatures, states, numbers and gradients."""

import copy
import inspect
import pickle

import pytest
import torch
from nn_cases import every_module, every_pair, every_torch_name, image, large
from torch import nn

import hinge.nn as hnn
from hinge.errors import DataError, OptionError
from hinge.measuring import kept_bytes

TOLERANCE = {torch.float32: 1e-6, torch.bfloat16: 1.6e-2, torch.float16: 2e-3, torch.float64: 1e-12}


def run(module, x):
    """The values, the gradient of the input and those of the parameters."""
    x = x.clone().requires_grad_()
    weights = list(module.parameters()) if isinstance(module, nn.Module) else []
    y = module(x)
    torch.manual_seed(5)
    gradients = torch.autograd.grad(y, [x, *weights], torch.randn(y.shape).to(y.dtype))
    return [y.detach(), *gradients]


@pytest.mark.parametrize("data", [image, large])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@every_pair
def test_values_and_gradients_are_those_of_torch(ours, theirs, dtype, data):
    """In float64 torch rounds a constant of two functions to float32, and so are they right."""
    x = data(dtype)
    ours, theirs = copy.deepcopy(ours), copy.deepcopy(theirs)
    for module in (ours, theirs):
        if isinstance(module, nn.Module):
            module.to(dtype).eval()
    for found, wanted in zip(run(ours, x), run(theirs, x), strict=True):
        assert found.dtype == dtype
        scale = wanted.double().abs().max().clamp(min=1)
        worst = (found.double() - wanted.double()).abs().max()
        single = dtype is torch.float64 and isinstance(theirs, nn.CELU | nn.Hardsigmoid)
        assert worst <= 4 * TOLERANCE[torch.float32 if single else dtype] * scale


@every_torch_name
def test_signature_state_and_repr_are_those_of_torch(name, options):
    ours, theirs = getattr(hnn, name), getattr(nn, name)
    assert inspect.signature(ours) == inspect.signature(theirs)
    made, model = ours(**options), theirs(**options)
    assert isinstance(made, theirs)
    assert repr(made) == repr(model)
    made.load_state_dict(model.state_dict())
    model.load_state_dict(made.state_dict())


@every_module
def test_modules_can_be_copied_and_pickled(module):
    x = image()
    module = copy.deepcopy(module).eval()
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):  # noqa: S301  our own
        assert torch.equal(twin(x), module(x))
        assert repr(twin) == repr(module)


@every_module
@pytest.mark.parametrize(
    "layout",
    [
        lambda x: x.to(memory_format=torch.channels_last),
        lambda x: torch.stack([x, x], -1)[..., 0],
        lambda x: x[:, :, ::2],
        lambda x: x[:1].expand(3, -1, -1, -1),
        lambda x: x.transpose(2, 3),
        lambda x: x[:0],
    ],
    ids=["channels_last", "strided", "sliced", "expanded", "transposed", "empty"],
)
def test_layout_changes_no_number(module, layout):
    module = copy.deepcopy(module).eval()
    for x in map(layout, (image(), large())):
        plain = x.contiguous(memory_format=torch.contiguous_format)
        wanted, found = run(module, plain), run(module, x)
        for one, other in zip(found[:2], wanted[:2], strict=True):  # torch's own functions differ
            torch.testing.assert_close(one, other, rtol=5e-6, atol=5e-7)
        for one, other in zip(found[2:], wanted[2:], strict=True):  # sums, in another order
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)


@every_module
def test_integers_and_complex_numbers_are_refused(module):
    for dtype in (torch.int64, torch.complex64, torch.bool):
        with pytest.raises(DataError, match=str(dtype).removeprefix("torch.")):
            module(torch.ones(3, 6, 4, 5, dtype=dtype))


@every_module
def test_other_things_than_tensors_are_refused(module):
    with pytest.raises(DataError):
        module([1.0, 2.0])


@every_module
def test_numbers_without_axes(module):
    one_value = {"num_parameters": 1}
    if isinstance(module, hnn.FReLU):
        return
    if getattr(module, "num_parameters", 1) > 1:
        module = type(module)(**one_value)
    if hasattr(module, "dim"):
        with pytest.raises(DataError):
            module(torch.tensor(0.5))
        return
    assert module(torch.tensor(0.5)).shape == ()


def test_channels_must_match():
    with pytest.raises(DataError, match="6 values"):
        hnn.PReLU(6)(torch.randn(3, 5))
    with pytest.raises(DataError, match="6 values"):
        hnn.PReLU(6)(torch.randn(6))


def test_odd_axes_do_not_divide():
    for module in (hnn.GLU(1), hnn.ReGLU(1), hnn.SwiGLU(1), hnn.GEGLU(1), hnn.Maxout(2, 1)):
        with pytest.raises(DataError):
            module(torch.randn(3, 5))


@pytest.mark.parametrize(
    "make",
    [
        lambda: hnn.LeakyReLU(float("nan"))(image()),
        lambda: hnn.ELU(-1.0)(image()),
        lambda: hnn.CELU(0.0)(image()),
        lambda: hnn.Softplus(-2.0)(image()),
        lambda: hnn.Hardshrink(-0.5)(image()),
        lambda: hnn.GELU("erf")(image()),
        lambda: hnn.TopK(7, 1)(image()),
        lambda: hnn.TopK(0, 1)(image()),
        lambda: hnn.Maxout(0)(image()),
        lambda: hnn.JumpReLU(bandwidth=0.0),
        lambda: hnn.PReLU(0)(image()),
        lambda: hnn.Swish(0),
    ],
)
def test_parameters_outside_their_range_are_refused(make):
    with pytest.raises((OptionError, DataError)) as caught:
        make()
    assert caught.value.where
    assert caught.value.found
    assert caught.value.do


@pytest.mark.parametrize(
    "module", [hnn.SwiGLU(1), hnn.GLU(1), hnn.CReLU(), hnn.RReLU(), hnn.Mish()]
)
def test_channels_that_lie_last_stay_last_and_are_not_copied(module):
    x = torch.randn(8, 64, 40, 17).to(memory_format=torch.channels_last).requires_grad_()
    y = module(x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    kept = kept_bytes(module, x)
    assert kept.extra <= x.numel()  # bits, but no copy
