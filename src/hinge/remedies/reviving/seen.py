"""What a pass over data showed: of chosen units, and of what the layers behind them read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from hinge.tracing.operators import operator_of
from hinge.tracing.trace import Call
from hinge.tracing.wiring import Reader, Wiring

_LAST = 2


class UnitsSeen:
    """What the units of one site did over the data.

    Of the chosen ``units``, in their order: `tops`. Of all units of the site, shape
    ``(n_units,)`` in float64: ``kink``; ``highest``, the largest pre-activation; `above`, the
    mean of max(z - kink, 0), which is E|h| for a ReLU. Where units compete (TopK) the output
    stands for the pre-activation, and 0 for the kink.
    """

    def __init__(self, wiring: Wiring, units: Sequence[int]) -> None:
        traits = wiring.traits
        self._n_units, self._units = wiring.site.n_units, torch.as_tensor(units)
        self._selects = traits.selects
        kinks = torch.tensor(traits.kinks or (traits.fires_above,), dtype=torch.float64)
        self.kink = kinks.expand(self._n_units)
        self._tops: list[torch.Tensor] = []
        self.highest = torch.full((self._n_units,), -torch.inf, dtype=torch.float64)
        self._sum = torch.zeros(self._n_units, dtype=torch.float64)
        self._n = 0

    def add(self, call: Call) -> None:
        """Take in one call of the site; a site that is called with nothing shows nothing."""
        if call.arrangement.units.size != self._n_units or not call.z.numel():
            return
        z = call.arrangement.arrange((call.h if self._selects else call.z).detach())
        axis = 2 if call.arrangement.positions_last else 1
        top = z.amax(axis).cpu()
        self._tops.append(top[:, self._units])
        self.highest = torch.maximum(self.highest, top.double().amax(0))
        kink = self.kink.to(z).unsqueeze(1) if axis == _LAST else self.kink.to(z)
        above = (z - kink).clamp(min=0).sum((0, axis), dtype=torch.float64)
        self._sum += above.cpu()
        self._n += z.shape[0] * z.shape[axis]

    @property
    def tops(self) -> torch.Tensor:
        """The largest pre-activation of each chosen unit on each example, ``(examples, units)``."""
        if not self._tops:
            return torch.empty(0, len(self._units), dtype=torch.float64)
        return torch.cat(self._tops).double()

    @property
    def fired(self) -> torch.Tensor:
        """On how many examples each chosen unit fired, int64."""
        return (self.tops > self.kink[self._units]).sum(0)

    @property
    def silent(self) -> list[int]:
        """The numbers of the chosen units that fired on no example."""
        numbers: list[int] = self._units[self.fired == 0].tolist()
        return numbers

    @property
    def above(self) -> torch.Tensor:
        """The mean of max(z - kink, 0) of each unit of the site."""
        return self._sum / max(self._n, 1)


class SitesSeen:
    """What the chosen units of several sites did, by the site's name."""

    def __init__(self, wirings: Mapping[str, Wiring], chosen: Mapping[str, Sequence[int]]) -> None:
        self.by_site = {name: UnitsSeen(wirings[name], units) for name, units in chosen.items()}

    def add(self, call: Call) -> None:
        """Take in a call, if it is of one of the sites."""
        if call.site in self.by_site:
            self.by_site[call.site].add(call)


class InputSeen:
    """What one layer read at each index along the input axis of its weight, in float64."""

    def __init__(self, weight: torch.Tensor, reader: Reader) -> None:
        self.length = weight.shape[reader.input_axis]
        self.low = torch.full((self.length,), torch.inf, dtype=torch.float64)
        self.high = -self.low
        self._sum = torch.zeros(self.length, dtype=torch.float64)
        self._n = 0

    def add(self, x: torch.Tensor) -> None:
        """Take in ``(rows, length)`` values."""
        if not x.numel():
            return
        self.low = torch.minimum(self.low, x.amin(0).double().cpu())
        self.high = torch.maximum(self.high, x.amax(0).double().cpu())
        self._sum += x.sum(0, dtype=torch.float64).cpu()
        self._n += x.shape[0]

    @property
    def seen(self) -> bool:
        """Whether the layer was seen reading anything."""
        return self._n > 0

    @property
    def mean(self) -> torch.Tensor:
        """The mean over examples and positions."""
        return self._sum / max(self._n, 1)


class Reading(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's class is untyped
    """While active, sees what the readers of sites read, by where their weights lie in memory."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __init__(self, readers: Mapping[tuple[str, Reader], torch.Tensor]) -> None:
        """``readers`` are pairs of a site's name and its reader, each with the weight."""
        super().__init__()  # type: ignore[no-untyped-call] # likewise
        self.inputs = {key: InputSeen(weight, key[1]) for key, weight in readers.items()}
        self._weights = {key: weight.data_ptr() for key, weight in readers.items()}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Look at what a layer reads, then run it."""
        operator = operator_of(function)
        if operator.name in ("mm", "addmm", "convolution"):
            self._look(operator.name, operator.bind(args, kwargs or {}))
        return function(*args, **(kwargs or {}))

    def _look(self, name: str, arguments: Mapping[str, Any]) -> None:
        names = {"mm": ("self", "mat2"), "addmm": ("mat1", "mat2")}
        left, right = (arguments[n] for n in names.get(name, ("input", "weight")))
        for key, at in self._weights.items():
            for x, weight in ((left, right), (right, left)):
                if weight.data_ptr() == at:
                    first = name != "convolution" and x is right  # W @ x
                    rows = x.movedim(0 if first else 1, -1).flatten(0, -2)
                    if rows.shape[-1] == self.inputs[key].length:
                        self.inputs[key].add(rows.detach())
