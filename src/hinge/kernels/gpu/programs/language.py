"""The one door to Triton."""

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError(
        "Hinge's GPU kernels need Triton, which torch brings along where it supports GPUs; "
        "`pip install hinge[gpu]` installs it on Linux"
    ) from error

__all__ = ["jit", "tl"]

jit = triton.jit
