"""The hooks of the callbacks, called as the frameworks call them."""

import math
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pretended import EVENT, Base, Gathering, Logger, forget, lightning_trainer, pretend

from hinge.callbacks import keras, lightning, transformers
from hinge.errors import HingeError, ModelError


@pytest.fixture
def lit(monkeypatch):
    package = {"Callback": Base}
    modules = {"lightning": {}, "lightning__pytorch": package, "pytorch_lightning": None}
    return pretend(monkeypatch, lightning, **modules)


@pytest.fixture
def face(monkeypatch):
    return pretend(monkeypatch, transformers, transformers={"TrainerCallback": Base})


@pytest.fixture
def keras_3(monkeypatch):
    backend = SimpleNamespace(backend=lambda: "torch")
    modules = {"keras": {"backend": backend}, "keras__callbacks": {"Callback": Base}}
    return pretend(monkeypatch, keras, **modules)


def begun(callback, **parts):
    """A callback of transformers whose training has begun, and the trainer's state."""
    state = SimpleNamespace(log_history=[])
    callback.on_train_begin(None, state, None, **{"model": "model", "optimizer": None, **parts})
    return state


def test_lightning_starts_with_what_the_trainer_has(lit, watches):
    callback = lit(every=4, batch_axis=1)
    trainer = lightning_trainer([], scaler="scaler")
    callback.on_train_start(trainer, "module")
    [watch] = watches
    assert callback.watch is watch
    assert (watch.model, watch.optimizer, watch.state) == ("wrapped model", "first", "on")
    assert watch.options == {"every": 4, "scaler": "scaler", "batch_axis": 1}
    callback.on_train_end(trainer, "module")
    assert watch.state == "off"


def test_what_the_user_says_comes_before_what_the_trainer_says(lit, watches):
    lit(scaler="mine", optimizer="own").on_train_start(lightning_trainer([], scaler="its"), None)
    lit(which=1).on_train_start(lightning_trainer([]), None)
    lit().on_train_start(lightning_trainer([], optimizers=()), None)
    assert watches[0].options["scaler"] == "mine"
    assert [watch.optimizer for watch in watches] == ["own", "second", None]


def test_lightning_s_loggers_get_numbers_and_events(lit, watches):
    loggers, sink = [Logger(), Logger()], Gathering()
    callback = lit(sinks=[sink], names="*/d*")
    callback.on_train_start(lightning_trainer(loggers, global_step=100), None)
    watches[0].tell({"hinge/relu/dead": 1.0, "hinge/relu/mean": math.nan})
    watches[0].tell({"hinge/relu/mean": 0.0})
    watches[0].happen()
    for logger in loggers:
        assert logger.told == [(100, {"hinge/relu/dead": 1.0}), (103, {"hinge/relu/died": 2.0})]
    assert [step for step, _ in sink.told] == [0, 1]
    assert "hinge/relu/mean" in sink.told[0][1]
    assert sink.events == [EVENT]
    callback.stop()
    assert sink.closed


def test_a_logger_whose_writer_is_known_gets_events_in_words(lit, watches):
    writer = Gathering()
    logger = Logger(experiment=writer)
    callback = lit()
    callback.on_train_start(lightning_trainer([logger]), None)
    watches[0].tell({"hinge/relu/dead": 1.0})
    watches[0].happen()
    assert writer.events == [EVENT]
    assert writer.told == []
    assert len(logger.told) == 2


def test_an_exception_stops_the_watch_of_lightning(lit, watches):
    callback = lit()
    trainer = lightning_trainer([])
    callback.on_exception(trainer, None, ValueError("before training"))
    callback.on_train_start(trainer, None)
    callback.on_exception(trainer, None, KeyboardInterrupt())
    callback.on_exception(trainer, None, KeyboardInterrupt())
    assert [watch.state for watch in watches] == ["off"]


def test_a_new_run_stops_a_watch_that_was_left_on(face, watches):
    callback = face()
    begun(callback)
    begun(callback)
    assert [watch.state for watch in watches] == ["off", "on"]
    callback.on_train_end(None, None, None)
    assert watches[1].state == "off"


def test_a_context_stops_the_watch_whatever_happens(face, watches):
    callback = face()

    def broken_off():
        with callback:
            begun(callback)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert watches[0].state == "off"


def test_what_accelerate_has_wrapped_is_looked_through_for_the_optimizer(face, watches):
    wrapped = SimpleNamespace(optimizer="inner", scaler="scaler")
    begun(face(), model="wrapped", optimizer=wrapped)
    begun(face(), model="plain", optimizer="plain")
    assert [(w.model, w.optimizer) for w in watches] == [("wrapped", "inner"), ("plain", "plain")]
    assert [w.options["scaler"] for w in watches] == ["scaler", None]


