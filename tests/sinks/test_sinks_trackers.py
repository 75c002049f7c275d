"""Trackers that stand in for those which may not be installed get the right calls."""

import json
import sys

import pytest
from stand_ins import Client, Run, Writer, mlflow_modules, mlflow_run, wandb_module
from watched_things import DEAD, EVENT, MEAN, STEPS, feed

from hinge.errors import FileError, HingeError, OptionError
from hinge.sinks import MLflow, TensorBoard, WandB
from hinge.sinks.telling import told


@pytest.fixture
def missing(monkeypatch):
    def take_away(*names):
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    return take_away


def dead_by_step(rows):
    return [row[DEAD] for row in rows if DEAD in row]


def test_a_writer_gets_scalars_and_texts_and_stays_open():
    writer = Writer()
    feed(TensorBoard(writer))
    assert [(v, s) for n, v, s in writer.scalars if n == DEAD] == [(1, 16), (2, 32), (3, 48)]
    assert len(writer.scalars) == 9
    assert writer.texts == [("hinge/block.relu#2/events", told(EVENT), 48)]
    assert writer.flushed
    assert not writer.closed


def test_a_writer_that_is_made_here_is_closed_here(monkeypatch, tmp_path):
    made = []

    def summary_writer(log_dir):
        made.append(Writer(log_dir))
        return made[-1]

    module = type(sys)("torch.utils.tensorboard")
    module.SummaryWriter = summary_writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    feed(TensorBoard(tmp_path))
    assert made[0].log_dir == str(tmp_path)
    assert made[0].closed


def test_a_folder_that_cannot_be_written_to_is_an_error(monkeypatch):
    def summary_writer(log_dir):
        raise FileExistsError(17, "File exists")

    module = type(sys)("torch.utils.tensorboard")
    module.SummaryWriter = summary_writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    with pytest.raises(FileError, match="File exists"):
        TensorBoard("notes.txt")


def test_a_run_that_others_write_to_loses_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", wandb_module())
    run = Run()
    sink = WandB(run)
    for step in range(5):
        run.log({"loss": 1.0}, step=step)
        sink.numbers(16 * step, {DEAD: float(step)})
        run.log({"accuracy": 1.0}, step=step)
    sink.close()
    run.complete()
    assert run.dropped == []
    assert dead_by_step(run.rows) == [0, 1, 2, 3, 4]
    assert [row["hinge/step"] for row in run.rows] == [0, 16, 32, 48, 64]
    assert run.metrics["hinge/*"] == "hinge/step"
    assert not run.finished


def test_each_step_has_a_row_in_a_run_of_its_own(monkeypatch):
    module = wandb_module()
    monkeypatch.setitem(sys.modules, "wandb", module)
    sink = WandB()
    feed(sink)
    [run] = module.started
    assert run.finished
    assert [row["hinge/step"] for row in run.rows[:3]] == list(STEPS)
    assert dead_by_step(run.rows) == [1, 2, 3]
    assert run.rows[3] == {"hinge/block.relu#2/event": told(EVENT), "hinge/step": 48}
    table = run.rows[4]["hinge/events"]
    row = dict(zip(table.columns, table.data[0], strict=True))
    assert row == {
        "found_at": 48,
        "step": 40,
        "site": "block.relu#2",
        "kind": "died",
        "units": "3, 5",
        "cause": "bias drift",
        "evidence": EVENT.evidence,
    }


def test_rows_of_their_own_can_be_asked_for():
    run = Run()
    sink = WandB(run, commit=True)
    for step in STEPS:
        sink.numbers(step, {DEAD: 1.0})
    sink.close()
    assert [row["hinge/step"] for row in run.rows] == list(STEPS)
    assert not run.finished


def test_the_active_run_of_wandb_is_taken_and_stays_open(monkeypatch):
    run = Run()
    module = wandb_module(run)
    monkeypatch.setitem(sys.modules, "wandb", module)
    feed(WandB())
    assert module.started == []
    assert DEAD in run.filling
    assert not run.finished


@pytest.mark.parametrize("given", [None, "r1", mlflow_run()])
def test_mlflow_gets_metrics_and_an_artifact(monkeypatch, given):
    modules = mlflow_modules()
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    client = Client()
    sink = MLflow(given, client=client)
    feed(sink)
    sink.close()
    assert sink.run_id == "r1"
    dead = [(v, s) for n, v, s in client.metrics if n == "hinge/block.relu-2/dead"]
    assert dead == [(1, 16), (2, 32), (3, 48)]
    assert ("hinge/block.relu-2/died", 2.0, 48) in client.metrics
    [event] = json.loads(client.texts["hinge/events.json"])
    assert event["evidence"] == EVENT.evidence
    assert event["units"] == [3, 5]
    assert modules["mlflow"].active is None


def test_the_active_run_of_mlflow_is_taken_and_stays_open(monkeypatch):
    active = mlflow_run()
    modules = mlflow_modules(active)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    feed(MLflow())
    assert modules["mlflow"].active is active


def test_mlflow_gets_names_that_it_takes_in_batches_that_it_takes(monkeypatch):
    for name, module in mlflow_modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    client = Client()
    sink = MLflow("r1", client=client)
    sink.numbers(1, {f"hinge/a[{i}]@é/dead": 0.0 for i in range(2500)})
    assert client.batches == [1000, 1000, 500]
    assert client.metrics[7][0] == "hinge/a_7___/dead"
    sink.numbers(2, {"hinge//dead": 1.0, "x/../../y": 2.0, "hinge/" + "a" * 300 + "/dead": 3.0})
    names = [name for name, _, step in client.metrics if step == 2]
    assert names[0] == "hinge/dead"
    assert not names[1].startswith(("/", "."))
    assert names[2].endswith("a/dead")
    assert len(names[2]) == 250


def test_an_unknown_run_of_mlflow_is_an_error(monkeypatch):
    for name, module in mlflow_modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(HingeError, match="cannot be opened"):
        MLflow("none")


def test_what_is_missing_is_said_to_be_installed(missing, tmp_path):
    missing("wandb", "mlflow", "torch.utils.tensorboard")
    for make, package in (
        (lambda: TensorBoard(tmp_path / "runs"), "pip install tensorboard"),
        (WandB, "pip install wandb"),
        (MLflow, "pip install mlflow-skinny"),
    ):
        with pytest.raises(HingeError, match="not installed") as caught:
            make()
        assert caught.value.do == package
    assert not (tmp_path / "runs").exists()


def test_what_is_no_writer_and_no_run_is_refused(monkeypatch):
    for name, module in mlflow_modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    for make in (TensorBoard, WandB, MLflow):
        for wrong in (3, object(), Run if make is WandB else Writer):
            with pytest.raises(OptionError):
                make(wrong)


def test_numbers_keep_their_names_and_values_where_all_names_go():
    writer = Writer()
    given = {MEAN: 0.1 + 0.2}
    TensorBoard(writer).numbers(1, given)
    assert writer.scalars == [(MEAN, 0.1 + 0.2, 1)]
    assert given == {MEAN: 0.1 + 0.2}
