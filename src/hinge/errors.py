"""One tree of errors: each says what was wrong, where, what was found and what to do."""

from __future__ import annotations

from typing import Any


class HingeError(Exception):
    """The root of every error that Hinge raises on purpose.

    An error has four parts, all plain sentences without a trailing full stop:

    * ``what``: what was wrong;
    * ``where``: the file, the place in the model, the batch, the option;
    * ``found``: what stood there;
    * ``do``: what the reader can do about it.

    ``partial`` holds whatever had been computed before the error, or ``None``:
    nothing that was counted is lost.

    >>> print(HingeError("the data is empty", where="data.npz", found="0 rows", do="pass rows"))
    the data is empty
      where:   data.npz
      found:   0 rows
      do this: pass rows
    """

    def __init__(self, what: str, *, where: str, found: str, do: str, partial: Any = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.found = found
        self.do = do
        self.partial = partial

    def __str__(self) -> str:
        return (
            f"{self.what}\n  where:   {self.where}\n  found:   {self.found}\n  do this: {self.do}"
        )


class FileError(HingeError, OSError):
    """A file is missing, unreadable, malformed, hostile, or cannot be written."""


class DataError(HingeError, ValueError):
    """The data cannot be fed to the model: empty, of the wrong shape or kind."""


class ModelError(HingeError, RuntimeError):
    """The model cannot be run, or has nothing to look at."""


class UnsupportedError(ModelError, NotImplementedError):
    """A room cannot handle an operation; the error names the operation and its place."""


class OptionError(HingeError, ValueError):
    """An argument or a command-line option has a value that means nothing."""
