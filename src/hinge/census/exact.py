"""Sums of floating-point numbers that do not depend on the order of the terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_WIDTH = 32  # bits of a digit
_DIGITS = 4  # digits kept below and including the leading one of the largest term
_LOWEST = -30  # the lowest leading digit: its fourth is 2^-1056, which float64 still holds
_SMALLEST = 2.0**-1074  # stands for zero, which has no leading digit
_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]


@dataclass
class ExactSums:
    """One running sum for each of ``n`` units, the same bit for bit in any order.

    Every term is cut into digits of 32 bits on a fixed grid of powers of two, and each
    digit is summed as an integer. The four digits from the leading one of the largest
    term downwards are kept, that is at least 96 bits below it; what they hold does not
    depend on the order of the terms, so sums of parts can be added in any order too
    (after Demmel and Nguyen, "Parallel Reproducible Summation", IEEE TC 2015).
    Holds up to 2^31 finite terms; what is below 2^-1056 is not kept.

    >>> sums = ExactSums.zeros(1)
    >>> sums.add(np.array([[1e20], [1.0], [-1e20]]))
    >>> sums.totals()
    array([1.])
    """

    top: _Integers
    """Index of the leading digit, shape ``(n,)``: it counts multiples of 2^(32 top)."""
    digits: _Integers
    """The digits' sums, shape ``(4, n)``, leading one first."""

    @classmethod
    def zeros(cls, n: int) -> ExactSums:
        """``n`` empty sums."""
        return cls(np.full(n, _LOWEST, np.int64), np.zeros((_DIGITS, n), np.int64))

    def add(self, terms: _Floats) -> None:
        """Add finite terms of shape ``(k, n)``, float64, ``k`` up to 2^20."""
        _, exponent = np.frexp(np.abs(terms).max(axis=0, initial=_SMALLEST))
        self._raise_top((exponent - 1) // _WIDTH)
        rest, digit = terms.copy(), np.empty_like(terms)
        for position in range(_DIGITS):
            weight = np.ldexp(1.0, _WIDTH * (self.top - position))
            np.divide(rest, weight, out=digit)
            np.trunc(digit, out=digit)
            # Exact also in float64: a digit has 32 bits, and no more than 2^20 are added at once.
            self.digits[position] += digit.sum(axis=0).astype(np.int64)
            digit *= weight
            rest -= digit
            if not rest.any():
                return

    def merge(self, other: ExactSums) -> None:
        """Add all terms of other sums over the same units."""
        other = ExactSums(other.top.copy(), other.digits.copy())
        self._raise_top(other.top)
        other._raise_top(self.top)
        self.digits += other.digits

    def totals(self) -> _Floats:
        """The sums, shape ``(n,)``, float64.

        The digits may cancel, so what each addition rounds off is added up beside them
        (Neumaier, 1974).
        """
        total, rounded_off = np.zeros(self.top.shape), np.zeros(self.top.shape)
        for position in range(_DIGITS):
            carry, digit = np.divmod(self.digits[position], 1 << _WIDTH)
            for exponent, part in ((self.top - position + 1, carry), (self.top - position, digit)):
                term = np.ldexp(part.astype(np.float64), _WIDTH * exponent)
                larger = total + term
                total_part = larger - term
                rounded_off += (total - total_part) + (term - (larger - total_part))
                total = larger
        return total + rounded_off

    def _raise_top(self, top: npt.NDArray[np.integer]) -> None:
        """Move the window of digits up to at least ``top``, dropping what falls out below."""
        rise = np.maximum(top - self.top, 0)
        if not rise.any():
            return
        source = np.arange(_DIGITS)[:, None] - rise
        moved = np.take_along_axis(self.digits, np.maximum(source, 0), axis=0)
        self.digits = np.where(source >= 0, moved, 0)
        self.top = self.top + rise
