"""Models that call activations in many ways, and plain training loops to watch."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from hinge.census.watching.counting.post import Post
from hinge.census.watching.watch import _SAMPLES

IN, OUT, BATCH = 5, 3, 16
LOOKS = _SAMPLES  # sampled steps from look to look


class Mlp(nn.Module):
    def __init__(self, width: int = 8, bias: bool = True) -> None:
        super().__init__()
        self.first, self.relu1 = nn.Linear(IN, width, bias=bias), nn.ReLU()
        self.second, self.relu2 = nn.Linear(width, width, bias=bias), nn.ReLU()
        self.out = nn.Linear(width, OUT)

    def forward(self, x):
        return self.out(self.relu2(self.second(self.relu1(self.first(x)))))


class Functional(Mlp):
    """One `F.relu`, one clamp, one in place and one module that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.third, self.fourth, self.fifth = (nn.Linear(8, 8) for _ in range(3))

    def forward(self, x):
        x = F.relu(self.first(x))
        x = self.second(x).clamp(min=0)
        x = F.relu(self.third(x), inplace=True)
        return self.out(self.relu1(self.fifth(self.relu1(self.fourth(x)))))


class Residual(Mlp):
    def forward(self, x):
        x = self.relu1(self.first(x))
        return self.out(self.relu2(self.second(x) + x))


class Cnn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.drop = nn.Conv2d(6, 4, 3), nn.Dropout(0.3)
        self.out = nn.Linear(4 * 16, OUT)

    def forward(self, x):
        x = self.relu(self.norm(self.conv(x)))
        return self.out(self.drop(F.relu(self.conv2(x))).flatten(1))


class Sequence(nn.Module):
    """Inputs (B, T, C)."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.relu, self.down = nn.Linear(IN, 7), nn.ReLU(), nn.Linear(7, OUT)

    def forward(self, x):
        return self.down(self.relu(self.up(x))).mean(1)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(IN, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        self.out = nn.Linear(8, OUT)

    def forward(self, x):
        return self.out(self.layer(self.up(x)).mean(1))


SHAPES: dict[type[nn.Module], tuple[int, ...]] = {
    Mlp: (IN,),
    Functional: (IN,),
    Residual: (IN,),
    Cnn: (2, 6, 6),
    Sequence: (4, IN),
    Encoder: (4, IN),
}
MODELS = list(SHAPES)


def seed(n: int = 0) -> None:
    torch.manual_seed(n)
    random.seed(n)
    np.random.seed(n)  # noqa: NPY002 - the global state is what may be disturbed


def built(kind: Callable[[], nn.Module], n: int = 0) -> nn.Module:
    seed(n)
    return kind()


def batches(shape: tuple[int, ...], n: int = 10, *, last: int = BATCH, start: int = 1):
    """Batches of inputs and labels, the last one smaller if asked."""
    random_ = torch.Generator().manual_seed(start)
    sizes = [BATCH] * (n - 1) + [last]
    return [
        (torch.randn(size, *shape, generator=random_), torch.arange(size) % OUT) for size in sizes
    ]


def loss_of(model: nn.Module, batch) -> torch.Tensor:
    return F.cross_entropy(model(batch[0]).float(), batch[1])


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, data) -> Iterator[int]:
    """Train; yields after each step."""
    for step, batch in enumerate(data):
        optimizer.zero_grad()
        loss_of(model, batch).backward()
        optimizer.step()
        yield step


def train(model: nn.Module, optimizer: torch.optim.Optimizer, data) -> None:
    for _ in steps(model, optimizer, data):
        pass


def sgd(model: nn.Module, rate: float = 0.1, **options) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=rate, **options)


def numbers(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """All that training leaves: what must be the same with and without a watch."""
    return {
        "model": copy.deepcopy(model.state_dict()),
        "optimizer": copy.deepcopy(optimizer.state_dict()),
        "gradients": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002
    }


def same(a: object, b: object) -> bool:
    """Equal bit for bit, also where values are NaN."""
    if isinstance(a, torch.Tensor):
        return _bits(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def _bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    kinds = {2: torch.int16, 4: torch.int32, 8: torch.int64}
    if a.is_floating_point() and a.ndim:
        a, b = (x.contiguous().view(kinds[x.element_size()]) for x in (a, b))
    return a.dtype == b.dtype and torch.equal(a, b)


def break_counting(monkeypatch, call: int) -> None:
    """Let the watch raise `ZeroDivisionError` when it counts for more than so manyth time."""
    calls = []

    def breaking(real):
        def broken(*args):
            calls.append(1)
            if len(calls) > call:
                raise ZeroDivisionError("of the watch")
            return real(*args)

        return broken

    monkeypatch.setattr(Post, "see", breaking(Post.see))
    monkeypatch.setattr(Post, "glance", breaking(Post.glance))


def hooks_of(model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> int:
    """How many hooks hang on modules, parameters and the optimizer."""
    n = sum(
        len(m._forward_hooks)
        + len(m._forward_pre_hooks)
        + len(m._backward_hooks)
        + len(m._forward_hooks_always_called)
        + len(m._forward_hooks_with_kwargs)
        + len(m._forward_pre_hooks_with_kwargs)
        for m in model.modules()
    )
    n += sum(len(p._post_accumulate_grad_hooks or ()) for p in model.parameters())
    if optimizer is not None:
        n += len(optimizer._optimizer_step_pre_hooks) + len(optimizer._optimizer_step_post_hooks)
    return n


def modes_left() -> int:
    """How many modes of torch are active that should have been left."""
    return torch._C._len_torch_dispatch_stack() + torch._C._len_torch_function_stack()
