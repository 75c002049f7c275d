"""One of two processes that train a model together; started by `test_watch_processes`.

Arguments: the scenario, the rank, a file to meet at, a file for the result.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["GLOO_SOCKET_IFNAME"] = "lo"

import pytest
import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import IN, Mlp, batches, break_counting, built, loss_of, sgd

import hinge
from hinge.census.watching.telling.chronicle import Chronicle

STEPS, EVERY, KILL = 44, 3, 17


def wounded() -> Mlp:
    """Units 2 and 3 of the second layer never fire, nothing reads units 0 and 5."""
    model = built(Mlp)
    with torch.no_grad():
        model.out.weight[:, [0, 5]] = 0.0
        model.second.bias[[2, 3]] = -50.0
    return model


def train(model, optimizer, share=slice(None), kill=None) -> None:
    """Train on a share of each batch; ``kill`` is done before one of the steps."""
    for step, (x, y) in enumerate(batches((IN,), STEPS)):
        if step == KILL and kill is not None:
            kill()
        optimizer.zero_grad()
        loss_of(model, (x[share], y[share])).backward()
        optimizer.step()


def killing(model: Mlp):
    def kill() -> None:
        with torch.no_grad():
            model.first.bias[1] = -50.0

    return kill


def result(watch) -> dict:
    """What both processes must agree on."""
    return {
        "census": watch.gathered().to_json(),
        "own": watch.census.seen,
        "events": [repr(event) for event in watch.events],
        "step": watch.step,
        "notes": list(watch.notes),
        "means": {name: g.mean.tolist() for name, g in watch.latest.items()},
        "silent": {name: g.silent.tolist() for name, g in watch.latest.items()},
        "last": {name: g.last_fired.tolist() for name, g in watch.latest.items()},
    }


def alone(*, killed: bool) -> dict:
    """One process, all of the data."""
    model = wounded()
    with hinge.watch(model, sgd(model, 0.0), every=EVERY, patience=20) as watch:
        train(model, watch.optimizer, kill=killing(model) if killed else None)
    return result(watch)


def ddp(rank: int) -> dict:
    model = wounded()
    wrapped = nn.parallel.DistributedDataParallel(model)
    with hinge.watch(wrapped, sgd(wrapped, 0.0), every=EVERY, patience=20) as watch:
        train(wrapped, watch.optimizer, slice(rank, None, 2), killing(model))
    return result(watch)


def fsdp(rank: int) -> dict:
    mesh = init_device_mesh("cpu", (2,))
    model = wounded()
    fully_shard(model.second, mesh=mesh)
    fully_shard(model, mesh=mesh)
    with hinge.watch(model, sgd(model, 0.0), every=EVERY, patience=20) as watch:
        train(model, watch.optimizer, slice(rank, None, 2))
    return result(watch)


def failing(rank: int, culprit: int, call: int) -> dict:
    """The counting fails in one of the processes, at so manyth call; -1: the chronicle."""
    looks = []

    def look(*args: object) -> list:
        looks.append(1)
        if rank == culprit and len(looks) == 3:
            raise ZeroDivisionError("of the chronicle")
        return real(*args)

    real = Chronicle.look
    model = nn.parallel.DistributedDataParallel(wounded())
    with (
        warnings.catch_warnings(record=True) as warned,
        pytest.MonkeyPatch.context() as patch,
        hinge.watch(model, sgd(model, 0.1), every=EVERY) as watch,
    ):
        warnings.simplefilter("always")
        if call < 0:
            patch.setattr(Chronicle, "look", look)
        elif rank == culprit:
            break_counting(patch, call)
        train(model, watch.optimizer, slice(rank, None, 2))
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    told = [str(w.message) for w in warned if "hinge.watch stopped" in str(w.message)]
    return {"told": told, "weights": weights.tolist()}


def main(scenario: str, rank: int, meeting: str, out: str) -> None:
    distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=2)
    if scenario == "counts":
        found = {"ddp": ddp(rank), "fsdp": fsdp(rank)}
    else:
        cases = [(0, 0), (1, 5), (0, 12), (1, -1), (0, -1)]
        found = {f"{who} {call}": failing(rank, who, call) for who, call in cases}
    Path(out).write_text(json.dumps(found))
    distributed.barrier()  # who leaves first takes the connection along
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
