"""Elementary functions in float32, to within an ulp or two from end to end of their range.

Triton's own exponential is approximate on a GPU: it rounds x·log₂e first, which costs up to 44
ulp at x = -88. The polynomials here are our own minimax fits (least squares with Lawson's
weights on the relative error, each coefficient rounded to float before the next ones are
fitted again); the error that each reaches stands beside it.
"""

import math

import numpy as np

from hinge.kernels.gpu.programs.language import jit, tl


def split(number: float) -> tuple[float, float]:
    """Two float32 numbers whose sum is nearest to a float64 number."""
    head = float(np.float32(number))
    return head, float(np.float32(number - head))


LARGEST = tl.constexpr(float(np.finfo(np.float32).max))
MINUS = tl.constexpr(-1.0)
"""A factor that turns the sign of zeros too; Triton's own minus may subtract from zero."""

FAR = tl.constexpr(170.0)
"""exp(-FAR) times any number that meets it here is 0 in float32, and 2^-k is not too small."""

LOG2_E = tl.constexpr(1.4426950408889634)
LN2_HEAD = tl.constexpr(0.693145751953125)  # so short that its products with k are exact
LN2_TAIL = tl.constexpr(1.4286068203094172e-06)

DENSITY = tl.constexpr(1 / math.sqrt(2 * math.pi))
"""Of the standard normal at 0."""


@jit
def clamped(x, limit):
    """Into [-limit, limit]; NaN stays."""
    x = tl.where(x > limit, limit, x)
    return tl.where(x < -limit, -limit, x)


@jit
def with_sign_of(x, size):
    """The number ``size`` >= 0, with the sign of x."""
    sign = x.to(tl.int32, bitcast=True) & -0x80000000
    return (size.to(tl.int32, bitcast=True) | sign).to(tl.float32, bitcast=True)


@jit
def positive(x):
    """max(x, 0) with the sign of a zero; NaN stays."""
    return tl.where(x < 0, 0.0, x)


@jit
def indicator(here, x):
    """1 where ``here``, else 0, but NaN where x is NaN."""
    return tl.where(here, 1.0, tl.where(x == x, 0.0, x))


@jit
def along_line(slope, x):
    """slope·x, where a slope of zero gives zero also at an infinity; NaN stays."""
    return slope * tl.where(slope == 0, clamped(x, LARGEST), x)


@jit
def _upper(x):
    """The upper 12 bits of a significand: a product of two of these, or their rests, is exact."""
    return (x.to(tl.int32, bitcast=True) & -0x1000).to(tl.float32, bitcast=True)


@jit
def product(x, factor, factor_tail):
    """x·(factor + factor_tail) in two parts: the tail is what the head lost by rounding.

    Dekker, A floating-point technique for extending the available precision, 1971. A fused
    multiply-add would do it in one step on a GPU, but Triton's interpreter may round it twice.
    """
    factor = tl.zeros_like(x) + factor  # it may have been one number
    head = x * factor
    upper, other = _upper(x), _upper(factor)
    lower, rest = x - upper, factor - other
    tail = ((upper * other - head) + upper * rest + lower * other) + lower * rest
    return head, tl.fma(x, factor_tail, tail)


@jit
def power_of_two(k):
    """2^k for -126 <= k <= 127."""
    return ((k + 127) << 23).to(tl.float32, bitcast=True)


@jit
def decay(z, tail):
    """exp(-|z + tail|) as (mantissa, k), mantissa·2^k; tail is far below z, and |z| <= FAR.

    They stay apart because a factor may lift a subnormal exponential to a normal result,
    which must not have lost its digits by then. Beside its argument's rounding the mantissa's
    error is one rounding and that of a polynomial of degree 6: 2^-28.2 for |rest| <= ln 2 / 2.
    """
    size = tl.abs(z)
    k = tl.floor(0.5 - size * LOG2_E)
    rest = tl.fma(k, -LN2_TAIL, tl.fma(k, -LN2_HEAD, -size))
    rest -= tl.where(z < 0, -tail, tail)
    poly = tl.fma(rest, 0.0013821304, 0.008368669)
    poly = tl.fma(rest, poly, 0.04166826)
    poly = tl.fma(rest, poly, 0.16666521)
    poly = tl.fma(rest, poly, 0.49999994)
    return tl.fma(rest * rest, poly, rest) + 1.0, k.to(tl.int32)


@jit
def times_decay(factor, mantissa, k):
    """factor·mantissa·2^k for -252 <= k <= 0, rounded once where it is subnormal."""
    half = k >> 1
    return mantissa * power_of_two(half) * factor * power_of_two(k - half)


@jit
def gated(x, z, tail):
    """x·σ(z + tail), where x is finite if z < 0; see `decay`."""
    mantissa, k = decay(z, tail)
    wide = tl.div_rn(x, 1.0 + times_decay(1.0, mantissa, k))
    return tl.where(z < 0, times_decay(wide, mantissa, k), wide)


@jit
def gated_slope(w, z, tail):
    """σ(z)·(1 + w·(1 - σ(z))): the derivative of x·σ(z(x)) if w = x·z'(x)."""
    mantissa, k = decay(z, tail)
    e = times_decay(1.0, mantissa, k)
    s = tl.div_rn(1.0, 1.0 + e)
    slope = s * tl.fma(w, tl.where(z < 0, s, e * s), 1.0)
    return tl.where(z < 0, times_decay(slope, mantissa, k), slope)


@jit
def normal_tail_ratio(a):
    """exp(a²/2) times the standard normal tail beyond a, for 0 <= a <= 14.6.

    t = 4/(a + 4) times a polynomial in t of degree 9, with an error of 2^-26.6.
    """
    total = a + 4.0
    t = tl.div_rn(4.0, total)
    back, lost = product(t, total, 0.0)
    missed = ((4.0 - back) - lost) - t * (a - (total - 4.0))  # 4 - t·(a + 4)
    poly = tl.fma(t, 0.016952453, -0.0648713)
    poly = tl.fma(t, poly, 0.056686316)
    poly = tl.fma(t, poly, 0.021503154)
    poly = tl.fma(t, poly, 0.018685875)
    poly = tl.fma(t, poly, 0.08332253)
    poly = tl.fma(t, poly, 0.07320269)
    poly = tl.fma(t, poly, 0.095245436)
    poly = tl.fma(t, poly, 0.0995268)
    poly = tl.fma(t, poly, 0.09974604)
    ratio = t * poly
    slope = tl.fma(a, ratio, -DENSITY)  # as a closed form has it
    return tl.fma(-0.25 * missed * total, slope, ratio)


@jit
def tanhshrink_ratio(s):
    """(x - tanh x)/x³ as a polynomial in s = x² <= 1.25², of degree 8, error 2^-25.0."""
    poly = tl.fma(s, 2.8670687e-05, -0.00025519394)
    poly = tl.fma(s, poly, 0.0011098504)
    poly = tl.fma(s, poly, -0.0033808749)
    poly = tl.fma(s, poly, 0.008799715)
    poly = tl.fma(s, poly, -0.021867083)
    poly = tl.fma(s, poly, 0.05397122)
    poly = tl.fma(s, poly, -0.1333338)
    poly = tl.fma(s, poly, 0.33333334)
    return s * poly
