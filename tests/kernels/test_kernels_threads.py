"""The kernels work on torch's threads where they can, and give the same bits on their own."""

import hashlib
import subprocess
import sys

import pytest
import torch

from hinge.kernels import elementwise, threads

linux_gnu = pytest.mark.skipif(
    threads._runtime() is None, reason="torch's OpenMP is not GNU's, or is not to be found here"
)


X = torch.randn(700_000, generator=torch.manual_seed(0))


def values(count):
    """A digest of a kernel's results, without a parallel operation of torch's."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        return hashlib.sha256(elementwise.forward("mish", X).numpy().tobytes()).hexdigest()
    finally:
        torch.set_num_threads(before)


@linux_gnu
def test_torchs_threads_are_found_and_asked_for():
    assert threads.share_torchs_threads()


def test_any_number_of_threads_gives_the_same_bits():
    assert values(1) == values(2) == values(5)


DIGEST = """
import hashlib, multiprocessing, torch
import hinge.kernels
from hinge.kernels import elementwise
from hinge.kernels.native import native

torch.set_num_threads(2)
X = torch.randn(700_000, generator=torch.manual_seed(0))

def digest():
    torch.set_num_threads(2)
    return hashlib.sha256(elementwise.forward("mish", X).numpy().tobytes()).hexdigest()
"""


def printed(program):
    """What a program of its own prints: a fork would meet the threads of all that was imported."""
    run = subprocess.run(
        [sys.executable, "-c", DIGEST + program],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return run.stdout.split()


def test_a_forked_process_has_threads_of_its_own():
    """GNU's runtime cannot be used in a child of a process that has used it."""
    program = (
        "print(digest())\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool:\n"
        "    print(pool.apply_async(digest).get(timeout=60))"
    )
    assert printed(program) == [values(2)] * 2


def test_without_torchs_threads_the_bits_are_the_same():
    assert printed("native.use_threads_of(0)\nprint(digest())") == [values(2)]
