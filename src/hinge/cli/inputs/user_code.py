"""Errors of the user's own code, told in four parts with the file and line they came from."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hinge.errors import DataError, HingeError, ModelError

_NOT_THE_USERS = (
    str(Path(__file__).parents[2]),
    *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
)
_LONGEST = 300
_END = object()


@contextmanager
def users_code(
    what: str, reference: str, kind: Callable[..., HingeError] = ModelError
) -> Iterator[None]:
    """Turn whatever the block raises, but Ctrl-C, into an error of this kind."""
    try:
        yield
    except HingeError:
        raise
    except (Exception, SystemExit) as error:
        message = " ".join(str(error).split())[:_LONGEST]
        raise kind(
            what,
            where=_place(error, reference),
            found=f"{type(error).__name__}: {message}" if message else type(error).__name__,
            do="mend the code there, then run the command again",
        ) from error


def users_batches(batches: Iterable[Any], reference: str) -> Iterator[Any]:
    """Pass on the batches of the user's own loader; its errors name their place."""
    failed = "the loader fails"
    with users_code(failed, reference, DataError):
        iterator = iter(batches)
    while True:
        with users_code(failed, reference, DataError):
            batch = next(iterator, _END)
        if batch is _END:
            return
        yield batch


def _place(error: BaseException, reference: str) -> str:
    """The last line of the user's that ran: deeper ones are in libraries."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_users(frame.filename)]
    if not own:
        return reference
    return f"{own[-1].filename}, line {own[-1].lineno}, in {own[-1].name}"


def _is_users(filename: str) -> bool:
    return not filename.startswith(("<", *_NOT_THE_USERS))
