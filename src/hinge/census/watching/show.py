"""A watch as text and as a page: what happened, and what every unit does."""

from __future__ import annotations

from collections.abc import Sequence

from hinge.census import show
from hinge.census.census import Census
from hinge.events import Event, Kind
from hinge.page import Block, Column, Heading, Note, Page, Table, Tone, Value

BLIND = (
    "no pass of the model was seen although the optimizer made steps: either another object is "
    "called (pass to hinge.watch what the training calls), or the pass runs inside a compiled "
    "function (compile the model itself instead: torch.compile(model))"
)
_NAMED = 8  # units named in a line
_ROWS = 12  # events that a narrow page lists
_EXPLAINED = 6  # events whose evidence a page shows; a program has all of it
_TONES: dict[Kind, Tone] = {Kind.CAME_BACK: "good", Kind.STEP_SKIPPED: "info"}


def text(census: Census, events: Sequence[Event], notes: Sequence[str], step: int) -> str:
    """A few lines for a terminal."""
    lines = [f"Watched {step:,} steps. {show.summary(census)}"]
    lines += [f"  step {e.step:,}: {e.site}: {_happened(e)}. {e.evidence}" for e in events]
    lines += [f"  note: {note}" for note in notes]
    return "\n".join(lines)


def page(census: Census, events: Sequence[Event], notes: Sequence[str], step: int) -> Page:
    """The events first, then the census."""
    blocks: list[Block] = [Note(note, tone="warning") for note in notes]
    blocks.append(Heading("What happened"))
    blocks += events_blocks(events)
    blocks += census.page().blocks
    return Page("Watch", f"{step:,} steps. {show.summary(census)}", tuple(blocks))


def events_blocks(events: Sequence[Event]) -> list[Block]:
    """All events as a table, and the evidence of those that most units took part in."""
    if not events:
        return [Note("Nothing: no unit died.", tone="good")]
    largest = sorted(events, key=lambda event: len(event.units), reverse=True)[:_EXPLAINED]
    told = [event for event in events if event in largest]
    return [_table(events), *(_explained(event) for event in told)]


def _table(events: Sequence[Event]) -> Table:
    columns = (
        Column("step", "integer", "the optimizer's step, counted from 0"),
        Column("site", "code"),
        Column("what", "text"),
        Column("units", "text"),
        Column("probable cause", "text"),
    )
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (e.step, e.site, str(e.kind), _units(e), str(e.cause)) for e in events
    )
    return Table(columns, rows, "Events", brief=_ROWS)


def _explained(event: Event) -> Note:
    title = f"Step {event.step:,}, site {event.site}: {_happened(event)}"
    return Note(event.evidence, title, _TONES.get(event.kind, "bad"))


def _happened(event: Event) -> str:
    units = _units(event)
    return f"{event.kind}{f' ({units})' if units else ''}, probably {event.cause}"


def _units(event: Event) -> str:
    """The units of an event, cut short."""
    named = ", ".join(map(str, event.units[:_NAMED]))
    if len(event.units) > _NAMED:
        return f"{len(event.units):,} units: {named}, …"
    word = "unit" if len(event.units) == 1 else "units"
    return f"{word} {named}" if named else ""
