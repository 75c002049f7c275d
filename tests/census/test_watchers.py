"""While it watches, a watcher is in no one's way."""

import subprocess
import sys
import weakref

import torch
from torch import nn

import hinge


def test_activations_are_let_go_while_the_model_still_runs():
    """The memory of an observed pass is that of the pass, not of all its activations."""

    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)
            self.alive: list[bool] = []

        def forward(self, x):
            z = self.first(x)
            h = z.relu()
            seen = [weakref.ref(z), weakref.ref(h)]
            del z
            y = self.last(h)
            del h
            self.alive += [tensor() is not None for tensor in seen]
            return y

    model = Chain()
    hinge.observe(model, [torch.randn(5, 3), torch.randn(5, 3)])
    assert model.alive == [False] * 4


def test_observing_does_not_load_the_compiler():
    """Importing it takes seconds, and without it nothing is compiled."""
    program = (
        "import sys, torch, hinge;"
        "hinge.observe(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU()),"
        " torch.ones(4, 2));"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
