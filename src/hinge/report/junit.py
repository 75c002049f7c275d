"""A page's checks as JUnit XML, the form in which continuous integration reads test results."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

from hinge.page import Check, Page
from hinge.report.files import StrPath, write_text

_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2, production 2) excludes, even escaped; and carriage returns."""


def to_junit(page: Page) -> str:
    """Write one test case per check, in the order of the page; a page may have none.

    The elements and attributes are those that Jenkins' and GitLab's readers share:
    https://github.com/testmoapp/junitxml describes them.

    >>> print(to_junit(Page("mlp", blocks=(Check("dead=5%", False, "9 % are dead"),))))
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="hinge" tests="1" failures="1" errors="0" time="0">
      <testsuite name="mlp" tests="1" failures="1" errors="0" skipped="0" time="0">
        <testcase classname="mlp" name="dead=5%" time="0">
          <failure message="9 % are dead" type="hinge.check">9 % are dead</failure>
        </testcase>
      </testsuite>
    </testsuites>
    """
    checks = [block for block in page.blocks if isinstance(block, Check)]
    title = _legal(page.title)
    counts = {
        "tests": str(len(checks)),
        "failures": str(sum(not check.passed for check in checks)),
        "errors": "0",
    }
    root = ET.Element("testsuites", {"name": "hinge", **counts, "time": "0"})
    suite = ET.SubElement(root, "testsuite", {"name": title, **counts, "skipped": "0", "time": "0"})
    seen: Counter[str] = Counter()
    for check in checks:
        seen[check.name] += 1
        again = f" ({seen[check.name]})" if seen[check.name] > 1 else ""
        _add_case(suite, check, title, _legal(check.name) + again)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def write_junit(page: Page, path: StrPath) -> Path:
    """Write `to_junit` to a file, as a whole or not at all, and return its path."""
    return write_text(path, to_junit(page))


def _add_case(suite: ET.Element, check: Check, title: str, name: str) -> None:
    """Add a case; readers merge cases of one name, so the caller keeps names apart."""
    case = ET.SubElement(suite, "testcase", {"classname": title, "name": name, "time": "0"})
    message = _legal(check.message)
    if check.passed:
        ET.SubElement(case, "system-out").text = message
    else:
        attributes = {"message": message, "type": "hinge.check"}
        ET.SubElement(case, "failure", attributes).text = message


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
