"""Dead units are revived while a network trains: the right ones, and never in its way."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as processes
from torch import distributed, nn

import hinge
from hinge.errors import OptionError
from hinge.remedies import Lift, Redraw

DEAD = (1, 4)
FIRST = 24
"""The watch is sure at its look of step 12 and reads it at that of step 16; then come 8 steps."""


def network() -> nn.Module:
    """Two sites; units 1 and 4 of the first are pushed far below their kink."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    with torch.no_grad():
        model[0].bias[list(DEAD)] = -20.0
        model[2].bias += 1.0  # the second site is alive
        model[0].bias[[0, 2, 3, 5, 6, 7]] += 1.0
    return model


def alive() -> nn.Module:
    """The same with all units near their kink."""
    model = network()
    with torch.no_grad():
        model[0].bias[list(DEAD)] = 1.0
    return model


class Loop:
    """A training loop whose every step is the same from run to run."""

    def __init__(self, model: nn.Module, seed: int = 1) -> None:
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        self.generator = torch.Generator().manual_seed(seed)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            x = torch.randn(32, 3, generator=self.generator)
            self.optimizer.zero_grad()
            self.model(x).square().mean().backward()
            self.optimizer.step()

    def watched(self) -> hinge.Watch:
        return hinge.watch(self.model, self.optimizer, every=4, patience=12)


def test_the_dead_come_back_and_the_watch_sees_it():
    loop = Loop(network())
    with loop.watched() as watch, hinge.auto_revive(watch, every=8) as revival:
        loop.run(60)
        assert watch.dead() == {}
    ((step, receipt),) = revival.receipts
    assert receipt.units == {"1": DEAD}
    assert receipt.preserves == "data"
    assert step == FIRST
    assert revival.notes == ()
    assert [e.units for e in watch.events if e.kind == "came back"] == [DEAD]


def killed(loop: Loop) -> None:
    """Push units of the first site far below their kink, with all that Adam knows of them."""
    with torch.no_grad():
        loop.model[0].bias[list(DEAD)] = -20.0


def test_it_does_what_a_call_by_hand_would_do():
    """Revived after the same step, on the same batch, with the same optimizer: bit for bit."""
    mine, theirs = Loop(alive()), Loop(alive())
    with theirs.watched() as watch, hinge.auto_revive(watch, every=8) as revival:
        theirs.run(20)
        killed(theirs)
        theirs.run(60)
    ((step, receipt),) = revival.receipts
    assert receipt.units == {"1": DEAD}
    mine.run(20)
    killed(mine)
    mine.run(step - 20)
    again = torch.Generator().manual_seed(1)
    batches = [torch.randn(32, 3, generator=again) for _ in range(step)]
    hinge.revive(mine.model, {"1": DEAD}, [batches[-1]], optimizer=mine.optimizer)
    mine.run(80 - step)
    for name, value in mine.model.state_dict().items():
        assert torch.equal(value, theirs.model.state_dict()[name]), name


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"until": FIRST}, 0),
        ({"until": FIRST + 1}, 1),
        ({"share": 0.5}, 0),
        ({"share": 0.25}, 1),
        ({"sites": ["3"]}, 0),
        ({"sites": ["1"]}, 1),
    ],
)
def test_it_acts_only_where_and_when_it_may(rules, expected):
    loop = Loop(network())
    with loop.watched() as watch, hinge.auto_revive(watch, every=8, **rules) as revival:
        loop.run(40)
    assert len(revival.receipts) == expected


def test_at_most_so_many_times_and_never_alike():
    loop = Loop(network())

    rules = {"by": Redraw(), "every": 8, "at_most": 2}
    with loop.watched() as watch, hinge.auto_revive(watch, **rules) as revival:
        for _ in range(3):
            loop.run(56)
            killed(loop)
    assert [receipt.units["1"] for _, receipt in revival.receipts] == [DEAD, DEAD]
    assert [receipt.remedy for _, receipt in revival.receipts] == [
        "Redraw(seed=0)",
        "Redraw(seed=1)",
    ]


def test_units_that_starve_wait_for_their_inputs():
    model = network()
    with torch.no_grad():
        model[0].bias.fill_(-20.0)
        model[2].bias.fill_(-1.0)  # without input none of the second site fires
    loop = Loop(model)
    with loop.watched() as watch, hinge.auto_revive(watch, every=8, at_most=1) as revival:
        loop.run(FIRST)
        assert set(watch.dead()) == {"1", "3"}
    assert [set(receipt.units) for _, receipt in revival.receipts] == [{"1"}]


def test_undo_leads_back_bit_for_bit():
    loop = Loop(network())
    with loop.watched() as watch, hinge.auto_revive(watch, every=8) as revival:
        loop.run(FIRST - 1)
        plain = copy.deepcopy(loop.model)
        x = torch.randn(32, 3, generator=copy.deepcopy(loop.generator))
        twin = torch.optim.Adam(plain.parameters(), lr=1e-3)
        twin.load_state_dict(copy.deepcopy(loop.optimizer.state_dict()))
        loop.run(1)
    twin.zero_grad()
    plain(x).square().mean().backward()
    twin.step()
    assert len(revival.receipts) == 1
    assert not torch.equal(loop.model[0].bias, plain[0].bias)
    revival.undo()
    for name, value in plain.state_dict().items():
        assert torch.equal(value, loop.model.state_dict()[name]), name
    assert revival.receipts[0][1].undone


