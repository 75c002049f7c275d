"""A glance agrees with its definition, with the tally, and with itself wherever it runs."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hinge.errors import OptionError
from hinge.kernels import tally
from hinge.kernels.glancing import EXTREMES, GLANCED, glance, glance_by_torch, nothing_glanced
from hinge.kernels.native import native

INF, NAN = math.inf, math.nan
ODD = [NAN, INF, -INF, -0.0, 0.0, 1e-40, -1e-40, 0.5, -0.5, 6.0, 3e38, -3e38]
"""Values that comparisons go wrong on; 1e-40 is subnormal in float32."""
EDGES = [-INF, -3.0, -0.5, -0.0, 0.0, 0.5, 6.0, INF]
SHAPES = st.tuples(
    st.integers(0, 20),
    st.sampled_from([1, 2, 7, 15, 16, 17, 31, 64, 70, 150]),
    st.sampled_from([1, 1, 2, 5, 8, 17, 31, 70, 150]),
)
RELU = {"kink": 0.0, "low": 0.0, "high": INF}


@st.composite
def batches(draw):
    """A few batches of one site with the steps they belong to, and the options of `glance`."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    units_last = draw(st.booleans())
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    rate = draw(st.sampled_from([0.0, 0.0, 0.002, 0.3]))
    odd = draw(st.sampled_from([ODD, ODD[3:]]))
    _, units, _ = first = draw(SHAPES)
    found = []
    for examples, _, positions in [first, draw(SHAPES)]:
        shape = (examples, positions, units) if units_last else (examples, units, positions)
        z = random.normal(draw(st.sampled_from([0.0, 3.0, -9.0])), 2.0, shape)
        chosen = random.random(shape) < rate
        z[chosen] = random.choice(odd, shape)[chosen]
        found.append((torch.from_numpy(z).to(dtype), draw(st.sampled_from([0, 3, 4]))))
    low, high = sorted([draw(st.sampled_from(EDGES)), draw(st.sampled_from(EDGES))])
    kink = draw(st.sampled_from([*EDGES, NAN, low]))
    limits = draw(st.sampled_from([(kink, low, high), (kink, -INF, INF), (0.0, 0.0, INF)]))
    names = ("kink", "low", "high")
    return found, {"units_last": units_last, **dict(zip(names, limits, strict=True))}


def started(n_units):
    """A state before the first batch."""
    return nothing_glanced(n_units, "cpu")


def units_of(z, units_last):
    """How many units a batch has."""
    return z.shape[2 if units_last else 1]


def glanced(found, options, look=glance):
    """The state after some batches."""
    state = started(units_of(found[0][0], options["units_last"]))
    for z, step in found:
        state[2][0] = step
        look(z, *state, **options)
    return state


def by_definition(found, *, units_last, kink, low, high):
    """The same, unit after unit, in numpy's words."""
    counts, reals, clock = (x.numpy() for x in started(units_of(found[0][0], units_last)))
    for z, step in found:
        values = z.numpy().swapaxes(1, 2) if units_last else z.numpy()
        kink, low, high = (values.dtype.type(limit) for limit in (kink, low, high))
        if step != clock[1]:
            reals[2], clock[1] = -INF, step
        clock[0] = step
        examples = values if values.shape[2] else values[:0]
        for unit in range(values.shape[1]):
            kept = [x for x in examples[:, unit] if np.isfinite(x).all()]
            fires = [bool((x > kink).any()) for x in kept]
            counts[:7, unit] += [
                len(kept),
                sum(fires),
                sum(bool((x > kink).all()) for x in kept),
                sum(bool(((x > low) & (x < high)).any()) for x in kept),
                sum(len(x) for x in kept),
                sum(int((x > kink).sum()) for x in kept),
                len(examples) - len(kept),
            ]
            if any(fires):
                counts[7, unit] = step
            for x in kept:
                reals[0, unit] = min(reals[0, unit], x.min())
                reals[1:, unit] = np.maximum(reals[1:, unit], x.max())
    return counts, reals, clock


def assert_same(found, expected):
    """Two states are equal."""
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@settings(max_examples=100, deadline=None)
@given(batches())
def test_the_definition_says_the_same(batch):
    found, options = batch
    assert_same(glanced(found, options), by_definition(found, **options))


