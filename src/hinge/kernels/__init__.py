"""The Python side of the compiled kernels: what they take, and what they give."""

from hinge.kernels import elementwise
from hinge.kernels.per_unit import COUNTS, SUMS, Measured, takes, tally
from hinge.kernels.threads import share_torchs_threads

share_torchs_threads()

__all__ = ["COUNTS", "SUMS", "Measured", "elementwise", "takes", "tally"]
