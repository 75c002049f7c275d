"""Maps for the renderers' tests: some built by hand, and a strategy for any map at all."""

from __future__ import annotations

from hypothesis import strategies as st

from hinge.page import Crease, Dots, Map, Scale

QUARTERS = Map(
    x=(0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0),
    y=(0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0),
    corners=(0, 1, 4, 3, 1, 2, 5, 4, 3, 4, 7, 6, 4, 5, 8, 7),
    starts=(0, 4, 8, 12, 16),
    titles=("south-west", "south-east", "north-west", "north-east"),
    creases=(
        Crease("relu: unit 0", ((1, 4, 7),), 0),
        Crease("relu#2: unit 5", ((3, 4), (4, 5)), 1, dashed=True),
        Crease("class boundary", ((0, 4),), None),
    ),
    levels=("relu", "relu#2"),
    dots=(Dots("zeros", (0.5, 7.0), (0.5, 0.0)), Dots("ones", (1.5,), (1.5,))),
    title="Quarters",
    caption="Four of them.",
    x_label="width",
    y_label="height",
)
"""The square [0, 2]^2 cut in four; one dot lies outside."""


def lattice(n: int, **more: object) -> Map:
    """``n`` times ``n`` square cells on the unit square, without creases."""
    across = [i / n for i in range(n + 1)]
    first = [row * (n + 1) + column for row in range(n) for column in range(n)]
    corners = [corner for i in first for corner in (i, i + 1, i + n + 2, i + n + 1)]
    return Map(
        x=tuple(across * (n + 1)),
        y=tuple(y for y in across for _ in range(n + 1)),
        corners=tuple(corners),
        starts=tuple(range(0, 4 * n * n + 1, 4)),
        **more,
    )


@st.composite
def maps(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> Map:
    """Any map: hostile texts, all floats, cells and creases through any of its points."""
    floats = st.floats() | st.sampled_from([0.0, 1.0, 2.0])
    points = draw(st.lists(st.tuples(floats, floats), min_size=1, max_size=9))
    number = st.integers(0, len(points) - 1)
    cells = draw(st.lists(st.lists(number, max_size=5), max_size=6))
    starts = [0]
    for cell in cells:
        starts.append(starts[-1] + len(cell))
    key = draw(
        st.builds(Scale, texts, texts, texts, texts) | st.lists(texts, max_size=10).map(tuple)
    )
    shade = floats if isinstance(key, Scale) else st.integers(0, max(0, len(key) - 1))
    chains = st.lists(st.lists(number, max_size=4).map(tuple), max_size=3).map(tuple)
    crease = st.builds(Crease, texts, chains, st.none() | st.integers(0, 9), st.booleans())
    kind = st.lists(st.tuples(floats, floats), max_size=3).flatmap(
        lambda places: st.builds(
            Dots, texts, *(st.just(tuple(p[axis] for p in places)) for axis in (0, 1))
        )
    )
    return Map(
        *(tuple(point[axis] for point in points) for axis in (0, 1)),
        tuple(corner for cell in cells for corner in cell),
        tuple(starts),
        tuple(draw(shade) for _ in cells) if key else (),
        key,
        tuple(draw(texts) for _ in cells) if draw(st.booleans()) else (),
        draw(st.lists(crease, max_size=3).map(tuple)),
        draw(st.lists(texts, max_size=8).map(tuple)),
        draw(st.lists(kind, max_size=5).map(tuple)),
        *(draw(texts) for _ in range(4)),
    )
