"""Hinge shows what every rectified unit in a network does, proves it, and mends it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hinge import activations as activations
    from hinge import measuring as measuring
    from hinge import nn as nn
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

__version__ = "0.1.0"

_HOMES = {
    "Approximation": "hinge.regions.knots.approximation",
    "Box": "hinge.domains",
    "Census": "hinge.census",
    "Examination": "hinge.examination",
    "Network": "hinge.network",
    "Plane": "hinge.domains",
    "Polygon": "hinge.domains",
    "Segment": "hinge.domains",
    "Watch": "hinge.census.watching",
    "activations": "hinge.activations",
    "approximate": "hinge.regions.knots.approximating",
    "examine": "hinge.examination",
    "from_knots": "hinge.regions.knots.network",
    "measuring": "hinge.measuring",
    "nn": "hinge.nn",
    "observe": "hinge.census",
    "partition": "hinge.regions.partitioning",
    "read": "hinge.network",
    "watch": "hinge.census.watching",
}
__all__ = [
    "Approximation",
    "Box",
    "Census",
    "Examination",
    "Network",
    "Plane",
    "Polygon",
    "Segment",
    "Watch",
    "activations",
    "approximate",
    "examine",
    "from_knots",
    "measuring",
    "nn",
    "observe",
    "partition",
    "read",
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
