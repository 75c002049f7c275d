"""Two processes that train one model: counts and events are those of one process."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed

sys.path.insert(0, str(Path(__file__).parent))
import watch_processes

from hinge.census.census import Census
from hinge.kernels import COUNTS

pytestmark = pytest.mark.skipif(
    not (distributed.is_available() and distributed.is_gloo_available()),
    reason="this torch has no gloo",
)
LONGEST = 300  # seconds: what takes longer waits for ever


def together(scenario, folder):
    """The results of both processes, or a failure if one of them waits for ever."""
    script = str(Path(watch_processes.__file__))
    outs = [folder / f"{scenario}{rank}.json" for rank in (0, 1)]
    processes = [
        subprocess.Popen(
            [sys.executable, script, scenario, str(rank), str(folder / scenario), str(out)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, out in enumerate(outs)
    ]
    try:
        errors = [process.communicate(timeout=LONGEST)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0, 0], "\n".join(errors)
    return [json.loads(out.read_text()) for out in outs]


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    return together("counts", tmp_path_factory.mktemp("counts"))


@pytest.fixture(scope="module")
def alone():
    return watch_processes.alone(killed=True)


def assert_counts(found, truth, names):
    one, other = Census.from_json(found["census"]), Census.from_json(truth["census"])
    assert one.seen == other.seen == watch_processes.STEPS * 16
    assert list(one) == list(other)
    for site in other:
        for name in names:
            a, b = getattr(one[site], name), getattr(other[site], name)
            assert np.array_equal(a, b), (site, name)
        assert (one[site].verdicts() == other[site].verdicts()).all()


INTEGERS = [name for name in COUNTS if name != "zeros"]


def test_ddp_counts_what_one_process_counts(counted, alone):
    for found in counted:
        assert found["ddp"]["own"] == watch_processes.STEPS * 8
        assert_counts(found["ddp"], alone, [*INTEGERS, "min", "max", "reached", "reachable"])
        assert not found["ddp"]["notes"]


def test_ddp_tells_the_events_of_one_process_in_both(counted, alone):
    first, second = (found["ddp"] for found in counted)
    assert first["events"] == second["events"]
    assert first["means"] == second["means"]
    assert first["last"] == second["last"]
    assert first["silent"] == second["silent"]

    def kept(events):
        return [event.partition("evidence=")[0] for event in events]

    assert kept(first["events"]) == kept(alone["events"])
    assert any("Kind.DIED" in event and "step=17" in event for event in first["events"])
    assert any("Kind.BORN_DEAD" in event for event in first["events"])


def test_fsdp_counts_what_one_process_counts_and_sees_gradients(counted):
    first, second = (found["fsdp"] for found in counted)
    assert first["events"] == second["events"]
    assert first["census"] == second["census"]
    assert any("Kind.BORN_DEAD" in event for event in first["events"])
    assert_counts(first, watch_processes.alone(killed=False), [*INTEGERS, "min", "max"])
    one = Census.from_json(first["census"])
    verdicts = one["relu2"].verdicts()
    assert (verdicts[[2, 3]] == "dead").all()
    assert (verdicts[[0, 5]] == "blocked").all()
    assert not np.isin(verdicts[[1, 4, 6, 7]], ["dead", "blocked"]).any()


def test_a_watch_that_fails_in_one_process_ends_in_both_and_both_trainings_end(tmp_path):
    first, second = together("failing", tmp_path)
    plain = watch_processes.wounded()
    optimizer = watch_processes.sgd(plain, 0.1)
    watch_processes.train(plain, optimizer)
    weights = torch.cat([p.detach().flatten() for p in plain.parameters()]).numpy()
    for case in first:
        culprit = int(case[0])
        own, other = (first[case], second[case])[:: 1 if culprit == 0 else -1]
        assert len(own["told"]) == len(other["told"]) == 1
        assert "ZeroDivisionError" in own["told"][0]
        assert "another process failed" in other["told"][0]
        assert own["weights"] == other["weights"]
        assert np.allclose(own["weights"], weights, rtol=1e-3, atol=1e-4)
