"""The smooth activations: for each its value and its derivative at x, given two numbers p, q.

At the infinities they are the limits, NaN stays NaN, a zero keeps its sign, and nothing on the
way overflows. Each formula divides by what lies between 1 and 3 and adds what has one sign,
save near the root of a derivative.
"""

import math

from hinge.kernels.gpu.programs.language import jit, tl
from hinge.kernels.gpu.programs.mathematics import (
    DENSITY,
    FAR,
    LARGEST,
    MINUS,
    clamped,
    decay,
    gated,
    gated_slope,
    normal_tail_ratio,
    product,
    split,
    tanhshrink_ratio,
    times_decay,
    with_sign_of,
)

# The argument of GELU's tanh form, doubled: x·(LINEAR + CUBIC·x²).
LINEAR, LINEAR_TAIL = map(tl.constexpr, split(2 * math.sqrt(2 / math.pi)))
CUBIC, CUBIC_TAIL = map(tl.constexpr, split(2 * math.sqrt(2 / math.pi) * 0.044715))


@jit
def sigmoid(x, p, q):
    """1/(1 + exp(-x))."""
    near = clamped(x, FAR)
    return gated(tl.zeros_like(x) + 1.0, near, 0.0)


@jit
def sigmoid_slope(x, p, q):
    """exp(-|x|)/(1 + exp(-|x|))²."""
    mantissa, k = decay(clamped(x, FAR), 0.0)
    total = 1.0 + times_decay(1.0, mantissa, k)
    return times_decay(tl.div_rn(1.0, total * total), mantissa, k)


@jit
def _scaled(x, beta, beta_tail):
    """beta·x in two parts, not beyond FAR, for a finite x."""
    head, tail = product(x, beta, beta_tail)
    return clamped(head, FAR), tl.where(tl.abs(head) > FAR, 0.0, tail)


@jit
def silu(x, beta, beta_tail):
    """x·σ(βx); β comes in two parts."""
    near = clamped(x, LARGEST)
    z, tail = _scaled(near, beta, beta_tail)
    value = gated(tl.where(z < 0, near, x), z, tail)
    return tl.where(z <= -FAR, near * 0.0, value)


@jit
def silu_slope(x, beta, beta_tail):
    """σ(z)·(1 + z·(1 - σ(z))) for z = βx."""
    z, tail = _scaled(clamped(x, LARGEST), beta, beta_tail)
    return gated_slope(z, z, tail)


@jit
def _cubic(x):
    """x·(LINEAR + CUBIC·x²) in two parts."""
    square, lost = product(x, x, 0.0)
    bent, tail = product(square, CUBIC, CUBIC_TAIL)
    factor = bent + LINEAR
    part = factor - bent
    tail += tl.fma(lost, CUBIC, LINEAR_TAIL) + ((bent - (factor - part)) + (LINEAR - part))
    return product(x, factor, tail)


@jit
def gelu_tanh(x, p, q):
    """½x·(1 + tanh(√(2/π)·(x + 0.044715x³))), which is x·σ(z) with z twice that argument."""
    near = clamped(x, 12.0)
    z, tail = _cubic(near)
    return gated(tl.where(x < 0, near, x), z, tail)


@jit
def gelu_tanh_slope(x, p, q):
    """Of the same formula."""
    near = clamped(x, 12.0)
    z, tail = _cubic(near)
    return gated_slope(near * tl.fma(near * near, 3 * CUBIC, LINEAR), z, tail)


@jit
def _normal_tail(x):
    """For a = |x|: a, R and exp(-a²/2) = mantissa·2^k; the tail Φ(-a) is R·exp(-a²/2)."""
    a = clamped(tl.abs(x), 14.6)
    square, lost = product(a, a, 0.0)
    mantissa, k = decay(0.5 * square, 0.5 * lost)
    return a, normal_tail_ratio(a), mantissa, k


