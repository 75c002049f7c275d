"""What remedies do to a network with dead units: how far it moves, who lives, what it learns.

Run with ``python benchmarks/remedies.py``; it prints Markdown. A network of 20-128-1 units is
trained by Adam (rate 1e-2) for 200 steps on all of 2,048 normal examples; the target is a sum
of 16 sines of random directions, of variance 1. Then 48 biases are set to -12, one remedy is
applied, and training goes on for 300 steps. Each seed has its own data, target and network,
the same for all remedies. What is shown is the median over the seeds, of the loss on the data
with quartiles. One thread.

* *change*: the largest change of an output, in eval mode, on the data and on three times them;
* *dead*: units that fire on no example; a leaky slope does not make one alive;
* *gradient*: how many of the 48 have one at their weights in the first step after;
* *kept*: how often the outputs stayed within 1e-5 of their spread where the receipt promises
  it.

The second table redraws the 16 living units with the lowest ReDo score: what they gave on
average goes into the next bias, and the mean of the outputs stays. GnT and continual backprop
mean to do that; in the released code the average is zeroed before it is used.
"""

from __future__ import annotations

import argparse
import copy
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

import hinge
from hinge.remedies import (
    Lift,
    Receipt,
    Redraw,
    Split,
    insert_batchnorm,
    reinit,
    revive,
    swap,
)

UNITS, EXAMPLES, RIDGES, BEFORE, AFTER, DORMANT = 128, 2048, 16, 200, 300, 16
DEAD = range(48)
ROUNDING = 1e-5  # of the outputs' spread: single precision, sums of 128


class Patient:
    """A network in the midst of its training, with its data and its optimizer."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.x = torch.randn(EXAMPLES, 20)
        directions = nn.functional.normalize(torch.randn(20, RIDGES), dim=0)
        waves = torch.sin(1.5 * self.x @ directions)
        self.y = math.sqrt(2 / RIDGES) * waves.sum(1, keepdim=True)
        self.model = nn.Sequential(nn.Linear(20, UNITS), nn.ReLU(), nn.Linear(UNITS, 1))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-2)
        for _ in range(BEFORE):
            self.step()

    def injured(self) -> Patient:
        """Copy it, and kill units of the copy."""
        other = copy.deepcopy(self)
        with torch.no_grad():
            other.model[0].bias[list(DEAD)] = -12.0
        return other

    def step(self) -> None:
        """Train on all examples once; the gradients stay."""
        self.model.train()
        self.optimizer.zero_grad()
        nn.functional.mse_loss(self.model(self.x), self.y).backward()
        self.optimizer.step()

    @torch.no_grad()
    def outputs(self, scale: float = 1.0) -> torch.Tensor:
        """What it gives in eval mode on the data, times the scale."""
        self.model.eval()
        return self.model(scale * self.x)

    @property
    def loss(self) -> float:
        """The mean squared error on the data."""
        return float(nn.functional.mse_loss(self.outputs(), self.y))

    @property
    def dead(self) -> int:
        """How many units fire on no example."""
        (site,) = hinge.observe(self.model, self.x).values()
        return int((site.fired == 0).sum())

    @property
    def reached(self) -> int:
        """How many of the dead units have a gradient at their weights."""
        return int(self.model[0].weight.grad[list(DEAD)].any(dim=1).sum())


Remedy = Callable[[Patient], Receipt | None]


def revived(by: object) -> Remedy:
    return lambda p: revive(p.model, {"1": DEAD}, p.x, by=by, optimizer=p.optimizer)


def swapped(new: str, **options: object) -> Remedy:
    return lambda p: swap(p.model, "relu", new, data=p.x, optimizer=p.optimizer, **options)


def normalised(*, preserving: bool) -> Remedy:
    return lambda p: insert_batchnorm(
        p.model, "1", p.x, preserving=preserving, optimizer=p.optimizer
    )


REMEDIES: dict[str, Remedy] = {
    "nothing": lambda _: None,
    "`Redraw()` (ReDo)": revived(Redraw()),
    "`Redraw(keep_outgoing=True)`": revived(Redraw(keep_outgoing=True)),
    "`Lift(0.2)`": revived(Lift(0.2)),
    "`Lift(0.2, keep_outgoing=True)`": revived(Lift(0.2, keep_outgoing=True)),
    "`Split()`": revived(Split()),
    "`Split(noise=0)`": revived(Split(noise=0)),
    "LeakyReLU, slope 0.01": swapped("leaky_relu", negative_slope=0.01),
    "LeakyReLU, slope 0.2": swapped("leaky_relu", negative_slope=0.2),
    "PReLU from slope 0": swapped("prelu", preserve=True),
    "`insert_batchnorm`": normalised(preserving=True),
    "`insert_batchnorm(preserving=False)`": normalised(preserving=False),
    '`reinit(by="he")`': lambda p: reinit(p.model, data=p.x, optimizer=p.optimizer),
}


@dataclass(frozen=True)
class Outcome:
    """What one remedy did for one seed; ``kept`` is None where nothing was promised."""

    moved: float
    far: float
    dead: int
    reached: int
    dead_after: int
    loss: float
    promise: str
    kept: bool | None


def outcome(remedy: Remedy, healthy: Patient) -> Outcome:
    patient = healthy.injured()
    before, far_before = patient.outputs(), patient.outputs(3.0)
    receipt = remedy(patient)
    moved = float((patient.outputs() - before).abs().max())
    far = float((patient.outputs(3.0) - far_before).abs().max())
    dead = patient.dead
    patient.step()
    reached = patient.reached
    for _ in range(AFTER - 1):
        patient.step()
    promise = "-" if receipt is None else receipt.preserves
    within = [moved <= ROUNDING * before.std(), far <= ROUNDING * far_before.std()]
    kept = {"data": bool(within[0]), "everywhere": bool(all(within))}.get(promise)
    return Outcome(moved, far, dead, reached, patient.dead, patient.loss, promise, kept)


def mean_shift(healthy: Patient, dtype: torch.dtype) -> tuple[float, float, float]:
    """How far the mean output moves without and with the correction, and the outputs' spread."""
    patient = copy.deepcopy(healthy)
    patient.model.to(dtype)
    patient.x = patient.x.to(dtype)
    site = hinge.observe(patient.model, patient.x)["1"]
    strength = torch.from_numpy(site.strength.copy())
    strength[torch.from_numpy(site.fired == 0)] = torch.inf  # living ones only
    units = strength.argsort()[:DORMANT].tolist()
    before, bias = patient.outputs(), patient.model[2].bias.detach().clone()
    revive(patient.model, {"1": units}, patient.x, by=Redraw(dormant=True))
    corrected = patient.outputs()
    with torch.no_grad():
        patient.model[2].bias.copy_(bias)
    shifts = (float((y - before).mean().abs()) for y in (patient.outputs(), corrected))
    return *shifts, float(before.std())


