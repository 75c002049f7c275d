"""While a network trains under a watch, brings back the units that have died."""

from hinge.auto_revival.beginning import auto_revive
from hinge.auto_revival.revival import AutoRevival

__all__ = ["AutoRevival", "auto_revive"]
