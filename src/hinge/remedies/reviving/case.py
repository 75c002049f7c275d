"""The units of one site that a remedy is asked for: how they hang, and what they did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hinge.errors import OptionError, UnsupportedError
from hinge.remedies.changing.draft import Draft
from hinge.remedies.receipt import Preserves
from hinge.remedies.reviving.seen import InputSeen, UnitsSeen
from hinge.tracing.wiring import Maker, Reader, Wiring


@dataclass(frozen=True, eq=False)
class Case:
    """Chosen units of a site. ``read`` is what each of the site's readers read."""

    name: str
    wiring: Wiring
    units: tuple[int, ...]
    seen: UnitsSeen
    read: tuple[InputSeen, ...]

    @property
    def tied(self) -> bool:
        """Whether a reader has the maker's own weights: one entry makes and reads a unit."""
        maker = self.wiring.maker
        return maker is not None and any(r.weight == maker.weight for r in self.wiring.readers)

    def columns(self, reader: Reader, units: tuple[int, ...] | None = None) -> list[int]:
        """The indices along the reader's input axis behind which these units stand, in order."""
        wanted = self.units if units is None else units
        return [int(i) for u in wanted for i in np.flatnonzero(reader.unit_of == u)]

    def named(self, units: Sequence[int]) -> str:
        """The units in words for an error or a note, each once."""
        units = list(dict.fromkeys(units))
        shown = ", ".join(map(str, units[:_NAMED]))
        more = f" and {len(units) - _NAMED} more" if len(units) > _NAMED else ""
        return f"unit{'s' * (len(units) != 1)} {shown}{more} at {self.name}"

    def maker(self, do: str) -> Maker:
        """The layer that makes the units. Raises `UnsupportedError` if it cannot be rewritten."""
        maker = self.wiring.maker
        if maker is None:
            found, what = "no single layer makes its pre-activation", "rewritten"
            raise self._refused(found, do, what)
        third = [n for n in (maker.weight, maker.bias) if n in self.wiring.shared]
        if self.tied:
            third = [name for name in third if name != maker.weight]
        if third:
            raise self._refused(f"{' and '.join(third)} is used by another call too", do)
        return maker

    def row_maker(self, draft: Draft, do: str) -> Maker:
        """As `maker`, and each unit has weights of its own along the unit axis."""
        maker = self.maker(do)
        shape = tuple(draft[maker.weight].shape)
        if shape[maker.unit_axis] != self.wiring.site.n_units:
            found = f"{maker.weight} of shape {shape} for {self.wiring.site.n_units} units"
            raise self._refused(found, do)
        return maker

    def readers(self, do: str, *, outputs: bool = False) -> tuple[Reader, ...]:
        """The layers that read the units. Raises `UnsupportedError` if others do too.

        ``outputs``: the model may give the units away as well.
        """
        elsewhere = [way for way in self.wiring.elsewhere if not (outputs and way == _OUTPUT)]
        if elsewhere:
            ways = ", ".join(map(_in_words, elsewhere))
            raise self._refused(f"the output is also read by {ways}", do, "silenced")
        shared = [r.weight for r in self.wiring.readers if r.weight in self.wiring.shared]
        if shared and not self.tied:
            raise self._refused(f"{shared[0]} is used by another call too", do, "silenced")
        return self.wiring.readers

    def _refused(self, found: str, do: str, what: str = "rewritten") -> UnsupportedError:
        return UnsupportedError(
            f"the units cannot be {what} on their own",
            where=self.named(self.units),
            found=found,
            do=do,
        )

    def refused(self, what: str, units: list[int], found: str, do: str) -> OptionError:
        """An error about some of the units."""
        return OptionError(what, where=self.named(units), found=found, do=do)


@dataclass
class Plan:
    """What a remedy is about to do: its contract, and sentences for the receipt.

    ``tried``: the contract was held against the data already.
    """

    preserves: Preserves = "data"
    tried: bool = False
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def breaks(self, why: str) -> None:
        """The function is not preserved, for this reason."""
        self.preserves = "no"
        if why not in self.notes:
            self.notes.append(why)


_NAMED = 8
_OUTPUT = "the output"


def _in_words(way: str) -> str:
    if way == "convolution":
        return "a convolution whose weights for one unit cannot be told (grouped, for instance)"
    return way
