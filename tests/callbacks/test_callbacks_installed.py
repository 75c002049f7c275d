"""Training with the frameworks themselves, where they are installed; the watch is pretended."""

import csv
import os
from importlib import import_module

import numpy as np
import pytest
import torch
from pretended import forget

from hinge.callbacks import keras as for_keras
from hinge.callbacks import lightning as for_lightning
from hinge.callbacks import transformers as for_transformers

# The frameworks' own warnings are theirs.
pytestmark = pytest.mark.filterwarnings("ignore")

N_STEPS = 5  # 20 examples in batches of 4


def net():
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))


class Noted(torch.nn.Module):
    """A network that makes the latest watch tell something with each training pass."""

    def __init__(self, watches, *, fails_at=None):
        super().__init__()
        self.net = net()
        self.watches = watches
        self.fails_at = fails_at

    def forward(self, x, labels=None):
        if self.training and self.watches:
            watch = self.watches[-1]
            if watch.step == self.fails_at:
                raise ZeroDivisionError
            watch.tell({"hinge/net.1/dead": float(watch.step)})
            if watch.step == 3:
                watch.happen()
        loss = self.net(x).pow(2).mean()
        return {"loss": loss, "logits": x}


@pytest.fixture(params=["lightning.pytorch", "pytorch_lightning"])
def lit(request, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    package = pytest.importorskip(request.param)
    forget(monkeypatch, for_lightning)
    return package


def lightning_module(package, network):
    class Module(package.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = network

        def training_step(self, batch, _):
            return self.network(batch)["loss"]

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    return Module()


def lightning_trainer(package, callback, logger):
    return package.Trainer(
        accelerator="cpu",
        callbacks=[callback],
        logger=logger,
        max_epochs=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def examples():
    return torch.utils.data.DataLoader(torch.zeros(20, 3), batch_size=4)


def test_lightning_logs_what_the_watch_tells(lit, watches, tmp_path):
    logger = import_module(f"{lit.__name__}.loggers").CSVLogger(tmp_path)
    callback = for_lightning.HingeCallback(every=4)
    assert isinstance(callback, lit.Callback)
    module = lightning_module(lit, Noted(watches))
    passes = []
    module.register_forward_hook(lambda *_: passes.append(module.global_step))
    trainer = lightning_trainer(lit, callback, logger)
    trainer.fit(module, examples())
    [watch] = watches
    assert passes == list(range(N_STEPS))  # although training_step calls its network only
    assert "training_step" not in vars(module)
    assert watch.state == "off"
    assert watch.model is module
    assert watch.optimizer is trainer.optimizers[0]
    logger.save()
    with open(f"{logger.log_dir}/metrics.csv", newline="") as file:  # noqa: PTH123 - its text
        rows = list(csv.DictReader(file))
    dead = [
        (row["step"], float(row["hinge/net.1/dead"])) for row in rows if row["hinge/net.1/dead"]
    ]
    assert dead == [(str(step), step) for step in range(N_STEPS)]
    assert [row["hinge/relu/died"] for row in rows if row["hinge/relu/died"]] == ["2.0"]


def test_lightning_stops_the_watch_on_an_exception(lit, watches):
    callback = for_lightning.HingeCallback()
    module = lightning_module(lit, Noted(watches, fails_at=2))
    with pytest.raises(ZeroDivisionError):
        lightning_trainer(lit, callback, logger=False).fit(module, examples())
    assert (watches[0].state, watches[0].step) == ("off", 2)


@pytest.fixture
def face(monkeypatch, tmp_path):
    package = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    forget(monkeypatch, for_transformers)
    arguments = package.TrainingArguments(
        output_dir=str(tmp_path),
        per_device_train_batch_size=4,
        num_train_epochs=1,
        logging_steps=2,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        save_strategy="no",
    )
    data = [{"x": torch.zeros(3), "labels": torch.zeros(1)} for _ in range(20)]

    def trainer(network, **options):
        return package.Trainer(model=network, args=arguments, train_dataset=data, **options)

    return package, trainer


def test_transformers_logs_what_the_watch_tells(face, watches):
    package, trainer = face
    reported = []

    class Reporter(package.TrainerCallback):
        def on_log(self, args, state, control, logs=None, **parts):
            reported.append(dict(logs))

    training = trainer(Noted(watches), callbacks=[Reporter()])
    callback = for_transformers.HingeCallback(every=4).join(training)
    training.train()
    [watch] = watches
    assert callback.watch is watch
    assert watch.state == "off"
    assert watch.step == N_STEPS
    assert type(watch.optimizer).__module__.startswith("torch.optim")
    dead = "hinge/net.1/dead"
    assert [log[dead] for log in reported] == [1.0, 3.0, 4.0]
    assert [log[dead] for log in training.state.log_history] == [1.0, 3.0, 4.0]
    assert [log.get("hinge/relu/died") for log in reported] == [None, 2.0, 0.0]


def test_transformers_in_a_context_stops_the_watch_on_an_exception(face, watches):
    _, trainer = face
    callback = for_transformers.HingeCallback()
    training = trainer(Noted(watches, fails_at=2), callbacks=[callback])
    with pytest.raises(ZeroDivisionError), callback:
        training.train()
    assert (watches[0].state, watches[0].step) == ("off", 2)


def test_keras_logs_what_the_watch_tells(monkeypatch, watches):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip("Keras runs on another backend")
    forget(monkeypatch, for_keras)

    class Teller(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            watches[-1].tell({"hinge/net.1/dead": float(batch)})
            if watches[-1].step == N_STEPS + 1:
                watches[-1].happen()

    model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callback = for_keras.HingeCallback()
    assert isinstance(callback, keras.callbacks.Callback)
    x = np.zeros((20, 3), np.float32)
    fitted = {"epochs": 2, "batch_size": 4, "verbose": 0}
    history = model.fit(x, x[:, :1], callbacks=[Teller(), callback], **fitted).history
    assert watches[0].model is model
    assert watches[0].state == "off"
    assert history["hinge/net.1/dead"] == [N_STEPS - 1, N_STEPS - 1]
    assert history["hinge/relu/died"] == [pytest.approx(np.nan, nan_ok=True), 2.0]
    assert len({len(values) for values in history.values()}) == 1
