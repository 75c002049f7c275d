"""What a watch tells: deaths and their causes, born dead units, texts, pages, sinks, censuses."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hinge
from hinge.events import Cause, Kind
from hinge.page import Page
from hinge.report import to_html

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import BATCH, IN, LOOKS, Mlp, batches, built, seed, sgd, steps, train


def of_kind(watch, kind):
    return [event for event in watch.events if event.kind is kind]


def shallow(rate=0.01):
    """One hidden layer: its input is the data, so that its dead units stay dead."""
    seed()
    model = nn.Sequential(nn.Linear(IN, 24), nn.ReLU(), nn.Linear(24, 3))
    return model, sgd(model, rate)


@pytest.mark.parametrize("every", [1, 4, 16])
def test_a_step_far_too_large_kills_and_is_blamed(every):
    model, optimizer = shallow()
    data = [(x.abs(), y) for x, y in batches((IN,), 170)]  # what is positive can be shut out
    x = torch.cat([x for x, _ in data])
    with hinge.watch(model, optimizer, every=every, patience=40) as watch:
        for step, batch in enumerate(data):
            if step == 60:
                with torch.no_grad():
                    before = (model[0](x) > 0).float().mean(0).numpy()
            optimizer.param_groups[0]["lr"] = 50.0 if step == 60 else 0.01 if step < 60 else 0.0
            train(model, optimizer, [batch])
    with torch.no_grad():
        dead = np.flatnonzero(~(model[0](x) > 0).any(0).numpy() & (before > 0.2))
    assert dead.size > 3
    at_once = [event for event in of_kind(watch, Kind.DIED) if event.step == 61]
    assert {unit for event in at_once for unit in event.units} >= set(dead.tolist())
    for event in at_once:
        assert event.cause is Cause.LEARNING_RATE
        assert "50" in event.evidence
        assert "step 60" in event.evidence
    assert set(watch.dead()["1"]) >= set(dead.tolist())
    assert any(event.step == 61 for event in of_kind(watch, Kind.COLLAPSING)) == (dead.size > 12)


def test_units_that_are_born_dead():
    model, optimizer = shallow()
    with torch.no_grad():
        model[0].bias[[4, 9]] = -60.0
    with hinge.watch(model, optimizer, every=4, patience=20) as watch:
        train(model, optimizer, batches((IN,), 40))
    (event,) = of_kind(watch, Kind.BORN_DEAD)
    assert (event.site, event.units, event.step) == ("1", (4, 9), 0)
    assert event.cause is Cause.INITIALISATION
    assert not of_kind(watch, Kind.DIED)


def test_a_unit_by_hand_dies_and_comes_back():
    model, optimizer = shallow()
    with hinge.watch(model, optimizer, every=4, patience=20) as watch:
        for step in steps(model, optimizer, batches((IN,), 120)):
            with torch.no_grad():
                if step == 30:
                    model[0].bias[7] -= 60.0
                if step == 80:
                    model[0].bias[7] += 60.0
    (died,), (back,) = of_kind(watch, Kind.DIED), of_kind(watch, Kind.CAME_BACK)
    assert (died.units, back.units) == ((7,), (7,))
    assert died.step == 31
    assert 81 <= back.step <= 80 + 4 * LOOKS  # the latest firing at the look that saw it
    assert not watch.dead()


def test_dead_units_of_the_first_layer_never_come_back_by_themselves():
    """No gradient reaches them and their input is fixed data: nothing moves them (no decay)."""
    model, optimizer = shallow()
    for group in optimizer.param_groups:
        group["momentum"] = 0.9
    data = batches((IN,), 40)
    with torch.no_grad():
        model[0].bias[:5] = -60.0
    frozen = model[0].weight[:5].clone()
    with hinge.watch(model, optimizer, every=4, patience=20) as watch:
        for _ in range(6):
            train(model, optimizer, data)
    assert torch.equal(model[0].weight[:5], frozen)
    assert set(watch.dead()["1"]) >= set(range(5))
    assert not [e for e in of_kind(watch, Kind.CAME_BACK) if set(e.units) & set(range(5))]


def test_restart_counts_anew_and_steps_go_on():
    model, data = built(Mlp), batches((IN,), 10)
    optimizer = sgd(model, 0.0)
    with hinge.watch(model, optimizer, every=4) as watch:
        train(model, optimizer, data[:6])
        first = watch.census
        watch.restart()
        assert watch.census.seen == 0
        assert not watch.census["relu1"].seen.any()
        train(model, optimizer, data[6:])
        second = watch.census
        assert watch.step == 10
    truth = hinge.observe(model, data)
    assert (first.seen, second.seen) == (6 * BATCH, 4 * BATCH)
    for whole in (first.merge(second), second.merge(first)):
        assert whole.seen == truth.seen
        for site in truth:
            for name in ("seen", "fired", "always", "live", "values", "min", "max"):
                a, b = getattr(whole[site], name), getattr(truth[site], name)
                assert np.array_equal(a, b), (site, name)
    parts = [hinge.observe(model, part) for part in (data[:6], data[6:])]
    assert np.array_equal(first["relu1"].fired, parts[0]["relu1"].fired)
    assert np.array_equal(second["relu1"].fired, parts[1]["relu1"].fired)


def test_a_restart_is_no_death():
    model, optimizer = shallow()
    with hinge.watch(model, optimizer, every=4, patience=20) as watch:
        for step in steps(model, optimizer, batches((IN,), 100)):
            if step == 50:
                watch.restart()
    assert not watch.events
    assert not watch.dead()


def test_a_census_is_a_value():
    model, data = built(Mlp), batches((IN,), 8)
    with hinge.watch(model, sgd(model), every=4) as watch:
        train(model, watch.optimizer, data[:4])
        early = watch.census
        before = early["relu1"].fired.copy(), early["relu1"].mean.copy(), early.to_json()
        train(model, watch.optimizer, data[4:])
    assert np.array_equal(early["relu1"].fired, before[0])
    assert np.array_equal(early["relu1"].mean, before[1])
    assert early.to_json() == before[2]
    assert hinge.Census.from_json(watch.census.to_json()).to_json() == watch.census.to_json()


def test_the_layers_behind_the_sites_are_known():
    model = built(Mlp)
    with hinge.watch(model, sgd(model)) as watch:
        train(model, watch.optimizer, batches((IN,), 3))
    feeds = watch.census.feeds
    assert np.array_equal(feeds["relu2"].weight, model.second.weight.detach().numpy())
    assert np.allclose(feeds["relu2"].bias, model.second.bias.detach().numpy())
    assert feeds["relu2"].inputs == ("relu1",)
    assert feeds["relu2"].input_of.tolist() == list(range(8))


def test_sinks_get_numbers_and_events():
    records = []
    model, optimizer = shallow()
    with torch.no_grad():
        model[0].bias[3] = -60.0
    with hinge.watch(model, optimizer, every=1, patience=20, sinks=[records.append]) as watch:
        train(model, optimizer, batches((IN,), 40))
    numbers = {r.step: r.values for r in records if hasattr(r, "values")}
    assert sorted(numbers) == [*range(0, 40, LOOKS), 40]
    assert {"hinge/1/dead", "hinge/1/gradient_norm", "hinge/1/mean_shift"} <= set(numbers[32])
    assert all(0 <= values["hinge/1/dead"] <= 1 for values in numbers.values())
    assert [r for r in records if not hasattr(r, "values")] == list(watch.events)
    assert watch.events


def test_a_file_as_a_sink(tmp_path):
    model, optimizer = shallow()
    with hinge.watch(model, optimizer, every=1, sinks=[tmp_path / "log.jsonl"]):
        train(model, optimizer, batches((IN,), 9))
    found = list(hinge.sinks.read_jsonl(tmp_path / "log.jsonl"))
    assert [record.step for record in found][:3] == [0, LOOKS, 2 * LOOKS]


@pytest.mark.parametrize("n", [0, 1, 40])
def test_texts_and_pages(n):
    model, optimizer = shallow()
    with torch.no_grad():
        model[0].bias[3] = -60.0
    with hinge.watch(model, optimizer, every=4, patience=20) as watch:
        train(model, optimizer, batches((IN,), n) if n else [])
        str(watch)
        watch.page()
    text, page = str(watch), watch.page()
    assert isinstance(page, Page)
    html = to_html(page)
    assert f"{n} steps" in text
    assert "What happened" in html
    if n == 40:
        for told in (text, html):
            assert "born dead" in told
            assert "unit 3" in told
    assert watch._repr_html_() == html
