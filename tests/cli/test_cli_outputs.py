"""Outputs are checked before the work, written after it, and old ones are never damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_cases import assert_mistake

import hinge.cli.examining

OPTIONS = ("--html", "--json", "--junit")
MODEL = ("examine", "net.onnx", "--data", "data.npz")


@pytest.fixture
def never(monkeypatch):
    """Fail the test if any work begins."""

    def read(*_):
        raise AssertionError("the work has begun")

    monkeypatch.setattr("hinge.cli.examining.load_model", read)


@pytest.mark.usefixtures("never")
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("data.npz/report", "not a folder"),
        ("missing/report", "does not exist"),
        ("folder", "a folder of this name"),
        ("", "a folder of this name"),
        ("/", "a folder of this name"),
        ("x" * 300, "too long"),
        ("/proc/report", ""),
    ],
)
def test_outputs_that_cannot_be_written_stop_before_the_work(work, run, option, path, found):
    (work / "folder").mkdir()
    assert_mistake(run(*MODEL, option, path), option, path[:60], found)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_only_be_read_stays(work, run, never):
    report = work / "report.html"
    report.write_text("old")
    report.chmod(0o444)
    assert_mistake(run(*MODEL, "--html", "report.html"), "may only be read")
    assert report.read_text() == "old"


@pytest.mark.parametrize("path", ["net.onnx", "data.npz", "./net.onnx"])
def test_inputs_are_never_overwritten(work, run, never, path):
    before = Path(path).read_bytes()
    assert_mistake(run(*MODEL, "--html", path), "--html", path.removeprefix("./"))
    assert Path(path).read_bytes() == before


def test_two_outputs_of_one_name(work, run, never):
    assert_mistake(run(*MODEL, "--html", "out", "--json", "out"), "--json", "the output of --html")


def test_checking_leaves_nothing_behind(work, run):
    (work / "old.html").write_text("old")
    before = sorted(path.name for path in work.iterdir())
    result = run("examine", "nowhere.onnx", "--data", "data.npz", "--html", "old.html")
    assert_mistake(result)
    assert sorted(path.name for path in work.iterdir()) == before
    assert (work / "old.html").read_text() == "old"


def test_each_output_is_written_even_if_another_fails(work, run, monkeypatch):
    """The folder of the page vanishes while the work goes on."""
    (work / "gone").mkdir()
    examine = hinge.cli.examining.examine

    def examine_and_remove(*arguments, **options):
        (work / "gone").rmdir()
        return examine(*arguments, **options)

    monkeypatch.setattr("hinge.cli.examining.examine", examine_and_remove)
    result = run(*MODEL, "--html", "gone/out.html", "--json", "out.json", "--junit", "out.xml")
    assert_mistake(result, "gone/out.html", "does not exist")
    assert "Wrote out.json" in result.stderr
    assert "Wrote gone" not in result.stderr
    assert "1 dead" in result.stdout
    assert (work / "out.json").exists()
    assert (work / "out.xml").exists()


def test_files_are_written_when_nobody_reads_the_page(work, start):
    """As in ``hinge examine … | head -1``."""
    process = start(*MODEL, "--html", "out.html")
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(timeout=60) == 0, said
    assert "Traceback" not in said
    assert (work / "out.html").exists()


def test_a_device_can_be_an_output(work, run):
    assert run(*MODEL, "--quiet", "--html", "/dev/null").exit_code == 0
