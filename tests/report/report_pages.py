"""Pages for the renderers' tests: one built by hand, and a strategy for any page at all."""

from __future__ import annotations

from hypothesis import strategies as st
from map_cases import maps

from hinge.page import (
    Check,
    Column,
    Curve,
    Grid,
    Heading,
    Line,
    Lines,
    Note,
    Page,
    Shade,
    Strip,
    Table,
)

LEGEND = (
    Shade("dead", "never fires", "bad"),
    Shade("rare", "fires seldom", "info"),
    Shade("alive", "fires now and then", "good"),
)

HAND_BUILT = Page(
    "digits.onnx",
    "1 of 4 units is dead.",
    (
        Heading("Findings"),
        Note("Its bias sank to -3.", "fc1: unit 0 is dead", "bad", ("Raise it by 3.",)),
        Heading("Units", 2),
        Grid(LEGEND, (Strip("fc1", (0, 2, 2)), Strip("fc2#2", (1,))), "Every unit", "One each."),
        Curve((0.0, 1.0, 2.0), (3.0, 5.0), "Depth", "depth", "units", "bars", ((1.5, "kink"),)),
        Table(
            (
                Column("site", "code"),
                Column("seen", "integer", "examples counted"),
                Column("fires on", "share"),
                Column("max", "number"),
            ),
            (("fc1", 12345, 0.0, -2.5), ("fc2#2", 12345, 0.25, None), ("fc3", 1, 1.0, 7.0)),
            "Sites",
            "All of them.",
            brief=2,
        ),
        Check("dead=5%", False, "25 % are dead"),
        Check("blocked=5%", True, "none is blocked"),
    ),
)

_texts = st.text(max_size=30) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "\x1b[2J",
        "]]>",
        "[bold]x[/]",
        "{{ 7 * 7 }}",
        "\u202egnp",
        "a\nb",
    ]
)
_tones = st.sampled_from(["info", "good", "warning", "bad"])
_numbers = st.floats() | st.integers(-(2**70), 2**70)
_values = st.none() | st.booleans() | _numbers | _texts
_shades = st.lists(st.builds(Shade, _texts, _texts, _tones), min_size=1, max_size=9)


@st.composite
def _tables(draw: st.DrawFn) -> Table:
    kinds = st.sampled_from(["text", "code", "integer", "number", "share"])
    columns = draw(st.lists(st.builds(Column, _texts, kinds, _texts), max_size=5))
    rows = draw(st.lists(st.tuples(*[_values] * len(columns)), max_size=5))
    brief = draw(st.none() | st.integers(0, 3))
    return Table(tuple(columns), tuple(rows), draw(_texts), draw(_texts), brief)


@st.composite
def _grids(draw: st.DrawFn) -> Grid:
    legend = draw(_shades)
    cells = st.lists(st.integers(0, len(legend) - 1), max_size=200).map(tuple)
    strips = draw(st.lists(st.builds(Strip, _texts, cells), max_size=4))
    return Grid(tuple(legend), tuple(strips), draw(_texts), draw(_texts))


@st.composite
def _curves(draw: st.DrawFn) -> Curve:
    y = draw(st.lists(st.floats(), max_size=12))
    style = draw(st.sampled_from(["bars", "line"]))
    length = len(y) + (style == "bars")
    x = draw(st.lists(st.floats(), min_size=length, max_size=length))
    marks = draw(st.lists(st.tuples(st.floats(), _texts), max_size=3))
    return Curve(tuple(x), tuple(y), draw(_texts), draw(_texts), draw(_texts), style, tuple(marks))


@st.composite
def _line(draw: st.DrawFn) -> Line:
    points = draw(st.lists(st.tuples(st.floats(), st.floats()), max_size=12))
    dots = draw(st.lists(st.tuples(st.floats(), st.floats()), max_size=2))
    x, y = (tuple(point[axis] for point in points) for axis in (0, 1))
    return Line(draw(_texts), x, y, tuple(dots))


@st.composite
def _lines(draw: st.DrawFn) -> Lines:
    marks = draw(st.lists(st.tuples(st.floats(), _texts), max_size=3))
    lines = draw(st.lists(_line(), max_size=3))
    return Lines(tuple(lines), draw(_texts), draw(_texts), tuple(marks))


_blocks = st.one_of(
    st.builds(Heading, _texts, st.integers(0, 4)),
    st.builds(Note, _texts, _texts, _tones, st.lists(_texts, max_size=2).map(tuple)),
    st.builds(Check, _texts, st.booleans(), _texts),
    _tables(),
    _grids(),
    _curves(),
    _lines(),
    maps(_texts),
)
PAGES = st.builds(Page, _texts, _texts, st.lists(_blocks, max_size=5).map(tuple))
"""Any page: hostile texts, all floats, empty tables, grids and curves among them."""


def large_page(n_units: int, n_strips: int = 1) -> Page:
    """A page of one grid whose units alternate between categories, the worst case for runs."""
    cells = tuple((i * i // 7) % 3 for i in range(n_units // n_strips))
    strips = tuple(Strip(f"site.{i}", cells) for i in range(n_strips))
    return Page("large", blocks=(Grid(LEGEND, strips),))
