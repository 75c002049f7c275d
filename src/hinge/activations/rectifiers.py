"""The identity and the rectifiers: functions that are linear on both sides of their kinks."""

from __future__ import annotations

from hinge.activations.form import Side
from hinge.activations.pieces import Pieces
from hinge.activations.record import Activation, Names, Parameter
from hinge.activations.spellings import Spelling

RECORDS = (
    Activation(
        name="identity",
        title="Identity",
        form=Pieces(breaks_at=(), slopes=(1,)),
        source="classical",
        names=Names(torch_module="Identity", jax="jax.nn.identity", keras="linear"),
    ),
    Activation(
        name="relu",
        title="ReLU",
        form=Pieces(breaks_at=(0,), slopes=(0, 1), at_break=(Side.LEFT,)),
        source="Fukushima, Visual feature extraction by a multilayered network of analog "
        "threshold elements, 1969; Nair & Hinton, Rectified Linear Units Improve Restricted "
        "Boltzmann Machines, 2010",
        names=Names(
            torch_module="ReLU",
            torch_function="torch.nn.functional.relu",
            jax="jax.nn.relu",
            keras="relu",
            aten=(
                Spelling("relu"),
                Spelling("clamp", fixed={"min": 0, "max": None}),
                Spelling("clamp_min", fixed={"min": 0}),
                Spelling("threshold", fixed={"threshold": 0, "value": 0}),
                Spelling("maximum", fixed={"other": 0}),
            ),
            onnx=(
                Spelling("Relu"),
                Spelling("Clip", fixed={"min": 0, "max": None}, inputs=("min", "max")),
                Spelling("Max", fixed={"other": 0}, inputs=("other",)),
            ),
        ),
        native=True,
    ),
    Activation(
        name="leaky_relu",
        title="Leaky ReLU",
        form=Pieces(breaks_at=(0,), slopes=("negative_slope", 1), at_break=(Side.LEFT,)),
        source="Maas et al., Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013",
        names=Names(
            torch_module="LeakyReLU",
            torch_function="torch.nn.functional.leaky_relu",
            jax="jax.nn.leaky_relu",
            keras="leaky_relu",
            aten=(Spelling("leaky_relu", takes={"negative_slope": "negative_slope"}),),
            onnx=(
                Spelling("LeakyRelu", takes={"alpha": "negative_slope"}, defaults={"alpha": 0.01}),
            ),
        ),
        parameters=(Parameter("negative_slope", default=0.01),),
        native=True,
    ),
    Activation(
        name="prelu",
        title="PReLU",
        form=Pieces(breaks_at=(0,), slopes=("weight", 1), at_break=(Side.LEFT,)),
        source="He et al., Delving Deep into Rectifiers, 2015",
        names=Names(
            torch_module="PReLU",
            torch_function="torch.nn.functional.prelu",
            aten=(
                Spelling("_prelu_kernel", takes={"weight": "weight"}),
                Spelling("prelu", takes={"weight": "weight"}),
            ),
            onnx=(Spelling("PRelu", takes={"slope": "weight"}, inputs=("slope",)),),
        ),
        parameters=(Parameter("weight", default=0.25, learned=True, per_channel=True),),
    ),
    Activation(
        name="relu6",
        title="ReLU6",
        form=Pieces(breaks_at=(0, 6), slopes=(0, 1, 0), at_break=(Side.LEFT, Side.RIGHT)),
        source="Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010",
        names=Names(
            torch_module="ReLU6",
            torch_function="torch.nn.functional.relu6",
            jax="jax.nn.relu6",
            keras="relu6",
            aten=(
                Spelling("relu6"),
                Spelling("hardtanh", fixed={"min_val": 0, "max_val": 6}),
                Spelling("clamp", fixed={"min": 0, "max": 6}),
            ),
            onnx=(Spelling("Clip", fixed={"min": 0, "max": 6}, inputs=("min", "max")),),
        ),
        native=True,
    ),
)
