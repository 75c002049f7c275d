"""A network: a model read as steps, which can be run, looked into and shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hinge.errors import DataError, OptionError
from hinge.layout import Place
from hinge.network.feeds import feeds
from hinge.network.operators.affine import Shape
from hinge.network.show import network_page, network_text
from hinge.network.steps import INPUT, Activate, Step
from hinge.network.to_torch import to_torch
from hinge.page import Page
from hinge.units import Feed, Site, Traits

Array = npt.NDArray[Any]

_DTYPES = (torch.float32, torch.float64)


@dataclass(frozen=True, eq=False)
class Network:
    """Steps in an order in which they can be run, from one input to one output.

    ``input_shape`` is the shape of one example; ``output`` names the step whose result
    is the network's (or ``"input"`` itself); ``dtype`` is that of the model's weights;
    ``origin`` says in a few words what was read.
    """

    steps: tuple[Step, ...]
    input_shape: Shape
    output: str
    dtype: torch.dtype
    origin: str
    _casts: dict[tuple[torch.dtype, torch.device], tuple[Step, ...]] = field(
        default_factory=dict, init=False, repr=False
    )

    @overload
    def __call__(self, x: Tensor) -> Tensor: ...

    @overload
    def __call__(self, x: Array) -> Array: ...

    def __call__(self, x: Tensor | Array) -> Tensor | Array:
        """Return the output on ``x`` ``(N, *input_shape)``, in its kind and dtype.

        ``x`` is float32 or float64; a torch tensor keeps its derivatives. Raises
        `DataError` if ``x`` does not fit.
        """
        if isinstance(x, np.ndarray):
            with torch.no_grad():
                return np.asarray(self._output(self._checked(torch.tensor(x))).numpy())
        return self._output(self._checked(x))

    def pre_activations(self, x: Tensor | Array) -> dict[str, Tensor]:
        """Return what each site's activation is given on ``x``, by the site's name, in order."""
        return self.run(torch.as_tensor(x))[1]

    def run(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the output and the `pre_activations` of one pass, derivatives kept."""
        found: dict[str, Tensor] = {}

        def keep(step: Step, inputs: tuple[Tensor, ...]) -> None:
            if isinstance(step, Activate):
                found[step.name] = inputs[0]

        return self._output(self._checked(x), keep), found

    @cached_property
    def activations(self) -> tuple[Activate, ...]:
        """The activation steps, in order; each bears its site's name."""
        return tuple(step for step in self.steps if isinstance(step, Activate))

    @property
    def sites(self) -> tuple[Site, ...]:
        """The places where activations are called, in order."""
        return tuple(step.site for step in self.activations)

    @property
    def output_shape(self) -> Shape:
        """The shape of one example's output."""
        return self.input_shape if self.output == INPUT else self.step(self.output).shape

    @property
    def traits(self) -> Mapping[str, Traits]:
        """What verdicts need to know of each site's activation, by the site's name."""
        return {step.name: step.traits for step in self.activations}

    @property
    def n_units(self) -> int:
        """The number of units at all sites together."""
        return sum(site.n_units for site in self.sites)

    def step(self, name: str) -> Step:
        """Return the step of this name. Raises `OptionError` if there is none."""
        found = self._by_name.get(name)
        if found is None:
            raise OptionError(
                "the network has no such step",
                where=self.origin,
                found=repr(name),
                do="take a name from .sites or .steps; print(network) shows them all",
            )
        return found

    def place(self, site: Site | str) -> Place:
        """Return where a site's units lie in its pre-activation, the batch being axis 0."""
        step = self.step(site if isinstance(site, str) else site.name)
        if not isinstance(step, Activate):
            raise OptionError(
                "the step is not an activation",
                where=self.origin,
                found=f"{step.name!r}, which is {step.kind}",
                do="take a name from .sites",
            )
        return step.units

    def unit_axis(self, site: Site | str) -> int:
        """Return the axis of a site's pre-activation that holds its units; the batch is 0."""
        return self.place(site).axis

    def feeds(self) -> dict[str, Feed]:
        """Return the layer behind each site, by the site's name, as far as it is known."""
        return feeds(self.steps)

    def to_torch(self, dtype: torch.dtype | None = None) -> nn.Module:
        """Return a torch module of the same function, with parameters that can be trained.

        ``dtype`` is that of its parameters; the model's own if it is not given.
        """
        return to_torch(self.steps, self.output, dtype or self.dtype)

    def page(self) -> Page:
        """Return the table of steps as a page for any renderer."""
        return network_page(self.origin, self.input_shape, self.output_shape, self.steps)

    def __str__(self) -> str:
        return network_text(self.page())

    __repr__ = __str__

    @cached_property
    def _by_name(self) -> dict[str, Step]:
        return {step.name: step for step in self.steps}

    @cached_property
    def _last_use(self) -> Counter[str]:
        uses = Counter(name for step in self.steps for name in step.inputs)
        uses[self.output] += 1
        return uses

    def _output(
        self,
        x: Tensor,
        look: Callable[[Step, tuple[Tensor, ...]], None] = lambda _step, _inputs: None,
    ) -> Tensor:
        values, left = {INPUT: x}, self._last_use.copy()
        for step in self._cast(x.dtype, x.device):
            inputs = tuple(values[name] for name in step.inputs)
            look(step, inputs)
            values[step.name] = step.apply(*inputs)
            for name in step.inputs:
                left[name] -= 1
                if not left[name]:
                    del values[name]
        return values[self.output]

    def _cast(self, dtype: torch.dtype, device: torch.device) -> tuple[Step, ...]:
        key = (dtype, device)
        if key not in self._casts:
            self._casts[key] = tuple(step.to(dtype, device) for step in self.steps)
        return self._casts[key]

    def _checked(self, x: Tensor) -> Tensor:
        for wrong, found, do in self._complaints(x):
            if wrong:
                raise DataError(
                    "the input does not fit the network", where=self.origin, found=found, do=do
                )
        return x

    def _complaints(self, x: Tensor) -> Iterator[tuple[bool, str, str]]:
        wanted = "(N, " + ", ".join(map(str, self.input_shape)) + ")"
        shape = tuple(x.shape)
        misfit = x.ndim == 0 or shape[1:] != self.input_shape
        yield misfit, f"shape {shape}", f"pass a batch of shape {wanted}"
        yield x.dtype not in _DTYPES, f"dtype {x.dtype}", "convert it to float32 or float64"
