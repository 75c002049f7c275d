"""What each unit did: counted exactly over data."""

from hinge.census.census import Census
from hinge.census.latents import dead_latents
from hinge.census.observe import observe

__all__ = ["Census", "dead_latents", "observe"]
