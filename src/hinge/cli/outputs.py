"""Where a result goes: the options that all verbs share, checked before work, written after it."""

from __future__ import annotations

import inspect
import os
import secrets
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Protocol, runtime_checkable

import typer

from hinge.cli.paths import mode_of, resolved
from hinge.cli.speech import say, say_error
from hinge.cli.verbs import Code
from hinge.errors import FileError, HingeError, OptionError
from hinge.page import Check, Lines, Map, Page

_PANEL = "Output"


class Result(Protocol):
    """What a verb hands over to be shown and written."""

    def page(self) -> Page:
        """Return the result as a page."""

    def to_json(self) -> str:
        """Return the result as JSON text."""


@runtime_checkable
class Mapped(Protocol):
    """A result whose cells lie in a plane."""

    def to_geojson(self) -> str:
        """Return the cells as GeoJSON text."""


@runtime_checkable
class Weighted(Protocol):
    """A result that has weights."""

    def to_safetensors(self) -> bytes:
        """Return the weights as the bytes of a safetensors file."""


def _file(name: str, text: str) -> Any:
    return typer.Option(name, metavar="FILE", help=text, rich_help_panel=_PANEL)


@dataclass(frozen=True)
class Outputs:
    """What is to be written where, and what makes the program fail."""

    out: Annotated[Path | None, _file("--out", "Write the changed weights: a .safetensors.")] = None
    html: Annotated[Path | None, _file("--html", "Write the page as one HTML file.")] = None
    json: Annotated[Path | None, _file("--json", "Write the result as JSON.")] = None
    svg: Annotated[Path | None, _file("--svg", "Write the picture as one SVG file.")] = None
    geojson: Annotated[
        Path | None, _file("--geojson", "Write the cells as GeoJSON, in the plane's coordinates.")
    ] = None
    junit: Annotated[Path | None, _file("--junit", "Write limits kept and broken as XML.")] = None
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="LIMIT",
            help="End with exit code 1 beyond this limit, such as dead=5% or any-site:dead=20%. "
            "May be given several times.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    baseline: Annotated[
        Path | None,
        _file("--baseline", "End with exit code 1 if units died since this JSON was written."),
    ] = None
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Show no page and no progress.", rich_help_panel=_PANEL),
    ] = False

    @property
    def files(self) -> dict[str, Path]:
        """The files to write, by their option."""
        asked = {
            "--out": self.out,
            "--html": self.html,
            "--json": self.json,
            "--svg": self.svg,
            "--geojson": self.geojson,
            "--junit": self.junit,
        }
        return {option: path for option, path in asked.items() if path is not None}

    def check(self, *inputs: str | Path | None) -> None:
        """Make sure, before any work, that each file can be written and is no input.

        Raises `FileError` or `OptionError`; nothing is left behind.
        """
        taken = {resolved(Path(name)): "an input of the same command" for name in inputs if name}
        for option, path in self.files.items():
            target = resolved(path)
            if target in taken:
                raise OptionError(
                    "the output would overwrite another file of this command",
                    where=option,
                    found=f"{path}, which is {taken[target]}",
                    do="choose another name",
                )
            taken[target] = f"the output of {option}"
            check_writable(path, option)

    def deliver(self, result: Result, title: str) -> Code:
        """Write and print all that can be written and printed; say what could not be."""
        page = replace(result.page(), title=title)
        errors = self._write(page, result)
        if not self.quiet:
            _print(page)
            for option, path in self.files.items():
                if option not in errors:
                    say(f"Wrote {path}")
        for error in errors.values():
            say_error(error)
        broken = [check for check in _checks(page) if not check.passed]
        if broken:
            say(f"{len(broken)} of {len(_checks(page))} limits not kept:", "bold red")
        for check in broken:
            say(f"  {check.name}: {check.message}", "")
        if errors:
            return Code.ERROR
        return Code.BROKEN if broken else Code.FINE

    def _write(self, page: Page, result: Result) -> dict[str, HingeError]:
        """Write each file, whatever becomes of the others; return what went wrong, by option."""
        from hinge import report  # noqa: PLC0415 - the help text needs no renderer

        writers: dict[str, Callable[[Path], Path]] = {
            "--out": lambda path: report.write_bytes(path, _weights(result)),
            "--html": lambda path: report.write_html(page, path),
            "--json": lambda path: report.write_text(path, result.to_json()),
            "--svg": lambda path: report.write_svg(_picture(page), path),
            "--geojson": lambda path: report.write_text(path, _geojson(result)),
            "--junit": lambda path: report.write_junit(page, path),
        }
        errors: dict[str, HingeError] = {}
        for option, path in self.files.items():
            try:
                writers[option](path)
            except HingeError as error:
                errors[option] = error
        return errors


