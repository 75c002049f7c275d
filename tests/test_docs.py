"""The code on the pages runs, and prints what the pages say it prints."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"\A\s*```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs(page: Path) -> list[tuple[str, str | None]]:
    """The Python blocks of a page, each with the text block that stands right below it."""
    text = page.read_text(encoding="utf-8")
    found = []
    for block in BLOCK.finditer(text):
        if block[1] == "python":
            output = OUTPUT.match(text[block.end() :])
            found.append((block[2], output[1] if output else None))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_on_the_page_prints_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for program, expected in programs(page):
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(program, page.name, "exec"), names)  # noqa: S102 - our own pages
        if expected is not None:
            assert printed.getvalue().rstrip() == expected.rstrip()


def test_the_pages_hold_programs():
    assert all(programs(page) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
