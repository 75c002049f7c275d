"""How a model is run so that all of it can be seen: without wrappers, compiled parts as written."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn


def unwrapped(model: Any) -> Any:
    """The model inside torch's wrappers for compiling and for several devices."""
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while True:
        if isinstance(model, wrappers):
            model = model.module
        elif hasattr(model, "_orig_mod"):  # what torch.compile returns
            model = model._orig_mod  # noqa: SLF001 - torch has no public name for it
        else:
            return model


@contextmanager
def as_written() -> Iterator[None]:
    """Within the block, compiled parts run as they were written, and fused ones unfused."""
    with ExitStack() as stack:
        # The fused encoder layer hides its activation from everyone.
        fast = torch.backends.mha.get_fastpath_enabled()
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        if "torch._dynamo" in sys.modules:  # else nothing is compiled, and asking takes seconds
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        # Torch warns that hooks may fire twice for a compiled module; ours do not mind.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Using `torch.compile\\(module\\)` when there are global")
        yield
