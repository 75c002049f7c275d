"""Renders a page for the terminal, the browser and continuous integration, and reads results."""

from hinge.report.files import write_bytes, write_text
from hinge.report.html import to_html, write_html
from hinge.report.json import dump, load, write_json
from hinge.report.junit import to_junit, write_junit
from hinge.report.svg import to_svg, write_svg
from hinge.report.terminal import print_page, to_text

__all__ = [
    "dump",
    "load",
    "print_page",
    "to_html",
    "to_junit",
    "to_svg",
    "to_text",
    "write_bytes",
    "write_html",
    "write_json",
    "write_junit",
    "write_svg",
    "write_text",
]