@jit
def gelu(x, p, q):
    """x·Φ(x) = max(x, 0) - |x|·Φ(-|x|)."""
    a, ratio, mantissa, k = _normal_tail(x)
    below = times_decay(a * ratio, mantissa, k)
    return tl.where(x < 0, below * MINUS, x - below)


@jit
def gelu_slope(x, p, q):
    """Φ(x) + x·φ(x)."""
    a, ratio, mantissa, k = _normal_tail(x)
    below = times_decay(tl.fma(a, -DENSITY, ratio), mantissa, k)
    return tl.where(x < 0, below, 1.0 - below)


@jit
def mish(x, p, q):
    """x·tanh(log(1 + exp x)), with one exponential e = exp(-|x|) for tanh = n/d."""
    near = clamped(x, FAR)
    mantissa, k = decay(near, 0.0)
    e = times_decay(1.0, mantissa, k)
    below = tl.div_rn(near * (e + 2.0), tl.fma(e, e + 2.0, 2.0))
    n = tl.fma(2.0, e, 1.0)
    above = x * tl.div_rn(n, tl.fma(2.0 * e, e, n))
    return tl.where(x < 0, times_decay(below, mantissa, k), above)


@jit
def mish_slope(x, p, q):
    """tanh + x·σ(x)·(1 - tanh²), brought to the denominator d² of tanh = n/d."""
    near = clamped(x, FAR)
    mantissa, k = decay(near, 0.0)
    e = times_decay(1.0, mantissa, k)
    rise = 4.0 * near * (1.0 + e)
    d = tl.fma(e, e + 2.0, 2.0)
    below = tl.div_rn(tl.fma(e + 2.0, d, rise), d * d)
    n = tl.fma(2.0, e, 1.0)
    d = tl.fma(2.0 * e, e, n)
    above = tl.div_rn(tl.fma(n, d, rise * e * e), d * d)
    return tl.where(x < 0, times_decay(below, mantissa, k), above)


@jit
def _tanh_rest(x):
    """1 - tanh |x|."""
    mantissa, k = decay(clamped(2.0 * x, FAR), 0.0)
    e = times_decay(1.0, mantissa, k)
    return tl.div_rn(2.0 * e, 1.0 + e)


@jit
def tanhshrink(x, p, q):
    """x - tanh x, without their difference where that cancels."""
    size = tl.abs(x)
    far = (size - 1.0) + _tanh_rest(x)
    near = size * tanhshrink_ratio(size * size)
    return with_sign_of(x, tl.where(size < 1.25, near, far))


@jit
def tanhshrink_slope(x, p, q):
    """tanh² x."""
    size = tl.abs(x)
    far = 1.0 - _tanh_rest(x)
    tanh = tl.where(size < 1.25, tl.fma(-size, tanhshrink_ratio(size * size), size), far)
    return tanh * tanh


@jit
def softsign(x, p, q):
    """x/(1 + |x|)."""
    near = clamped(x, LARGEST)
    return tl.div_rn(near, 1.0 + tl.abs(near))


@jit
def softsign_slope(x, p, q):
    """1/(1 + |x|)²."""
    root = tl.div_rn(1.0, 1.0 + tl.abs(x))
    return root * root


@jit
def _hypotenuse(size, b):
    """√(size² + b)."""
    root = tl.sqrt_rn(tl.fma(size, size, b))
    return tl.where((size > 1e18) | (root < size), size, root)


@jit
def squareplus(x, b, q):
    """(x + √(x² + b))/2, which is b/4 divided by the same at -x."""
    size = tl.abs(x)
    higher = 0.5 * size + 0.5 * _hypotenuse(size, b)
    return tl.where(x < 0, tl.div_rn(0.25 * b, tl.where(higher == 0, 1.0, higher)), higher)


@jit
def squareplus_slope(x, b, q):
    """The value divided by √(x² + b)."""
    near = clamped(x, 1e30)
    hypotenuse = _hypotenuse(tl.abs(near), b)
    return tl.div_rn(squareplus(near, b, q), tl.where(hypotenuse == 0, 1.0, hypotenuse))
