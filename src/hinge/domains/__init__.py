"""Where a proof or a partition holds: a segment, a polygon, a plane through inputs, a box.

Every number is kept as float64. What is refused is decided with fractions, on the numbers kept.
"""

from hinge.domains.box import Box
from hinge.domains.flat import Plane, Polygon, Segment

__all__ = ["Box", "Plane", "Polygon", "Segment"]
