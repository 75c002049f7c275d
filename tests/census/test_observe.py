"""`observe` leaves the model as it was, survives bad data, and stays bounded."""

import copy
import random
import tracemalloc

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hinge
from hinge.errors import DataError, ModelError

INPUTS, WIDTH = 4, 6
assert callable(hinge.observe)  # loaded here: what torch imports may draw random numbers


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(INPUTS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2))


def data(n=20):
    return torch.randn(n, INPUTS)


def truth(model, x):
    with torch.no_grad():
        return (model[0](x) > 0).sum(0).numpy()


class Restless(nn.Module):
    """A model that changes everything about itself and around it when it runs."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(INPUTS, WIDTH)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("last", torch.zeros(1))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        self.calls += 1
        self.last = x.detach().mean(0)
        noise = torch.rand(1) + random.random() + np.random.random()  # noqa: NPY002, S311
        return F.relu(self.dropout(self.norm(self.layer(x)))) + noise


def state(model):
    return {
        "weights": copy.deepcopy(model.state_dict()),
        "modes": [module.training for module in model.modules()],
        "hooks": [(dict(m._forward_hooks), dict(m._forward_pre_hooks)) for m in model.modules()],
        "gradients": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "random": (
            torch.get_rng_state(),
            random.getstate(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
        ),
    }


def equal(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


@pytest.mark.parametrize("gradients", [0, 100])
def test_the_model_is_left_as_it_was(gradients):
    model, x = Restless().train(), data()
    model.dropout.eval()
    model(x).sum().backward()
    before, buffer = state(model), model.last
    assert hinge.observe(model, x, gradients=gradients).seen == 20
    assert equal(before, state(model))
    assert model.last is buffer
    model(x)
    assert not equal(before, state(model))  # the comparison can fail


def test_the_model_is_left_as_it_was_when_it_fails(model):
    model.train()
    before, bad = state(model), torch.zeros(3, INPUTS + 1)
    with pytest.raises(DataError):
        hinge.observe(model, bad)
    assert equal(before, state(model))
    assert not nn.modules.module._global_forward_hooks


def test_counts_are_those_of_eval_mode():
    model = nn.Sequential(nn.Linear(INPUTS, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU()).train()
    x = data(50) + 3
    census = hinge.observe(model, x)
    with torch.no_grad():
        z = model[:2].eval()(x)
    assert np.array_equal(census["2"].fired, (z > 0).sum(0).numpy())


def test_blocked_is_not_dead():
    """Units 0 to 2 cannot fire; units 3 and 4 fire, and nothing reads them."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(INPUTS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 3))
    with torch.no_grad():
        model[0].bias[:3] = -1000
        model[2].weight[:, 3:5] = 0
    x = torch.randn(200, INPUTS)
    watched = hinge.observe(model, x, gradients=200)["1"]
    assert watched.verdicts().tolist()[:5] == ["dead"] * 3 + ["blocked"] * 2
    assert np.array_equal(watched.reached[5:], watched.fired[5:])
    unwatched = hinge.observe(model, x)["1"]
    assert "blocked" not in unwatched.verdicts()
    assert unwatched.reached is None


def test_a_unit_that_fires_only_outside_the_window_is_not_blocked():
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    with torch.no_grad():
        model[0].weight[:], model[0].bias[:] = 1.0, -5.0
    x = torch.zeros(64, 1)
    x[60] = 9.0
    observed = hinge.observe(model, x, batch_size=8, gradients=16)["1"]
    assert observed.fired.tolist() == [1]
    assert observed.reachable.tolist() == [0]
    assert observed.verdicts(rare=0).tolist() == ["alive"]


def test_gradients_of_frozen_and_in_place_models():
    model = nn.Sequential(nn.Linear(INPUTS, WIDTH), nn.ReLU(inplace=True), nn.Linear(WIDTH, 2))
    model.requires_grad_(requires_grad=False)
    model[2].weight[:, 2] = 0
    observed = hinge.observe(model, data(100), gradients=100)["1"]
    assert observed.verdicts()[2] == "blocked"
    assert np.array_equal(np.delete(observed.reached, 2), np.delete(observed.fired, 2))


