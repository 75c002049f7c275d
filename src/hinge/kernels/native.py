"""The one door to the compiled extension."""

try:
    from hinge.kernels import _native as native
except ImportError as error:
    raise ImportError(
        "Hinge's compiled kernels are missing or do not fit this Python; in its source tree, "
        "`pip install -e .` builds them"
    ) from error

__all__ = ["native"]