@settings(max_examples=100, deadline=None)
@given(batches())
def test_the_tally_counts_the_same(batch):
    found, options = batch
    for z, _ in found:
        counts, reals, _ = glanced([(z, 1)], options)
        measured = tally(z, torch.zeros_like(z), **options).by_name()
        for name, row in zip(GLANCED, counts.numpy(), strict=True):
            if name in measured:
                np.testing.assert_array_equal(row, measured[name], name)
        for name, row in zip(EXTREMES[:2], reals.numpy(), strict=False):
            np.testing.assert_array_equal(row, measured[name], name)


@settings(max_examples=100, deadline=None)
@given(batches())
def test_torchs_functions_say_the_same(batch):
    found, options = batch
    one, other = glanced(found, options), glanced(found, options, glance_by_torch)
    assert_same(one, other)
    assert_same(one[1].view(torch.int64), other[1].view(torch.int64))


@settings(max_examples=100, deadline=None)
@given(batches())
def test_every_level_and_number_of_threads_gives_the_same_bits(batch):
    found, options = batch
    expected = glanced(found, options)
    for level in native.levels:
        state = glanced(found, options, partial(at, level, 3))
        assert_same(state[:1], expected[:1])
        assert_same(state[1].view(torch.int64), expected[1].view(torch.int64))


def at(level, threads, z, *state, units_last, **limits):
    """`glance` at a level, on a number of threads."""
    examples, units, positions = z.mT.shape if units_last else z.shape
    state = (x.data_ptr() for x in state)
    is_double = z.dtype == torch.float64
    sizes = examples, units, positions
    limits = limits.values()
    native.glance(z.data_ptr(), is_double, *sizes, units_last, *state, *limits, threads, level)


@pytest.mark.parametrize(
    ("shape", "units_last"),
    [((3, 70, 12_000), False), ((2500, 1100, 1), False), ((3, 12_000, 70), True)],
)
def test_threads_share_a_large_batch(shape, units_last):
    z = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    one, three = (started(units_of(z, units_last)) for _ in range(2))
    at("", 1, z, *one, units_last=units_last, **RELU)
    at("", 3, z, *three, units_last=units_last, **RELU)
    assert_same(one, three)
    assert one[0][0].tolist() == [shape[0]] * units_of(z, units_last)


