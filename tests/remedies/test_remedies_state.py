"""What optimizers forget, what a snapshot brings back, what a receipt says."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hinge.errors import OptionError
from hinge.remedies import Receipt
from hinge.remedies.changing.draft import Draft
from hinge.remedies.changing.optimizer_state import check_held, holders, reset
from hinge.remedies.changing.snapshot import Snapshot
from hinge.report import to_html, to_text

ROWS = [(0, torch.tensor([1, 3]))]
COLUMN = [(1, torch.tensor([2]))]


def trained(make, *shape: int) -> tuple[nn.Parameter, torch.optim.Optimizer]:
    """A parameter after two steps of an optimizer that it belongs to in the second place."""
    generator = torch.Generator().manual_seed(2)
    first, second = (nn.Parameter(torch.randn(shape, generator=generator)) for _ in range(2))
    by = make([first, second])
    for _ in range(2):
        for p in (first, second):
            p.grad = torch.randn(shape, generator=generator) + 3
        by.step()
    return second, by


MAKERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: torch.optim.Adam(p, amsgrad=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, momentum=0.5, centered=True),
    "Adadelta": torch.optim.Adadelta,
    "Adamax": torch.optim.Adamax,
    "NAdam": torch.optim.NAdam,
    "RAdam": torch.optim.RAdam,
}


@pytest.mark.parametrize("name", MAKERS)
def test_states_of_the_shape_of_the_parameter_start_at_zero(name):
    p, by = trained(MAKERS[name], 4, 3)
    before = {key: value.clone() for key, value in by.state[p].items()}
    assert reset(by, "w", p, [*ROWS, *COLUMN]) == []
    changed = torch.zeros(4, 3, dtype=torch.bool)
    changed[[1, 3]] = True
    changed[:, 2] = True
    full = [key for key, value in before.items() if value.shape == p.shape]
    assert full
    for key, old in before.items():
        now = by.state[p][key]
        if key in full:
            assert old.ne(0).all()
            assert torch.equal(now, old.masked_fill(changed, 0.0))
        else:
            assert torch.equal(now, old)  # the step count stays


def test_the_factors_of_adafactor():
    p, by = trained(torch.optim.Adafactor, 4, 3)
    before = {key: value.clone() for key, value in by.state[p].items()}
    reset(by, "w", p, ROWS)
    expected = before["row_var"].clone()
    expected[[1, 3]] = 0
    assert torch.equal(by.state[p]["row_var"], expected)
    assert torch.equal(by.state[p]["col_var"], before["col_var"])  # of all rows together
    reset(by, "w", p, COLUMN)
    expected = before["col_var"].clone()
    expected[:, 2] = 0
    assert torch.equal(by.state[p]["col_var"], expected)


def test_factors_without_the_axis_they_lack():
    """As in the Adafactor of transformers."""
    p = nn.Parameter(torch.ones(2, 4, 3))
    by = torch.optim.SGD([p], lr=0.1)
    by.state[p] = {"exp_avg_sq_row": torch.ones(2, 4), "exp_avg_sq_col": torch.ones(2, 3)}
    reset(by, "w", p, [(1, torch.tensor([1])), (2, torch.tensor([0]))])
    assert torch.equal(by.state[p]["exp_avg_sq_row"], torch.tensor([[1.0, 0, 1, 1]] * 2))
    assert torch.equal(by.state[p]["exp_avg_sq_col"], torch.tensor([[0.0, 1, 1]] * 2))


@pytest.mark.parametrize(("make", "key", "start"), [
    (lambda p: torch.optim.Adagrad(p, initial_accumulator_value=0.5), "sum", 0.5),
    (lambda p: torch.optim.Rprop(p, lr=0.03), "step_size", 0.03),
    (lambda p: torch.optim.Rprop(p, lr=0.03), "prev", 0.0),
])  # fmt: skip
def test_states_that_start_elsewhere(make, key, start):
    p, by = trained(make, 4, 3)
    old = by.state[p][key].clone()
    reset(by, "w", p, ROWS)
    assert torch.equal(by.state[p][key][[1, 3]], torch.full((2, 3), start))
    assert torch.equal(by.state[p][key][[0, 2]], old[[0, 2]])


def test_the_average_of_a_parameter_starts_at_its_new_values():
    p, by = trained(lambda p: torch.optim.ASGD(p, t0=0), 4, 3)
    with torch.no_grad():
        p[1] = 7
    reset(by, "w", p, [(0, torch.tensor([1]))])
    assert torch.equal(by.state[p]["ax"][1], torch.full((3,), 7.0))


def test_states_of_unknown_shape_are_left_and_named():
    p, by = trained(MAKERS["Adam"], 4, 3)
    by.state[p]["packed"] = torch.ones(12)
    by.state[p]["codes"] = torch.ones(4, 3, dtype=torch.uint8)
    notes = reset(by, "layer.weight", p, ROWS)
    assert len(notes) == 2
    assert "'packed' of layer.weight (Adam, 12)" in notes[0]
    assert by.state[p]["packed"].all()
    assert by.state[p]["codes"].all()


def test_the_first_step_of_a_forgotten_entry_is_as_long_as_said():
    """(1 - β₁) / √(1 - β₂) times the rate once the step count is large."""
    p = nn.Parameter(torch.zeros(2, 1))
    by = torch.optim.Adam([p], lr=1e-3)
    for n in range(600):
        p.grad = torch.ones(2, 1)
        by.step()
        if n == 500:
            by.state[p]["step"] += 50_000
    reset(by, "p", p, [(0, torch.tensor([1]))])
    before = p.detach().clone()
    p.grad = torch.ones(2, 1)
    by.step()
    assert (before - p.detach())[1].item() == pytest.approx(1e-3 * 0.1 / math.sqrt(1e-3), rel=1e-3)


def test_several_optimizers_and_wrappers_of_one():
    p, q = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    first, second = torch.optim.Adam([p]), torch.optim.SGD([q], lr=1)
    assert holders(None) == []
    assert holders([first, second]) == [first, second]
    assert holders({"a": first, "b": [second]}) == [first, second]
    assert holders(SimpleNamespace(optimizer=first)) == [first]
    check_held([first, second], {"p": p, "q": q})
    check_held(None, {"p": p})
    with pytest.raises(OptionError, match="does not hold"):
        check_held(first, {"p": p, "q": q})
    check_held(first, {"q": q.requires_grad_(False)})  # frozen, nobody trains it
    for wrong in (3, "adam", object(), [first, 3]):
        with pytest.raises(OptionError, match="no optimizer"):
            holders(wrong)


def test_a_snapshot_takes_away_state_that_was_not_there():
    p = nn.Parameter(torch.ones(2))
    by = torch.optim.Adam([p])
    kept = Snapshot([p], by)
    p.grad = torch.ones(2)
    by.step()
    kept.restore()
    assert p not in by.state
    assert torch.equal(p, torch.ones(2))


def test_a_snapshot_keeps_nan_and_the_sign_of_zero():
    x = torch.tensor([math.nan, -0.0, math.inf])
    bits = x.clone().view(torch.int32)
    kept = Snapshot([x])
    x.zero_()
    kept.restore()
    assert torch.equal(x.view(torch.int32), bits)


def test_a_draft_leaves_the_model_until_it_is_applied():
    model = nn.Linear(3, 2)
    weight, old = model.weight, model.weight.detach().clone()
    draft = Draft(model)
    draft.write("weight", 1, [0, 2], 5.0)
    assert torch.equal(model.weight, old)
    assert torch.equal(draft["weight"][:, 1], old[:, 1])
    with draft.placed():
        assert (model.weight[:, 0] == 5).all()
    assert torch.equal(model.weight, old)
    before, _ = draft.apply(None)
    assert model.weight is weight
    assert (weight[:, [0, 2]] == 5).all()
    before.restore()
    assert torch.equal(model.weight, old)


def test_a_receipt_says_what_was_done():
    receipt = Receipt(
        "Lift(share=0.2)", {"a.relu": (1, 2)}, "data", 0.25, 1.5, ("b rose.",), ("x",)
    )
    moved = "the outputs moved by at most 0.25 (their standard deviation is 1.5)."
    assert str(receipt).splitlines() == [
        f"Lift(share=0.2): 2 units at 1 site changed; {moved}",
        "  preserves the function: on the data, in eval mode",
        "  b rose.",
        "  note: x",
    ]
    facts = json.loads(receipt.to_json())
    assert (facts["schema"], facts["version"]) == ("hinge/receipt", 1)
    assert facts["units"] == {"a.relu": [1, 2]}
    assert (facts["moved"], facts["undone"]) == (0.25, False)
    text = to_text(receipt.page())
    assert "a.relu" in text
    assert "1, 2" in text
    assert "b rose." in to_html(receipt.page())
    assert "a.relu" in receipt._repr_html_()
    receipt.undo()
    assert "undone" in str(receipt)
    assert receipt.undone


def test_a_receipt_of_whole_layers_that_moved_unseen():
    receipt = Receipt("swap", {}, "everywhere", math.nan, math.nan, ("relu became elu.",))
    assert "whole layers changed; how far the outputs moved was not measured" in str(receipt)
    assert "$float" in receipt.to_json()
