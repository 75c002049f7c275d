"""How the units of a site hang in the model: the parameters that make them and that read them."""

from __future__ import annotations

from dataclasses import dataclass

from hinge.tracing.arrangement import Arrangement
from hinge.units import Counts, Site, Traits


@dataclass(frozen=True, eq=False)
class Norm:
    """A batch norm between a layer and its activation: the path of its module in the model."""

    module: str


@dataclass(frozen=True, eq=False)
class Maker:
    """The layer whose output is a site's pre-activation: names of parameters of the model.

    ``unit_axis`` is the axis of ``weight`` that holds the units: 0, or 1 for a transposed
    convolution or a weight that stands on the right of a product. ``bias`` is empty where there
    is none. ``norm`` is the batch norm behind it, if there is one.
    """

    weight: str
    unit_axis: int
    bias: str = ""
    norm: Norm | None = None


@dataclass(frozen=True, eq=False)
class Reader:
    """A layer that reads a site's output through ``weight``.

    ``unit_of`` has the unit behind each index along ``input_axis`` of the weight, shape
    ``(weight.shape[input_axis],)``; -1 where another site's output is read (a concatenation).
    ``bias`` is empty where there is none.
    """

    weight: str
    input_axis: int
    unit_of: Counts
    bias: str = ""


@dataclass(frozen=True, eq=False)
class Wiring:
    """How one site hangs in the model.

    ``maker`` is None where what makes the pre-activation is no single layer. ``offset`` names
    the parameter that is added last, once per unit, before the activation: the layer's bias or
    the norm's; empty if there is none or something stands between. ``readers`` are the layers
    that read the output; ``elsewhere`` names what else reads it in a way in which no column
    of weights can be set to zero: operators ("add", "mul") or "the output".
    ``shape`` is that of the pre-activation in the pass that was surveyed.
    ``shared`` names the parameters of maker and readers that other calls use too (weight
    tying, a layer that is called twice).
    """

    site: Site
    traits: Traits
    arrangement: Arrangement
    shape: tuple[int, ...] = ()
    maker: Maker | None = None
    offset: str = ""
    readers: tuple[Reader, ...] = ()
    elsewhere: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
