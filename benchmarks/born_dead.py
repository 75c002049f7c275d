"""How many ReLU networks are born dead, by width and depth: formula, Monte Carlo, He and RAI.

Run with ``python benchmarks/born_dead.py``; it prints Markdown. Lu, Shin, Su and Karniadakis
(arXiv 1903.06733, 2020): with symmetric weights and biases of 0, a layer of N units is all
off at a given input with probability 2^-N, so that of networks with L - 1 hidden layers

    1 - (1 - 2^-N)^(L - 1)

have a layer that is dead at that input, exactly; for all inputs together it is an upper
bound. Here networks have one input. Without biases such a network is constant on the whole
line if it is dead at +1 and at -1. RAI has biases: its networks are tried at 33 points of
[-√3, √3], the support of the uniform distribution of variance 1. One thread.
"""

from __future__ import annotations

import argparse
import math

import torch

from hinge.remedies import He, Rai

SIZES = ((2, 5), (2, 10), (3, 10), (5, 20), (8, 20), (10, 11), (10, 50))
POINTS = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
INTERVAL = torch.linspace(-math.sqrt(3), math.sqrt(3), 33, dtype=torch.float64)[None]


def exact(width: int, depth: int) -> float:
    """How many of networks with ``depth - 1`` hidden layers are dead at a given input."""
    return -math.expm1((depth - 1) * math.log1p(-(2.0**-width)))


def hidden(
    by: He | Rai, size: tuple[int, int, int], x: torch.Tensor, random: torch.Generator
) -> torch.Tensor:
    """The last hidden layers of many networks at the points ``x``, ``(nets, width, points)``.

    ``size``: how many networks, their width, their number of layers.
    """
    n_nets, width, depth = size
    h = x.expand(n_nets, 1, -1)
    for _ in range(depth - 1):
        fan_in = h.shape[1]
        weight, bias = by.draw(n_nets * width, fan_in, fan_in, math.sqrt(2), random)
        h = (weight.view(n_nets, width, fan_in) @ h + bias.view(n_nets, width, 1)).relu()
    return h


def constant(h: torch.Tensor) -> float:
    """The share of networks whose last hidden layer is the same at all points."""
    high, low = h.amax(2), h.amin(2)
    return float((high - low <= 1e-9 * high).all(1).double().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", type=int, default=20_000)
    n = parser.parse_args().nets
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(0)
    print(
        f"{n:,} networks each; an estimate p is off by about {2 / math.sqrt(n):.2g}·√(p(1 - p))\n"
    )
    print("| width N | layers L | at one input, exact | Monte Carlo | on the whole line | RAI |")
    print("|---|---|---|---|---|---|")
    for width, depth in SIZES:
        h = hidden(He(), (n, width, depth), POINTS, random)
        point = float((h[..., 0] == 0).all(1).double().mean())
        line = constant(h)
        rai = constant(hidden(Rai(), (n, width, depth), INTERVAL, random))
        shares = (exact(width, depth), point, line, rai)
        print(
            f"| {width} | {depth} | {' | '.join(f'{share:.2%}' for share in shares)} |", flush=True
        )


if __name__ == "__main__":
    main()
