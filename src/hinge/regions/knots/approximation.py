"""The result of `approximate`: the network, its knots, and how far it is from the function."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hinge.network import Network
from hinge.page import Column, Line, Lines, Note, Page, Table
from hinge.report import json, to_html

if TYPE_CHECKING:
    import pandas as pd

Reals = npt.NDArray[np.float64]

SCHEMA, VERSION = "approximation", 1

_DRAWN = 1025
"""Points of a line on the page."""

_MARKED = 17
"""More knots than these are not marked one by one."""


@dataclass(frozen=True, eq=False)
class Approximation:
    """A network that is close to a function of one variable, and the evidence.

    ``knots`` and ``values`` ``(pieces + 1,)`` float64: where it bends, and what it is there.
    ``bound``: the error is nowhere larger, in real arithmetic; unless ``bound_is_estimate``,
    where |f″| was estimated from differences. ``measured``: the largest error found, at
    ``measured_at``, on 64 points per piece. ``rounding``: what float64 weights and running
    the network in float64 can add. ``placing`` and ``fitting`` are the options ``knots`` and
    ``values`` of `approximate`; ``grid`` and ``truth`` the points where it was measured, and
    the function's values there.
    """

    network: Network
    knots: Reals
    values: Reals
    bound: float
    bound_is_estimate: bool
    measured: float
    measured_at: float
    rounding: float
    placing: str
    fitting: str
    grid: Reals
    truth: Reals

    @property
    def pieces(self) -> int:
        """How many straight pieces it has."""
        return len(self.knots) - 1

    def __call__(self, x: npt.ArrayLike) -> Reals:
        """The network on floats of any shape, in float64."""
        points = np.asarray(x, dtype=np.float64)
        return self.network(points.reshape(-1, 1)).reshape(points.shape)

    def page(self) -> Page:
        """The approximation as a page: the two lines, the error, the knots."""
        lines = (Line("f", *self._drawn(self.truth)), Line("network", *self._drawn(self._line)))
        error = (Line("network − f", *self._drawn(self._line - self.truth)),)
        few = self.knots.tolist() if len(self.knots) <= _MARKED else []
        marks = tuple((at, "knot") for at in few)
        return Page(
            "A function as a network",
            self.summary,
            (
                Lines(lines, title="The function and the network", x_label="x", marks=marks),
                Lines(error, title="The error", x_label="x"),
                Note("", "How far it is from the function", points=self._evidence()),
                _knot_table(self.knots, self.values),
            ),
        )

    @property
    def summary(self) -> str:
        """One sentence: the size of the network and its error."""
        kind = "estimated to be at most" if self.bound_is_estimate else "at most"
        units = f"{self.network.n_units:,} unit{'s' * (self.network.n_units != 1)}"
        return (
            f"{self.pieces:,} piece{'s' * (self.pieces != 1)} on [{self.knots[0]:.6g}, "
            f"{self.knots[-1]:.6g}] by {units}: the error is {kind} {self.bound:.3g}; "
            f"{self.measured:.3g} was found."
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the function, the network and its knots; return the matplotlib axes."""
        if ax is None:
            ax = import_module("matplotlib.pyplot").figure().add_subplot()
        ax.plot(self.grid, self.truth, color="0.6", label="f")
        ax.plot(self.knots, self.values, label=f"network, {self.pieces} pieces")
        if len(self.knots) <= _MARKED:
            ax.plot(self.knots, self.values, "o", markersize=4, color=ax.lines[-1].get_color())
        ax.set_xlabel("x")
        ax.legend()
        return ax

    def to_pandas(self) -> pd.DataFrame:
        """One row per knot: ``knot``, ``value``, and ``slope`` after it (NaN after the last).

        Needs pandas: ``pip install "hinge[data]"``.
        """
        import pandas as pd  # noqa: PLC0415 - optional

        slopes = np.append(np.diff(self.values) / np.diff(self.knots), np.nan)
        return pd.DataFrame({"knot": self.knots, "value": self.values, "slope": slopes})

    def to_json(self) -> str:
        """The knots, their values and the evidence as JSON text with a schema version.

        `hinge.from_knots` makes the network again from ``knots`` and ``values``.
        """
        names = (
            *("knots", "values", "bound", "bound_is_estimate", "measured", "measured_at"),
            *("rounding", "placing", "fitting"),
        )
        return json.dump({name: getattr(self, name) for name in names}, SCHEMA, VERSION)

    def _repr_html_(self) -> str:
        return to_html(self.page())

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"  {point}" for point in self._evidence())])

    __repr__ = __str__

    @property
    def _line(self) -> Reals:
        return np.interp(self.grid, self.knots, self.values)

    def _drawn(self, values: Reals) -> tuple[tuple[float, ...], tuple[float, ...]]:
        step = -(-len(self.grid) // _DRAWN)
        return tuple(self.grid[::step].tolist()), tuple(values[::step].tolist())

    def _evidence(self) -> tuple[str, ...]:
        source = "an estimate of |f″|" if self.bound_is_estimate else "the bound given of |f″|"
        shifted = "" if self.fitting == "interpolate" else ", and the shift that balances the error"
        bound = f"bound {self.bound:.6g}: max |f″| h² / 8 on each piece, from {source}{shifted}"
        measured = f"measured {self.measured:.6g} at x = {self.measured_at:.6g}"
        rounding = f"rounding adds at most {self.rounding:.2g} in float64"
        return (
            bound,
            f"{measured}, the largest error on {len(self.grid):,} points",
            f"{rounding}; the kinks lie exactly at the {self.placing} knots",
        )


def _knot_table(knots: Reals, values: Reals) -> Table:
    columns = (
        Column("knot", "number", "where the network bends"),
        Column("value", "number", "what the network is there"),
    )
    rows = tuple(zip(knots.tolist(), values.tolist(), strict=True))
    return Table(columns, rows, title="Knots", brief=12)
