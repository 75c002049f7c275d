"""What each unit does while its network trains: counts at every step, and what happened."""

from hinge.census.watching.watch import Watch
from hinge.census.watching.watching import watch

__all__ = ["Watch", "watch"]
