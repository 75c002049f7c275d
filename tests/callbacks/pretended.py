"""A watch and frameworks that pretend to be, for tests of the callbacks."""

import sys
from types import ModuleType, SimpleNamespace

from hinge.events import Cause, Event, Kind

EVENT = Event(Kind.DIED, 2, "relu", (1, 2), Cause.BIAS, "bias -0.1 to -7.2", 3)


class PretendedWatch:
    """Takes what `hinge.watch` takes, and tells its sinks what a test wants."""

    def __init__(self, model, optimizer=None, *, every=16, sinks=(), scaler=None, batch_axis=0):
        self.model = model
        self.optimizer = optimizer
        self.options = {"every": every, "scaler": scaler, "batch_axis": batch_axis}
        self.sinks = sinks
        self.state = "new"
        self.step = 0

    def start(self):
        assert self.state == "new"
        self.state = "on"

    def stop(self):
        assert self.state == "on"
        self.state = "off"
        for sink in self.sinks:
            sink.close()

    def tell(self, values):
        """Tell the sinks the numbers of the next step."""
        for sink in self.sinks:
            sink.numbers(self.step, values)
        self.step += 1

    def happen(self):
        """Tell the sinks that `EVENT` happened."""
        for sink in self.sinks:
            sink.event(EVENT)


class Gathering:
    """A sink that keeps all."""

    def __init__(self):
        self.told = []
        self.events = []
        self.closed = False

    def numbers(self, step, values):
        self.told.append((step, dict(values)))

    def event(self, event):
        self.events.append(event)

    def close(self):
        self.closed = True


class Base:
    """As the callbacks of the frameworks: made without arguments, all hooks do nothing."""

    def __init__(self):
        self.model = None
        self.made = True


class Logger:
    """As a logger of Lightning."""

    def __init__(self, experiment=None):
        self.experiment = experiment
        self.told = []

    def log_metrics(self, metrics, step=None):
        self.told.append((step, dict(metrics)))


def lightning_trainer(
    loggers,
    *,
    model="wrapped model",
    optimizers=("first", "second"),
    global_step=0,
    scaler=None,
):
    """As a ``Trainer`` of Lightning that has begun."""
    return SimpleNamespace(
        model=model,
        optimizers=list(optimizers),
        loggers=loggers,
        global_step=global_step,
        precision_plugin=SimpleNamespace(scaler=scaler),
    )


def pretend(monkeypatch, adapter, **bases):
    """Put modules with these classes in place of a framework; return ``HingeCallback``.

    A module's name has ``__`` for a dot; None takes the module away.
    """
    for name, attributes in bases.items():
        module = None
        if attributes is not None:
            module = ModuleType(name.replace("__", "."))
            vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name.replace("__", "."), module)
    forget(monkeypatch, adapter)
    return adapter.HingeCallback


def forget(monkeypatch, adapter):
    """Let the class be made anew, now and after the test."""
    monkeypatch.setitem(vars(adapter), "HingeCallback", None)
    monkeypatch.delitem(vars(adapter), "HingeCallback")
