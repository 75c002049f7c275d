"""Ctrl-C: the first one asks to stop and report, the second ends the program at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_INTERRUPTED = 128 + signal.SIGINT
_SHOW_CURSOR = b"\x1b[?25h"


@contextmanager
def second_press_ends() -> Iterator[None]:
    """Within the block, raise `KeyboardInterrupt` once; after that, end at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set what a signal does
        return
    before = signal.signal(signal.SIGINT, _first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def pressed() -> bool:
    """Whether Ctrl-C has come within the block, and the next one would end the program."""
    return signal.getsignal(signal.SIGINT) is _second


def _first(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    signal.signal(signal.SIGINT, _second)
    raise KeyboardInterrupt


def _second(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    if sys.stderr.isatty():
        os.write(2, _SHOW_CURSOR)  # a progress bar may have hidden it
    os._exit(_INTERRUPTED)
