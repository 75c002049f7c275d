"""Hinge shows what every rectified unit in a network does, proves it, and mends it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hinge import activations as activations
    from hinge import callbacks as callbacks
    from hinge import measuring as measuring
    from hinge import nn as nn
    from hinge import remedies as remedies
    from hinge import sinks as sinks
    from hinge.auto_revival import AutoRevival as AutoRevival
    from hinge.auto_revival import auto_revive as auto_revive
    from hinge.census import Census as Census
    from hinge.census import observe as observe
    from hinge.census.watching import Watch as Watch
    from hinge.census.watching import watch as watch
    from hinge.domains import Box as Box
    from hinge.domains import Plane as Plane
    from hinge.domains import Polygon as Polygon
    from hinge.domains import Segment as Segment
    from hinge.examination import Examination as Examination
    from hinge.examination import examine as examine
    from hinge.network import Network as Network
    from hinge.network import read as read
    from hinge.regions.knots.approximating import approximate as approximate
    from hinge.regions.knots.approximation import Approximation as Approximation
    from hinge.regions.knots.network import from_knots as from_knots
    from hinge.regions.partitioning import partition as partition
    from hinge.remedies import Receipt as Receipt
    from hinge.remedies.layering.insert_batchnorm import insert_batchnorm as insert_batchnorm
    from hinge.remedies.layering.recentre import recentre as recentre
    from hinge.remedies.layering.reinit import reinit as reinit
    from hinge.remedies.reviving.revive import revive as revive
    from hinge.remedies.swapping.swap import swap as swap

__version__ = "0.1.0"

_HOMES = {
    "Approximation": "hinge.regions.knots.approximation",
    "AutoRevival": "hinge.auto_revival",
    "Box": "hinge.domains",
    "Census": "hinge.census",
    "Examination": "hinge.examination",
    "Network": "hinge.network",
    "Plane": "hinge.domains",
    "Polygon": "hinge.domains",
    "Receipt": "hinge.remedies",
    "Segment": "hinge.domains",
    "Watch": "hinge.census.watching",
    "activations": "hinge.activations",
    "approximate": "hinge.regions.knots.approximating",
    "auto_revive": "hinge.auto_revival",
    "callbacks": "hinge.callbacks",
    "examine": "hinge.examination",
    "from_knots": "hinge.regions.knots.network",
    "insert_batchnorm": "hinge.remedies.layering.insert_batchnorm",
    "measuring": "hinge.measuring",
    "nn": "hinge.nn",
    "observe": "hinge.census",
    "partition": "hinge.regions.partitioning",
    "read": "hinge.network",
    "recentre": "hinge.remedies.layering.recentre",
    "reinit": "hinge.remedies.layering.reinit",
    "remedies": "hinge.remedies",
    "revive": "hinge.remedies.reviving.revive",
    "sinks": "hinge.sinks",
    "swap": "hinge.remedies.swapping.swap",
    "watch": "hinge.census.watching",
}
__all__ = [
    "Approximation",
    "AutoRevival",
    "Box",
    "Census",
    "Examination",
    "Network",
    "Plane",
    "Polygon",
    "Receipt",
    "Segment",
    "Watch",
    "activations",
    "approximate",
    "auto_revive",
    "callbacks",
    "examine",
    "from_knots",
    "insert_batchnorm",
    "measuring",
    "nn",
    "observe",
    "partition",
    "read",
    "recentre",
    "reinit",
    "remedies",
    "revive",
    "sinks",
    "swap",
    "watch",
]


def __getattr__(name: str) -> Any:
    """Load a name of the face on its first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hinge' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    value = globals()[name] = home if home.__name__ == f"hinge.{name}" else getattr(home, name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
