from __future__ import annotations

import hinge.report


def test_the_face_is_sorted_and_complete() -> None:
    assert hinge.report.__all__ == sorted(hinge.report.__all__)
    assert all(hasattr(hinge.report, name) for name in hinge.report.__all__)
