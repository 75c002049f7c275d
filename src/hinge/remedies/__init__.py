"""Changes to a model, each with a receipt: what changed, how far it moved, and how to undo it."""

from hinge.remedies.layering.drawing import He, LeCun, Lsuv, Orthogonal, Rai
from hinge.remedies.layering.insert_batchnorm import insert_batchnorm
from hinge.remedies.layering.recentre import recentre
from hinge.remedies.layering.reinit import reinit
from hinge.remedies.receipt import Receipt
from hinge.remedies.reviving.lift import Lift
from hinge.remedies.reviving.redraw import Redraw
from hinge.remedies.reviving.resample import Resample
from hinge.remedies.reviving.revive import revive
from hinge.remedies.reviving.split import Split
from hinge.remedies.swapping.swap import swap

__all__ = [
    "He",
    "LeCun",
    "Lift",
    "Lsuv",
    "Orthogonal",
    "Rai",
    "Receipt",
    "Redraw",
    "Resample",
    "Split",
    "insert_batchnorm",
    "recentre",
    "reinit",
    "revive",
    "swap",
]
