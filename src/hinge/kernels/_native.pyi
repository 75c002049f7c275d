from typing import Any

import numpy as np
import numpy.typing as npt

levels: tuple[str, ...]
types: tuple[str, ...]
is_intel: bool
elementwise: tuple[tuple[str, str, tuple[str, ...]], ...]

def use_threads_of(parallel: int) -> None: ...
def tally(
    z: npt.NDArray[Any],
    h: npt.NDArray[Any],
    units_last: bool,
    kink: float,
    low: float,
    high: float,
    threads: int = 1,
    level: str = "",
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]: ...
def glance(
    z: int,
    is_double: bool,
    examples: int,
    units: int,
    positions: int,
    units_last: bool,
    counts: int,
    reals: int,
    clock: int,
    kink: float,
    low: float,
    high: float,
    threads: int = 1,
    level: str = "",
) -> None: ...
def mark(
    gradient: int,
    is_double: bool,
    examples: int,
    units: int,
    positions: int,
    units_last: bool,
    marks: int,
    clock: int,
    threads: int = 1,
    level: str = "",
) -> float: ...
def signs(
    gradient: int,
    is_double: bool,
    rows: int,
    columns: int,
    positive: int,
    negative: int,
    squares: int,
    threads: int = 1,
    level: str = "",
) -> None: ...
def forward(
    kernel: int,
    x: int,
    y: int,
    size: int,
    dtype: int,
    parameters: tuple[float, ...],
    threads: int = 1,
    level: str = "",
) -> None: ...
def forward_with_bits(
    kernel: int,
    x: int,
    y: int,
    bits: int,
    size: int,
    dtype: int,
    parameters: tuple[float, ...],
    threads: int = 1,
    level: str = "",
) -> None: ...
def backward(
    kernel: int,
    gradient: int,
    kept: int,
    out: int,
    size: int,
    dtype: int,
    parameters: tuple[float, ...],
    threads: int = 1,
    level: str = "",
) -> None: ...
def derivative(
    kernel: int,
    x: int,
    y: int,
    size: int,
    dtype: int,
    parameters: tuple[float, ...],
    threads: int = 1,
    level: str = "",
) -> None: ...
def within(x: int, size: int, dtype: int, low: float, high: float, level: str = "") -> bool: ...
def gated(
    gate: str,
    dtype: int,
    a: int,
    b: int,
    y: int,
    outer: int,
    inner: int,
    step: int,
    threads: int,
    level: str = "",
) -> None: ...
def gated_backward(
    gate: str,
    dtype: int,
    gradient: int,
    a: int,
    b: int,
    out_a: int,
    out_b: int,
    outer: int,
    inner: int,
    step: int,
    threads: int,
    level: str = "",
) -> None: ...
def crelu_bytes(values: int) -> int: ...
def crelu(
    dtype: int, x: int, y: int, bits: int, outer: int, inner: int, threads: int, level: str = ""
) -> None: ...
def crelu_backward(
    dtype: int,
    gradient: int,
    bits: int,
    out: int,
    outer: int,
    inner: int,
    threads: int,
    level: str = "",
) -> None: ...
def per_channel(
    function: str,
    dtype: int,
    x: int,
    y: int,
    parameters: int,
    outer: int,
    channels: int,
    inner: int,
    constant: float,
    threads: int,
    level: str = "",
) -> None: ...
def per_channel_backward(
    function: str,
    dtype: int,
    gradient: int,
    x: int,
    out: int,
    parameters: int,
    sums: int,
    outer: int,
    channels: int,
    inner: int,
    constant: float,
    threads: int,
    level: str = "",
) -> None: ...
def rrelu(
    dtype: int,
    x: int,
    y: int,
    count: int,
    lower: float,
    upper: float,
    seed: int,
    threads: int,
    level: str = "",
) -> None: ...
def rrelu_backward(
    dtype: int,
    gradient: int,
    kept: int,
    out: int,
    count: int,
    lower: float,
    upper: float,
    seed: int,
    threads: int,
    level: str = "",
) -> None: ...
def philox(
    key: int, counter: int, stream: int, words: int, count: int, level: str = ""
) -> None: ...

class RegionProgram:
    def __init__(self, widths: list[int]) -> None: ...
    def dense(
        self,
        source: int,
        target: int,
        matrix: npt.NDArray[np.float64],
        bias: npt.NDArray[np.float64],
        norm: float,
    ) -> None: ...
    def sparse(
        self,
        source: int,
        target: int,
        starts: npt.NDArray[np.int64],
        inputs: npt.NDArray[np.int32],
        weights: npt.NDArray[np.float64],
        bias: npt.NDArray[np.float64],
        norm: float,
    ) -> None: ...
    def total(self, sources: list[int], target: int) -> None: ...
    def join(self, sources: list[int], target: int) -> None: ...
    def bend(
        self,
        source: int,
        target: int,
        breaks: npt.NDArray[np.float64],
        slopes: npt.NDArray[np.float64],
        heights: npt.NDArray[np.float64],
    ) -> None: ...
    def larger(
        self, source: int, target: int, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
    ) -> None: ...
    def fold(
        self, source: int, columns: npt.NDArray[np.int64], breaks: npt.NDArray[np.float64]
    ) -> None: ...
    def close(self) -> None: ...

def cut_plane(
    program: RegionProgram,
    corners: npt.NDArray[np.float64],
    decide: Any,
    look: Any,
    each: Any,
    cells: int,
    bytes: int,  # noqa: A002 - as it is
    seconds: float,
    count_only: bool,
    threads: int,
    together: int,
    level: str = "",
) -> dict[str, Any]: ...
def cut_line(
    program: RegionProgram,
    decide: Any,
    look: Any,
    cells: int,
    bytes: int,  # noqa: A002 - as it is
    seconds: float,
    count_only: bool,
    threads: int,
    together: int,
    level: str = "",
) -> dict[str, Any]: ...
