from __future__ import annotations

import base64
import hashlib
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_pages import HAND_BUILT, PAGES, large_page

from hinge.page import Check, Column, Grid, Heading, Note, Page, Shade, Strip, Table
from hinge.report.html import to_html, write_html
from hinge.report.text import one_line

VOID = {"meta", "input", "br", "link", "img"}


class Reader(HTMLParser):
    """Reads a document strictly: every element closed in order."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def text_of(self, *tags: str) -> list[str]:
        return [text for tag, text in self.texts if tag in tags]


def assert_stands_alone(document: str) -> None:
    reader = Reader(document)
    links = {"src", "href", "action", "data", "poster", "srcset", "xlink:href", "formaction"}
    for tag, attributes in reader.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style"
            if name in links or "url(" in (value or ""):
                assert re.fullmatch(r"#[\w-]+|url\(#[\w-]+\)", value or ""), (tag, name, value)
    assert [tag for tag, _ in reader.elements].count("script") == 1
    assert not {"link", "iframe", "img", "object", "embed", "base"} & {
        t for t, _ in reader.elements
    }
    style = "".join(reader.text_of("style"))
    assert "@import" not in style
    assert "url(" not in style
    assert "http" not in style + "".join(reader.text_of("script"))


def test_the_page_is_all_there() -> None:
    reader = Reader(to_html(HAND_BUILT))
    assert reader.text_of("title")[0] == reader.text_of("h1")[0] == "digits.onnx"
    assert reader.text_of("h2") == ["Findings"]
    assert reader.text_of("h3") == ["Units"]
    assert "fc1: unit 0 is dead" in reader.text_of("p")
    assert reader.text_of("td") == [
        *("0 to 1.00", "3.00", "1.00 to 2.00", "5.00"),
        *("fc1", "12\u202f345", "0\u202f%", "−2.50"),
        *("fc2#2", "12\u202f345", "25.0\u202f%", "–"),
        *("fc3", "1", "100\u202f%", "7.00"),
    ]
    assert [t for t in reader.text_of("span") if t[0] in "✓✗"] == ["✗ failed", "✓ passed"]
    assert "0: dead" in reader.text_of("title")
    assert "1–2: alive" in reader.text_of("title")


def test_numbers_carry_their_exact_value_for_sorting() -> None:
    cells = [attributes for tag, attributes in Reader(to_html(HAND_BUILT)).elements if tag == "td"]
    values = [cell.get("data-value") for cell in cells[4:]]
    assert values == [
        *(None, "12345", "0.0", "-2.5"),
        *(None, "12345", "0.25", ""),
        *(None, "1", "1.0", "7.0"),
    ]


def test_the_policy_names_the_only_style_and_script() -> None:
    document = to_html(HAND_BUILT)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', document)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    for tag in ("style", "script"):
        source = re.search(f"<{tag}>(.*?)</{tag}>", document, re.DOTALL)
        assert source is not None
        digest = base64.b64encode(hashlib.sha256(source[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1].replace("&#39;", "'")


def test_many_sections_get_a_table_of_contents_that_leads_to_them() -> None:
    few = Reader(to_html(Page("p", blocks=(Heading("A"), Heading("B", 2)))))
    assert "nav" not in {tag for tag, _ in few.elements}
    many = Reader(to_html(Page("p", blocks=tuple(Heading(name) for name in "ABCD"))))
    targets = [attributes["href"] for tag, attributes in many.elements if tag == "a"]
    assert targets == [f"#{attributes['id']}" for tag, attributes in many.elements if tag == "h2"]
    assert many.text_of("a") == list("ABCD")


@pytest.mark.parametrize(
    "bad", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"]
)
def test_hostile_names_stay_text(bad: str) -> None:
    page = Page(
        bad,
        bad,
        (
            Heading(bad),
            Note(bad, bad, points=(bad,)),
            Check(bad, False, bad),
            Table((Column(bad, help=bad),), ((bad,),), bad, bad),
            Grid((Shade(bad, bad),), (Strip(bad, (0,)),), bad, bad),
        ),
    )
    document = to_html(page)
    assert_stands_alone(document)
    reader = Reader(document)
    for tag in ("h1", "h2", "h4", "strong", "td", "th", "code", "dd"):
        assert bad in reader.text_of(tag), tag


@settings(max_examples=60)
@given(PAGES)
def test_any_page_becomes_a_document_that_stands_alone(page: Page) -> None:
    document = to_html(page)
    assert_stands_alone(document)
    document.encode("utf-8")


@given(st.text())
def test_any_text_survives(text: str) -> None:
    reader = Reader(to_html(Page("p", blocks=(Table((Column("c"),), ((text,),)),))))
    assert "".join(reader.text_of("td")) == one_line(text)


@pytest.mark.parametrize("n_strips", [1, 100, 2000])
def test_a_million_units_stay_small_and_fast(n_strips: int) -> None:
    page = large_page(10**6, n_strips)
    start = time.perf_counter()
    document = to_html(page)
    assert time.perf_counter() - start < 5
    assert len(document.encode()) < 2_000_000
    assert "shows the worst category" in document


def test_only_a_table_that_may_be_abbreviated_is() -> None:
    rows = tuple((i,) for i in range(2500))
    columns = (Column("n", "integer"),)
    whole = Reader(to_html(Page("p", blocks=(Table(columns, rows),))))
    assert len(whole.text_of("td")) == 2500
    brief = Reader(to_html(Page("p", blocks=(Table(columns, rows, brief=5),))))
    assert len(brief.text_of("td")) == 2000
    assert "… and 500 more rows, not in this file." in brief.text_of("p")


def test_a_file_is_written(tmp_path: Path) -> None:
    path = write_html(HAND_BUILT, tmp_path / "report.html")
    assert path.read_text("utf-8") == to_html(HAND_BUILT)
