"""Measures activations on this machine: cost, memory, and what they do to signals."""

from hinge.measuring.compare import DEFAULT, compare_activations
from hinge.measuring.comparison import Comparison, Measured
from hinge.measuring.kept import Kept, kept_bytes

__all__ = ["DEFAULT", "Comparison", "Kept", "Measured", "compare_activations", "kept_bytes"]
