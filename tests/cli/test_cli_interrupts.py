"""Ctrl-C: what was counted is reported as partial; a second one ends the program at once."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from hinge import Examination

Start = Callable[..., subprocess.Popen[str]]

SLOW = """
import pathlib, time, torch

def loader():
    for number in range(10_000):
        if number == 3:
            pathlib.Path("three").touch()
        time.sleep(0.02)
        yield torch.rand(8, 3)

def stuck():
    yield torch.rand(8, 3)
    while True:
        try:
            pathlib.Path("three").touch()
            time.sleep(60)
        except KeyboardInterrupt:
            pathlib.Path("heard").touch()

def late():
    pathlib.Path("three").touch()
    time.sleep(60)
"""


def begun(work: Path, start: Start, loader: str) -> subprocess.Popen[str]:
    """Start an examination on a slow loader; return once the loader says so."""
    (work / "slow.py").write_text(SLOW)
    data = f"slow.py:{loader}"
    process = start("examine", "model.py:network", "--data", data, "--json", "out.json")
    wait_for(work / "three", process)
    return process


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(1200):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError(f"{path.name} never came")


def test_what_was_counted_is_reported_as_partial(work, start):
    process = begun(work, start, "loader")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Partial" in out
    assert "Interrupted after" in err
    assert "Traceback" not in err
    census = Examination.from_json(work / "out.json").census
    assert not census.complete
    assert census.seen >= 16
    assert census.seen % 8 == 0


def test_nothing_was_counted(work, start):
    process = begun(work, start, "late")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)
    assert out == ""
    assert "Interrupted before there was anything to report." in err
    assert not (work / "out.json").exists()


def test_a_second_press_ends_at_once(work, start):
    process = begun(work, start, "stuck")
    process.send_signal(signal.SIGINT)
    wait_for(work / "heard", process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
