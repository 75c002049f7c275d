"""What exact partitions cost: cells per second, beside regioncam and beside a forward pass.

Run with ``OMP_NUM_THREADS=1 python benchmarks/partition.py``. Times are medians over rounds in
which all contestants take part once, in a random order: processor time, and wall time beside it.
One thread, but where threads are the subject. Everything is built and kept: vertices, edges,
cells and which cells are neighbours. "engine" is the subdivision alone, "whole" is
`hinge.partition`. regioncam, in float32, takes part where it is installed:
``pip install regioncam``.

``--degenerate`` instead compares counts where they are known, on networks that are not in general
position. ``--memory`` makes a partition of about ten million cells (``--cells`` changes that) in a
process of its own, kept and then counted only, and prints the most memory that was used.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from partition_networks import (
    default_network,
    folded,
    linear_layers,
    sawtooth,
    tent,
    triangles,
    with_copies,
    zaslavsky,
)
from torch import nn

import hinge
from hinge.regions.cutting.budget import Budget
from hinge.regions.cutting.engine import Outcome, Work, cut_polygon
from hinge.regions.programs.lowering import lower

try:  # a peer, measured when it is installed
    import regioncam
except ImportError:
    regioncam = None

BATCH = 1024
NETWORKS = {"3x32": (32,) * 3, "3x128": (128,) * 3, "6x64": (64,) * 6, "3x256": (256,) * 3}
Run = Callable[[], Any]


@dataclass(frozen=True)
class Took:
    """Seconds, processor and wall, one of each per round."""

    cpu: list[float]
    wall: list[float]

    def __str__(self) -> str:
        cpu, wall = statistics.median(self.cpu), statistics.median(self.wall)
        return f"{cpu * 1e3:9.1f} ms CPU {wall * 1e3:9.1f} wall"

    @property
    def seconds(self) -> float:
        """Of the processor, in the median round."""
        return statistics.median(self.cpu)


def rounds(contestants: dict[str, Run], number: int) -> dict[str, Took]:
    """Let all take part once in every round; one more round before warms up."""
    took = {name: Took([], []) for name in contestants}
    for i in range(number + 1):
        for name in random.sample(sorted(contestants), len(contestants)):
            wall, cpu = time.perf_counter(), time.process_time()
            contestants[name]()
            if i:
                took[name].cpu.append(time.process_time() - cpu)
                took[name].wall.append(time.perf_counter() - wall)
    return took


def ratio(one: list[float], other: list[float]) -> str:
    """The median of the rounds' ratios, with the least and the largest."""
    found = [a / b for a, b in zip(one, other, strict=True)]
    return f"{statistics.median(found):.2f} [{min(found):.2f}, {max(found):.2f}]"


def square(half_side: float) -> hinge.Polygon:
    r = half_side
    return hinge.Polygon(((-r, -r), (r, -r), (r, r), (-r, r)))


def engine(network: nn.Sequential, *, threads: int = 1, count_only: bool = False) -> Run:
    """The subdivision of [-1, 1]^2 alone: reading and lowering are done before."""
    domain = square(1)
    program = lower(hinge.read(network, torch.zeros(1, 2, dtype=torch.float64)), domain)
    work = Work(Budget(), threads, count_only=count_only)
    return lambda: cut_polygon(program, domain.corners, work)


def whole(network: nn.Sequential) -> Run:
    return lambda: hinge.partition(network, square(1), threads=1)


def peer(network: nn.Sequential, half_side: float = 1) -> Run:
    """The peer's partition. The output layer cuts nothing: neither of us evaluates it."""
    layers = [
        (part.weight.detach().numpy().T.astype(np.float32), part.bias.detach().float().numpy())
        for part in linear_layers(network)
    ]

    def run() -> Any:
        cut = regioncam.Regioncam(half_side)
        for weight, bias in layers[:-1]:
            cut.linear(np.ascontiguousarray(weight), bias)
            cut.relu()
        return cut

    return run


