"""Values and derivatives are those of the definition in 60 digits, tails included."""

import numpy as np
from activation_cases import every_call, grid, joints
from activation_truths import true_slopes, true_values

EPS = np.finfo(np.float64).eps
TINY = np.finfo(np.float64).smallest_subnormal

TAILS = np.array([-1e4, -745.0, -708.5, -300.0, -100.0, -40.0, 40.0, 100.0, 300.0, 708.5, 1e4])
SMALL = np.array([-1e-3, -1e-8, -1e-100, 1e-100, 1e-8, 1e-3])


def sample(act, given):
    """Points in the tails, next to zero and between."""
    return np.concatenate([grid(act, given, reach=39.7, count=160), TAILS, SMALL])


@every_call
def test_values_keep_their_digits(act, given):
    x = sample(act, given)
    truth = true_values(act, given, x)
    off = abs(act(x, **given) - truth)
    # a sum with a constant, or a quotient, is rounded where its parts are of size 1
    assert np.max(off / (abs(truth) * 8 * EPS + 4 * TINY + _constant(act, given))) <= 1


def _constant(act, given):
    """Rounding next to a root of a function that does not pass through the origin."""
    root_elsewhere = act(0.0, **given) != 0 or act.name in ("softshrink", "srelu")
    bounded_from_zero = act.range(**given)[0] >= 0
    return 4 * EPS if root_elsewhere and not bounded_from_zero else 0.0


@every_call
def test_slopes_keep_their_digits(act, given):
    x = sample(act, given)
    apart = np.min([abs(x - at) for at in [*joints(act, given), np.inf]], axis=0)
    x, apart = x[apart > 1e-9], apart[apart > 1e-9]
    truth = true_slopes(act, given, x)
    off = abs(act.derivative(x, **given) - truth)
    # an exponent rounds x times beta; next to a joint the derivative may have a root
    slack = abs(truth) * (16 + 2 * abs(x)) * EPS + 8 * TINY * (1 + abs(x))
    assert np.max(off / (slack + 4 * EPS * (apart < 1))) <= 1
