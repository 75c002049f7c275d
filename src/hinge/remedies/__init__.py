"""Changes to a model, each with a receipt: what changed, how far it moved, and how to undo it."""

from hinge.remedies.drawing import He, LeCun, Lsuv, Orthogonal, Rai
from hinge.remedies.insert_batchnorm import insert_batchnorm
from hinge.remedies.lift import Lift
from hinge.remedies.receipt import Receipt
from hinge.remedies.recentre import recentre
from hinge.remedies.redraw import Redraw
from hinge.remedies.reinit import reinit
from hinge.remedies.resample import Resample
from hinge.remedies.revive import revive
from hinge.remedies.split import Split
from hinge.remedies.swap import swap

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
