"""What watching costs: a training step with a watch against the same step without one.

Run with ``python benchmarks/watch.py``. The two loops are an MLP 784-1024x4-10 with batches of
256, and a CNN 32-32-64-64 on 32x32 with batches of 64, both with SGD. Every round runs one step
of each contestant in a random order, between plain ones (A B A C A). The table shows the median
of the ratio to the mean of the plain steps before and after, with quartiles, and the ratio of
the sums, which holds the steps too at which a watch samples or looks. In processor time, on one
thread. ``plain again`` is the control: what it is off by is noise.

Peers take part where they are installed: fastai's ActivationStats, ``wandb.watch`` (offline,
``log="gradients"`` and ``"all"``), histograms of all activations in TensorBoard. Each does what
it does by default; none but Hinge counts units.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import pairwise

import torch
from torch import nn

import hinge

try:
    from fastai.callback.hook import ActivationStats
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
except ImportError:
    ActivationStats = None
try:
    import wandb
except ImportError:
    wandb = None
try:
    from torch.utils.tensorboard import SummaryWriter
except ImportError:
    SummaryWriter = None

Step = Callable[[], None]


class Loop:
    """A network, its optimizer, one batch, and a step of training."""

    def __init__(self, model: nn.Module, x: torch.Tensor) -> None:
        self.model, self.x = model, x
        self.y = torch.randint(0, 10, (len(x),))
        self.optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def step(self) -> None:
        """Do one step of training."""
        loss = nn.functional.cross_entropy(self.model(self.x), self.y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    @property
    def relus(self) -> list[nn.Module]:
        """The modules that hooks are put on."""
        return [module for module in self.model.modules() if isinstance(module, nn.ReLU)]


def mlp() -> Loop:
    sizes = (784, 1024, 1024, 1024, 1024)
    layers = [m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
    return Loop(nn.Sequential(*layers, nn.Linear(1024, 10)), torch.randn(256, 784))


def cnn() -> Loop:
    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()),
        nn.MaxPool2d(2),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)),
    )
    return Loop(model, torch.randn(64, 3, 32, 32))


@contextmanager
def hooked(loop: Loop, hook: Callable[..., None]) -> Iterator[Step]:
    with ExitStack() as stack:
        for module in loop.relus:
            stack.callback(module.register_forward_hook(hook).remove)
        yield loop.step


@contextmanager
def plain(loop: Loop) -> Iterator[Step]:
    yield loop.step


def naive(loop: Loop) -> AbstractContextManager[Step]:
    """The hook that everyone writes: a share per unit, step by step."""
    shares: dict[nn.Module, torch.Tensor] = {}

    def keep(module: nn.Module, _: object, out: torch.Tensor) -> None:
        axes = [axis for axis in range(out.ndim) if axis != 1]
        shares[module] = (out > 0).float().mean(axes)

    return hooked(loop, keep)


@contextmanager
def watched(loop: Loop) -> Iterator[Step]:
    with hinge.watch(loop.model, loop.optimizer):
        yield loop.step


@contextmanager
def fastai_stats(loop: Loop) -> Iterator[Step]:
    stats = ActivationStats(modules=loop.relus)
    stats.learn = Learner(DataLoaders([], []), loop.model, loss_func=nn.MSELoss())
    stats.learn.training = True
    stats.before_fit()

    def step() -> None:
        loop.step()
        stats.after_batch()

    yield step
    stats.after_fit()


def wandb_watch(log: str) -> Callable[[Loop], AbstractContextManager[Step]]:
    """Offline; all its contestants write to one run, since hooks of wandb know only that one."""

    @contextmanager
    def contestant(loop: Loop) -> Iterator[Step]:
        with tempfile.TemporaryDirectory() as folder:
            run = wandb.run or wandb.init(project="benchmark", dir=folder, mode="offline")
            run.watch(loop.model, log=log, log_freq=1)

            def step() -> None:
                loop.step()
                run.log({"step": 1})

            yield step
            run.unwatch(loop.model)
            if wandb.run is not None:
                wandb.finish()

    return contestant


@contextmanager
def histograms(loop: Loop) -> Iterator[Step]:
    with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
        count = 0

        def keep(module: nn.Module, _: object, out: torch.Tensor) -> None:
            writer.add_histogram(str(id(module)), out, count)

        with hooked(loop, keep) as step:
            yield step


def seconds(step: Step) -> float:
    start = time.process_time()
    step()
    return time.process_time() - start


def compare(name: str, make: Callable[[], Loop], rounds: int) -> None:
    """Each contestant has a loop of its own, and all of them take turns, step by step."""
    contestants = {"plain again (control)": plain, "hinge.watch": watched, "naive hook": naive}
    if ActivationStats is not None:
        contestants["fastai ActivationStats"] = fastai_stats
    if wandb is not None:
        contestants["wandb.watch gradients"] = wandb_watch("gradients")
        contestants["wandb.watch all"] = wandb_watch("all")
    if SummaryWriter is not None:
        contestants["TensorBoard histograms"] = histograms
    took: dict[str, list[float]] = {contestant: [] for contestant in contestants}
    beside: dict[str, list[float]] = {contestant: [] for contestant in contestants}
    with ExitStack() as stack:
        bare = make().step
        run = {name: stack.enter_context(context(make())) for name, context in contestants.items()}
        for step in (bare, *run.values()):
            seconds(step)  # the first step of a watch is a survey
        before = seconds(bare)
        for _ in range(rounds):
            for contestant in random.sample(sorted(run), len(run)):
                took[contestant].append(seconds(run[contestant]))
                after = seconds(bare)
                beside[contestant].append((before + after) / 2)
                before = after
    plain_step = statistics.median(one for many in beside.values() for one in many)
    print(f"\n{name}: ratio to a plain step of {plain_step * 1e3:.0f} ms, over {rounds} steps")
    print(f"  {'':24} median [quartiles]        all steps together")
    for contestant, times in took.items():
        ratios = [mine / plain for mine, plain in zip(times, beside[contestant], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        together = sum(times) / sum(beside[contestant])
        spread = f"[{low:.3f}, {high:.3f}]"
        print(f"  {contestant:24} {middle:.3f}  {spread:18}  {together:.3f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=256, help="a watch looks at every 64th step")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    load = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    print(f"{os.cpu_count()} processors, load {load} over the last 1, 5 and 15 minutes")
    compare("MLP 784-1024x4-10, batches of 256", mlp, options.rounds)
    compare("CNN 32-32-64-64 on 32x32, batches of 64", cnn, options.rounds)
