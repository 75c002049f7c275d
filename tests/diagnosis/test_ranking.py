"""Advice fits what was done to a network by hand, and says so in the right numbers."""

import numpy as np
import pytest
import torch
from torch import nn

import hinge
import hinge.nn as hnn
from hinge.diagnosis import rank
from hinge.diagnosis.evidence import chance_born_dead
from hinge.events import Cause, Event, Kind

INPUTS, WIDTH = 6, 12


@pytest.fixture
def model():
    """Two layers of units all of which fire on some examples of `data`."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Linear(INPUTS, WIDTH), nn.ReLU()),
        *(nn.Linear(WIDTH, WIDTH), nn.ReLU()),
        nn.Linear(WIDTH, 2),
    )
    with torch.no_grad():
        model[2].bias.fill_(0.3)
    return model


@pytest.fixture
def data():
    return torch.randn(500, INPUTS, generator=torch.Generator().manual_seed(1))


def about(advice, word):
    """The one piece of advice whose remedy has this word in it, or None."""
    found = [one for one in advice if word in one.remedy]
    assert len(found) <= 1
    return found[0] if found else None


def lower(layer, units, x, depth):
    """Bias of some units so that their largest pre-activation is ``depth`` sd below zero."""
    with torch.no_grad():
        z = layer(x)[:, units]
        layer.bias[units] -= z.max(0).values + depth * z.std(0, correction=0)


def died(site, units, cause, step=7):
    return Event(Kind.DIED, step, site, units, cause, "the rate rose from 0.001 to 1.", step)


def born(site, units):
    return Event(Kind.BORN_DEAD, 0, site, units, Cause.INITIALISATION, "never fired.", 0)


def test_nothing_is_advised_where_nothing_is_dead(model, data):
    assert hinge.examine(model, data).advice == ()

    with torch.no_grad():
        model[0].bias[:] = 99.0  # far from the kink, on the side that lives
    shifted = hinge.examine(model, data)
    assert shifted.census["1"].mean_shift > 1
    assert not any(site == "1" for one in shifted.advice for site in one.sites)


def test_units_that_vary_are_to_be_lifted_to_the_kink(model, data):
    lower(model[0], [0, 1, 2], data, 0.5)
    examination = hinge.examine(model, data)
    lift = about(examination.advice, "Lift()")
    observed = examination.census["1"]
    assert lift.sites == ("1",)
    assert lift.preserves == "data"
    assert lift.why.startswith("3 units")
    assert f"{np.median(-observed.max[:3]):.2g}" in lift.why
    assert about(examination.advice, "Redraw") is None


@pytest.mark.parametrize(("depth", "helps"), [(0.5, True), (0.9, True), (1.1, False), (20, False)])
def test_a_leaky_slope_is_for_shallow_deaths_alone(model, data, depth, helps):
    lower(model[0], [0, 1, 2], data, depth)
    leaky = about(hinge.examine(model, data).advice, "leaky_relu")
    assert (leaky is not None) == helps
    if leaky:
        assert leaky.remedy == 'hinge.swap(model, "relu", "leaky_relu")'
        assert f"{depth:.2g} standard deviations" in leaky.why
        assert leaky.preserves == "no"


def test_one_deep_death_among_shallow_ones_rules_the_slope_out(model, data):
    lower(model[0], [0, 1], data, 0.5)
    lower(model[0], [2], data, 30.0)
    assert about(hinge.examine(model, data).advice, "leaky_relu") is None


def test_a_deep_death_speaks_of_a_step_too_large(model, data):
    lower(model[0], [0], data, 2.0)
    assert about(hinge.examine(model, data).advice, "learning rate") is None
    lower(model[0], [0], data, 40.0)
    slower = about(hinge.examine(model, data).advice, "learning rate")
    assert "40 standard deviations" in slower.why
    assert slower.preserves == "everywhere"


@pytest.mark.parametrize("cause", [Cause.LEARNING_RATE, Cause.GRADIENT])
def test_an_event_names_the_step_and_comes_before_the_cure(model, data, cause):
    lower(model[0], [0, 1, 2], data, 0.5)
    examination = hinge.examine(model, data)
    events = [died("1", (0,), cause, 3), died("1", (1, 2), cause, 7)]
    advice = rank(examination.census, examination.findings, events)
    slower = about(advice, "learning rate")
    assert slower.why.startswith("3 units died")
    assert f"step 7 ({cause})" in slower.why
    assert "from 0.001 to 1" in slower.why
    assert advice.index(slower) < advice.index(about(advice, "Lift()"))
    other = [died("1", (0,), Cause.BIAS)]
    assert about(rank(examination.census, (), other), "learning rate") is None


@torch.no_grad()
def test_constant_units_and_negative_weights_need_new_weights(model, data):
    model[0].weight[3] = 0.0
    model[0].bias[3] = -1.0
    model[2].weight[5] = -model[2].weight[5].abs()
    model[2].bias[5] = 0.0
    examination = hinge.examine(model, data)
    redraw = about(examination.advice, "Redraw()")
    assert redraw.sites == ("1", "3")
    assert "1 constant, 1 without a positive weight" in redraw.why
    assert about(examination.advice, "Lift()") is None
    assert about(examination.advice, "leaky") is None


@torch.no_grad()
def test_what_died_of_the_layer_before_is_no_ones_patient(model, data):
    """Only the layer before is to be revived; the starved units then come back by themselves."""
    lower(model[0], [0, 1], data, 0.5)
    model[2].weight[4, 2:] = 0.0
    model[2].bias[4] = -1.0
    examination = hinge.examine(model, data)
    assert {f.site for f in examination.findings if f.kind == "upstream death"} == {"3"}
    assert {site for one in examination.advice for site in one.sites} == {"1"}


@torch.no_grad()
def test_a_shift_asks_for_centred_inputs_and_a_norm(model, data):
    model[0].weight.abs_()
    model[0].weight[:6] *= -1
    shifted = data + 20.0
    advice = hinge.examine(model, shifted).advice
    recentre, norm = about(advice, "recentre"), about(advice, "insert_batchnorm")
    assert recentre.sites == ("1",)
    gamma = hinge.observe(model, shifted)["1"].mean_shift
    assert f"{gamma:.2g}" in recentre.why
    assert "1" in norm.sites
    assert "50\u202f%" in recentre.why


@torch.no_grad()
def test_a_shift_that_biases_made_is_none_of_the_inputs(model, data):
    model[0].bias[:] = -30.0
    examination = hinge.examine(model, data)
    assert examination.census["1"].mean_shift > 1
    assert about(examination.advice, "recentre") is None
    assert about(examination.advice, "Lift()").sites == ("1",)


@torch.no_grad()
def test_a_shift_further_on_asks_for_a_norm_alone(model, data):
    model[2].bias[:] = -100.0
    advice = hinge.examine(model, data).advice
    assert about(advice, "recentre") is None
    assert about(advice, "insert_batchnorm").sites == ("3",)


@torch.no_grad()
def test_a_collapsed_layer_and_most_units_dead_ask_for_a_restart(model, data):
    model[2].bias[:] = -100.0
    half = hinge.examine(model, data)
    assert half.verdicts["dead"] == WIDTH  # just half: the other layer is worth keeping
    assert about(half.advice, "reinit") is None
    model[0].bias[0] = -100.0
    worse = hinge.examine(model, data)
    restart = worse.advice[0]
    assert restart.remedy == "hinge.reinit(model)"
    assert restart.sites == ("3",)
    assert "54\u202f%" in restart.why  # 13 of 24


@torch.no_grad()
def test_a_layer_born_dead_asks_for_other_initial_weights(model, data):
    model[2].bias[:] = -100.0
    census = hinge.observe(model, data)
    first = rank(census, (), [born("3", tuple(range(WIDTH)))])[0]
    assert first.remedy == "hinge.reinit(model)"
    assert first.why.startswith("All units of 3 were dead before the first step")
    assert about(rank(census, (), [born("3", (0, 1))]), "reinit") is None  # wide: mere bad luck


def test_narrow_and_deep_is_born_dead_as_the_formula_says():
    torch.manual_seed(3)
    model = nn.Sequential(*(one for _ in range(9) for one in (nn.Linear(2, 2), nn.ReLU())))
    with torch.no_grad():
        model[0].bias[0] = -100.0
    census = hinge.observe(model, torch.randn(50, 2))
    advice = about(rank(census, (), [born("1", (0,))]), "reinit")
    assert "92\u202f%" in advice.why  # 1 - (1 - 2^-2)^9 = 0.9249
    assert chance_born_dead([2] * 9) == pytest.approx(0.9249, abs=1e-4)


@pytest.mark.parametrize(("width", "depth"), [(2, 4), (3, 6), (4, 8)])
def test_the_chance_is_that_of_drawn_networks(width, depth):
    """Bias-free networks of Gaussian weights, at one input."""
    generator = torch.Generator().manual_seed(0)
    n = 20_000
    h = torch.ones(n, width)
    for _ in range(depth):
        weight = torch.randn(n, width, width, generator=generator)
        h = torch.einsum("nij,nj->ni", weight, h).relu()
    share = float((h == 0).all(1).double().mean())
    expected = chance_born_dead([width] * depth)
    assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / n))


def test_many_dead_units_can_share_the_work_of_the_living(model, data):
    lower(model[0], [0, 1], data, 5.0)
    assert about(hinge.examine(model, data).advice, "Split()") is None
    lower(model[0], [2, 3], data, 5.0)
    split = about(hinge.examine(model, data).advice, "Split()")
    assert split.preserves == "no"
    assert "the work of 12 units is done by 8" in split.why


def test_latents_that_are_always_beaten_are_drawn_anew(data):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(INPUTS, WIDTH), hnn.TopK(3), nn.Linear(WIDTH, INPUTS))
    with torch.no_grad():
        model[0].bias[:2] = -100.0
    examination = hinge.examine(model, data)
    assert examination.verdicts["dead"] == 2
    redraw = about(examination.advice, "Redraw()")
    assert "2 outdone by the others" in redraw.why
    assert not any(about(examination.advice, word) for word in ("Lift", "leaky", "Split"))
    (dead,) = [f for f in examination.findings if f.kind == "dead"]
    assert "nan" not in dead.evidence + "".join(dead.helps)


def test_the_page_has_the_advice_and_a_saved_examination_too(model, data):
    healthy = hinge.examine(model, data).page()
    assert not any(getattr(b, "title", "") == "What would help" for b in healthy.blocks)
    lower(model[0], [0, 1, 2], data, 0.5)
    examination = hinge.examine(model, data)
    blocks = examination.page().blocks
    (note,) = [b for b in blocks if getattr(b, "title", "") == "What would help"]
    for point, one in zip(note.points, examination.advice, strict=True):
        assert point.startswith(one.remedy)
        assert one.why in point
    assert hinge.Examination.from_json(examination.to_json()).advice == examination.advice
