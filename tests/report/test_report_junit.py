from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from report_pages import HAND_BUILT, PAGES

from hinge.page import Check, Page
from hinge.report.junit import to_junit, write_junit


def read(text: str) -> ET.Element:
    return ET.fromstring(text.encode())  # noqa: S314 - our own output


def test_one_case_per_check_and_a_failure_with_its_message() -> None:
    root = read(to_junit(HAND_BUILT))
    suite = root.find("testsuite")
    assert suite is not None
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    assert (suite.get("name"), suite.get("tests"), suite.get("errors")) == ("digits.onnx", "2", "0")
    failed, passed = suite.findall("testcase")
    failure = failed.find("failure")
    assert failed.get("name") == "dead=5%"
    assert failure is not None
    assert failure.get("message") == failure.text == "25 % are dead"
    assert passed.find("failure") is None
    assert passed.findtext("system-out") == "none is blocked"


def test_cases_of_one_name_are_kept_apart() -> None:
    page = Page("p", blocks=(Check("a", True, ""), Check("a", False, "")))
    assert [case.get("name") for case in read(to_junit(page)).iter("testcase")] == ["a", "a (2)"]


@given(PAGES)
def test_any_page_is_well_formed(page: Page) -> None:
    root = read(to_junit(page))
    checks = [block for block in page.blocks if isinstance(block, Check)]
    assert root.get("tests") == str(len(checks))
    assert len(list(root.iter("failure"))) == sum(not check.passed for check in checks)


@given(st.text())
def test_legal_text_survives_and_illegal_characters_go(text: str) -> None:
    message = next(read(to_junit(Page("p", blocks=(Check("c", False, text),)))).iter("failure"))
    legal = "".join(
        char
        for char in text
        if char in "\t\n"
        or "\x20" <= char <= "\ud7ff"
        or "\ue000" <= char <= "\ufffd"
        or char > "\uffff"
    )
    assert message.get("message") == legal
    assert (message.text or "") == legal


def test_a_file_is_written(tmp_path: Path) -> None:
    path = write_junit(HAND_BUILT, tmp_path / "junit.xml")
    assert path.read_text("utf-8") == to_junit(HAND_BUILT)
