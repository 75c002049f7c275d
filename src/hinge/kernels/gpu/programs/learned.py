"""Functions with learned parameters p0, p1, p2, p3: values, and derivatives in x and in each.

All have one signature; a function of fewer parameters ignores the others and gives 0 for them.
"""

from hinge.kernels.gpu.programs.language import jit, tl
from hinge.kernels.gpu.programs.mathematics import along_line, indicator
from hinge.kernels.gpu.programs.rectifiers import (
    star_relu as plain_star_relu,
)
from hinge.kernels.gpu.programs.rectifiers import (
    star_relu_slope as plain_star_relu_slope,
)


@jit
def prelu(x, p0, p1, p2, p3):
    """x where x > 0, else p0·x."""
    return tl.where(x > 0, x, along_line(p0, x))


@jit
def prelu_derivatives(x, p0, p1, p2, p3):
    """In x (p0 at 0), and min(x, 0)."""
    none = tl.zeros_like(x)
    slope = tl.where(x > 0, 1.0, tl.where(x <= 0, p0, x))
    return slope, tl.where(x > 0, 0.0, x), none, none, none


@jit
def star_relu(x, p0, p1, p2, p3):
    """p0·max(x, 0)² + p1."""
    return plain_star_relu(x, p0, p1)


@jit
def star_relu_derivatives(x, p0, p1, p2, p3):
    """In x, max(x, 0)², and 1."""
    none = tl.zeros_like(x)
    rise = tl.where(x < 0, 0.0, x)
    return plain_star_relu_slope(x, p0, p1), rise * rise, none + 1.0, none, none


@jit
def srelu(x, p0, p1, p2, p3):
    """p2 + p3·(x - p2) where x >= p2, else p0 + p1·(x - p0) where x <= p0, else x."""
    left = p0 + along_line(p1, x - p0)
    right = p2 + along_line(p3, x - p2)
    return tl.where(x >= p2, right, tl.where(x <= p0, left, x))


@jit
def srelu_derivatives(x, p0, p1, p2, p3):
    """In x (the outer slopes at the thresholds), and in the four parameters."""
    none = tl.zeros_like(x)
    above = x >= p2
    below = (x <= p0) & (x < p2)
    slope = tl.where(above, p3, tl.where(below, p1, indicator(x == x, x)))
    return (
        slope,
        tl.where(below, 1.0 - p1, none),
        tl.where(below, x - p0, none),
        tl.where(above, 1.0 - p3, none),
        tl.where(above, x - p2, none),
    )