def test_nan_and_infinity_are_left_out_counted_and_named(model):
    x = data(30)
    bad = [3, 17, 29]
    x[3, 0], x[17, 2], x[29] = float("nan"), float("inf"), float("-inf")
    census = hinge.observe(model, x, batch_size=8)
    good = torch.tensor([i for i in range(30) if i not in bad])
    assert (census.seen, census.skipped, census.skipped_at) == (27, 3, tuple(bad))
    assert np.array_equal(census["1"].fired, truth(model, x[good]))


def test_nan_that_arises_inside_is_counted_by_unit(model):
    with torch.no_grad():
        model[0].weight[2] = float("nan")
    observed = hinge.observe(model, data())["1"]
    assert observed.nonfinite.tolist() == [0, 0, 20, 0, 0, 0]
    assert observed.verdicts()[2] == "unseen"
    assert np.isfinite(np.delete(observed.mean, 2)).all()


def test_some_examples_overflow_inside():
    """An example counts for a unit when its pre-activation is finite there."""
    model = nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU())
    with torch.no_grad():
        model[0].weight[:] = torch.tensor([[1.0], [1e30]])
    observed = hinge.observe(model, torch.tensor([[1.0], [-1.0], [1e20]]))["1"]
    assert observed.seen.tolist() == [3, 2]
    assert observed.nonfinite.tolist() == [0, 1]
    assert observed.fired.tolist() == [2, 1]
    assert observed.max.tolist() == [pytest.approx(1e20), pytest.approx(1e30)]


def four_parts(error) -> bool:
    return all((error.what, error.where, error.found, error.do))


@pytest.mark.parametrize(
    "bad",
    [
        torch.empty(0, INPUTS),
        [],
        [torch.empty(0, INPUTS)],
        torch.full((3, INPUTS), float("nan")),
        np.array([["a", "b"]]),
        np.array([None, {}], dtype=object),
        [["no", "tensors"]],
        7,
        "digits.npz",
        torch.tensor(1.0),
        {"a": torch.zeros(3, 2), "b": torch.zeros(4, 2)},
        torch.randn(3, INPUTS + 1),
    ],
    ids=str,
)
def test_bad_data(model, bad):
    with pytest.raises(DataError) as caught:
        hinge.observe(model, bad)
    assert four_parts(caught.value)


def test_empty_batches_are_passed_over(model):
    x = data()
    census = hinge.observe(model, [x[:7], x[:0], x[7:]])
    assert census.seen == 20
    assert np.array_equal(census["1"].fired, truth(model, x))


def test_a_failing_batch_loses_nothing(model):
    x = data()
    with pytest.raises(DataError, match="example 20") as caught:
        hinge.observe(model, [x[:10], x[10:], torch.randn(3, INPUTS + 1)])
    assert four_parts(caught.value)
    assert np.array_equal(caught.value.partial["1"].fired, truth(model, x))


def test_a_loader_that_fails_loses_nothing(model):
    x = data()

    def failing():
        yield x
        raise OSError("the disk is gone")

    with pytest.raises(DataError, match="the disk is gone") as caught:
        hinge.observe(model, failing())
    assert four_parts(caught.value)
    assert np.array_equal(caught.value.partial["1"].fired, truth(model, x))


def test_ctrl_c_reports_what_was_counted(model):
    x = data()

    def interrupted():
        yield x[:10]
        yield x[10:]
        raise KeyboardInterrupt

    census = hinge.observe(model, interrupted())
    assert not census.complete
    assert "interrupted" in str(census)
    assert np.array_equal(census["1"].fired, truth(model, x))


