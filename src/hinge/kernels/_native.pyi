from typing import Any

import numpy as np
import numpy.typing as npt

levels: tuple[str, ...]

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
