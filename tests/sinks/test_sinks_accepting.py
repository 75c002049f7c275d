"""What users have at hand becomes a sink, and what they have not is refused."""

import sys
from pathlib import Path

import pytest
from stand_ins import Run, Writer, mlflow_modules, mlflow_run
from watched_things import DEAD, EVENT, STEPS, feed

from hinge.errors import FileError, OptionError
from hinge.sinks import (
    Call,
    JsonLines,
    MLflow,
    Numbers,
    Sink,
    TensorBoard,
    WandB,
    as_sink,
    read_jsonl,
)


class Own:
    """A sink that a user wrote; it knows nothing of Hinge's classes."""

    def __init__(self):
        self.steps = []

    def numbers(self, step, values):
        self.steps.append(step)

    def event(self, event):
        pass

    def close(self):
        pass


def test_a_function_gets_every_record():
    records = []
    feed(as_sink(records.append))
    *numbers, event = records
    assert [record.step for record in numbers] == list(STEPS)
    assert all(isinstance(record, Numbers) for record in numbers)
    assert event is EVENT


def test_a_function_may_keep_what_it_gets():
    records, values = [], {DEAD: 1.0}
    sink = Call(records.append)
    sink.numbers(1, values)
    values[DEAD] = 2.0
    assert records[0].values[DEAD] == 1.0


def test_a_sink_stays_itself():
    own = Own()
    assert as_sink(own) is own
    feed(own)
    assert own.steps == list(STEPS)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_becomes_a_file_of_json_lines(tmp_path, kind):
    path = tmp_path / "watch.jsonl"
    sink = as_sink(kind(path))
    assert isinstance(sink, JsonLines)
    feed(sink)
    assert read_jsonl(path)[-1] == EVENT


def test_writers_and_runs_are_known(monkeypatch):
    for name, module in mlflow_modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    assert isinstance(as_sink(Writer()), TensorBoard)
    assert isinstance(as_sink(Run()), WandB)
    assert isinstance(as_sink(mlflow_run()), MLflow)
    assert all(isinstance(as_sink(x), Sink) for x in (Writer(), Run(), mlflow_run(), print))


@pytest.mark.parametrize("wrong", [3, None, "runs", Path("watch.json"), {}, [print], Own, Writer])
def test_all_else_is_refused(wrong):
    with pytest.raises(OptionError, match="cannot write to this") as caught:
        as_sink(wrong)
    assert ".jsonl" in caught.value.do


def test_a_bad_path_is_an_error_at_once(tmp_path):
    with pytest.raises(FileError):
        as_sink(tmp_path / "none" / "watch.jsonl")


def test_what_cannot_be_called_is_refused():
    with pytest.raises(OptionError, match="no function"):
        Call(3)
