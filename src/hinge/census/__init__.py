"""What each unit did: counted exactly over data."""

from hinge.census.census import Census
from hinge.census.observe import observe

__all__ = ["Census", "observe"]
