"""What observing costs: an observed pass against a plain forward pass and against its peers.

Run with ``python benchmarks/observe.py``. Every round runs all contestants once, in a
random order, on the same batches; the table shows medians of their ratio to the plain
pass of the same round, with quartiles, in processor time. One thread. fastai takes part
where it is installed; its statistics are three numbers per layer and batch, none per unit.

``--memory`` instead streams examples through models and prints the memory used: a
million through a small one, and 100 000 through one of 400 000 units (``--examples``
changes both numbers).
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise

import torch
from torch import nn

import hinge

try:  # a peer, measured when it is installed
    from fastai.callback.hook import ActivationStats
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
except ImportError:
    ActivationStats = None

ROUNDS = 15
BATCHES = 40  # with 256 examples each, as many as a usual test set has


def mlp() -> tuple[nn.Module, list[torch.Tensor]]:
    sizes = (784, 1024, 1024, 1024, 1024)
    layers = [m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(1024, 10)), [torch.randn(256, 784)] * BATCHES


def cnn() -> tuple[nn.Module, list[torch.Tensor]]:
    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()),
        nn.MaxPool2d(2),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)),
    )
    return model, [torch.randn(64, 3, 32, 32)] * (BATCHES // 4)


@torch.no_grad()
def plain(model: nn.Module, batches: list[torch.Tensor]) -> None:
    for x in batches:
        model(x)


@torch.no_grad()
def naive(model: nn.Module, batches: list[torch.Tensor]) -> None:
    """The hook that everyone writes: a share per unit, batch by batch."""
    shares: dict[nn.Module, list[torch.Tensor]] = {}

    def keep(module: nn.Module, _: object, out: torch.Tensor) -> None:
        axes = [axis for axis in range(out.ndim) if axis != 1]
        shares.setdefault(module, []).append((out > 0).float().mean(axes))

    with ExitStack() as stack:
        for module in model.modules():
            if isinstance(module, nn.ReLU):
                stack.callback(module.register_forward_hook(keep).remove)
        plain(model, batches)


def fastai_stats(model: nn.Module, batches: list[torch.Tensor]) -> None:
    """ActivationStats of fastai on the ReLUs, its hook called as the learner calls it."""
    relus = [module for module in model.modules() if isinstance(module, nn.ReLU)]
    stats = ActivationStats(modules=relus)
    stats.learn = Learner(DataLoaders([], []), model, loss_func=nn.MSELoss())
    stats.learn.training = True
    stats.before_fit()
    with torch.no_grad():
        for x in batches:
            model(x)
            stats.after_batch()
    stats.after_fit()
    assert len(stats.stats) == len(batches)


def observed(model: nn.Module, batches: list[torch.Tensor]) -> None:
    hinge.observe(model, batches)


def compare(name: str, model: nn.Module, batches: list[torch.Tensor]) -> None:
    contestants: dict[str, Callable[[nn.Module, list[torch.Tensor]], None]] = {
        "plain again (noise)": plain,
        "naive hook": naive,
        "hinge.observe": observed,
    }
    if ActivationStats is not None:
        contestants["fastai ActivationStats"] = fastai_stats
    model.eval()
    ratios: dict[str, list[float]] = {contestant: [] for contestant in contestants}
    for run in (plain, *contestants.values()):
        run(model, batches)
    for _ in range(ROUNDS):
        base = seconds(plain, model, batches)
        for contestant in random.sample(sorted(contestants), len(contestants)):
            ratios[contestant].append(seconds(contestants[contestant], model, batches) / base)
    print(f"\n{name}: ratio to a plain forward pass, median [quartiles] of {ROUNDS} rounds")
    for contestant, found in ratios.items():
        low, middle, high = statistics.quantiles(found, n=4)
        print(f"  {contestant:24} {middle:.3f}  [{low:.3f}, {high:.3f}]")


def seconds(run: Callable[..., None], *arguments: object) -> float:
    start = time.process_time()
    run(*arguments)
    return time.process_time() - start


def small() -> nn.Module:
    """1 024 units: a stream of a million examples is over in a minute."""
    sizes = (8, 256, 256, 256, 256)
    layers = [m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers)


def wide() -> nn.Module:
    """400 000 units in 100 layers with a bottleneck of 8 between them."""
    blocks = [nn.Sequential(nn.Linear(8, 4000), nn.ReLU(), nn.Linear(4000, 8)) for _ in range(100)]
    return nn.Sequential(*blocks)


def memory(name: str, model: nn.Module, n_examples: int, batch: int) -> None:
    """Stream random examples: the memory does not grow with their number."""

    def stream() -> Iterator[torch.Tensor]:
        for _ in range(n_examples // batch):
            yield torch.randn(batch, 8)

    def report(done: int, _: int | None) -> None:
        if done * 10 // n_examples > (done - batch) * 10 // n_examples:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"  {done:>9,} examples, peak memory {peak:,.0f} MiB", flush=True)

    print(f"\n{name}: {n_examples:,} examples in batches of {batch}")
    start = time.perf_counter()
    census = hinge.observe(model, stream(), progress=report)
    took = time.perf_counter() - start
    values = sum(int(observed.values.sum()) for observed in census.values())
    print(f"  {census.n_units:,} units counted over {census.seen:,} examples in {took:,.0f} s:")
    print(f"  {values:,} pre-activations, {took / values * 1e9:.2f} ns each, forward pass included")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--examples", type=int, help="how many to stream with --memory")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    load = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    print(f"{os.cpu_count()} processors, load {load} over the last 1, 5 and 15 minutes")
    if options.memory:
        memory("4 layers of 256 units", small(), options.examples or 1_000_000, 1000)
        memory("100 layers of 4 000 units", wide(), options.examples or 100_000, 250)
    else:
        compare("MLP 784-1024x4-10, batches of 256", *mlp())
        compare("CNN 32-32-64-64 on 32x32, batches of 64", *cnn())