def forward(network: nn.Sequential, points: np.ndarray) -> Run:
    batches = torch.as_tensor(points).split(BATCH)

    @torch.no_grad()
    def run() -> None:
        for batch in batches:
            network(batch)

    return run


def speed(name: str, hidden: tuple[int, ...], number: int) -> None:
    network = default_network(hidden)
    cut: Outcome[Any] = engine(network)()
    mesh, cells = cut.result, cut.n_cells
    contestants = {
        "engine": engine(network),
        "whole": whole(network),
        "count only": engine(network, count_only=True),
        "forward": forward(network, mesh.vertices),
    }
    if regioncam is not None:
        contestants["regioncam"] = peer(network)
    took = rounds(contestants, number)
    print(f"\n{name}: {len(mesh.vertices):,} vertices, {len(mesh.edges):,} edges, {cells:,} cells")
    print(f"  {cut.sharpened:,} vertices sharpened, {cut.decided:,} decided by exact arithmetic")
    if regioncam is not None:
        found = contestants["regioncam"]()
        counts = (found.num_vertices, found.num_edges, found.num_faces)
        print("  regioncam: {:,} vertices, {:,} edges, {:,} cells".format(*counts))
    for contestant, seconds in took.items():
        print(f"  {contestant:10} {seconds}  {cells / seconds.seconds:11,.0f} cells per CPU second")
    for contestant in ("engine", "whole"):
        own = took[contestant].cpu
        times = ratio(own, took["forward"].cpu)
        print(f"  {contestant}: {times} times one forward pass over the vertices")
        if regioncam is not None:
            print(f"  {contestant}: regioncam takes {ratio(took['regioncam'].cpu, own)} times ours")


def growth(number: int) -> None:
    wide = {f"3 layers of {width}": (width,) * 3 for width in (16, 32, 64, 128, 256)}
    deep = {f"{depth} layers of 64": (64,) * depth for depth in range(1, 9)}
    for group in (wide, deep):
        networks = {name: default_network(hidden) for name, hidden in group.items()}
        runs = {name: engine(network) for name, network in networks.items()}
        cuts = {name: run() for name, run in runs.items()}
        plain = {
            f"{name}, forward": forward(networks[name], cut.result.vertices)
            for name, cut in cuts.items()
        }
        took = rounds(runs | plain, number)
        print("\nmicroseconds of CPU per cell; times one forward pass; sharpened per 1000 cells")
        for name, cut in cuts.items():
            each = took[name].seconds / cut.n_cells * 1e6
            times = took[name].seconds / took[f"{name}, forward"].seconds
            sharp = cut.sharpened / cut.n_cells * 1e3
            print(f"  {name:15} {cut.n_cells:8,} cells {each:7.2f} us {times:7.1f}x {sharp:7.1f}")


def two_threads(number: int) -> None:
    network = default_network(NETWORKS["3x256"])
    one, two = "one thread", "two threads"
    took = rounds({one: engine(network), two: engine(network, threads=2)}, number)
    print("\n3x256, threads")
    for name, seconds in took.items():
        print(f"  {name:12} {seconds}")
    print(f"  two are {ratio(took[one].wall, took[two].wall)} times as fast by the clock")


def line(number: int, depth: int = 20) -> None:
    network, segment = sawtooth(depth), hinge.Segment([0.0], [1.0])
    found = hinge.partition(network, segment, threads=1)
    due = np.arange(2**depth + 1) / 2**depth
    right = np.array_equal(np.ravel(found.points), due)
    runs = {"whole": lambda: hinge.partition(network, segment, threads=1)}
    runs["forward"] = forward(network, due[:, None])
    took = rounds(runs, number)
    knots = "as they should be, to the bit" if right else "WRONG"
    print(f"\nsawtooth of 2^{depth} pieces: {found.n_cells:,} found, knots {knots}")
    for name, seconds in took.items():
        print(f"  {name:10} {seconds}")
    print(f"  {ratio(took['whole'].cpu, took['forward'].cpu)} times one forward pass")


