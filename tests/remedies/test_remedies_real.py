"""Remedies on models as people write them: promises hold, or are taken back in words."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import hinge
from hinge.errors import HingeError, OptionError, UnsupportedError
from hinge.remedies import Lift, Redraw, Resample, Split


class Residual(nn.Module):
    """Its branch begins with a ReLU in place, so that the skip carries rectified values too."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.branch = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(8, 8))

    def forward(self, x):
        h = self.first(x)
        return h + self.branch(h)


def mlp(*, bias: bool = True) -> nn.Sequential:
    """Units 0 and 2 of site "1", and unit 1 of site "3", are dead."""
    torch.manual_seed(0)
    first, second = nn.Linear(6, 8, bias=bias), nn.Linear(8, 8)
    with torch.no_grad():
        if bias:
            first.bias[[0, 2]] = -50.0
        second.bias[1] = -50.0
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(8, 3))


def inputs(*shape: int) -> torch.Tensor:
    return torch.randn(shape or (40, 6), generator=torch.Generator().manual_seed(1))


def lbfgs(model: nn.Module, x: torch.Tensor) -> torch.optim.LBFGS:
    """One that has made a step."""
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = model(x).square().mean()
        value.backward()
        return value

    optimizer.step(loss)
    return optimizer


@pytest.mark.parametrize(
    "change",
    [
        lambda model, x: hinge.swap(model, "relu", "prelu", preserve=True, data=x),
        lambda model, x: hinge.insert_batchnorm(model, "branch.0", x),
    ],
)
def test_a_promise_is_taken_back_where_outputs_move(change):
    torch.manual_seed(0)
    model, x = Residual(), inputs()
    before = model.eval()(x)
    receipt = change(model, x)
    assert receipt.moved == pytest.approx((model(x) - before).abs().max().item(), rel=1e-5)
    assert receipt.moved > 0.1
    assert receipt.preserves == "no"
    assert any("in place" in note for note in receipt.notes)


def test_what_worked_in_place_is_named_without_data():
    receipt = hinge.swap(Residual(), "relu", "prelu", preserve=True)
    assert any("changed its input in place" in note for note in receipt.notes)


ADDING = {
    "swap": lambda model, x, by: hinge.swap(model, "relu", "prelu", data=x, optimizer=by),
    "insert_batchnorm": lambda model, x, by: hinge.insert_batchnorm(model, "1", x, optimizer=by),
    "recentre": lambda model, x, by: hinge.recentre(model, x, optimizer=by),
}


@pytest.mark.parametrize("change", ADDING.values(), ids=ADDING)
def test_lbfgs_takes_no_new_parameters_and_nothing_is_done(change):
    model, x = mlp(bias=False), inputs()
    optimizer = lbfgs(model, x)
    before = repr(model)
    with pytest.raises(UnsupportedError, match="LBFGS"):
        change(model, x, optimizer)
    assert repr(model) == before
    assert len(optimizer.param_groups[0]["params"]) == len(list(model.parameters()))


@pytest.mark.parametrize("change", ADDING.values(), ids=ADDING)
def test_new_parameters_do_not_join_a_model_wrapped_for_several_processes(change, monkeypatch):
    wrapper = nn.parallel.DistributedDataParallel
    # Without a process group it cannot be made; what counts is what kind of module it is.
    monkeypatch.setattr(wrapper, "__init__", nn.Module.__init__)
    model, wrapped = mlp(bias=False), wrapper()
    wrapped.module = model
    before = repr(model)
    with pytest.raises(UnsupportedError, match="wrap it then"):
        change(wrapped, inputs(), None)
    assert repr(model) == before


def test_a_variance_that_half_precision_cannot_hold_is_refused():
    model = mlp()
    with torch.no_grad():
        model[0].weight.mul_(2000)
    model.half()
    with pytest.raises(UnsupportedError, match=r"torch\.float16 can hold"):
        hinge.insert_batchnorm(model, "1", inputs().half())
    assert isinstance(model[1], nn.ReLU)


def test_no_site_is_a_mistake():
    with pytest.raises(HingeError, match="no name"):
        hinge.insert_batchnorm(mlp(), [], inputs())


@pytest.mark.parametrize(
    "make",
    [
        lambda: Lift("much"),
        lambda: Lift(None),
        lambda: Split(noise="much"),
        lambda: Split(seed=None),
        lambda: Redraw(gain="much"),
        lambda: Redraw(seed=0.5),
        lambda: Resample(scale="much"),
        lambda: hinge.revive(mlp(), {"1": [0]}, inputs(), by="lift"),
        lambda: hinge.revive(mlp(), {"1": [0]}, inputs(), by=Lift),
        lambda: hinge.revive(mlp(), {"1": [0]}, inputs(), batch_size=0),
        lambda: hinge.revive(mlp(), {"1": [0]}, inputs(), batch_size=-1),
    ],
)
def test_options_of_another_type_are_told_in_four_parts(make):
    with pytest.raises(OptionError):
        make()


def test_the_share_is_met_behind_units_that_were_lifted_too():
    model, x = mlp().double(), inputs().double()
    with torch.no_grad():
        model[2].bias[1] = -5.0
        model[2].weight[1, 0] = 3.0
    hinge.revive(model, {"1": [0, 2], "3": [1]}, x, by=Lift(keep_outgoing=True))
    assert (model[:3](x)[:, 1] > 0).double().mean() == 0.2


def test_parameters_that_stay_frozen_are_named():
    model = mlp().requires_grad_(requires_grad=False)
    receipt = hinge.revive(model, {"1": [0]}, inputs())
    assert any("0.bias" in note and "2.weight" in note for note in receipt.notes)


@pytest.mark.parametrize("first", [True, False])
def test_units_of_several_groups_are_not_copied(first):
    torch.manual_seed(0)
    grouped, plain = nn.ConvTranspose2d(8, 8, 3, groups=2), nn.Conv2d(8, 8, 3)
    makers = (nn.Conv2d(8, 8, 3, groups=2), plain) if first else (plain, grouped)
    model = nn.Sequential(makers[0], nn.ReLU(), makers[1])
    with torch.no_grad():
        model[0].bias[[0, 2]] = -50.0
    with pytest.raises(UnsupportedError, match="2 groups"):
        hinge.revive(model, {"1": [0, 2]}, inputs(4, 8, 6, 6), by=Split())


def test_no_remedy_is_advised_that_cannot_help_either():
    model = mlp()
    torch.nn.utils.parametrizations.weight_norm(model[0])
    with pytest.raises(UnsupportedError, match="weight_norm") as told:
        hinge.revive(model, {"1": [0]}, inputs())
    assert "Redraw" not in str(told.value)


def test_what_was_changed_again_is_undone_in_order_only():
    model = mlp()
    before = list(model)
    first = hinge.swap(model, "relu", "gelu")
    second = hinge.insert_batchnorm(model, "1", inputs())
    between = list(model)
    with pytest.raises(OptionError, match="later change first"):
        first.undo()
    assert all(now is then for now, then in zip(model, between, strict=True))
    second.undo()
    first.undo()
    assert all(now is then for now, then in zip(model, before, strict=True))


def test_an_embedding_that_is_drawn_along_is_named():
    model = nn.Sequential(nn.Embedding(9, 6), nn.Linear(6, 9, bias=False))
    model[1].weight = model[0].weight
    assert any("weight of 0" in note for note in hinge.reinit(model).notes)
    assert hinge.reinit(mlp()).notes == ()
