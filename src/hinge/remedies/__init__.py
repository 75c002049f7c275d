"""Changes to a model, each with a receipt: what changed, how far it moved, and how to undo it."""

from hinge.remedies.lift import Lift
from hinge.remedies.receipt import Receipt
from hinge.remedies.redraw import Redraw
from hinge.remedies.resample import Resample
from hinge.remedies.revive import revive
from hinge.remedies.split import Split

__all__ = ["Lift", "Receipt", "Redraw", "Resample", "Split", "revive"]