def degenerate() -> None:
    cases: list[tuple[str, nn.Sequential, float, int | None]] = [
        ("tent 5", tent(5), 1, 4**5),
        ("tri 8", triangles(8), 1, 2 * 8**2),
        ("zas 32, R = 1e6", zaslavsky(32), 1e6, 1 + 32 + 32 * 31 // 2),
        ("zas 128, R = 1e6", zaslavsky(128), 1e6, 1 + 128 + 128 * 127 // 2),
    ]
    print("cells; of the copied networks the truth is the count of the network without copies,")
    print("which is in general position")
    print(f"{'':18}{'truth':>8}{'ours':>8}{'regioncam':>11}")
    for seed in range(5):
        original = default_network((16, 16), seed)
        truth = cells_of(original, 1)
        cases.append((f"16-16 copied, {seed}", with_copies(original), 1, truth))
    for name, network, half_side, truth in cases:
        theirs = peer(network, half_side)().num_faces if regioncam is not None else "-"
        print(f"{name:18}{truth:>8}{cells_of(network, half_side):>8}{theirs:>11}")


def cells_of(network: nn.Sequential, half_side: float) -> int:
    return hinge.partition(network, square(half_side), threads=1).n_cells


def many(cells: int) -> tuple[nn.Sequential, nn.Sequential, int]:
    """A network of about so many cells, of what it has copies, and how many it has.

    No random network of a usual size has ten million: the number grows with the square of its
    units, whatever its depth (Hanin and Rolnick 2019).
    """
    small, width = 20_714, 128  # of three layers of 128
    depth = 0
    while cells >= small * 4 ** (depth + 1):
        depth += 1
    width = round(width * (cells / (small * 4**depth)) ** 0.5)
    network = default_network((width,) * 3)
    return folded(network, depth), folded(network, 0), 4**depth


UNIT = ((0, 0), (1, 0), (1, 1), (0, 1))


def memory(cells: int) -> None:
    """Let a fresh process make each partition; its peak before and after is its own."""
    for how in ("kept", "counted"):
        command = [sys.executable, __file__, "--cells", str(cells), "--child", how]
        subprocess.run(command, check=True)  # noqa: S603  this very file


def child(cells: int, how: str) -> None:
    network, copied, copies = many(cells)
    truth = (
        copies * hinge.partition(copied, hinge.Polygon(UNIT), threads=1, count_only=True).n_cells
    )
    before = peak()
    wall, cpu = time.perf_counter(), time.process_time()
    found = hinge.partition(network, hinge.Polygon(UNIT), threads=1, count_only=how == "counted")
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    more = peak() - before
    print(f"{found.n_cells:,} cells {how} ({truth:,} due), one thread")
    print(f"  {cpu:.1f} s CPU {wall:.1f} wall, {found.n_cells / cpu:,.0f} cells per CPU second")
    print(f"  peak {before / 2**20:,.0f} MiB before, {more / 2**20:,.0f} MiB more:", end=" ")
    print(f"{more / found.n_cells:.0f} bytes a cell", flush=True)
    if how == "kept":
        print(f"  {len(found.vertices):,} vertices, {len(found.edges):,} edges", flush=True)


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--degenerate", action="store_true", help="compare counts instead of times")
    parser.add_argument("--cells", type=lambda text: int(float(text)), default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", choices=("kept", "counted"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    random.seed(0)
    if options.child:
        child(options.cells, options.child)
        return
    load = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    print(f"{os.cpu_count()} processors, load {load} over the last 1, 5 and 15 minutes")
    if options.memory:
        memory(options.cells)
    elif options.degenerate:
        degenerate()
    else:
        for name, hidden in NETWORKS.items():
            speed(name, hidden, options.rounds)
        growth(options.rounds)
        two_threads(options.rounds)
        line(options.rounds)


if __name__ == "__main__":
    main()
