"""How exact activations are: the largest errors of hinge and of torch, in units in the last place.

Run with ``python benchmarks/accuracy.py [NAME ...]``. The truth is the record's formula in
float64. All values of float16 and bfloat16 are tried, and of float32 every ``--step``-th bit
pattern (the default makes more than ten million values), infinities and NaN apart. An error is
counted in the spacing of the dtype at the true value; "lost" is a value that is NaN,
infinite or zero where the truth is none of it. Derivatives are compared outside of
``ROOM`` around their own roots, where no error relative to the value can be small; torch's
derivative is what autograd gives, ours is both `derivative` and what autograd gives.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch

from hinge.activations import Activation, all_activations
from hinge.errors import UnsupportedError

ROOM = 0.4
CHUNK = 1 << 20
SPACING = {  # bits after the point, the exponent of the least normal number
    torch.float32: (23, -126),
    torch.bfloat16: (7, -126),
    torch.float16: (10, -14),
}


class Errors(NamedTuple):
    """The largest error and where it is; how many values are lost."""

    ulps: float = 0.0
    at: float = 0.0
    lost: int = 0

    def joined(self, other: Errors) -> Errors:
        """The errors of both."""
        worst = max(self, other, key=lambda errors: errors.ulps)
        return Errors(worst.ulps, worst.at, self.lost + other.lost)

    def __str__(self) -> str:
        lost = f" {self.lost} lost" if self.lost else ""
        return f"{self.ulps:9.3g} at {self.at:<9.3g}{lost}"


def inputs(dtype: torch.dtype, step: int) -> Iterator[torch.Tensor]:
    """Finite values of a dtype, as many as ``step`` leaves, in pieces."""
    if dtype is torch.float32:
        for start in range(-(1 << 31), 1 << 31, CHUNK * step):
            bits = torch.arange(start, min(start + CHUNK * step, 1 << 31), step)
            values = bits.to(torch.int32).view(torch.float32)
            yield values[values.isfinite()]
        yield torch.linspace(-30, 30, CHUNK)
    else:
        values = torch.arange(-(1 << 15), 1 << 15).to(torch.int16).view(dtype)
        yield values[values.isfinite()]


def errors(found: torch.Tensor, truth: torch.Tensor, x: torch.Tensor) -> Errors:
    """Compare with the truth in float64, where the truth is a normal number of the dtype."""
    bits, least = SPACING[found.dtype]
    largest = torch.finfo(found.dtype).max
    normal = (truth.abs() >= 2.0**least) & (truth.abs() <= largest)
    y, truth, x = found.double()[normal], truth[normal], x[normal]
    lost = ~y.isfinite() | (y == 0)
    if not len(y):
        return Errors()
    spacing = torch.exp2(torch.floor(torch.log2(truth.abs())) - bits)
    ulps = torch.where(lost, 0, (y - truth).abs() / spacing)
    worst = int(ulps.argmax())
    return Errors(float(ulps[worst]), float(x[worst]), int(lost.sum()))


def gradient(function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    x = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(function(x).sum(), x)
    return found


def twin(act: Activation, dtype: torch.dtype) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """Torch's function."""
    try:
        return act.torch_module().requires_grad_(requires_grad=False).to(dtype).eval()
    except UnsupportedError:
        return None


def measure(act: Activation, dtype: torch.dtype, step: int) -> dict[str, Errors]:
    """The largest errors of values and derivatives, of both libraries."""
    theirs = twin(act, dtype)
    found: dict[str, Errors] = {}
    roots = [at for at in act.form.joints(filled(act)) if abs(act.derivative(at)) < 1e-3]
    for x in inputs(dtype, step):
        wide = x.double().numpy()
        value, slope = torch.from_numpy(act(wide)), torch.from_numpy(act.derivative(wide))
        away = torch.tensor([abs(wide - root) > ROOM for root in roots]).all(0) if roots else ...
        cases = {
            "value": (act(x), value, x),
            "derivative": (act.derivative(x)[away], slope[away], x[away]),
            "gradient": (gradient(act, x)[away], slope[away], x[away]),
        }
        if theirs is not None:
            cases["torch's value"] = (theirs(x), value, x)
            cases["torch's gradient"] = (gradient(theirs, x)[away], slope[away], x[away])
        for name, case in cases.items():
            found[name] = found.get(name, Errors()).joined(errors(*case))
    return found


def filled(act: Activation) -> dict[str, float]:
    return {parameter.name: parameter.default for parameter in act.parameters}


def main() -> None:
    known = {act.name: act for act in all_activations()}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--step", type=int, default=401)
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16", "float16"])
    options = parser.parse_args()
    np.seterr(all="ignore")
    columns = ("value", "torch's value", "derivative", "gradient", "torch's gradient")
    for dtype in options.dtypes:
        print(f"\n{dtype}, largest error in ulp\n{'':17}" + "".join(f"{c:<33}" for c in columns))
        for name in options.names or known:
            found = measure(known[name], getattr(torch, dtype), options.step)
            cells = "".join(f"{found.get(column, '')!s:<33}" for column in columns)
            print(f"{name:17}{cells}", flush=True)


if __name__ == "__main__":
    main()