Verb = Callable[..., None]


def with_outputs(verb: Verb) -> Verb:
    """Give a verb the options of `Outputs`, which it receives as its argument ``outputs``."""
    return _with(verb, ("html", "json", "junit", "fail_on", "baseline", "quiet"))


def with_files(verb: Verb) -> Verb:
    """Give a verb that judges nothing, but may draw, its options of `Outputs`."""
    return _with(verb, ("html", "json", "svg", "quiet"))


def with_maps(verb: Verb) -> Verb:
    """Give a verb whose result lies in a plane its options of `Outputs`."""
    return _with(verb, ("html", "json", "svg", "geojson", "quiet"))


def with_weights(verb: Verb) -> Verb:
    """Give a verb that changes a model its options of `Outputs`; it needs ``--out``."""
    return _with(verb, ("out", "html", "json", "quiet"), needed=("out",))


def _with(verb: Verb, names: Sequence[str], needed: Sequence[str] = ()) -> Verb:
    own = [
        parameter
        for parameter in inspect.signature(verb, eval_str=True).parameters.values()
        if parameter.name != "outputs"
    ]
    known = inspect.signature(Outputs, eval_str=True).parameters
    options = [
        known[name].replace(default=inspect.Parameter.empty) if name in needed else known[name]
        for name in names
    ]

    @wraps(verb)
    def command(**given: Any) -> None:
        chosen = {name: given.pop(name) for name in names}
        verb(**given, outputs=Outputs(**chosen))

    parameters: Sequence[inspect.Parameter] = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *options)
    ]
    signature = inspect.Signature(parameters)
    command.__signature__ = signature  # type: ignore[attr-defined] # read by inspect and typer
    return command


def check_writable(path: Path, option: str) -> None:
    """Raise `FileError` unless a file can be written there; an old one stays as it is."""
    found, do = _obstacle(path)
    if found:
        where = f"{option} {path}"
        raise FileError("the output cannot be written", where=where, found=found, do=do)


def _obstacle(path: Path) -> tuple[str, str]:
    """Return what is in the way of writing a file, and what to do; empty if nothing is."""
    from hinge.report import write_text  # noqa: PLC0415 - the help text needs no renderer

    probe = path.parent / f".hinge-{secrets.token_hex(8)}.tmp"
    try:
        mode = mode_of(path)
        if mode is not None and stat.S_ISDIR(mode):
            return "a folder of this name", "name a file inside the folder"
        if mode is not None and not stat.S_ISREG(mode):
            return "", ""  # a device or a pipe, which cannot be tried out
        write_text(probe, "")
    except FileError as error:
        return error.found, error.do
    finally:
        _remove(probe)
    if mode is not None and not os.access(path, os.W_OK):
        return "a file that may only be read", "choose another name, or change its permissions"
    return "", ""


def _remove(probe: Path) -> None:
    try:
        probe.unlink(missing_ok=True)
    except OSError:
        return  # the path leads through a file, so the probe was never there


def _print(page: Page) -> None:
    from hinge.report import print_page  # noqa: PLC0415 - the help text needs no renderer

    try:
        print_page(page)
    except SystemExit:
        return  # rich's way to say that nobody reads on, as after a pipe into head


def _picture(page: Page) -> Lines | Map:
    for block in page.blocks:
        if isinstance(block, Lines | Map):
            return block
    raise OptionError(
        "the result has no picture",
        where="--svg",
        found=page.title,
        do="leave out --svg; --html and --json are there for every result",
    )


def _weights(result: Result) -> bytes:
    if not isinstance(result, Weighted):
        raise OptionError(
            "the result has no weights",
            where="--out",
            found=type(result).__name__,
            do="leave out --out; hinge revive and hinge swap write weights",
        )
    return result.to_safetensors()


def _geojson(result: Result) -> str:
    if not isinstance(result, Mapped):
        raise OptionError(
            "the result is no map",
            where="--geojson",
            found=type(result).__name__,
            do="leave out --geojson; the cells of a plane have it, --json is there for all",
        )
    return result.to_geojson()


def _checks(page: Page) -> list[Check]:
    return [block for block in page.blocks if isinstance(block, Check)]
