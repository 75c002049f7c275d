"""How the compiled activations are called: which tensors, which memory, which threads."""

import math
import subprocess
import sys
import threading

import pytest
import torch
from elementwise_cases import (
    DEFAULTS,
    DTYPES,
    at_level,
    dtype_number,
    every_dtype,
    every_kernel,
    every_level,
    number_of,
    same_bits,
)

from hinge.kernels.elementwise import (
    backward,
    derivative,
    forward,
    forward_with_bits,
    takes,
    within,
)
from hinge.kernels.native import native

INF, NAN = math.inf, math.nan


@every_dtype
@every_level
@every_kernel
def test_threads_change_no_bit(truth, level, dtype):
    x = torch.randn(150_001).to(dtype)
    for function in (native.forward, native.derivative):
        one, three = (at_level(function, truth, x, level, threads) for threads in (1, 3))
        assert same_bits(one, three)


@every_dtype
@every_kernel
def test_in_place(truth, dtype):
    for length in (5, 16, 1000):
        x = torch.randn(length).to(dtype)
        expected = forward(truth.name, x, truth.parameters)
        found = forward(truth.name, x, truth.parameters, out=x)
        assert found is x
        assert same_bits(x, expected)


@pytest.mark.parametrize("shift", [-7, -1, 1, 7])
def test_overlapping_memory(shift):
    memory = torch.randn(1000)
    x, out = memory[10:990], memory[10 + shift : 990 + shift]
    expected = x.relu()
    assert forward("relu", x, out=out) is out
    assert torch.equal(out, expected)


@every_dtype
@every_kernel
def test_nothing_of_nothing(truth, dtype):
    x = torch.empty(0, 3, dtype=dtype)
    assert forward(truth.name, x, truth.parameters).shape == (0, 3)
    assert derivative(truth.name, x, truth.parameters).shape == (0, 3)


def test_the_layout_is_kept():
    x = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    y = forward("tanh", x)
    assert y.stride() == x.stride()
    torch.testing.assert_close(y, x.tanh())
    torch.testing.assert_close(backward("tanh", x, y), x * (1 - y * y))


def test_what_they_take():
    x = torch.zeros(2, 3, 4, 5)
    for dtype in DTYPES:
        assert takes(x.to(dtype), x.to(dtype))
    assert takes(torch.nn.Parameter(x))
    assert takes(x.mT)
    assert takes(x.mT, x.mT.clone())
    assert takes(x.permute(2, 0, 3, 1))
    assert takes(torch.zeros(0, 3))
    assert takes(torch.zeros(()))
    assert takes(torch.zeros(3, 1, 5)[:, :1], torch.zeros(3, 1, 5))
    assert not takes(x.double())
    assert not takes(x.int())
    assert not takes(x, x.half())
    assert not takes(x, x[0])
    assert not takes(x, x.contiguous(memory_format=torch.channels_last))
    assert not takes(x[..., ::2])
    assert not takes(torch.zeros(3, 1).expand(3, 4))
    assert not takes(x.to("meta"))
    assert not takes(x.to_sparse())
    assert not takes(torch._neg_view(x))
    assert not takes(torch._efficientzerotensor((3,)))


def test_stand_ins_for_tensors_are_not_taken():
    taken = []
    torch.func.vmap(lambda x: taken.append(takes(x)) or x)(torch.ones(3, 2))
    torch.func.grad(lambda x: taken.append(takes(x)) or x.sum())(torch.ones(3))
    assert taken == [False, False]


@every_dtype
@every_level
@pytest.mark.parametrize("length", [1, 15, 16, 17, 512, 700])
def test_within(length, level, dtype):
    x = torch.rand(length).add(1).to(dtype)
    call = x.numel(), dtype_number(dtype)
    assert native.within(x.data_ptr(), *call, 0.5, 2.5, level)
    for place in {0, length // 2, length - 1}:
        for bad in (0.5, 2.5, -INF, INF, NAN):
            y = x.clone()
            y[place] = bad
            assert not native.within(y.data_ptr(), *call, 0.5, 2.5, level)
            assert not within(y, 0.5, 2.5)


def test_within_compares_as_real_numbers():
    x = torch.tensor([0.1])  # a little more than a tenth
    assert within(x, 0.1, 1.0)
    assert not within(x, float(x), 1.0)
    assert not within(x, 0.0, 0.1)
    assert within(-x, -1.0, -0.1)
    assert not within(-x, -0.1, 0.0)
    assert within(torch.empty(0), 1.0, 0.0)
    assert within(torch.tensor([3e38]), -1e300, 1e300)


def test_mistakes_are_errors():
    x = torch.ones(3)
    with pytest.raises(KeyError):
        forward("celery", x)
    with pytest.raises(ValueError, match="elu takes alpha, not 0 values"):
        forward("elu", x)
    with pytest.raises(ValueError, match="relu takes no parameters, not 1"):
        forward("relu", x, (1.0,))
    with pytest.raises(ValueError, match="keeps no bits"):
        forward_with_bits("relu", x)
    with pytest.raises(ValueError, match="no such instruction-set level here: mmx"):
        at_level(native.forward, DEFAULTS["relu"], x, "mmx")
    with pytest.raises(ValueError, match="no such kernel"):
        native.forward(99, x.data_ptr(), x.data_ptr(), 3, 0, ())


def test_several_python_threads_at_once():
    x = torch.randn(300_000)
    expected, found = forward("mish", x), []

    def run():
        for _ in range(20):
            y = torch.zeros_like(x)
            address = number_of("mish"), x.data_ptr(), y.data_ptr()
            native.forward(*address, x.numel(), 0, (), 3)
            found.append(torch.equal(y, expected))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [True] * 60


FORKED = """
import os, signal, sys, threading, warnings
import torch
from hinge.kernels.elementwise import KERNELS
from hinge.kernels.native import native
warnings.simplefilter("ignore")  # of forking a process that has threads: just that is tried

x = torch.randn(300_000)
y = torch.empty_like(x)
def run():
    native.forward(list(KERNELS).index("tanh"), x.data_ptr(), y.data_ptr(), x.numel(), 0, (), 3)

run()  # now there are threads
stop = threading.Event()
def go_on():
    while not stop.is_set():
        run()
busy = threading.Thread(target=go_on)
busy.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # a deadlock ends in a signal
        run()
        run()
        tasks = "/proc/self/task"
        os._exit(os.path.isdir(tasks) and len(os.listdir(tasks)) < 3)
    if os.waitpid(child, 0)[1]:
        stop.set()
        sys.exit("a child hangs, or has no threads")
stop.set()
busy.join()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_a_forked_process_has_threads_of_its_own():
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=120)
