"""A page as one HTML file that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from hinge.page import Block, Check, Curve, Grid, Heading, Lines, Map, Page, Table
from hinge.report.charts import curve_view
from hinge.report.files import StrPath, write_text
from hinge.report.maps import map_view
from hinge.report.sources import environment, source
from hinge.report.svg import lines_view
from hinge.report.views import grid_view, table_view

_CONTENTS_FROM = 4
"""A page with so many sections gets a table of contents."""

_SECTION = 1


@dataclass(frozen=True)
class _Part:
    """One entry of the page: which template draws it, its id in the document, what it holds."""

    kind: str
    name: str
    block: Any


def to_html(page: Page) -> str:
    """Render a page as a complete document.

    Every text of the page is escaped. The content security policy allows nothing but the
    document's own style and script, which are named by their hashes.
    """
    parts = _parts(page.blocks)
    sections = [
        (part.name, part.block.text)
        for part in parts
        if isinstance(part.block, Heading) and part.block.level <= _SECTION
    ]
    style = "\n".join(source(name) for name in ("style.css", "lines.css", "map.css"))
    script = source("script.js")
    rendered = (
        environment()
        .get_template("page.html")
        .render(
            page=page,
            parts=parts,
            contents=sections if len(sections) >= _CONTENTS_FROM else [],
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )
    return str(rendered)


def write_html(page: Page, path: StrPath) -> Path:
    """Write `to_html` to a file, as a whole or not at all, and return its path."""
    return write_text(path, to_html(page))


def _parts(blocks: tuple[Block, ...]) -> list[_Part]:
    """Number the blocks; neighbouring checks share one list."""
    parts: list[_Part] = []
    for block in blocks:
        if isinstance(block, Check) and parts and parts[-1].kind == "check":
            parts[-1].block.append(block)
            continue
        view = [block] if isinstance(block, Check) else _view(block)
        parts.append(_Part(type(block).__name__.lower(), f"part-{len(parts) + 1}", view))
    return parts


def _view(block: Block) -> Any:
    match block:
        case Table():
            return table_view(block)
        case Grid():
            return grid_view(block)
        case Curve():
            return curve_view(block)
        case Lines():
            return lines_view(block)
        case Map():
            return map_view(block)
        case _:
            return block


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