def test_ctrl_c_within_a_batch_counts_none_of_it():
    class Slow(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(INPUTS, WIDTH), nn.Linear(WIDTH, WIDTH)

        def forward(self, x):
            h = F.relu(self.first(x))
            if x.shape[0] == 3:
                raise KeyboardInterrupt
            return F.relu(self.second(h))

    x = data()
    census = hinge.observe(Slow(), [x, x[:3], x])
    assert (census.seen, census.complete) == (20, False)
    assert all((observed.seen == 20).all() for observed in census.values())


def test_a_model_without_activations():
    with pytest.raises(ModelError) as caught:
        hinge.observe(nn.Linear(INPUTS, 2), data())
    assert four_parts(caught.value)


def test_a_lazy_model():
    with pytest.raises(ModelError, match="not initialised"):
        hinge.observe(nn.Sequential(nn.LazyLinear(3), nn.ReLU()), data())


def test_an_expert_that_is_never_used_is_unseen():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Linear(INPUTS, WIDTH), nn.Linear(INPUTS, WIDTH)

        def forward(self, x):
            return F.relu(self.used(x)).sum() + F.relu(self.idle(x[:0])).sum()

    census = hinge.observe(Experts(), data(), gradients=5)
    assert (census["relu()"].seen == 20).all()
    assert census["relu()#2"].verdicts().tolist() == ["unseen"] * WIDTH


def test_units_that_change_in_number_are_noted():
    census = hinge.observe(torch.relu, [torch.randn(3, 4), torch.randn(3, 5)])
    assert census["relu()"].seen.tolist() == [3] * 4
    assert "4, then 5" in census.notes[0]


def test_numpy_data_and_datasets(model):
    x = data()
    expected = truth(model, x)
    dataset = torch.utils.data.TensorDataset(x, torch.zeros(20))
    loader = torch.utils.data.DataLoader(dataset, batch_size=7)
    frozen = x.numpy().copy()
    frozen.flags.writeable = False
    for form in (x.double().numpy(), [x.numpy()], [frozen], frozen, dataset, loader):
        assert np.array_equal(hinge.observe(model, form)["1"].fired, expected)


def test_progress_is_told_after_each_batch(model):
    told = []
    hinge.observe(model, data(), batch_size=8, progress=lambda *done: told.append(done))
    assert told == [(8, 20), (16, 20), (20, 20)]


def test_memory_does_not_grow_with_the_examples():
    model = nn.Sequential(nn.Linear(INPUTS, 500), nn.ReLU())

    def peak(batches):
        tracemalloc.start()
        hinge.observe(model, (torch.randn(16, INPUTS) for _ in range(batches)))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(5)
    assert peak(400) < 1.2 * peak(100)


def test_statistics_against_numpy():
    model = nn.Sequential(nn.Linear(INPUTS, WIDTH), nn.LeakyReLU(0.2)).double()
    x = torch.randn(1000, INPUTS, dtype=torch.float64) * 3 + 1
    observed = hinge.observe(model, x, batch_size=64)["1"]
    with torch.no_grad():
        z, h = model[0](x).numpy(), model(x).numpy()
    np.testing.assert_allclose(observed.mean, z.mean(0), rtol=1e-12)
    np.testing.assert_allclose(observed.var, z.var(0), rtol=1e-12)
    np.testing.assert_allclose(observed.strength, np.abs(h).mean(0), rtol=1e-12)
    assert observed.dormancy.sum() == pytest.approx(WIDTH)
    shift = np.sqrt((z.mean(0) ** 2).sum() / z.var(0).sum())
    assert observed.mean_shift == pytest.approx(shift)


def test_variance_far_from_zero():
    """The spread of values around 10 000 is not lost in the float32 arithmetic."""
    model = nn.Sequential(nn.Identity(), nn.ReLU())
    x = torch.randn(4000, 3) + 1e4
    observed = hinge.observe(model, x)["1"]
    np.testing.assert_allclose(observed.var, x.double().var(0, correction=0).numpy(), rtol=1e-3)
