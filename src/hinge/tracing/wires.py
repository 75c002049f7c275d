"""Follows, operator by operator, which parameters make a site's units and which read them."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np
import torch

from hinge.layout import Place
from hinge.tracing.learning import TRANSPARENT
from hinge.tracing.operators import Operator, tensors_among
from hinge.tracing.provenance import Provenance
from hinge.tracing.wiring import Maker, Norm, Reader
from hinge.units import Counts

_PLAIN = frozenset(("_to_copy", "clone", "detach", "alias", "contiguous", "view", "expand"))
"""A parameter's own entries in their own order, as long as the shape stays."""
_FLIPS = frozenset(("t", "transpose", "permute"))
_PER_UNIT = TRANSPARENT - {"cat", "stack"} | {"mul", "div", "add", "sub", "neg", "dropout"}
"""On one tensor alone, these leave what belongs to a unit with that unit."""
_NORMS = frozenset(
    (
        *("native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm"),
        "_native_batch_norm_legit_no_training",
    )
)
_LAYERS: Mapping[str, tuple[str, str, str]] = {
    "mm": ("self", "mat2", ""),
    "addmm": ("mat1", "mat2", "self"),
    "convolution": ("input", "weight", "bias"),
}
"""The names of input, weight and bias among a layer's arguments."""
_MATRIX = 2


Value = TypeVar("Value")


@dataclass(frozen=True)
class _Parameter:
    """A tensor that holds a parameter's entries; ``flipped``: as a transposed matrix."""

    name: str
    flipped: bool = False


@dataclass(frozen=True)
class _Made:
    """A tensor that a layer made, with all that it went through since."""

    maker: Maker
    offset: str = ""
    inputs: tuple[str, ...] = ()


@dataclass
class Hung:
    """What was found of one site: see `hinge.tracing.wiring.Wiring`."""

    made: _Made | None
    readers: list[Reader] = field(default_factory=list)
    elsewhere: dict[str, None] = field(default_factory=dict)


