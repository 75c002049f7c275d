"""What every unit did over the data: the result of observing a model."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from hinge.census import saved, show
from hinge.census.counted import Counted
from hinge.errors import DataError, OptionError
from hinge.page import Page
from hinge.units import RARE, Feed, Observed, Site

if TYPE_CHECKING:
    import pandas as pd


class Census(Counted, Mapping[str, Observed]):
    """What every unit did over the data, by the name of its site: ``census["features.3"]``.

    A value: `merge` and the readers make new ones. See `Counted` for its attributes.
    """

    __eq__ = object.__eq__  # a mapping of arrays cannot be compared with ==
    __hash__ = object.__hash__

    def __getitem__(self, site: str) -> Observed:
        """What the units of one site did. Raises `OptionError` for an unknown site."""
        if site not in self.tallies:
            raise OptionError(
                "the census has no such site",
                where="the name of a site",
                found=repr(site),
                do="use one of " + ", ".join(map(repr, self.tallies)),
            )
        return self.observed[site]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tallies)

    def __len__(self) -> int:
        return len(self.tallies)

    def __contains__(self, site: object) -> bool:
        return site in self.tallies

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites, in the order in which the model first called them."""
        return tuple(tally.site for tally in self.tallies.values())

    @property
    def feeds(self) -> dict[str, Feed]:
        """The layers behind the sites, as far as they are known; empty after reading a file.

        They are the model's own weights as they are now, not copies.
        """
        found = {name: t.feed() for name, t in self.tallies.items() if t.feed is not None}
        return {
            name: replace(feed, nonnegative=True) if self._reads_nonnegative(feed) else feed
            for name, feed in found.items()
        }

    def _reads_nonnegative(self, feed: Feed) -> bool:
        """Whether a layer reads the data themselves, and these are not negative."""
        return self.nonnegative and not feed.inputs

    def merge(self, other: Census) -> Census:
        """The census of both data together, the same bit for bit in any order.

        Counts and extremes do not depend on how the data were cut into batches either;
        means and variances do by rounding errors of the model's own precision.
        Raises `DataError` when a site has other units in the other census.
        """
        tallies = copy.deepcopy(dict(self.tallies))
        for name, tally in other.tallies.items():
            if name not in tallies:
                tallies[name] = copy.deepcopy(tally)
            elif tallies[name].site != tally.site:
                raise DataError(
                    "the censuses are of different models",
                    where=f"site {name}",
                    found=f"{tallies[name].site.n_units} and {tally.site.n_units} units",
                    do="merge only censuses of one model",
                )
            else:
                tallies[name].merge(tally)
        return Census(
            tallies,
            self.seen + other.seen,
            self.skipped + other.skipped,
            (),
            self.complete and other.complete,
            tuple(dict.fromkeys(self.notes + other.notes)),
            self.nonnegative and other.nonnegative,
        )

    def to_pandas(self, rare: float = RARE) -> pd.DataFrame:
        """One row per unit: site, unit, verdict and all that was counted.

        Needs pandas: ``pip install "hinge[data]"``.
        """
        return show.data_frame(self.observed, rare)

    def to_json(self) -> str:
        """All counts as JSON text, exactly, with a schema version; see `from_json`."""
        return saved.to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Census:
        """Read what `to_json` wrote. Raises `FileError` if it is anything else."""
        return cls.of(saved.from_json(text))

    @classmethod
    def of(cls, counted: Counted) -> Census:
        """The census of what was counted."""
        return cls(**{field.name: getattr(counted, field.name) for field in fields(counted)})

    def page(self) -> Page:
        """The census as a page: what was seen, site by site and unit by unit."""
        return show.page(self)

    def _repr_html_(self) -> str:
        from hinge.report import to_html  # noqa: PLC0415 - only a notebook asks for it

        return to_html(self.page())

    def __str__(self) -> str:
        return show.text(self)

    __repr__ = __str__

    def __reduce__(self) -> tuple[Any, ...]:
        return Census.from_json, (self.to_json(),)
