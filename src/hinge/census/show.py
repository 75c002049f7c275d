"""A census as tables, pictures and text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hinge.census.counted import Counted
from hinge.errors import OptionError
from hinge.page import (
    Block,
    Column,
    Curve,
    Grid,
    Heading,
    Note,
    Page,
    Shade,
    Strip,
    Table,
    Tone,
    Value,
)
from hinge.units import RARE, Observed, Reals, Verdict

if TYPE_CHECKING:
    import pandas as pd


TONES: dict[Verdict, Tone] = {
    Verdict.DEAD: "bad",
    Verdict.BLOCKED: "bad",
    Verdict.SATURATED: "warning",
    Verdict.SILENT: "warning",
    Verdict.RARE: "info",
    Verdict.ALWAYS_ON: "info",
    Verdict.ALIVE: "good",
    Verdict.UNSEEN: "info",
}
_ORDER = list(Verdict)
_ROWS = 2000  # units that a page lists; the JSON and the data frame hold all
_BINS = 20
_DEPTHS_SHOWN = 0.95  # the deepest units are drawn at this quantile

Sites = Mapping[str, Observed]


def page(counted: Counted) -> Page:
    """What was counted as a page of its own."""
    sites = counted.observed
    blocks = [*remarks(counted), Heading("Units"), unit_grid(sites), site_table(sites)]
    blocks += [*distributions(sites), unit_table(sites)]
    return Page("Census", summary(counted), tuple(blocks))


def text(counted: Counted) -> str:
    """A few lines for a terminal."""
    lines = [summary(counted)]
    for name, observed in counted.observed.items():
        counts = verdict_counts(observed)
        found = ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n)
        lines.append(f"  {name} ({observed.site.activation}, {observed.site.n_units}): {found}")
    lines += [f"  note: {note}" for note in counted.notes]
    return "\n".join(lines)


def summary(counted: Counted) -> str:
    """One sentence: how much was seen."""
    part = "" if counted.complete else " (interrupted: these are the batches that were complete)"
    sites = "1 site" if len(counted.tallies) == 1 else f"{len(counted.tallies)} sites"
    return f"{counted.n_units:,} units at {sites}, {counted.seen:,} examples{part}."


def remarks(counted: Counted) -> list[Block]:
    """What a reader must know before he trusts the counts."""
    notes: list[Block] = [Note(note, tone="warning") for note in counted.notes]
    if not counted.complete:
        text = f"Interrupted: the counts are of the first {counted.seen:,} examples only."
        notes.append(Note(text, "Partial", "warning"))
    if counted.skipped:
        named = ", ".join(map(str, counted.skipped_at))
        more = ", …" if counted.skipped > len(counted.skipped_at) else ""
        text = f"{counted.skipped:,} examples hold NaN or infinity and were left out"
        where = f" (numbers {named}{more})" if named else ""
        notes.append(Note(f"{text}{where}.", "NaN or infinity in the data", "warning"))
    return notes


def verdict_counts(observed: Observed, rare: float = RARE) -> dict[Verdict, int]:
    """How many units of a site have each verdict."""
    found = Counter(observed.verdicts(rare).tolist())
    return {verdict: found.get(str(verdict), 0) for verdict in _ORDER}


def site_table(sites: Sites, rare: float = RARE) -> Table:
    """One row per site: how many units of each verdict, sparsity, mean shift."""
    counts = {name: verdict_counts(observed, rare) for name, observed in sites.items()}
    used = [verdict for verdict in _ORDER if any(c[verdict] for c in counts.values())]
    columns = (
        Column("site", "code", "where the activation is called"),
        Column("activation"),
        Column("units", "integer"),
        *(Column(str(verdict), "integer", verdict.meaning) for verdict in used),
        Column("zeros", "share", "share of zero outputs: sparsity, which is healthy to 85 %"),
        Column("mean shift", "number", "‖mean‖ / ‖standard deviation‖ of the pre-activations"),
    )
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            name,
            observed.site.activation,
            observed.site.n_units,
            *(counts[name][verdict] for verdict in used),
            observed.sparsity,
            observed.mean_shift,
        )
        for name, observed in sites.items()
    )
    return Table(columns, rows, "Sites")


def unit_grid(sites: Sites, rare: float = RARE) -> Grid:
    """One cell per unit, in the shade of its verdict."""
    legend = tuple(Shade(str(v), v.meaning, TONES[v]) for v in _ORDER)
    position = {str(verdict): index for index, verdict in enumerate(_ORDER)}
    strips = tuple(
        Strip(name, tuple(position[v] for v in observed.verdicts(rare).tolist()))
        for name, observed in sites.items()
    )
    return Grid(legend, strips, "Every unit", "One cell is one unit, in the order of its index.")


def unit_table(sites: Sites, rare: float = RARE) -> Table:
    """One row per unit, the most alarming first."""
    rows: list[tuple[Value, ...]] = []
    total = 0
    for name, observed in sites.items():
        verdicts = observed.verdicts(rare)
        total += verdicts.size
        rows += _rows(name, observed, verdicts)
    severity = {str(verdict): index for index, verdict in enumerate(_ORDER)}
    rows.sort(key=lambda row: severity[str(row[2])])
    cut = f" The first {_ROWS:,} of {total:,}." if total > _ROWS else ""
    columns = (
        Column("site", "code"),
        Column("unit", "integer"),
        Column("verdict"),
        Column("fires on", "share", "share of the examples on which it fires"),
        Column("95 % range", "text", "of that share on data like these, with 95 % confidence"),
        Column("largest z", "number", "largest pre-activation seen"),
        Column("mean z", "number"),
        Column("depth", "number", "(kink - largest z) / sd z: how far below the kink it stays"),
        Column("ReDo score", "number", "mean magnitude of its output over its site's average"),
    )
    caption = "z is the pre-activation. The most alarming first." + cut
    return Table(columns, tuple(rows[:_ROWS]), "Units", caption, brief=12)


def _rows(name: str, observed: Observed, verdicts: npt.NDArray[np.str_]) -> list[tuple[Value, ...]]:
    depth, dormancy, fires = observed.depth, observed.dormancy, observed.fire_share
    low, high = observed.fire_bounds
    kink = observed.traits.has_kink
    bar = kink and not observed.traits.selects
    return [
        (
            name,
            unit,
            str(verdicts[unit]),
            float(fires[unit]) if kink else None,
            _range(float(low[unit]), float(high[unit])) if kink else None,
            float(observed.max[unit]),
            float(observed.mean[unit]),
            float(depth[unit]) if bar and observed.fired[unit] == 0 else None,
            float(dormancy[unit]),
        )
        for unit in range(observed.site.n_units)
    ]


def _range(low: float, high: float) -> str:
    return f"{100 * low:.2g}–{100 * high:.2g}\u202f%"


def distributions(sites: Sites) -> list[Block]:
    """How often units fire, and how far below the kink those stay that never do."""
    kinked = [observed for observed in sites.values() if observed.traits.has_kink]
    if not kinked:
        return []
    shares = np.concatenate([observed.fire_share for observed in kinked])
    depths = np.concatenate([observed.depth[observed.fired == 0] for observed in kinked])
    axis = "share of examples on which a unit fires"
    curves: list[Block] = [_histogram(shares, (0.0, 1.0), "How often units fire", axis)]
    depths = depths[np.isfinite(depths)]
    if depths.size:
        axis = "(kink - largest z) / sd z, in standard deviations"
        title = "How far below the kink the units stay that never fire"
        deepest = float(np.quantile(depths, _DEPTHS_SHOWN))
        curves.append(_histogram(np.minimum(depths, deepest), (0.0, deepest), title, axis))
    return curves


def _histogram(values: Reals, span: tuple[float, float], title: str, axis: str) -> Curve:
    counts, edges = np.histogram(values[np.isfinite(values)], bins=_BINS, range=span)
    bins = tuple(counts.astype(float).tolist())
    return Curve(tuple(edges.tolist()), bins, title, axis, "units")


def data_frame(sites: Sites, rare: float) -> pd.DataFrame:
    """One row per unit of every site."""
    try:
        import pandas as pd  # noqa: PLC0415 - optional: nothing else here needs it
    except ImportError as error:
        raise OptionError(
            "a data frame needs pandas, which is not installed",
            where="to_pandas()",
            found=str(error),
            do='install it: pip install "hinge[data]"',
        ) from error
    frames = [
        pd.DataFrame(
            {
                "site": name,
                "unit": np.arange(observed.site.n_units),
                "verdict": observed.verdicts(rare),
                "seen": observed.seen,
                "fired": observed.fired,
                "rate_low": observed.fire_bounds[0],
                "rate_high": observed.fire_bounds[1],
                "always": observed.always,
                "min": observed.min,
                "max": observed.max,
                "mean": observed.mean,
                "var": observed.var,
                "zeros": observed.zero_share,
                "live": observed.live,
                "nonfinite": observed.nonfinite,
                "strength": observed.strength,
                "dormancy": observed.dormancy,
                "depth": observed.depth,
            }
        )
        for name, observed in sites.items()
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