class _Table(Generic[Value]):
    """Values by tensor, for as long as it lives."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[torch.Tensor], Value]] = {}

    def __setitem__(self, tensor: torch.Tensor, value: Value) -> None:
        self._entries[id(tensor)] = (weakref.ref(tensor), value)

    def get(self, tensor: object) -> Value | None:
        entry = self._entries.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else None

    def forget(self, tensor: torch.Tensor) -> None:
        self._entries.pop(id(tensor), None)


class Wires:
    """Sees each operator of a pass after it ran, and the calls of activations among them."""

    def __init__(self, parameters: Iterable[tuple[str, torch.Tensor]]) -> None:
        self.sites: dict[str, Hung] = {}
        self._uses: Counter[str] = Counter()
        self._parameters = _Table[_Parameter]()
        self._made = _Table[_Made]()
        self._site_of = _Table[str]()
        self._owners = dict(parameters)
        for name, tensor in self._owners.items():
            self._parameters[tensor] = _Parameter(name)

    @property
    def shared(self) -> set[str]:
        """The parameters that more than one call used."""
        return {name for name, uses in self._uses.items() if uses > 1}

    def activated(
        self, site: str, z: torch.Tensor, h: torch.Tensor, read: Iterable[torch.Tensor] = ()
    ) -> None:
        """An activation was called on ``z`` and gave ``h``, which may be the same tensor.

        ``read`` is all that its last operator read: of a masked ReLU the ReLU's output too.
        """
        for tensor in (z, *read):
            before = self._site_of.get(tensor)
            if before is not None:
                self.sites[before].elsewhere[f"the activation {site}"] = None
        self.sites.setdefault(site, Hung(self._made.get(z)))
        self._made.forget(h)
        self._site_of[h] = site

    def ran(self, operator: Operator, args: Any, kwargs: Any, out: Any, seen: Provenance) -> None:
        """Any other operator ran."""
        outputs = tensors_among(out if isinstance(out, list | tuple) else (out,))
        if not outputs:
            return
        inputs = tensors_among((*args, *kwargs.values()))
        data = [x for x in inputs if seen[x].is_data]
        if not data:
            self._of_parameters(operator, inputs, outputs[0])
        elif operator.name in _LAYERS:
            self._layer(operator.name, operator.bind(args, kwargs), outputs[0], seen)
        elif operator.name in _NORMS:
            self._norm(operator.bind(args, kwargs), outputs[0], seen)
        else:
            self._handed_on(operator, inputs, data, outputs, seen)

    def finish(self, output: Any) -> None:
        """The pass is over: a site's values among the model's outputs are read from outside."""
        for tensor in _all_tensors(output):
            site = self._site_of.get(tensor)
            if site is not None:
                self.sites[site].elsewhere["the output"] = None

    def _of_parameters(
        self, operator: Operator, inputs: list[torch.Tensor], out: torch.Tensor
    ) -> None:
        """A view or a copy of a parameter is the parameter still; anything computed is not."""
        known = self._parameters.get(inputs[0]) if len(inputs) == 1 else None
        if known is None:
            return
        if operator.name in _FLIPS and out.ndim == _MATRIX:
            self._parameters[out] = replace(known, flipped=not known.flipped)
        elif operator.name in _PLAIN and out.shape == inputs[0].shape:
            self._parameters[out] = known

    def _layer(
        self, name: str, arguments: dict[str, Any], out: torch.Tensor, seen: Provenance
    ) -> None:
        input_name, weight_name, bias_name = _LAYERS[name]
        x, weight = arguments[input_name], arguments[weight_name]
        if name != "convolution" and not seen[x].is_data:  # W @ x: the units are the rows
            x, weight = weight, x
        known, bias = self._parameters.get(weight), arguments.get(bias_name)
        offset = self._parameters.get(bias) if bias is not None else None
        self._count(known, offset)
        units_last = weight is arguments[weight_name] and name != "convolution"
        natural = _MATRIX - 1 if units_last else 0  # where the product's units lie in `weight`
        if name == "convolution":
            natural = int(bool(arguments.get("transposed")))
        if (site := self._site_of.get(x)) is not None:
            axis, image = _of_matrix(1 - natural, known), name == "convolution"
            columns = None if known is None else self._owners[known.name].shape[axis]
            units = _unit_of(seen[x].units, x, columns, image=image)
            if known is None or units is None:
                self.sites[site].elsewhere[name] = None
            else:
                reader = Reader(known.name, axis, units, _name(offset))
                self.sites[site].readers.append(reader)
        if known is not None and (bias is None or offset is not None):
            maker = Maker(known.name, _of_matrix(natural, known), _name(offset))
            self._made[out] = _Made(maker, _name(offset), seen[x].sources)

    def _count(self, *used: _Parameter | None) -> None:
        self._uses.update(parameter.name for parameter in used if parameter is not None)

    def _norm(self, arguments: dict[str, Any], out: torch.Tensor, seen: Provenance) -> None:
        """A batch norm stays with the layer before it, and with the site before that."""
        del seen
        x = arguments["input"]
        site, made = self._site_of.get(x), self._made.get(x)
        if site is not None:
            self._site_of[out] = site
        shift, mean = arguments.get("bias"), arguments.get("running_mean")
        named = self._parameters.get(shift if shift is not None else mean)
        if made is not None and made.maker.norm is None and named is not None:
            maker = replace(made.maker, norm=Norm(named.name.rpartition(".")[0]))
            offset = named.name if shift is not None else ""
            self._made[out] = replace(made, maker=maker, offset=offset)

    def _handed_on(
        self,
        operator: Operator,
        inputs: list[torch.Tensor],
        data: list[torch.Tensor],
        outputs: list[torch.Tensor],
        seen: Provenance,
    ) -> None:
        """An operator without weights: it keeps the units apart, or it mixes what it reads."""
        alone = len(data) == 1
        x = data[0]
        site, made = self._site_of.get(x), self._made.get(x)
        for y in outputs:
            self._made.forget(y)  # in place, what it was is gone
        if alone and operator.name in _PER_UNIT and (site is None or _apart(x, outputs, seen)):
            for y in outputs:
                if site is not None:
                    self._site_of[y] = site
                if made is not None:
                    self._with_constant(operator.name, made, inputs, y)
            return
        for tensor in data:
            mixed = self._site_of.get(tensor)
            if mixed is not None:
                self.sites[mixed].elsewhere[operator.name] = None

    def _with_constant(
        self, name: str, made: _Made, inputs: list[torch.Tensor], y: torch.Tensor
    ) -> None:
        """What a layer made stays so when seen otherwise, or with a bias added on its own."""
        if name in TRANSPARENT:
            self._made[y] = made
            return
        constants = [p for x in inputs if (p := self._parameters.get(x)) is not None]
        if name == "add" and len(constants) == 1 and not made.maker.bias and not made.maker.norm:
            self._count(constants[0])
            bias = constants[0].name
            self._made[y] = replace(made, maker=replace(made.maker, bias=bias), offset=bias)


def _apart(x: torch.Tensor, outputs: list[torch.Tensor], seen: Provenance) -> bool:
    """Whether all outputs still hold all units of ``x``, each on its own."""
    before = seen[x].units
    after = [seen[y].units for y in outputs if y.is_floating_point()]
    return before is not None and all(p is not None and p.size == before.size for p in after)


def _of_matrix(axis: int, parameter: _Parameter | None) -> int:
    """The axis of the parameter itself that is ``axis`` of the tensor that was read."""
    return 1 - axis if parameter is not None and parameter.flipped else axis


def _name(parameter: _Parameter | None) -> str:
    return "" if parameter is None else parameter.name


def _unit_of(
    place: Place | None, x: torch.Tensor, columns: int | None, *, image: bool
) -> Counts | None:
    """The unit behind each input column of a weight, if each belongs to one."""
    axis = 1 if image else x.ndim - 1
    if place is None or place.axis != axis or columns != x.shape[axis]:
        return None
    return (np.arange(columns) // place.inner) % place.size


def _all_tensors(value: Any) -> list[torch.Tensor]:
    """The tensors in nested outputs."""
    found: list[torch.Tensor] = []
    _visit(value, found.append)
    return found


def _visit(value: Any, found: Callable[[torch.Tensor], None]) -> None:
    if isinstance(value, torch.Tensor):
        found(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            _visit(item, found)
    elif isinstance(value, list | tuple):
        for item in value:
            _visit(item, found)
    elif hasattr(value, "__dict__"):
        _visit(list(vars(value).values()), found)