@pytest.mark.parametrize("units_last", [False, True])
@pytest.mark.parametrize("positions", [1, 3, 16, 40, 200])
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_one_bad_value_leaves_out_one_example_of_one_unit(units_last, positions, bad):
    z = torch.ones(20, 33, positions)
    for position in {0, positions // 2, positions - 1}:
        broken = z.clone()
        broken[13, 30, position] = bad
        laid_out = broken.mT.contiguous() if units_last else broken
        counts, reals, _ = glanced([(laid_out, 2)], {"units_last": units_last, **RELU})
        left_out = np.arange(33) == 30
        by_name = dict(zip(GLANCED, counts.numpy(), strict=True))
        np.testing.assert_array_equal(by_name["nonfinite"], left_out)
        for name in ("seen", "fired", "always", "live"):
            np.testing.assert_array_equal(by_name[name], 20 - left_out, name)
        for name in ("values", "above"):
            np.testing.assert_array_equal(by_name[name], (20 - left_out) * positions, name)
        assert (reals == 1).all()


@pytest.mark.parametrize("positions", [1, 40])
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_value_at_the_kink_does_not_fire(positions, zero):
    z = torch.full((5, 3, positions), zero)
    counts, reals, _ = glanced([(z, 1)], {"units_last": False, **RELU})
    assert counts[:, 0].tolist() == [5, 0, 0, 0, 5 * positions, 0, 0, -1]
    assert not torch.signbit(reals).any()


def test_the_step_of_the_last_firing_and_the_top_of_the_present_step():
    def unit(value):
        return torch.full((2, 1, 3), value)

    state = glanced([(unit(1.0), 4), (unit(5.0), 7), (unit(2.0), 7)], {"units_last": False, **RELU})
    assert (state[0][7].item(), state[1][:, 0].tolist()) == (7, [1.0, 5.0, 5.0])
    state[2][0] = 8
    glance(unit(-3.0), *state, units_last=False, **RELU)
    assert (state[0][7].item(), state[1][:, 0].tolist()) == (7, [-3.0, 5.0, -3.0])
    assert state[2].tolist() == [8, 8]


@pytest.mark.parametrize("look", [glance, glance_by_torch])
@pytest.mark.parametrize("shape", [(0, 4, 3), (5, 4, 0), (0, 4, 1), (5, 0, 3)])
def test_an_empty_batch_only_begins_the_step(shape, look):
    state = glanced(
        [(torch.ones(2, shape[1], 1), 1), (torch.ones(shape), 2)],
        {"units_last": False, **RELU},
        look,
    )
    assert state[0][0].tolist() == [2] * shape[1]
    assert state[1].tolist() == [[1] * shape[1], [1] * shape[1], [-INF] * shape[1]]
    assert state[2].tolist() == [2, 2]


def test_limits_are_rounded_as_torch_rounds_them():
    z = torch.full((1, 1, 1), 0.1)
    assert float(z) > 0.1
    options = {"units_last": False, "kink": 0.1, "low": 0.1, "high": 1.0}
    for look in (glance, glance_by_torch):
        counts, *_ = glanced([(z, 0)], options, look)
        assert counts[:, 0].tolist() == [1, 0, 0, 0, 1, 0, 0, -1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_short_floats_and_strange_layouts_are_read_too(dtype):
    z = torch.randn(6, 5, 4, generator=torch.Generator().manual_seed(2)).to(dtype)
    expected = glanced([(z.float(), 1)], {"units_last": False, **RELU})
    assert_same(glanced([(z, 1)], {"units_last": False, **RELU}), expected)
    assert_same(glanced([(z.float().mT, 1)], {"units_last": True, **RELU}), expected)


@pytest.mark.parametrize("limits", [(0.0, 0.0, INF), (NAN, -3.0, INF), (0.0, 0.0, 6.0)])
def test_compiled_it_does_the_same(limits):
    options = {"units_last": False, **dict(zip(("kink", "low", "high"), limits, strict=True))}

    def work(x, counts, reals, clock):
        z = x * 2 - 1
        glance(z, counts, reals, clock, **options)
        return z.relu().sum()

    compiled = torch.compile(work, fullgraph=True, backend="aot_eager")
    x = torch.randn(6, 5, 4, generator=torch.Generator().manual_seed(3)).requires_grad_()
    one, other = started(5), started(5)
    for step in (1, 2):
        for state, function in ((one, work), (other, compiled)):
            state[2][0] = step
            x.grad = None
            function(x, *state).backward()
            assert (x.grad is not None) == (state is not None)
    assert_same(one, other)
    assert one[0][0].tolist() == [12] * 5
    assert_same([x.grad], [2.0 * (x * 2 - 1 > 0)])


def test_the_operator_says_truly_what_it_changes():
    z = torch.randn(3, 4, 5)
    torch.library.opcheck(
        torch.ops.hinge.glance.default,
        (z, *started(4), False, 0.0, 0.0, INF),
        test_utils=("test_schema", "test_faketensor", "test_aot_dispatch_static"),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        (torch.zeros(2, 3), *started(3)),
        (torch.zeros(2, 3, 4, dtype=torch.int32), *started(3)),
        (torch.zeros(2, 3, 4), *started(4)),
        (torch.zeros(2, 3, 4), started(3)[0].int(), *started(3)[1:]),
        (torch.zeros(2, 3, 4), started(3)[0], started(3)[1].float(), started(3)[2]),
        (torch.zeros(2, 3, 4), *started(3)[:2], torch.zeros(3, dtype=torch.int64)),
        (torch.zeros(2, 3, 4, device="meta"), *started(3)),
        (torch.zeros(2, 3, 4), torch.zeros(3, 8, dtype=torch.int64).mT, *started(3)[1:]),
    ],
)
def test_other_kinds_are_refused(wrong):
    before = [x.clone() for x in wrong[1:]]
    with pytest.raises(OptionError):
        glance(*wrong, units_last=False, **RELU)
    assert_same(wrong[1:], before)


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="no such instruction-set level here: mmx"):
        at("mmx", 1, torch.zeros(1, 1, 1), *started(1), units_last=False, **RELU)


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 1), (0, 4, 5)])
@pytest.mark.parametrize("limits", [(0.0, 0.0, INF), (0.0, 0.0, 6.0)])
def test_nothing_waits_for_the_device(shape, limits):
    """A meta tensor has no values: whoever asks for one, or for a shape that it decides, fails."""
    kink, low, high = limits
    state = nothing_glanced(4, "meta")
    z = torch.empty(shape, device="meta", dtype=torch.bfloat16)
    glance(z, *state, units_last=False, kink=kink, low=low, high=high)