def test_an_earlier_revival_has_no_way_back():
    loop = Loop(network())
    with loop.watched() as watch, hinge.auto_revive(watch, every=8) as revival:
        loop.run(56)
        with torch.no_grad():
            loop.model[0].bias[1] = -20.0
        loop.run(56)
    assert len(revival.receipts) == 2
    with pytest.raises(OptionError, match="cannot be undone any more"):
        revival.receipts[0][1].undo()


def test_it_stops():
    loop = Loop(network())
    with loop.watched() as watch:
        revival = hinge.auto_revive(watch, every=8)
        revival.stop()
        loop.run(40)
    assert revival.receipts == ()


def test_data_of_the_caller_s():
    data = torch.randn(100, 3, generator=torch.Generator().manual_seed(7))
    loop = Loop(network())
    with loop.watched() as watch, hinge.auto_revive(watch, every=8, data=data) as revival:
        loop.run(FIRST)
        with torch.no_grad():
            fired = (loop.model[0](data) > 0).float().mean(0)[list(DEAD)]
    assert len(revival.receipts) == 1
    assert torch.allclose(fired, torch.tensor(0.2))


class Broken(Lift):
    """A remedy with a fault."""

    def plan(self, *_: object) -> None:
        raise RuntimeError("broken")


def test_a_fault_is_told_once_and_the_training_goes_on():
    loop, plain = Loop(network()), Loop(network())
    with (
        loop.watched() as watch,
        pytest.warns(RuntimeWarning, match="broken") as told,
        hinge.auto_revive(watch, by=Broken(), every=8) as revival,
    ):
        loop.run(40)
    plain.run(40)
    assert len(told) == 1
    assert revival.receipts == ()
    assert len(revival.notes) == 1
    for name, value in plain.model.state_dict().items():
        assert torch.equal(value, loop.model.state_dict()[name]), name


def test_a_site_that_is_unknown_is_told():
    loop = Loop(network())
    with (
        loop.watched() as watch,
        pytest.warns(RuntimeWarning, match="no such site"),
        hinge.auto_revive(watch, sites=["relu9"], every=8),
    ):
        loop.run(20)


def test_the_model_can_still_be_copied_and_pickled():
    loop = Loop(network())
    with loop.watched() as watch, hinge.auto_revive(watch, every=8):
        loop.run(FIRST)
        copy.deepcopy(loop.optimizer).step()
        pickle.loads(pickle.dumps(loop.optimizer)).step()  # noqa: S301 - our own


@pytest.mark.parametrize("options", [{"every": 7}, {"at_most": 0}, {"share": 1.5}])
def test_numbers_that_mean_nothing(options):
    watch = Loop(network()).watched()
    with pytest.raises(OptionError, match="the option means nothing here"):
        hinge.auto_revive(watch, **{"every": 8} | options)


def test_a_watch_without_an_optimizer():
    with pytest.raises(OptionError, match="between the steps of an optimizer"):
        hinge.auto_revive(hinge.watch(network()))


def _train(rank: int, folder: str) -> None:
    """One of two processes, which see data of their own; in the second case given by hand."""
    torch.set_num_threads(1)
    store = f"file://{folder}/store"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    own = torch.randn(50, 3, generator=torch.Generator().manual_seed(rank))
    for name, data in {"latest": None, "own": own}.items():
        model = nn.parallel.DistributedDataParallel(network())
        loop = Loop(model, seed=rank)
        with loop.watched() as watch, hinge.auto_revive(watch, every=8, data=data) as revival:
            loop.run(40)
            dead = watch.dead()
        receipts = [(step, receipt.units, receipt.spread) for step, receipt in revival.receipts]
        told = {"receipts": receipts, "dead": dead, "weights": model.module.state_dict()}
        told["optimizer"] = loop.optimizer.state_dict()["state"]
        torch.save(told, f"{folder}/{name}{rank}.pt")
    distributed.barrier()  # who leaves first takes the connection along
    distributed.destroy_process_group()


@pytest.mark.skipif(not distributed.is_available(), reason="torch without distributed")
def test_processes_that_train_together_stay_alike(tmp_path: Path):
    processes.spawn(_train, (str(tmp_path),), nprocs=2)
    for name in ("latest", "own"):
        first, second = (torch.load(tmp_path / f"{name}{rank}.pt") for rank in (0, 1))
        assert [units for _, units, _ in first["receipts"]] == [{"1": DEAD}]
        assert first["dead"] == second["dead"] == {}
        if name == "latest":  # both revived on the inputs of the first
            assert first["receipts"] == second["receipts"]
        for key, weights in first["weights"].items():
            assert torch.equal(weights, second["weights"][key]), (name, key)
        for key, state in first["optimizer"].items():
            assert all(torch.equal(one, second["optimizer"][key][n]) for n, one in state.items())
