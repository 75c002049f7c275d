"""What the trackers themselves read back, where they are installed."""

import json
import math
import os
from pathlib import Path

import pytest
from offline_runs import rows
from watched_things import DEAD, EVENT, MEAN, feed

from hinge.sinks import MLflow, TensorBoard, WandB, as_sink
from hinge.sinks.telling import told

# The trackers' own warnings are theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


def scalars(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    read = accumulator.EventAccumulator(str(folder))
    read.Reload()
    return read


def test_tensorboard_reads_numbers_and_events(tmp_path):
    pytest.importorskip("tensorboard")
    feed(TensorBoard(tmp_path))
    read = scalars(tmp_path)
    assert [(e.step, e.value) for e in read.Scalars(DEAD)] == [(16, 1), (32, 2), (48, 3)]
    assert all(math.isnan(e.value) for e in read.Scalars(MEAN))
    [text] = read.Tensors(f"hinge/{EVENT.site}/events/text_summary")
    assert text.step == EVENT.found_at
    assert text.tensor_proto.string_val[0].decode() == told(EVENT)


def test_a_summary_writer_is_known_and_stays_open(tmp_path):
    pytest.importorskip("tensorboard")
    summaries = pytest.importorskip("torch.utils.tensorboard")

    with summaries.SummaryWriter(str(tmp_path)) as writer:
        sink = as_sink(writer)
        assert isinstance(sink, TensorBoard)
        feed(sink)
        assert len(scalars(tmp_path).Scalars(DEAD)) == 3
        writer.add_scalar("loss", 1.0, 64)
    assert [e.step for e in scalars(tmp_path).Scalars("loss")] == [64]


def test_a_file_is_no_folder_for_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "notes.txt").write_text("kept")
    with pytest.raises(OSError, match="cannot be written to"):
        TensorBoard(tmp_path / "notes.txt" / "runs")


@pytest.fixture
def wandb(monkeypatch, tmp_path):
    module = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    yield module
    module.finish()


def test_a_run_of_wandb_is_known_and_loses_nothing(wandb):
    run = wandb.init()
    sink = as_sink(run)
    assert isinstance(sink, WandB)
    for step in range(5):
        run.log({"loss": 1.0 / (1 + step)}, step=step)
        sink.numbers(16 * step, {DEAD: float(step)})
        run.log({"accuracy": float(step)}, step=step)
    sink.event(EVENT)
    sink.close()
    run.log({"loss": 0.0}, step=5)
    folder = Path(run.settings.files_dir).parent
    run.finish()
    *written, last = rows(folder)
    assert [row["accuracy"] for row in written] == [0, 1, 2, 3, 4]
    assert [row[DEAD] for row in written] == [0, 1, 2, 3, 4]
    assert [row["hinge/step"] for row in written[:4]] == [0, 16, 32, 48]
    assert written[-1]["hinge/events/nrows"] == 1
    assert last["loss"] == 0.0


def test_a_run_of_our_own_has_a_row_per_step_and_a_table(wandb):
    sink = WandB()
    files = Path(wandb.run.settings.files_dir)
    feed(sink)
    assert wandb.run is None
    written = rows(files.parent)
    assert [(row["hinge/step"], row[DEAD]) for row in written[:3]] == [(16, 1), (32, 2), (48, 3)]
    assert written[3][f"hinge/{EVENT.site}/event"] == told(EVENT)
    [table] = files.glob("media/table/hinge/*.json")
    assert json.loads(table.read_text())["data"][0][-1] == EVENT.evidence


@pytest.fixture
def mlflow(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
    monkeypatch.setenv("GIT_PYTHON_REFRESH", os.environ.get("GIT_PYTHON_REFRESH", "quiet"))
    module = pytest.importorskip("mlflow")
    before = module.get_tracking_uri()
    module.set_tracking_uri((tmp_path / "runs").as_uri())
    yield module
    module.set_tracking_uri(before)


def test_mlflow_reads_numbers_and_events(mlflow):
    sink = MLflow()
    feed(sink)
    client = mlflow.MlflowClient()
    history = client.get_metric_history(sink.run_id, DEAD.replace("#", "-"))
    assert [(m.step, m.value) for m in history] == [(16, 1), (32, 2), (48, 3)]
    assert math.isnan(client.get_run(sink.run_id).data.metrics[MEAN])
    assert client.get_run(sink.run_id).info.status == "FINISHED"
    text = Path(client.download_artifacts(sink.run_id, "hinge/events.json")).read_text()
    assert json.loads(text)[0]["evidence"] == EVENT.evidence


def test_a_run_of_mlflow_is_known_and_stays_open(mlflow):
    with mlflow.start_run() as run:
        sink = as_sink(run)
        assert isinstance(sink, MLflow)
        feed(sink)
        assert MLflow().run_id == run.info.run_id
        assert mlflow.active_run() is not None


def test_mlflow_takes_every_name(mlflow):
    sink = MLflow()
    names = ["hinge/relu#2/dead", "hinge//dead", "a/../../b", "é[0]@x", "n" * 400, "hinge/a\\b"]
    for name in names:
        sink.numbers(1, {name: 1.0})
    sink.close()
    assert len(mlflow.get_run(sink.run_id).data.metrics) == len(names)
