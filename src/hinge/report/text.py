"""How values and foreign text are written, the same in every renderer."""

from __future__ import annotations

import math
import re

from hinge.page import Kind, Value

DASH = "–"
"""Stands where there is no value."""

THIN = "\u202f"
"""A narrow space that does not break: between thousands, and before a percent sign."""

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line feed: they can move a cursor
    "\u2028\u2029"  # separators that some readers take for line ends
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that reorder the text around them
    "\ud800-\udfff\ufffe\uffff]"  # no characters at all
)
_PLAIN = range(-3, 5)
"""Exponents of ten of numbers that need no exponent."""

_FINEST_PERCENT = 1e-4
_HALF = 50
_ROUNDING = 1e-9


def printable(text: str) -> str:
    r"""Replace what is no visible character by U+FFFD; line feeds and tabs stay.

    >>> printable("fc\x1b[2J")
    'fc�[2J'
    """
    return _UNPRINTABLE.sub("\ufffd", text)


def one_line(text: str) -> str:
    r"""Make text printable on one line.

    >>> one_line("two\n lines ")
    'two lines'
    """
    return " ".join(printable(text).split())


def shown(value: Value, kind: Kind = "text") -> str:
    r"""Write a value of a column of this kind; None and NaN become a dash.

    >>> [shown(v, "share") for v in (0.0, 0.1234, 0.99999, 1.0)]
    ['0\u202f%', '12.3\u202f%', '99.999\u202f%', '100\u202f%']
    >>> [shown(v, "number") for v in (0.0012345, 12.345, 12345.6, 1e-9, None)]
    ['0.00123', '12.3', '12\u202f346', '1.00e−9', '–']
    """
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return DASH
    if kind == "share":
        return _percent(value)
    return number(value)


def grouped(value: int) -> str:
    r"""Write an integer with its thousands apart.

    >>> grouped(-400000)
    '−400\u202f000'
    """
    return _signed(f"{value:,}".replace(",", THIN))


def number(value: float) -> str:
    """Write a number with three significant digits and all digits above the point.

    Integers get all their digits, NaN a dash.
    """
    if isinstance(value, int):
        return grouped(value)
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.2e}".split("e")
    power = int(exponent)
    if power not in _PLAIN:
        return _signed(f"{mantissa}e{power}")
    return _signed(f"{value:,.{max(0, 2 - power)}f}".replace(",", THIN))


def round_number(value: float) -> str:
    r"""Write a round number, such as an axis has, without the zeros that carry nothing.

    >>> [round_number(v) for v in (0.25, -5.0, 10000.0, 1e-07)]
    ['0.25', '−5', '10\u202f000', '1e−7']
    """
    if float(value).is_integer() and abs(value) < 10.0**_PLAIN.stop:
        return grouped(int(value))
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return _signed(f"{mantissa}e{int(exponent)}" if exponent else mantissa)


def plural(count: int, noun: str) -> str:
    r"""Write a count with its noun.

    >>> plural(1, "unit"), plural(2000, "unit")
    ('1 unit', '2\u202f000 units')
    """
    return f"{grouped(count)} {noun}" if count == 1 else f"{grouped(count)} {noun}s"


def _percent(value: float) -> str:
    """Write a share; what is neither none nor all never looks like it."""
    if math.isnan(value):
        return DASH
    if not 0 <= value <= 1:
        return f"{number(100 * value)}{THIN}%"
    if value in (0, 1):
        return f"{100 * int(value)}{THIN}%"
    percent = 100 * float(value)
    distance = min(percent, 100 - percent)
    if distance < _FINEST_PERCENT:
        return f"<{THIN}0.0001{THIN}%" if percent < _HALF else f">{THIN}99.9999{THIN}%"
    decimals = max(1, math.ceil(-math.log10(distance) - _ROUNDING))
    return f"{percent:.{decimals}f}{THIN}%"


def _signed(text: str) -> str:
    return text.replace("-", "−")
