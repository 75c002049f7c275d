"""What `hinge demo` has to tell: how units died, what they cost, and what reviving them gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import nn

from hinge.census import observe
from hinge.census.watching.show import events_blocks
from hinge.cli.digits import RATES, SLIP, Digits, Epoch
from hinge.events import Event, Kind
from hinge.examination import Examination
from hinge.page import Block, Column, Heading, Note, Page, Table, Value
from hinge.remedies import Receipt
from hinge.units import Observed, Verdict

_DEATHS = (Kind.DIED, Kind.BORN_DEAD, Kind.CAME_BACK)


@dataclass(frozen=True)
class Course:
    """Epochs of one training, and how many units are dead after them, if that was counted."""

    epochs: tuple[Epoch, ...]
    dead: int | None = None

    @property
    def accuracy(self) -> float:
        """The share of held-out digits that it names right at the end."""
        return self.epochs[-1].accuracy


@dataclass(frozen=True)
class Story:
    """The examination of the network with its dead units, and what came before and after.

    ``courses``: the training with the slip, then trained on without and with a revival.
    """

    examination: Examination
    events: tuple[Event, ...]
    receipt: Receipt
    courses: tuple[Course, Course, Course]
    held_out: Digits

    def page(self) -> Page:
        """The examination as a page, with the events of the training and the revival."""
        page = self.examination.page()
        blocks: list[Block] = [
            *page.blocks,
            Heading("What happened while it trained"),
            *events_blocks(self.events),
            Heading("The revival"),
            Note(self.receipt.summary),
            *(b for b in self.receipt.page().blocks if not isinstance(b, Table)),
            Heading("What it gave"),
            self._compared(),
        ]
        _, without, revived = self.courses
        summary = (
            f"{page.summary} Trained on as it was, it names {without.accuracy:.1%} of the digits "
            f"right; with its dead units revived first {revived.accuracy:.1%}."
        )
        return Page(page.title, summary, tuple(blocks))

    def to_json(self) -> str:
        """Return the examination as JSON text, which reads back."""
        return self.examination.to_json()

    @property
    def words(self) -> str:
        """What came of it, in two sentences of counts."""
        slip, without, revived = self.courses
        census = self.examination.census
        counts = [
            f"{_dead(observed)} of {observed.site.n_units} at site {name}"
            for name, observed in census.items()
            if _dead(observed)
        ]
        if not counts:
            return "  No unit died this time: the grid of units above is all alive."
        return f"""\
  Dead units: {", ".join(counts)}.
  Of {len(self.held_out.labels)} digits not trained on, the network names
    {self._before:>6.1%}  right before the slip
    {slip.accuracy:>6.1%}  at the end, with its dead units
    {without.accuracy:>6.1%}  after {len(without.epochs)} more epochs, dead units and all
    {revived.accuracy:>6.1%}  after {len(revived.epochs)} more epochs, the dead units revived first
  It is not always so: where enough units are left, training on does as well."""

    @property
    def _before(self) -> float:
        """The accuracy before the learning rate slipped."""
        return self.courses[0].epochs[RATES.index(SLIP) - 1].accuracy

    def _compared(self) -> Table:
        slip, without, revived = self.courses
        counted = sum(map(_dead, self.examination.census.values()))
        more = f"{len(without.epochs)} more epochs"
        rows: tuple[tuple[Value, ...], ...] = (
            ("before the slip", self._before, None),
            ("after it", slip.accuracy, counted),
            (f"{more}, dead units and all", without.accuracy, without.dead),
            (f"{more}, units revived first", revived.accuracy, revived.dead),
        )
        columns = (Column("network"), Column("accuracy", "share"), Column("dead units", "integer"))
        return Table(columns, rows, "With and without", "Accuracy on digits not trained on.")


def dead_units(model: nn.Module, digits: Digits) -> int:
    """How many units fire on none of all digits."""
    return sum(map(_dead, observe(model, digits.pixels).values()))


def events_in_words(events: Iterable[Event]) -> list[str]:
    """One line for all units of a site that died of one cause, or came back."""
    groups: dict[tuple[str, Kind, str], list[Event]] = {}
    for event in events:
        if event.kind in _DEATHS:
            key = event.site, event.kind, str(event.cause)
            groups.setdefault(key, []).append(event)
    return [_in_words(group) for group in groups.values()]


def _in_words(group: Sequence[Event]) -> str:
    first, last = group[0], group[-1]
    n = sum(len(event.units) for event in group)
    units = f"{n} unit{'s' * (n != 1)} of {first.site}"
    steps = f"step {first.step}" if first.step == last.step else f"steps {first.step}-{last.step}"
    if first.kind is Kind.BORN_DEAD:
        return f"{units} born dead"
    if first.kind is Kind.CAME_BACK:
        return f"{steps}: {units} came back"
    return f"{steps}: {units} died, probably {first.cause}"


def _dead(observed: Observed) -> int:
    return int((observed.verdicts() == str(Verdict.DEAD)).sum())
