"""What is written by code, pages from the records and all pictures, is what it writes now."""

import re
import runpy
from pathlib import Path

import pytest

from hinge.activations import all_activations, all_kin

DOCS = Path(__file__).parents[1] / "docs"
WRITTEN = runpy.run_path(str(DOCS / "write.py"))["written"]()


@pytest.mark.parametrize("path", WRITTEN, ids=str)
def test_a_committed_page_is_what_is_written_now(path):
    """Otherwise: ``make docs``."""
    assert (DOCS / path).read_text(encoding="utf-8") == WRITTEN[path]


def test_no_picture_is_left_over():
    pictures = {path.relative_to(DOCS) for path in DOCS.glob("*/*")}
    assert pictures == {path for path in WRITTEN if path.suffix == ".svg"}


def test_there_is_a_section_and_a_row_for_every_record():
    page = WRITTEN[Path("activations.md")]
    for record in (*all_activations(), *all_kin()):
        assert f"\n### {record.name}\n" in page
        assert f"[`{record.name}`](#{record.name})" in page


def test_every_kink_has_its_row_of_conventions():
    page = WRITTEN[Path("conventions.md")]
    for record in all_activations():
        assert page.count(f"[`{record.name}`]") == len(record.kinks())


@pytest.mark.parametrize("path", [Path("activations.md"), Path("conventions.md")], ids=str)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(path):
    for table in re.findall(r"(?:^\|.*\|\n)+", WRITTEN[path], re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1
