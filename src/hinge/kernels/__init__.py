"""The Python side of the compiled kernels: what they take, and what they give."""

from hinge.kernels.per_unit import COUNTS, SUMS, Measured, takes, tally

__all__ = ["COUNTS", "SUMS", "Measured", "takes", "tally"]
