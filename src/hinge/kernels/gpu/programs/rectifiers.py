"""The activations made of powers: for each its value and its derivative at x, given p and q."""

from hinge.kernels.gpu.programs.language import jit, tl
from hinge.kernels.gpu.programs.mathematics import along_line, indicator, positive


@jit
def relu(x, p, q):
    """max(x, 0)."""
    return positive(x)


@jit
def relu_slope(x, p, q):
    """1 where x > 0."""
    return indicator(x > 0, x)


@jit
def hardswish(x, p, q):
    """x·min(max(x/6 + ½, 0), 1); beyond 3 there is nothing to compute that could overflow."""
    inside = tl.where(x < -3, -3.0, x)
    return tl.where(x >= 3, x, inside * tl.div_rn(inside + 3.0, 6.0))


@jit
def hardswish_slope(x, p, q):
    """0, x/3 + ½, 1; at -3 the slope is 0, at 3 it is 1, as in torch."""
    inside = tl.div_rn(2.0 * x + 3.0, 6.0)
    return tl.where(x <= -3, 0.0, tl.where(x >= 3, 1.0, inside))


@jit
def squared_relu(x, p, q):
    """max(x, 0)²."""
    rise = positive(x)
    return rise * tl.abs(rise)


@jit
def squared_relu_slope(x, p, q):
    """2·max(x, 0)."""
    return 2.0 * tl.abs(positive(x))


@jit
def star_relu(x, scale, bias):
    """scale·max(x, 0)² + bias."""
    rise = positive(x)
    return tl.fma(along_line(scale, rise), rise, bias)


@jit
def star_relu_slope(x, scale, bias):
    """2·scale·max(x, 0)."""
    return 2.0 * along_line(scale, positive(x))
