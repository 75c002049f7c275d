"""Writes what a watch tells for TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hinge.errors import FileError, OptionError
from hinge.events import Event
from hinge.optional import optional
from hinge.sinks.telling import told

_METHODS = ("add_scalar", "add_text", "flush")


class TensorBoard:
    """Write numbers as scalars and events as texts ``hinge/SITE/events``.

    ``writer_or_dir`` is a ``SummaryWriter`` (of torch or tensorboardX), which stays open, or
    a folder, for which one is made and closed again.

    Raises
    ------
    HingeError
        A folder is given, and the package tensorboard is not installed.
    FileError
        The folder cannot be written to.
    OptionError
        It is neither a writer nor a folder.
    """

    def __init__(self, writer_or_dir: Any) -> None:
        self._own = isinstance(writer_or_dir, str | os.PathLike)
        self._writer = _opened(writer_or_dir) if self._own else _checked(writer_or_dir)

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Write each number as a scalar under its name."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def event(self, event: Event) -> None:
        """Write the event as a text at the step at which it was noticed."""
        self._writer.add_text(f"hinge/{event.site}/events", told(event), event.found_at)

    def close(self) -> None:
        """Close the writer if it was made here; flush it otherwise."""
        if self._own:
            self._writer.close()
        else:
            self._writer.flush()


def writes_summaries(x: Any) -> bool:
    """Whether this can be written to as a ``SummaryWriter`` can."""
    return all(callable(getattr(x, name, None)) for name in _METHODS)


def _opened(folder: str | os.PathLike[str]) -> Any:
    module = optional("torch.utils.tensorboard", "tensorboard", "writing for TensorBoard")
    try:
        return module.SummaryWriter(os.fspath(folder))
    except (OSError, ValueError) as error:
        raise FileError(
            "the folder for TensorBoard cannot be written to",
            where=os.fspath(folder),
            found=(error.strerror if isinstance(error, OSError) else None) or str(error),
            do="name a folder that is there, or can be made",
        ) from error


def _checked(writer: Any) -> Any:
    if writes_summaries(writer) and not isinstance(writer, type):
        return writer
    raise OptionError(
        "TensorBoard is written to through a SummaryWriter or a folder",
        where="TensorBoard(writer_or_dir)",
        found=f"a {type(writer).__name__}",
        do="pass a torch.utils.tensorboard.SummaryWriter or the path of a folder",
    )
