from __future__ import annotations

import pytest

from hinge.page import Shade
from hinge.report.screen import Screen


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252", "unheard-of"])
def test_every_category_has_a_glyph_of_its_own(encoding: str) -> None:
    tones = ("bad", "warning", "info", "good") * 8
    legend = [Shade(str(i), "", tone) for i, tone in enumerate(tones)]
    glyphs = [glyph for glyph, _ in Screen(80, encoding).glyphs(legend)]
    assert len(set(glyphs)) == len(legend)
    assert all(len(glyph) == 1 for glyph in glyphs)
    assert encoding == "utf-8" or all(glyph.isascii() for glyph in glyphs)


def test_text_is_spelled_in_the_terminals_characters() -> None:
    assert Screen(80, "ascii").spelled("−3\u202f% ≤ ∞ – ü") == "-3 % <= inf - ?"
    assert Screen(80, "latin-1").spelled("ü ▲") == "ü ^"
    assert Screen(80).spelled("−3\u202f%") == "−3 %"


def test_formulas_are_spelled_where_there_is_ascii_only() -> None:
    spelled = Screen(80, "ascii").spelled("f′(x) = 2·λ·√(2/π)·x² for x ≤ −1")
    assert spelled == "f'(x) = 2*lambda*sqrt(2/pi)*x^2 for x <= -1"