def test_the_log_of_transformers_has_the_latest_numbers_once(face, watches):
    callback = face()
    state = begun(callback)
    logs, later, last = {"loss": 1.0}, {"loss": 0.5}, {"loss": 0.4}
    watches[0].tell({"hinge/relu/dead": 1.0})
    watches[0].tell({"hinge/relu/dead": 2.0})
    watches[0].happen()
    watches[0].happen()
    state.log_history.append({"loss": 1.0, "step": 2})
    callback.on_log(None, state, None, logs=logs)
    assert logs == {"loss": 1.0, "hinge/relu/dead": 2.0, "hinge/relu/died": 4.0}
    assert state.log_history == [logs | {"step": 2}]
    callback.on_log(None, state, None, logs=later)
    assert later == {"loss": 0.5, "hinge/relu/died": 0.0}
    watches[0].happen()
    callback.on_log(None, state, None, logs=last)
    assert last["hinge/relu/died"] == 2.0
    callback.on_log(None, state, None)


def test_joining_a_trainer_comes_before_its_reporters(face):
    trainer = SimpleNamespace(callback_handler=SimpleNamespace(callbacks=["reporter"]))
    callback = face().join(trainer)
    assert trainer.callback_handler.callbacks == [callback, "reporter"]


def test_keras_has_a_number_per_epoch_for_every_name(keras_3, watches):
    callback = keras_3()
    history = SimpleNamespace(epoch=[], history={})
    callback.model = SimpleNamespace(history=history)
    callback.on_train_begin()
    tellings = [{}, {"hinge/relu/dead": 1.0}, {}, {"hinge/relu/dead": 3.0}]
    for epoch, telling in enumerate(tellings):
        watches[0].tell(telling)
        if epoch == 2:
            watches[0].happen()
        logs = {"loss": 1.0}
        callback.on_epoch_end(epoch, logs)
        history.epoch.append(epoch)
        for name, value in logs.items():
            history.history.setdefault(name, []).append(value)
    callback.on_train_end()
    nan = pytest.approx(math.nan, nan_ok=True)
    assert history.history["hinge/relu/dead"] == [nan, 1.0, nan, 3.0]
    assert history.history["hinge/relu/died"] == [nan, nan, 2.0, 0.0]
    assert watches[0].optimizer is None
    assert watches[0].state == "off"


def test_keras_on_another_backend_is_an_error(monkeypatch, keras_3, watches):
    monkeypatch.setattr(sys.modules["keras"].backend, "backend", lambda: "jax")
    with pytest.raises(ModelError, match="only networks that torch runs"):
        keras_3().on_train_begin()
    assert watches == []


def test_the_class_is_one_of_the_framework_s_and_made_once(lit):
    assert issubclass(lit, Base)
    assert lit is lightning.HingeCallback
    assert lit().made
    assert lit.__doc__.startswith("A callback for a Lightning")


def test_a_callback_travels_without_its_watch(lit, watches):
    callback = lit(every=4, sinks="watch.jsonl")
    callback.on_train_start(lightning_trainer([]), None)
    copy = pickle.loads(pickle.dumps(callback))  # noqa: S301 - our own
    assert type(copy) is lit
    assert copy.watch is None
    copy.stop()
    assert watches[0].state == "on"


def test_either_package_of_lightning_will_do(monkeypatch):
    other = type("Other", (), {})
    both = {
        "lightning": {},
        "lightning__pytorch": {"Callback": Base},
        "pytorch_lightning": {"Callback": other},
    }
    made = pretend(monkeypatch, lightning, **both)
    assert issubclass(made, Base)
    assert issubclass(made, other)
    made = pretend(
        monkeypatch, lightning, **{**both, "lightning": None, "lightning__pytorch": None}
    )
    assert not issubclass(made, Base)
    assert issubclass(made, other)


def test_what_is_missing_is_said_to_be_installed(monkeypatch):
    for name in ("lightning", "lightning.pytorch", "pytorch_lightning", "transformers", "keras"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "keras.callbacks", None)
    for adapter, package in (
        (lightning, "lightning"),
        (transformers, "transformers"),
        (keras, "k"),
    ):
        forget(monkeypatch, adapter)
        with pytest.raises(HingeError, match="not installed") as caught:
            _ = adapter.HingeCallback
        assert caught.value.do.startswith("pip install")
        assert package in caught.value.do
        with pytest.raises(AttributeError):
            _ = adapter.Hingecallback


def test_paths_of_sinks_are_passed_on_as_they_are(lit, watches):
    lit(sinks="watch.jsonl").on_train_start(lightning_trainer([]), None)
    lit(sinks=(Path("a.jsonl"), print)).on_train_start(lightning_trainer([]), None)
    assert watches[0].sinks[1:] == ("watch.jsonl",)
    assert watches[1].sinks[1:] == (Path("a.jsonl"), print)
