"""Every activation once more, from its definition, in 60 digits: what the laws compare to."""

import mpmath
import numpy as np
from mpmath import mpf

mpmath.mp.dps = 60

SELU_ALPHA, SELU_LAMBDA = mpf("1.6732632423543772"), mpf("1.0507009873554805")


def logistic(x):
    return 1 / (1 + mpmath.exp(-x))


def softplus(x, beta=1):
    return mpmath.log1p(mpmath.exp(beta * x)) / beta


def leaky(x, negative_slope):
    return x if x > 0 else negative_slope * x


def srelu(x, left_threshold, left_slope, right_threshold, right_slope):
    if x >= right_threshold:
        return right_threshold + right_slope * (x - right_threshold)
    return x if x > left_threshold else left_threshold + left_slope * (x - left_threshold)


def exponential(x, alpha, scale=1):
    return x if x > 0 else alpha * mpmath.expm1(x / scale)


def gelu_tanh(x):
    inner = mpmath.sqrt(2 / mpmath.pi) * (x + mpf("0.044715") * x**3)
    return x / (1 + mpmath.exp(-2 * inner))


def tanhshrink(x):
    with mpmath.extradps(240):  # which x³/3 next to x costs at 1e-100
        return x - mpmath.tanh(x)


TRUTHS = {
    "identity": lambda x: x,
    "relu": lambda x: max(x, mpf(0)),
    "relu6": lambda x: min(max(x, mpf(0)), mpf(6)),
    "relu_n": lambda x, n: min(max(x, mpf(0)), n),
    "shifted_relu": lambda x, shift: max(x, -shift),
    "abs": abs,
    "leaky_relu": leaky,
    "prelu": lambda x, weight: x if x > 0 else weight * x,
    "rrelu": lambda x, lower, upper: leaky(x, (lower + upper) / 2),
    "srelu": srelu,
    "binary_step": lambda x: mpf(1) if x > 0 else mpf(0),
    "thresholded_relu": lambda x, threshold: x if x > threshold else mpf(0),
    "jump_relu": lambda x, threshold: x if x > threshold else mpf(0),
    "elu": exponential,
    "selu": lambda x: SELU_LAMBDA * exponential(x, SELU_ALPHA),
    "celu": lambda x, alpha: exponential(x, alpha, alpha),
    "softplus": softplus,
    "squareplus": lambda x, b: (x + mpmath.sqrt(x * x + b)) / 2,
    "sparse_plus": lambda x: x if x > 1 else max(x + 1, mpf(0)) ** 2 / 4,
    "logsigmoid": lambda x: -softplus(-x),
    "squared_relu": lambda x: max(x, mpf(0)) ** 2,
    "star_relu": lambda x, scale, bias: scale * max(x, mpf(0)) ** 2 + bias,
    "silu": lambda x, beta: x * logistic(beta * x),
    "quick_gelu": lambda x: x * logistic(mpf(1.702) * x),
    "mish": lambda x: x * mpmath.tanh(softplus(x)),
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    "gelu_tanh": gelu_tanh,
    "sigmoid": logistic,
    "tanh": mpmath.tanh,
    "softsign": lambda x: x / (1 + abs(x)),
    "hardtanh": lambda x, min_val, max_val: min(max(x, min_val), max_val),
    "hardsigmoid": lambda x: min(max(x / 6 + mpf(1) / 2, mpf(0)), mpf(1)),
    "hardswish": lambda x: x * min(max(x / 6 + mpf(1) / 2, mpf(0)), mpf(1)),
    "hard_mish": lambda x: x / 2 * min(max(x + 2, mpf(0)), mpf(2)),
    "sparse_sigmoid": lambda x: min(max((x + 1) / 2, mpf(0)), mpf(1)),
    "hardshrink": lambda x, lambd: x if abs(x) > lambd else mpf(0),
    "softshrink": lambda x, lambd: mpmath.sign(x) * max(abs(x) - lambd, mpf(0)),
    "tanhshrink": tanhshrink,
}


def filled(act, given):
    """The value of every parameter, in all its digits."""
    return {p.name: mpf(given.get(p.name, p.default)) for p in act.parameters}


def true_values(act, given, x):
    """The function at each point of ``x``, rounded to float64 once."""
    parameters, truth = filled(act, given), TRUTHS[act.name]
    return np.array([float(truth(mpf(float(at)), **parameters)) for at in x])


def true_slopes(act, given, x):
    """The derivative at each point, from chords so short that 420 digits are needed.

    Next to a limit that is not 0, a slope of 1e-320 hides behind as many digits. No point
    may be near a break.
    """
    parameters, truth = filled(act, given), TRUTHS[act.name]
    step = mpf(10) ** -40

    def slope(at):
        before, after = truth(at - step, **parameters), truth(at + step, **parameters)
        return float((after - before) / (2 * step))

    with mpmath.workdps(420):
        return np.array([slope(mpf(float(at))) for at in x])


def limit(act, given, sign):
    """What the function comes to at sign·∞, with the sign of a zero that it comes to.

    The sign of a zero that it has reached before means nothing.
    """
    far = TRUTHS[act.name](mpf(sign) * mpf(10) ** 15, **filled(act, given))
    if abs(far) > 10**9:
        return float(np.copysign(np.inf, float(far)))
    nearest = mpmath.nint(far * 10**9) / mpf(10) ** 9  # a limit that is come to as 1/x
    near = nearest if abs(far - nearest) < mpf(10) ** -12 else far
    return float(np.copysign(float(near), -1.0 if far < 0 else 1.0))


def limit_of_slope(act, given, sign):
    """What the derivative comes to at sign·∞."""
    at, parameters = mpf(sign) * mpf(10) ** 15, filled(act, given)
    truth = TRUTHS[act.name]
    rise = truth(at + 1, **parameters) - truth(at - 1, **parameters)
    slope = rise / 2
    return float(np.copysign(np.inf, float(slope))) if abs(slope) > 10**9 else float(slope)
