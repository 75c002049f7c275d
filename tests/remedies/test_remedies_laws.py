"""What every remedy for single units must keep, for each optimizer and each kind of layer."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from mended_models import DEAD, Patient, optimizer, outputs, patient, step

import hinge
from hinge.remedies import Lift, Redraw, Resample, Split, revive
from hinge.remedies.changing.optimizer_state import reset

OPTIMIZERS = ("SGD", "Adam", "AdamW", "RMSprop", "Adafactor")
UNTIED = ("linear", "conv", "flattened", "normalised", "transposed", "half")
REMEDIES = {
    "lift": (Lift(), UNTIED),
    "lift, kept": (Lift(0.4, keep_outgoing=True), (*UNTIED, "tied")),
    "redraw": (Redraw(), (*UNTIED, "tied")),
    "redraw, gain": (Redraw(gain=1.4, keep_outgoing=True), UNTIED),
    "split": (Split(), UNTIED),
    "split, twins": (Split(noise=0), UNTIED),
    "resample": (Resample(), ("tied",)),
}
CASES = [(name, kind) for name, (_, kinds) in REMEDIES.items() for kind in kinds]
TRAINED = [(n, k) for n, k in CASES if k not in ("half", "transposed") and "gain" not in n]
every_case = pytest.mark.parametrize(("name", "kind"), CASES)
every_optimizer = pytest.mark.parametrize("trained_by", OPTIMIZERS)


def trained(kind: str, trained_by: str) -> tuple[Patient, torch.optim.Optimizer]:
    """A model that was trained for two steps, and whose units died then."""
    case = patient(kind)
    with torch.no_grad():
        case.parameter(case.offset)[list(DEAD)] = 0.1
    by = optimizer(trained_by, case.model)
    step(case, by)
    step(case, by)
    with torch.no_grad():
        case.parameter(case.offset)[list(DEAD)] = -40.0
    return case, by


def everything(case: Patient, by: torch.optim.Optimizer) -> dict[str, object]:
    """All values of a model and an optimizer, with the tensors' own identities."""
    found: dict[str, object] = {}
    for name, tensor in [*case.model.named_parameters(), *case.model.named_buffers()]:
        found[name] = (id(tensor), tensor.detach().clone())
        for key, value in by.state.get(tensor, {}).items():
            kept = value.clone() if isinstance(value, torch.Tensor) else copy.copy(value)
            found[f"{name}/{key}"] = (id(value), kept)
    return found


def assert_same(found: dict[str, object], wanted: dict[str, object]) -> None:
    assert found.keys() == wanted.keys()
    for name, (identity, value) in wanted.items():
        assert found[name][0] == identity, name
        if isinstance(value, torch.Tensor):
            assert torch.equal(found[name][1], value), name
        else:
            assert found[name][1] == value, name


@every_case
def test_the_contract_is_kept(name, kind):
    case = patient(kind)
    remedy = REMEDIES[name][0]
    before = outputs(case)
    receipt = revive(case.model, {case.site: DEAD}, case.x, by=remedy)
    after = outputs(case)
    assert receipt.moved == pytest.approx(float((after - before).abs().max()), abs=1e-6)
    assert receipt.spread == pytest.approx(float(before.double().std(correction=0)))
    if "kept" in name or "gain" in name or kind == "tied":
        assert receipt.preserves == "no"
        assert receipt.moved > 1e-3
    elif name == "split":  # its noise
        assert receipt.preserves == "no"
        assert 0 < receipt.moved <= (0.05 if kind == "half" else 0.02)
    else:
        assert receipt.preserves == "data"
        assert receipt.moved <= (0.05 if kind == "half" else 1e-6)


@every_case
def test_the_units_fire_again(name, kind):
    case = patient(kind)
    census = hinge.observe(case.model, case.x)
    assert set(torch.tensor(census[case.site].fired == 0).nonzero().flatten().tolist()) >= set(DEAD)
    remedy = REMEDIES[name][0]
    revive(case.model, {case.site: DEAD}, case.x, by=remedy)
    share = hinge.observe(case.model, case.x)[case.site].fire_share[list(DEAD)]
    assert (share > 0).all()
    if isinstance(remedy, Lift):
        assert share == pytest.approx(remedy.share, abs=0.06 if kind == "half" else 1e-9)


@pytest.mark.parametrize(("name", "kind"), TRAINED)
@every_optimizer
def test_a_trained_model_can_be_mended_and_unmended(name, kind, trained_by):
    """The optimizer forgets what is new and nothing else; undo is exact; training goes on."""
    case, by = trained(kind, trained_by)
    before = everything(case, by)
    receipt = revive(case.model, {case.site: DEAD}, case.x, by=REMEDIES[name][0], optimizer=by)
    assert_forgotten_where_new(case, by, before)
    receipt.undo()
    assert_same(everything(case, by), before)
    with pytest.raises(hinge.errors.OptionError, match="undone already"):
        receipt.undo()

    revive(case.model, {case.site: DEAD}, case.x, by=REMEDIES[name][0], optimizer=by)
    axis = 1 if kind == "transposed" else 0
    reached = torch.zeros(len(DEAD), dtype=torch.bool)
    for _ in range(2):
        assert math.isfinite(step(case, by))
        gradient = case.parameter(case.maker).grad.movedim(axis, 0)[list(DEAD)]
        reached |= gradient.flatten(1).ne(0).any(1)
    assert reached.all()
    assert all(p.isfinite().all() for p in case.model.parameters())


def assert_forgotten_where_new(
    case: Patient, by: torch.optim.Optimizer, before: dict[str, object]
) -> None:
    forgotten = 0
    for name, p in case.model.named_parameters():
        same = p == before[name][1]
        for key, value in by.state[p].items():
            old = before[f"{name}/{key}"][1]
            if key == "step":
                assert torch.equal(value, old)
            elif value.shape == p.shape:
                assert torch.equal(value[same], old[same]), (name, key)
            forgotten += int((value != old).sum())
            assert not value[value != old].any()
    assert forgotten


@pytest.mark.parametrize(("name", "kind"), [(n, k) for n, k in CASES if k in ("conv", "tied")])
def test_an_error_while_writing_leaves_nothing_half_done(name, kind, monkeypatch):
    calls: list[str] = []

    def failing(optimizer, name, parameter, entries):
        calls.append(name)
        if len(calls) > 1:
            raise ZeroDivisionError
        return reset(optimizer, name, parameter, entries)

    case, by = trained(kind, "Adam")
    before = everything(case, by)
    monkeypatch.setattr("hinge.remedies.changing.draft.reset", failing)
    if name == "lift, kept":  # which changes a single tensor
        calls.append("")
    with pytest.raises(ZeroDivisionError):
        revive(case.model, {case.site: DEAD}, case.x, by=REMEDIES[name][0], optimizer=by)
    assert_same(everything(case, by), before)
