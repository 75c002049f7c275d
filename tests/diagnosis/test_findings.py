"""Findings name the right units and the right cause, on networks broken by hand."""

import numpy as np
import pytest
import torch
from torch import nn

import hinge

INPUTS, FIRST, SECOND = 8, 12, 10


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(INPUTS, FIRST),
        nn.ReLU(),
        nn.Linear(FIRST, SECOND),
        nn.ReLU(),
        nn.Linear(SECOND, 3),
    )


@pytest.fixture
def data():
    return torch.randn(400, INPUTS, generator=torch.Generator().manual_seed(1))


def found(model, data, kind, site=None, **options) -> set[int]:
    """The units of all findings of a kind, in a site."""
    examination = hinge.examine(model, data, **options)
    return {
        unit
        for finding in examination.findings
        for unit in finding.units
        if finding.kind == kind and site in (None, finding.site)
    }


def kinds(model, data, **options) -> set[str]:
    return {finding.kind for finding in hinge.examine(model, data, **options).findings}


def test_a_healthy_network_has_nothing_bad(model, data):
    assert all(f.tone == "info" for f in hinge.examine(model, data).findings)


@torch.no_grad()
def test_a_bias_beyond_reach(model, data):
    model[0].bias[:3] = -50.0
    assert found(model, data, "dead", "1") == {0, 1, 2}
    assert found(model, data, "bias beyond reach", "1") == {0, 1, 2}


@torch.no_grad()
def test_upstream_death_of_single_units(model, data):
    """Units 0 and 1 of the second layer read dead units alone."""
    model[0].bias[:3] = -50.0
    model[2].weight[:2, 3:] = 0.0
    model[2].bias[:2] = -1.0
    assert found(model, data, "upstream death") == {0, 1}
    assert found(model, data, "bias beyond reach") == {0, 1, 2}


@torch.no_grad()
def test_upstream_death_of_a_layer(model, data):
    model[0].bias[:] = -50.0
    model[2].bias[:] = -1.0
    assert found(model, data, "upstream death", "3") == set(range(SECOND))
    text = str([f.evidence for f in hinge.examine(model, data).findings])
    assert "collapsed" in text


@torch.no_grad()
def test_negative_weights_on_inputs_that_cannot_be_negative(model, data):
    model[2].weight[4] = -model[2].weight[4].abs()
    model[2].bias[4] = -0.1
    assert found(model, data, "negative weights") == {4}
    assert found(model, data, "dead", "3") == {4}


@torch.no_grad()
def test_negative_weights_in_the_first_layer_need_data_that_is_not_negative(model, data):
    model[0].weight[5] = -model[0].weight[5].abs()
    model[0].bias[5] = -0.1
    assert found(model, data, "negative weights") == set()
    assert found(model, data.abs(), "negative weights") == {5}


@torch.no_grad()
def test_negative_weights_are_no_cause_where_inputs_may_be_negative(model, data):
    model[0].weight[5] = -0.01 * model[0].weight[5].abs()
    model[0].bias[5] = -1.0
    assert found(model, data, "dead", "1") == {5}
    assert found(model, data, "negative weights") == set()
    assert found(model, data, "bias beyond reach") == {5}


@torch.no_grad()
def test_negative_weights_with_a_positive_bias_may_fire_on_smaller_inputs(model, data):
    model[0].weight[5] = -1.0
    model[0].bias[5] = 0.01
    assert 5 in found(model, data.abs() + 1, "dead", "1")
    assert 5 not in found(model, data.abs() + 1, "negative weights")


@torch.no_grad()
def test_a_negative_scale_in_batch_norm_turns_the_weights(data):
    """Positive weights with a negative scale behind them are negative weights."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(INPUTS, 4), nn.BatchNorm1d(4), nn.ReLU()).eval()
    model[0].weight[:] = model[0].weight.abs()
    model[0].bias[:] = 0.0
    model[1].weight[2] = -1.0
    model[1].bias[:] = -0.01
    assert found(model, data.abs(), "negative weights") == {2}


@torch.no_grad()
def test_causes_are_found_through_convolution_and_flatten(data):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 9, 6), nn.ReLU()
    )
    model[0].bias[1] = -50.0
    model[4].weight[2] = 0.0
    model[4].weight[2, 9:18] = 1.0  # the columns of channel 1, which is dead
    model[4].bias[2] = -0.5
    images = torch.randn(50, 3, 8, 8)
    assert found(model, images, "dead", "1") == {1}
    assert found(model, images, "upstream death", "5") == {2}


@torch.no_grad()
def test_blocked(model, data):
    model[4].weight[:, 2:4] = 0.0
    assert found(model, data, "blocked") == {2, 3}
    assert found(model, data, "blocked", gradients=0) == set()


@torch.no_grad()
def test_saturated_and_silent(data):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(INPUTS, 5), nn.Sigmoid(), nn.Linear(5, 4), nn.LeakyReLU())
    model[0].bias[1] = 100.0
    model[2].bias[3] = -100.0
    assert found(model, data, "saturated") == {1}
    assert found(model, data, "silent") == {3}


@torch.no_grad()
def test_always_on_when_most_of_a_site_is_linear(model, data):
    model[0].bias[:] = 100.0
    assert found(model, data, "always on", "1") == set(range(FIRST))
    assert "mean shift" in kinds(model, data)


@torch.no_grad()
def test_sparsity_is_a_note_and_no_death(model, data):
    model[0].bias -= 1.88 * model[0].weight.norm(dim=1)
    findings = [f for f in hinge.examine(model, data).findings if f.site == "1"]
    assert "sparse" in {f.kind for f in findings}
    assert all(f.tone == "info" for f in findings if f.kind in ("sparse", "rare"))
    assert "dead" not in {f.kind for f in findings}


@torch.no_grad()
def test_nan_inside(model, data):
    model[2].weight[1, 0] = float("nan")
    assert found(model, data, "not finite") == {1}


@torch.no_grad()
def test_the_depth_tells_which_remedy_can_work(data):
    """A unit just below the kink is within a leaky activation's reach, a deep one is not."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(INPUTS, 1), nn.ReLU())
    z = model[0](data)
    model[0].bias -= z.max() + 0.01 * z.std()
    shallow = hinge.examine(model, data).findings[0]
    assert "The kink is close" in " ".join(shallow.helps)
    model[0].bias -= 20 * z.std()
    deep = hinge.examine(model, data).findings[0]
    assert "hardly" in " ".join(deep.helps)


@torch.no_grad()
def test_the_lift_that_is_advised_brings_the_unit_to_the_kink(data):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(INPUTS, 1), nn.ReLU())
    model[0].bias[:] = -7.0
    observed = hinge.examine(model, data).census["1"]
    model[0].bias += -observed.max[0] + 1e-3
    again = hinge.examine(model, data).census["1"]
    assert again.fired[0] == 1
    assert np.isclose(again.max[0], 1e-3, atol=1e-5)
