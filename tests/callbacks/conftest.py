"""The watch that the callbacks start is a pretended one."""

import pytest
from pretended import PretendedWatch

import hinge.census.watching


@pytest.fixture(autouse=True)
def watches(monkeypatch):
    """All watches that were made, in order."""
    made = []

    def watch(*arguments, **options):
        made.append(PretendedWatch(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(hinge.census.watching, "watch", watch, raising=False)
    return made
