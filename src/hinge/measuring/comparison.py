"""The result of a comparison: one row of figures per activation, and how to read them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinge.errors import FileError
from hinge.measuring import show
from hinge.page import Page
from hinge.report import json, print_page, to_html, to_text

if TYPE_CHECKING:
    import pandas as pd

SCHEMA, VERSION = "activation-comparison", 1


@dataclass(frozen=True)
class Measured:
    """The figures of one activation; None for what was not measured, or is not defined.

    ``forward`` and ``both`` (forward and backward) are times over the time of a copy,
    ``kept`` bytes per element of the output, ``zeros``, ``mean`` and ``variance`` those of
    f(z) for standard normal z, ``survives`` the gradient left after 20 layers.
    """

    name: str
    measured: str
    forward: float | None = None
    both: float | None = None
    kept: float | None = None
    zeros: float | None = None
    mean: float | None = None
    variance: float | None = None
    survives: float | None = None
    lipschitz: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Activations measured beside each other on one machine.

    ``rows`` in the order asked for. ``copy`` is the median time of a copy in seconds,
    ``rounds`` how often each was timed; ``complete`` is False where Ctrl-C came first.
    """

    rows: tuple[Measured, ...]
    size: int
    dtype: str
    threads: int
    rounds: int = 0
    copy: float | None = None
    complete: bool = True
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Measured:
        """The row of one activation, by its name. Raises `KeyError` for any other."""
        return {row.name: row for row in self.rows}[name]

    def page(self) -> Page:
        """The comparison as a page: the table, and what each column is."""
        return show.page(self)

    def print(self) -> None:
        """Print the page to the terminal."""
        print_page(self.page())

    def to_json(self) -> str:
        """All figures as JSON text with a schema version; see `from_json`."""
        return json.dump(asdict(self), SCHEMA, VERSION)

    @classmethod
    def from_json(cls, source: str | Path) -> Comparison:
        """Read what `to_json` wrote. Raises `FileError` if it is anything else."""
        found = json.load(source, SCHEMA, VERSION)
        try:
            rows = tuple(Measured(**row) for row in found["rows"])
            given = {field.name: found[field.name] for field in fields(cls)}
        except (KeyError, TypeError) as error:
            raise FileError(
                "the comparison is not whole",
                where="its JSON text",
                found=f"{type(error).__name__}: {error}",
                do="write it again with Comparison.to_json()",
            ) from error
        return cls(**{**given, "rows": rows, "notes": tuple(found["notes"])})

    def to_pandas(self) -> pd.DataFrame:
        """One row per activation, the fields of `Measured` as columns.

        Needs pandas: ``pip install "hinge[data]"``.
        """
        import pandas as pd  # noqa: PLC0415 - optional

        return pd.DataFrame([asdict(row) for row in self.rows])

    def _repr_html_(self) -> str:
        return to_html(self.page())

    def __str__(self) -> str:
        return to_text(self.page())

    def __repr__(self) -> str:
        names = ", ".join(row.name for row in self.rows)
        return f"Comparison({names}; {self.size:,} elements of {self.dtype})"


Figures = dict[str, Any]
"""Fields of `Measured` by name."""
