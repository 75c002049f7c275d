"""What the watch knows of one site when it looks: the material of events and of records."""

from __future__ import annotations

from dataclasses import dataclass

from hinge.units import Counts, Reals, Site, Traits


@dataclass(frozen=True, eq=False)
class Glimpse:
    """One site at one step: an entry per unit, shape ``(n_units,)``, where not said otherwise.

    * ``seen``, ``fired``: examples so far, and those on which it fired;
    * ``last_fired``: the last step at which it fired, -1 if never; ``silent``: the examples
      that were seen since;
    * ``top``: its largest pre-activation in the latest step;
    * ``gradient_steps``, ``last_gradient``: how many steps brought it a gradient, and the last
      of them (-1 if none); None where gradients cannot be seen;
    * ``bias``: the constant that is added last before the activation; None if there is none;
    * ``mean``, ``var``, ``strength``: of the pre-activations in the latest sampled batches, and
      E|h|; None before the first;
    * ``signs``: the larger share of one sign among a unit's weight gradients that are not
      zero, 0.5 to 1, NaN where all are zero; None where they cannot be seen;
    * ``gradient_norm``: ‖∂L/∂W‖ of the layer before (of its bias where W cannot be seen), a
      number; NaN if unknown;
    * ``inputs``: the sites whose outputs that layer reads; none for the model's own input.
    """

    site: Site
    traits: Traits
    seen: Counts
    fired: Counts
    last_fired: Counts
    silent: Counts
    top: Reals
    gradient_steps: Counts | None = None
    last_gradient: Counts | None = None
    bias: Reals | None = None
    mean: Reals | None = None
    var: Reals | None = None
    strength: Reals | None = None
    signs: Reals | None = None
    gradient_norm: float = float("nan")
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Pulse:
    """The few numbers that are kept of every step.

    ``rate`` is the largest learning rate of the optimizer's groups (NaN without one).
    ``gradients`` has the norm of each site's bias gradient, in the order of the sites (NaN
    where there is none). ``scale`` is the loss scale, None without one; ``skipped`` says that
    the optimizer's step was left out because of infinite gradients.
    """

    step: int
    rate: float
    gradients: Reals
    scale: float | None = None
    skipped: bool = False
