"""The templates, styles and scripts of the renderers, and how templates are read."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from hinge.report.text import one_line, printable


@cache
def environment() -> Environment:
    """Make the one environment: everything is escaped, nothing may be missing."""
    made = Environment(
        loader=PackageLoader("hinge.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["printable"] = printable
    made.filters["one_line"] = one_line
    return made


def source(name: str) -> str:
    """Read one of our own files."""
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8").strip()
