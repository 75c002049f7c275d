"""Second derivatives are those of the function, also at 0, where formulas change their branch."""

import pytest
import torch

from hinge.activations import all_activations

SMOOTH = [act for act in all_activations() if not act.is_piecewise_linear]


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
@pytest.mark.parametrize("at", [0.0, -1.0, 1.0])
@pytest.mark.parametrize("act", SMOOTH, ids=lambda act: act.name)
def test_second_derivatives_are_slopes_of_the_derivative(act, at):
    if at in act.kinks():
        return
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(act(x), x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    step = 1e-5
    sides = [(act.derivative(at + by) - act.derivative(at)) / by for by in (-step, step)]
    assert min(abs(second.item() - side) for side in sides) < 1e-4
