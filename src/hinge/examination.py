"""`examine`, the main job: observe a model on data, find what is wrong, say what would help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinge.census import Census, observe, saved, show
from hinge.census.observe import Progress
from hinge.diagnosis import Advice, Finding, Limit, check, check_against, diagnose, rank
from hinge.errors import FileError, HingeError
from hinge.examined_map import ExaminedMap, Glimpse, examined_map
from hinge.page import Block, Check, Heading, Note, Page
from hinge.report import json, to_html
from hinge.tracing.batches import Forward
from hinge.units import RARE, Verdict

if TYPE_CHECKING:
    import pandas as pd

    from hinge.regions.line.partition import LinePartition
    from hinge.regions.plane.partition import PlanePartition

SCHEMA, VERSION = "examination", 1
WATCHED = 1024
"""Examples on which `examine` watches gradients, unless told otherwise."""


def examine(
    model: Any,
    data: Any,
    *,
    rare: float = RARE,
    limits: Sequence[str | Limit] = (),
    baseline: Examination | None = None,
    batch_size: int = 256,
    batch_axis: int = 0,
    forward: Forward | None = None,
    gradients: int = WATCHED,
    progress: Progress | None = None,
) -> Examination:
    """Say of every unit of a model what it does on the data, and of every site what is wrong.

    Of a piecewise-linear network with one or two inputs the examination also has the map: its
    exact cells on the segment or the rectangle around the data, as far as they are cut in some
    seconds. See `Examination.partition`.

    Parameters
    ----------
    model, data, batch_size, batch_axis, forward, gradients, progress
        As for `hinge.observe`.
    rare
        The share of examples below which a unit that fires is called rare.
    limits
        Limits to hold the model against, such as ``"dead=5%"``; see `hinge.diagnosis.Limit`.
    baseline
        An earlier examination; units that died since fail a check.

    Raises
    ------
    DataError, ModelError
        As `hinge.observe`; ``partial`` then holds the examination of the batches before.
    OptionError
        A limit cannot be read.
    """
    asked = tuple(Limit.parse(limit) if isinstance(limit, str) else limit for limit in limits)

    glimpse = Glimpse(fits=forward is None and batch_axis == 0)

    def examined(census: Census, drawn: ExaminedMap | None = None) -> Examination:
        findings = diagnose(census, census.feeds, rare)
        checks = check(census, asked, rare)
        if baseline is not None:
            checks += (check_against(census, baseline.census, rare),)
        return Examination(census, findings, checks, rare, drawn)

    try:
        census = observe(
            model,
            data,
            batch_size=batch_size,
            batch_axis=batch_axis,
            forward=forward,
            gradients=gradients,
            progress=progress,
            look=glimpse,
        )
    except HingeError as error:
        error.partial = examined(error.partial) if error.partial else None
        raise
    return examined(census, examined_map(model, census, glimpse))


@dataclass(frozen=True, eq=False)
class Examination:
    """What a network's units do, what is wrong with them, and whether limits were kept.

    ``map`` is the map of a network with one or two inputs, as the page shows it.
    """

    census: Census
    findings: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()
    rare: float = RARE
    map: ExaminedMap | None = None

    @property
    def partition(self) -> LinePartition | PlanePartition | None:
        """The cells of a network with one or two inputs, as `hinge.partition` makes them.

        On the segment or the rectangle around the data, a tenth wider on each side, and under
        a small budget: ask it whether it is ``complete``. None where there is no map: more
        inputs, smooth activations, steps that cannot be read, data of one value, an
        examination that was cut short or that was read from a file.
        """
        return None if self.map is None else self.map.partition

    @property
    def advice(self) -> tuple[Advice, ...]:
        """What would help, best first; nothing if no unit is dead. See `hinge.diagnosis.rank`."""
        return rank(self.census, self.findings, rare=self.rare)

    @property
    def passed(self) -> bool:
        """Whether all limits were kept; True if none was asked for."""
        return all(check.passed for check in self.checks)

    @property
    def verdicts(self) -> dict[Verdict, int]:
        """How many units of the whole network have each verdict."""
        found: Counter[Verdict] = Counter()
        for observed in self.census.values():
            found.update(show.verdict_counts(observed, self.rare))
        return {verdict: found[verdict] for verdict in Verdict}

    def to_pandas(self) -> pd.DataFrame:
        """One row per unit; see `hinge.Census.to_pandas`."""
        return self.census.to_pandas(self.rare)

    def to_json(self) -> str:
        """The examination as JSON text with a schema version; see `from_json`.

        The map is left out: `hinge.partition` makes it again from the model.
        """
        payload = {
            "rare": self.rare,
            "findings": [asdict(finding) for finding in self.findings],
            "checks": [asdict(check) for check in self.checks],
            "census": saved.payload(self.census),
        }
        return json.dump(payload, SCHEMA, VERSION)

    @classmethod
    def from_json(cls, source: str | Path) -> Examination:
        """Read what `to_json` wrote: text, or a file as a `Path`.

        Raises `FileError` if it is anything else, or of a later version.
        """
        values = json.load(source, SCHEMA, VERSION)
        try:
            findings = (Finding(**entry) for entry in values["findings"])
            return cls(
                Census.of(saved.counted_from(values["census"])),
                tuple(replace(f, units=tuple(f.units), helps=tuple(f.helps)) for f in findings),
                tuple(Check(**entry) for entry in values["checks"]),
                float(values["rare"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(
                "the examination is not whole",
                where=str(source) if isinstance(source, Path) else "its JSON text",
                found=f"{type(error).__name__}: {error}",
                do="examine the model again and write a new file",
            ) from error

    def page(self) -> Page:
        """The examination as a page."""
        sites = dict(self.census)
        blocks: list[Block] = [*show.remarks(self.census)]
        if self.checks:
            blocks += [Heading("Limits"), *self.checks]
        blocks += [Heading("At a glance"), show.unit_grid(sites, self.rare)]
        blocks += [show.site_table(sites, self.rare)]
        blocks += [Heading("Findings"), *self._notes(), *self._remedies()]
        if self.map is not None:
            blocks += self.map.blocks()
        blocks += [Heading("In detail"), *show.distributions(sites)]
        blocks += [show.unit_table(sites, self.rare)]
        return Page("Examination", self.summary, tuple(blocks))

    def _notes(self) -> list[Block]:
        """One note per finding: what, the evidence, what would help."""
        if not self.findings:
            return [Note("Every unit folds the data somewhere.", "Nothing found", "good")]
        return [
            Note(_evidence(finding), _headline(finding), finding.tone, finding.helps)
            for finding in self.findings
        ]

    def _remedies(self) -> list[Block]:
        """What would help, one by one; nothing where nothing is dead."""
        advice = self.advice
        if not advice:
            return []
        points = tuple(
            f"{one.remedy}, at {', '.join(one.sites)}. {one.why} {_KEEPS[one.preserves]}"
            for one in advice
        )
        return [Note("The root of the trouble first.", "What would help", "info", points)]

    @property
    def summary(self) -> str:
        """One or two sentences: what was seen and how many units are not well."""
        counts = self.verdicts
        ill = [v for v in (Verdict.DEAD, Verdict.BLOCKED, Verdict.SATURATED) if counts[v]]
        if not ill:
            return f"{show.summary(self.census)} No unit is dead, blocked or saturated."
        listed = ", ".join(f"{counts[v]:,} {v}" for v in ill)
        return f"{show.summary(self.census)} Not well: {listed}."

    def _repr_html_(self) -> str:
        return to_html(self.page())

    def __str__(self) -> str:
        lines = [self.summary]
        lines += [f"  {f.site}: {f.title} {_named(f)}".rstrip() for f in self.findings]
        lines += [
            f"  {'kept' if c.passed else 'BROKEN'}: {c.name}: {c.message}" for c in self.checks
        ]
        return "\n".join(lines)

    __repr__ = __str__


_KEEPS = {
    "everywhere": "The outputs stay what they are.",
    "data": "On the data the outputs stay what they are.",
    "no": "The outputs change.",
}


def _headline(finding: Finding) -> str:
    return f"Site {finding.site}: {finding.title[:1].lower()}{finding.title[1:]}"


def _evidence(finding: Finding) -> str:
    return f"{finding.evidence} {_named(finding)}".rstrip()


def _named(finding: Finding) -> str:
    """The units of a finding in a sentence; nothing if it is about the whole site."""
    if not finding.units:
        return ""
    word = "Units" if len(finding.units) > 1 else "Unit"
    return f"{word} {finding.named}" + ("" if finding.named.endswith("…") else ".")
