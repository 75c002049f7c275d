"""What a remedy for single units is: a value that plans its changes in a draft."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hinge.remedies.changing.draft import Draft
from hinge.remedies.reviving.case import Case, Plan
from hinge.remedies.reviving.passes import Passes


class Remedy(Protocol):
    """A way to bring units back.

    ``for_firing``: whether it may be given units that fire on the data. Its ``str`` is its
    name with its options.
    """

    @property
    def for_firing(self) -> bool:
        """Whether it may be given units that fire on the data."""

    def plan(self, cases: Sequence[Case], draft: Draft, passes: Passes) -> Plan:
        """Write all changes to the draft, and say what they are; the model stays as it is.

        Raises `OptionError` or `UnsupportedError` for units that it cannot bring back.
        """
