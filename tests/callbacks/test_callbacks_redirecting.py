"""A method that runs as a pass: the module's hooks see it, and nothing else changes."""

import pytest
import torch

from hinge.callbacks.redirecting import redirected


class Module(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)
        self.fails = False

    def forward(self, x):
        return self.layer(x)

    def training_step(self, batch, index, *, factor=1):
        if self.fails:
            raise ZeroDivisionError
        return factor * (self.layer(batch) + self(batch)).sum() + index


@pytest.fixture
def module():
    return Module()


@pytest.fixture
def passes(module):
    seen = []
    module.register_forward_hook(lambda module, args, output: seen.append(len(args)))
    return seen


def test_the_method_is_a_pass_and_its_result_stays(module, passes):
    x = torch.ones(3, 2)
    wanted = module.training_step(x, 1, factor=2)
    assert passes == [1]
    passes.clear()
    redirected(module, "training_step")
    for _ in range(2):
        assert torch.equal(module.training_step(x, 1, factor=2), wanted)
    assert passes == [1, 2, 1, 2]
    assert module(x).shape == (3, 1)


def test_undoing_leaves_no_trace(module, passes):
    before = dict(vars(module))
    undo = redirected(module, "training_step")
    module.training_step(torch.ones(3, 2), 1)
    undo()
    assert vars(module) == before
    passes.clear()
    module.training_step(torch.ones(3, 2), 1)
    assert passes == [1]


def test_what_stood_in_the_object_comes_back(module):
    own = module.training_step = lambda x: module(x) + 1
    forward = module.forward = lambda x: x
    undo = redirected(module, "training_step")
    assert module.training_step(2) == 3
    assert module.forward is forward
    undo()
    assert module.training_step is own


def test_a_method_that_fails_leaves_forward_as_it_was(module):
    before = set(vars(module))
    undo = redirected(module, "training_step")
    module.fails = True
    with pytest.raises(ZeroDivisionError):
        module.training_step(torch.ones(3, 2), 1)
    undo()
    assert set(vars(module)) == before