def median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2g}"


def row(name: str, of: Sequence[Outcome]) -> str:
    def middle(what: str) -> str:
        return median([getattr(one, what) for one in of])

    low, loss, high = statistics.quantiles([one.loss for one in of], n=4)
    kept = [one.kept for one in of if one.kept is not None]
    cells = (
        name,
        middle("moved"),
        middle("far"),
        *(f"{statistics.median(getattr(o, w) for o in of):g}" for w in _COUNTS),
        f"{loss:.4f} [{low:.4f}, {high:.4f}]",
        of[0].promise,
        f"{sum(kept)} of {len(kept)}" if kept else "-",
    )
    return f"| {' | '.join(cells)} |"


_COUNTS = ("dead", "reached", "dead_after")
_HEADER = (
    "remedy",
    "change on the data",
    "at 3 times the data",
    "dead right after",
    "of the 48, with gradient in step 1",
    f"dead after {AFTER} steps",
    "loss [quartiles]",
    "promise",
    "kept",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    n_seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    patients = [Patient(seed) for seed in range(n_seeds)]
    print(f"{n_seeds} seeds\n")
    print(f"| {' | '.join(_HEADER)} |\n|{'---|' * len(_HEADER)}")
    for name, remedy in REMEDIES.items():
        print(row(name, [outcome(remedy, one) for one in patients]), flush=True)
    print("\nShift of the mean output when 16 dormant units are redrawn, median (largest)\n")
    print("| precision | outputs' spread | without correction | with it |\n|---|---|---|---|")
    for dtype in (torch.float32, torch.float64):
        without, with_it, spread = zip(*(mean_shift(one, dtype) for one in patients), strict=True)
        shifts = (f"{median(one)} ({max(one):.2g})" for one in (without, with_it))
        print(f"| {str(dtype).split('.')[1]} | {median(spread)} | {' | '.join(shifts)} |")


if __name__ == "__main__":
    main()
