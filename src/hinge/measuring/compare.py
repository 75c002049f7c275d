"""Measures activations beside each other; what is measured when Ctrl-C comes is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from statistics import median
from typing import Any

import torch

from hinge.activations import find
from hinge.errors import HingeError, OptionError
from hinge.measuring.comparison import Comparison, Figures, Measured
from hinge.measuring.depth import DEPTH, surviving_gradient
from hinge.measuring.kept import kept_bytes
from hinge.measuring.subject import Called, Record, Subject, subject_of
from hinge.measuring.timing import Run, rounds, using_threads

Progress = Callable[[int, int | None], None]
"""Called with the steps done and the steps in all."""

DEFAULT = (
    *("relu", "leaky_relu", "prelu", "elu", "selu", "gelu"),
    *("silu", "mish", "relu6", "tanh", "sigmoid"),
)
"""What is compared when no names are given, as far as it is declared."""

DTYPES = ("float32", "float64", "bfloat16", "float16")
LIBRARIES = ("hinge", "torch")
LARGEST = 10**8
MOST_THREADS = 1024
ROUNDS = 25
SECONDS = 1.5
"""Time for the rounds of one activation."""

_MOST_COUNTED = 1 << 22
"""Bytes kept are counted on at most so many elements; from there on they are proportional."""


def compare_activations(
    *names: str | Record,
    size: int = 1_000_000,
    dtype: str = "float32",
    threads: int = 1,
    library: str = "hinge",
    progress: Progress | None = None,
) -> Comparison:
    """Measure activations on this machine, beside each other.

    Parameters
    ----------
    *names
        Records, or names as `hinge.activations.find` knows them; none: `DEFAULT`.
    size, dtype
        Of the input that is timed: a one-dimensional tensor of standard normal numbers on
        the CPU, of "float32", "float64", "bfloat16" or "float16".
    threads
        How many threads torch may use.
    library
        Whose modules: those of `hinge.nn`, or with "torch" torch's own where it has one.
    progress
        Called with the steps done and the steps in all.

    Torch's number of threads and its random state are afterwards what they were. On Ctrl-C
    the comparison of what is measured is returned, with ``complete`` False.

    Raises
    ------
    OptionError
        A name is unknown or stands twice; a size, dtype or number of threads is none.
    """
    _check(size, dtype, threads, library)
    subjects = [subject_of(record, library) for record in _records(names)]
    work = _Work(subjects, size, dtype, threads, progress or (lambda _done, _total: None))
    with torch.random.fork_rng(devices=()), using_threads(threads):
        torch.manual_seed(0)
        try:
            work.run()
        except KeyboardInterrupt:
            if not work.figures:
                raise
            return work.result(complete=False)
    return work.result(complete=True)


@dataclass
class _Work:
    subjects: list[Subject]
    size: int
    dtype: str
    threads: int
    progress: Progress
    figures: dict[str, Figures] = field(default_factory=dict)
    times: list[dict[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(self) -> None:
        steps = len(self.subjects) + ROUNDS
        for number, subject in enumerate(self.subjects):
            self.progress(number, steps)
            figures = self.figures[subject.name] = _facts(subject, self.size)
            if not math.isfinite(figures["survives"]):
                figures["survives"] = None
                self.notes.append(
                    f"{subject.name}: within {DEPTH} layers its numbers leave the range of "
                    "float32, so that nothing can be said of the gradient"
                )
        runs = self._runs()
        done = rounds(runs, ROUNDS, SECONDS * len(self.subjects), self.size)
        for number, seconds in enumerate(done):
            self.times.append(seconds)
            self.progress(len(self.subjects) + number + 1, steps)
        self.progress(steps, steps)

    def _runs(self) -> dict[str, Run]:
        """What is timed. Inputs of one shape are one tensor, which none of the functions writes."""
        dtype = getattr(torch, self.dtype)
        random = cache(lambda shape: torch.randn(shape).to(dtype))
        leaf = cache(lambda shape: random(shape).clone().requires_grad_())
        runs: dict[str, Run] = {"copy": random((self.size,)).clone}
        for subject in self.subjects:
            module, x = subject.make().to(dtype), leaf(subject.shape(self.size))
            try:
                gradient = random(_forward(module, x).shape)
                both = partial(_both, module, x, gradient)
                both()
            except (RuntimeError, HingeError) as error:
                reason = str(error).splitlines()[0]
                self.notes.append(f"{subject.name} is not timed in {self.dtype}: {reason}")
                continue
            runs[f"{subject.name} forward"] = partial(_forward, module, x)
            runs[f"{subject.name} both"] = both
        return runs

    def result(self, *, complete: bool) -> Comparison:
        rows = [
            Measured(
                subject.name,
                **self.figures[subject.name],
                forward=self._ratio(f"{subject.name} forward"),
                both=self._ratio(f"{subject.name} both"),
            )
            for subject in self.subjects
            if subject.name in self.figures
        ]
        return Comparison(
            tuple(rows),
            self.size,
            self.dtype,
            self.threads,
            rounds=len(self.times),
            copy=median(one["copy"] for one in self.times) if self.times else None,
            complete=complete,
            notes=tuple(self.notes),
        )

    def _ratio(self, name: str) -> float | None:
        """The median over the rounds of a time over that of the copy in the same round."""
        found = [one[name] / one["copy"] for one in self.times if name in one]
        return median(found) if found else None


def _facts(subject: Subject, size: int) -> Figures:
    """All but the times."""
    module = subject.make()
    x = torch.randn(subject.shape(min(size, _MOST_COUNTED)))
    kind = type(module)
    called = f"{kind.__module__.partition('.')[0]}.nn.{kind.__qualname__}"
    if isinstance(module, Called):
        called = repr(module.record)
    return {
        "measured": called,
        "kept": kept_bytes(module, x).per_element,
        "zeros": subject.zeros,
        "mean": subject.mean,
        "variance": subject.variance,
        "survives": surviving_gradient(subject.make, subject.gain),
        "lipschitz": subject.lipschitz,
    }


def _forward(module: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        y: torch.Tensor = module(x)
        return y


def _both(module: torch.nn.Module, x: torch.Tensor, gradient: torch.Tensor) -> object:
    return torch.autograd.grad(module(x), [x, *module.parameters()], gradient)


def _records(names: Sequence[str | Record]) -> list[Record]:
    records = [find(one) if isinstance(one, str) else one for one in names or DEFAULT]
    for place, record in enumerate(records):
        if record in records[:place]:
            raise OptionError(
                "an activation stands twice in the comparison",
                where="the names of activations",
                found=", ".join(one.name for one in records),
                do=f"name {record.name} once",
            )
    return records


def _check(size: Any, dtype: str, threads: int, library: str) -> None:
    if not isinstance(size, int) or not 1 <= size <= LARGEST:
        raise OptionError(
            "the size is no number of elements that can be timed",
            where="size",
            found=repr(size),
            do=f"pass a whole number from 1 to {LARGEST:,}",
        )
    if dtype not in DTYPES:
        raise OptionError(
            "there is no such dtype to measure in",
            where="dtype",
            found=repr(dtype),
            do=f"pass one of {', '.join(DTYPES)}",
        )
    if not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
        raise OptionError(
            "the number of threads is none",
            where="threads",
            found=repr(threads),
            do="pass a whole number from 1 on, at best one per core",
        )
    if library not in LIBRARIES:
        raise OptionError(
            "there is no such library to measure",
            where="library",
            found=repr(library),
            do=f"pass one of {', '.join(LIBRARIES)}",
        )
