"""What activations cost: hinge.nn against torch, eager and compiled, on this machine.

Run with ``python benchmarks/activations.py [NAME ...]``. Every round runs all contestants
once, in a random order, on the same random normal data; each figure is the median over the
rounds. "x clone" is our time over that of ``clone()``; "gain" is torch's time over ours, so
that 2.0 means twice as fast as torch; "kept" is what is kept for the backward pass, in
bytes per element of the input, torch's and ours. Where torch has no such module, the peer
is what its users write instead, as the table says.

``--sizes``, ``--dtypes`` and ``--threads`` choose the cases, ``--rounds`` the patience;
``--compile`` lets ``torch.compile`` take part as well, which takes a minute per function.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  its usual name

import hinge.nn as hnn
from hinge.measuring import kept_bytes

Run = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Peers:
    """Ours, torch's, and how torch's is written where it is no module of the same name."""

    ours: nn.Module
    theirs: Run
    written: str = ""


def gated(function: Run) -> Run:
    def run(x: torch.Tensor) -> torch.Tensor:
        a, b = x.chunk(2, -1)
        return function(a) * b

    return run


def peers() -> dict[str, Peers]:
    same = (
        *("ReLU", "LeakyReLU", "PReLU", "RReLU", "ReLU6", "ELU", "CELU", "SELU"),
        *("Hardtanh", "Hardsigmoid", "Hardswish", "Hardshrink", "Softshrink", "Softplus"),
        *("Softsign", "Sigmoid", "LogSigmoid", "Tanh", "Tanhshrink", "SiLU", "GELU", "Mish", "GLU"),
    )
    found = {name: Peers(getattr(hnn, name)(), getattr(nn, name)()) for name in same}
    found["PReLU-C"] = Peers(hnn.PReLU(100), nn.PReLU(100), "nn.PReLU(100)")
    found["GELU-tanh"] = Peers(hnn.GELU("tanh"), nn.GELU("tanh"), "nn.GELU('tanh')")
    written: dict[str, tuple[nn.Module, Run, str]] = {
        "CReLU": (hnn.CReLU(), lambda x: torch.cat([F.relu(x), F.relu(-x)], 1), "cat of two relu"),
        "SquaredReLU": (hnn.SquaredReLU(), lambda x: F.relu(x) ** 2, "relu(x)**2"),
        "ReGLU": (hnn.ReGLU(), gated(F.relu), "relu(a)*b"),
        "GEGLU": (hnn.GEGLU(), gated(F.gelu), "gelu(a)*b"),
        "SwiGLU": (hnn.SwiGLU(), gated(F.silu), "silu(a)*b"),
        "StarReLU": (hnn.StarReLU(), star(), "s*relu(x)**2+b"),
        "QuickGELU": (hnn.QuickGELU(), lambda x: x * torch.sigmoid(1.702 * x), "x*sigmoid(1.702x)"),
        "Squareplus": (hnn.Squareplus(), lambda x: (x + torch.sqrt(x * x + 4)) / 2, "composed"),
    }
    return found | {name: Peers(*three) for name, three in written.items()}


def star() -> Run:
    scale, bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))
    return lambda x: scale * F.relu(x) ** 2 + bias


def forward(run: Run, x: torch.Tensor, calls: int) -> None:
    with torch.no_grad():
        for _ in range(calls):
            run(x)


def both(run: Run, x: torch.Tensor, calls: int) -> None:
    for _ in range(calls):
        y = run(x)
        y.backward(gradients[y.shape, y.dtype])
        x.grad = None


gradients: dict[tuple[torch.Size, torch.dtype], torch.Tensor] = {}


def medians(contestants: dict[str, Run], how: Callable[..., None], x: torch.Tensor, rounds: int):
    """Seconds per call: the median of each contestant over interleaved rounds."""
    calls = max(1, round(2e5 / max(x.numel(), 1e3)))
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name in random.sample(sorted(contestants), len(contestants)):
            start = time.perf_counter()
            how(contestants[name], x, calls)
            if number:  # the first round warms up
                found[name].append((time.perf_counter() - start) / calls)
    return {name: statistics.median(times) for name, times in found.items()}


def shape_of(name: str, size: int) -> tuple[int, ...]:
    """Rows of 100, which every axis option divides."""
    del name
    return (size // 100, 100)


def measure(name: str, pair: Peers, options: argparse.Namespace, size: int, dtype: torch.dtype):
    ours = pair.ours.to(dtype) if any(True for _ in pair.ours.parameters()) else pair.ours
    theirs = pair.theirs.to(dtype) if isinstance(pair.theirs, nn.Module) else pair.theirs
    x = torch.randn(shape_of(name, size)).to(dtype).requires_grad_()
    contestants: dict[str, Run] = {"ours": ours, "torch": theirs, "clone": torch.clone}
    if options.compile:
        torch._dynamo.reset()  # noqa: SLF001  the cache of another case would be measured
        contestants["compiled"] = torch.compile(theirs)
    for run in contestants.values():
        y = run(x).detach()
        gradients[y.shape, y.dtype] = torch.randn_like(y)
    cells = []
    for how in (forward, both):
        found = medians(contestants, how, x, options.rounds)
        cells += [found["ours"] / found["clone"], found["torch"] / found["ours"]]
        cells += [found["compiled"] / found["ours"]] if options.compile else []
    kept = [kept_bytes(run, x).total / x.numel() for run in (theirs, ours)]
    return cells, kept


def main() -> None:
    known = peers()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--sizes", nargs="+", type=float, default=[1e2, 1e4, 1e6, 2.5e7])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    random.seed(0)
    extra = "  compiled" if options.compile else ""
    for threads in options.threads:
        torch.set_num_threads(threads)
        for dtype in options.dtypes:
            for size in map(int, options.sizes):
                print(f"\n{size:,} elements of {dtype}, {threads} thread{'s' * (threads > 1)}")
                head = f"x clone  gain{extra}"
                print(f"{'':13}{'forward':>15}{'':{len(extra)}}   forward + backward      kept")
                print(f"{'':13}  {head}   {head}    torch  ours")
                for name in options.names or known:
                    pair = known[name]
                    cells, kept = measure(name, pair, options, size, getattr(torch, dtype))
                    shown = "".join(f"{cell:8.2f}" for cell in cells)
                    print(f"{name:13}{shown}    {kept[0]:7.2f}{kept[1]:7.2f}  {pair.written}")


if __name__ == "__main__":
    main()
