"""Stand-ins for trackers that are not installed, with the signatures of the real ones."""

import sys
from types import ModuleType, SimpleNamespace


class Writer:
    """As ``torch.utils.tensorboard.SummaryWriter``."""

    def __init__(self, log_dir=None):
        self.log_dir = log_dir
        self.scalars = []
        self.texts = []
        self.flushed = False
        self.closed = False

    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None, new_style=False):
        self.scalars.append((tag, scalar_value, global_step))

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        self.texts.append((tag, text_string, global_step))

    def flush(self):
        self.flushed = True

    def close(self):
        self.closed = True


class Run:
    """As ``wandb.Run``: rows are filled and completed as wandb does it."""

    def __init__(self):
        self.metrics = {}
        self.rows = []
        self.step = 0
        self.filling = {}
        self.dropped = []
        self.finished = False

    def define_metric(self, name, step_metric=None, step_sync=None, hidden=None, summary=None):
        self.metrics[name] = step_metric

    def log(self, data, step=None, commit=None):
        if step is not None and step < self.step:
            self.dropped.append(data)
            return
        if step is not None and step > self.step:
            self.complete()
            self.step = step
        self.filling |= data
        if commit or (commit is None and step is None):
            self.complete()
            self.step += 1

    def complete(self):
        if self.filling:
            self.rows.append(self.filling)
        self.filling = {}

    def finish(self, exit_code=None, quiet=None):
        self.complete()
        self.finished = True


class Table:
    """As ``wandb.Table``."""

    def __init__(self, columns=None, data=None):
        self.columns = columns
        self.data = data


def wandb_module(run=None):
    """A module ``wandb`` in which this run is active; ``init`` starts another."""
    module = ModuleType("wandb")
    module.run = run
    module.Table = Table
    module.started = []

    def init():
        module.started.append(Run())
        return module.started[-1]

    module.init = init
    return module


class Client:
    """As ``mlflow.MlflowClient`` of a server that knows one run."""

    def __init__(self, tracking_uri=None, registry_uri=None):
        self.metrics = []
        self.batches = []
        self.texts = {}

    def get_run(self, run_id):
        if run_id != "r1":
            raise sys.modules["mlflow"].MlflowException(f"Run {run_id} not found")
        return SimpleNamespace(info=SimpleNamespace(run_id=run_id))

    def log_batch(self, run_id, metrics=(), params=(), tags=(), synchronous=None):
        assert run_id == "r1"
        self.batches.append(len(metrics))
        self.metrics += [(m.key, m.value, m.step) for m in metrics]

    def log_text(self, run_id, text, artifact_file):
        assert run_id == "r1"
        self.texts[artifact_file] = text


def mlflow_modules(active=None):
    """The modules of mlflow by name; ``active`` is the run that is active, or None."""
    module = ModuleType("mlflow")
    entities = ModuleType("mlflow.entities")
    module.entities = entities
    module.active = active
    module.MlflowException = type("MlflowException", (Exception,), {})
    module.MlflowClient = Client

    def metric(key, value, timestamp, step):
        return SimpleNamespace(key=key, value=value, timestamp=timestamp, step=step)

    def start_run(run_id=None):
        module.active = mlflow_run()
        return module.active

    def end_run(status="FINISHED"):
        module.active = None

    entities.Metric = metric
    module.active_run = lambda: module.active
    module.start_run = start_run
    module.end_run = end_run
    return {"mlflow": module, "mlflow.entities": entities}


def mlflow_run(run_id="r1"):
    """As ``mlflow.ActiveRun``."""
    return SimpleNamespace(info=SimpleNamespace(run_id=run_id))
