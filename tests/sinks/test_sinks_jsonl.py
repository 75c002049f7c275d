"""Files of JSON lines: what is written is there at once, and is read back whatever happened."""

import json
import math
import signal
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from watched_things import DEAD, EVENT, MEAN, STEPS, feed

from hinge.errors import FileError, OptionError
from hinge.sinks import JsonLines, Numbers, read_jsonl


def strict(text):
    def refuse(name):
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "watch.jsonl"


@pytest.fixture
def written(path):
    feed(JsonLines(path))
    return path.read_bytes()


def test_each_line_is_a_strict_object_and_the_first_says_what_the_file_is(written):
    lines = [strict(line) for line in written.decode("ascii").splitlines()]
    assert lines[0] == {"schema": "hinge/watch", "version": 1}
    assert lines[1] == {"step": 16, "values": {DEAD: 1.0, MEAN: None, "hinge/relu/top": None}}
    assert [line["step"] for line in lines[1:4]] == list(STEPS)
    assert lines[4]["event"]["kind"] == "died"
    assert lines[4]["event"]["units"] == [3, 5]
    assert len(lines) == 5


def test_what_is_written_is_read_back(path, written):
    *numbers, event = read_jsonl(path)
    assert event == EVENT
    assert [record.step for record in numbers] == list(STEPS)
    assert [record.values[DEAD] for record in numbers] == [1.0, 2.0, 3.0]
    assert all(math.isnan(record.values[MEAN]) for record in numbers)


def test_numbers_of_numpy_are_numbers(path):
    sink = JsonLines(str(path))
    sink.numbers(np.int64(3), {"a": np.float32(0.5), "b": np.int64(7), "c": np.float32("nan")})
    sink.close()
    [record] = read_jsonl(path)
    assert record.step == 3
    assert (record.values["a"], record.values["b"]) == (0.5, 7.0)
    assert math.isnan(record.values["c"])


def test_a_killed_run_keeps_what_it_wrote(path):
    code = (
        "import os, signal, sys\nfrom hinge.sinks import JsonLines\n"
        "sink = JsonLines(sys.argv[1])\nsink.numbers(16, {'a': 1.0})\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert read_jsonl(path) == [Numbers(16, {"a": 1.0})]


def test_wherever_the_file_is_cut_the_whole_lines_are_read(path, written):
    ends = [i + 1 for i, byte in enumerate(written) if byte == ord("\n")]
    near = {end + off for end in ends for off in (-2, -1, 0, 1)} - {len(written) + 1}
    for cut in sorted(near | set(range(0, len(written), 17))):
        path.write_bytes(written[:cut])
        whole = sum(end <= cut for end in ends)
        missing_only_the_line_feed = cut + 1 in ends and cut + 1 > ends[0]
        assert len(read_jsonl(path)) == max(0, whole - 1 + missing_only_the_line_feed), cut


def test_wherever_the_file_is_cut_it_is_continued(path, written):
    ends = [0, *(i + 1 for i, byte in enumerate(written) if byte == ord("\n"))]
    for before, after in pairwise(ends):
        for cut in (before, (before + after) // 2, after - 1):
            path.write_bytes(written[:cut])
            sink = JsonLines(path)
            sink.numbers(99, {"a": 1.0})
            sink.close()
            header = written[: ends[1]]
            last = b'{"step": 99, "values": {"a": 1.0}}\n'
            assert path.read_bytes() == (written[:before] or header) + last


def test_a_torn_line_longer_than_a_block_is_cut_off(path, written):
    path.write_bytes(written + b'{"step": 64, "values": {"' + b"x" * 200_000)
    JsonLines(path).close()
    assert path.read_bytes() == written


def test_another_file_is_never_touched(path, tmp_path):
    for content in (b"epoch,loss\n1,0.5\n", b"notes", b'{"schema": "other/watch"}\n', b"\n"):
        path.write_bytes(content)
        with pytest.raises(FileError, match="not one that a watch wrote"):
            JsonLines(path)
        with pytest.raises(FileError, match="not one that a watch wrote"):
            read_jsonl(path)
        assert path.read_bytes() == content


def test_a_later_version_is_refused(path):
    path.write_bytes(b'{"schema": "hinge/watch", "version": 2}\n')
    for reads in (JsonLines, read_jsonl):
        with pytest.raises(FileError, match="later version"):
            reads(path)


def test_bad_paths_are_errors_at_once(tmp_path):
    (tmp_path / "file").write_text("x")
    for bad in (tmp_path, tmp_path / "no" / "a.jsonl", tmp_path / "file" / "a.jsonl", "a\0.jsonl"):
        with pytest.raises(FileError, match="cannot be written"):
            JsonLines(bad)
    for bad in (3, None, b"a.jsonl"):
        with pytest.raises(OptionError, match="named by a path"):
            JsonLines(bad)
    with pytest.raises(FileError, match="cannot be read"):
        read_jsonl(tmp_path / "none.jsonl")


def test_a_malformed_line_is_named_and_what_was_before_it_is_kept(path, written):
    lines = written.splitlines(keepends=True)
    bad_lines = (
        b"nonsense\n",
        b"[" * 100_000 + b"\n",
        b'{"step": 1, "values": {"a": NaN}}\n',
        b'{"step": 1}\n',
        b'{"step": 1, "values": {"a": "x"}}\n',
        b'{"event": {"kind": "died"}}\n',
        b'{"event": 3}\n',
        b"\xff\xfe\n",
        b'{"step": 1e999, "values": {}}\n',
    )
    for bad in bad_lines:
        path.write_bytes(b"".join([*lines[:2], bad, *lines[2:]]))
        with pytest.raises(FileError, match="no record of a watch") as caught:
            read_jsonl(path)
        assert caught.value.where.endswith("line 3")
        assert [record.step for record in caught.value.partial] == [16]


def test_a_file_that_is_too_large_is_refused(path, written):
    assert len(read_jsonl(path, limit=len(written))) == 4
    with pytest.raises(FileError, match="too large"):
        read_jsonl(path, limit=len(written) - 1)


def test_nothing_is_written_after_closing(path, written):
    sink = JsonLines(path)
    sink.close()
    sink.close()
    with pytest.raises(FileError, match="cannot be written"):
        sink.numbers(64, {"a": 1.0})
    assert path.read_bytes() == written


def test_a_full_disk_leaves_no_torn_line(path, monkeypatch):
    sink = JsonLines(path)
    sink.numbers(16, {"a": 1.0})
    whole = path.read_bytes()
    real = sink._file

    class Full:
        """Takes a few bytes, then no more."""

        def __init__(self):
            self.room = 5

        def write(self, data):
            if not self.room:
                raise OSError(28, "No space left on device")
            n = real.write(data[: self.room])
            self.room -= n
            return n

        def __getattr__(self, name):
            return getattr(real, name)

    sink._file = Full()
    with pytest.raises(FileError, match="No space left"):
        sink.numbers(32, {"a": 2.0})
    assert path.read_bytes() == whole
    sink._file = real
    sink.numbers(48, {"a": 3.0})
    assert [record.step for record in read_jsonl(path)] == [16, 48]
    sink.close()
