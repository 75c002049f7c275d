from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hinge.errors import FileError
from hinge.report.files import read_text, write_text


def refused(path: Path | str, text: str = "new") -> FileError:
    with pytest.raises(FileError) as caught:
        write_text(path, text)
    error = caught.value
    assert all((error.what, error.where, error.found, error.do))
    return error


def test_text_arrives_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    assert write_text(str(path), "γ\r\n\n") == path
    assert path.read_bytes() == "γ\r\n\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_kept_and_new_files_follow_the_umask(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_text("old")
    old.chmod(0o640)
    plain = tmp_path / "plain"
    plain.touch()
    write_text(new, "text")
    write_text(old, "text")
    assert new.stat().st_mode == plain.stat().st_mode
    assert old.stat().st_mode & 0o777 == 0o640
    assert old.read_text() == "text"


def test_a_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_device_is_not_replaced() -> None:
    write_text(os.devnull, "text")
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize("step", ["fsync", "replace", "write"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failure_in_the_middle_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    elif step == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    else:
        monkeypatch.setattr("hinge.report.files._write_and_sync", fail)
    error = refused(path)
    assert ("no space" in error.found) == (code == errno.ENOSPC)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_bad_targets_are_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    assert "does not exist" in refused(tmp_path / "none" / "report.txt").found
    assert "is a folder" in refused(tmp_path).found
    assert "not a folder" in refused(file / "report.txt").found
    assert "too long" in refused(tmp_path / ("x" * 300)).found
    refused(f"{tmp_path}/a\0b")
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_may_not_be_written_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root
    assert "no permission" in refused(path).found
    assert path.read_text() == "old"


def test_reading_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("aγ".encode())
    assert read_text(path, limit=3) == "aγ"
    for bad, limit in ((path, 2), (tmp_path, 9), (tmp_path / "none", 9), (Path("/dev/zero"), 9)):
        with pytest.raises(FileError) as caught:
            read_text(bad, limit)
        assert caught.value.where == str(bad)
    path.write_bytes(b"ab\xff")
    with pytest.raises(FileError, match="UTF-8") as caught:
        read_text(path, limit=9)
    assert "position 2" in caught.value.found
