"""Lets the kernels work on torch's own threads, where these are those of GNU's OpenMP."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import torch

from hinge.kernels.native import native


def share_torchs_threads() -> bool:
    """Hand torch's OpenMP runtime to the kernels; False where torch has another or none.

    Torch's threads stay awake for a while after each of its operations, so that a thread of
    ours would wait for a processor; without this the kernels have threads of their own.
    """
    path = _runtime()
    if path is None:
        return False
    loaded = ctypes.CDLL(path, mode=os.RTLD_NOLOAD)
    address = ctypes.cast(loaded.GOMP_parallel, ctypes.c_void_p).value
    native.use_threads_of(address or 0)
    return True


def _runtime() -> str | None:
    """The file of the GNU OpenMP runtime that torch has loaded."""
    if sys.platform != "linux":
        return None
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    paths = {line.split(maxsplit=5)[-1] for line in maps.splitlines() if "libgomp" in line}
    torchs = {path for path in paths if path.startswith(str(Path(torch.__file__).parent))}
    candidates = torchs or paths
    return candidates.pop() if len(candidates) == 1 else None
