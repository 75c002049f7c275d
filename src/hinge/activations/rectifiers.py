"""The identity and the rectifiers of one slope: max(x, 0), cut off, shifted, or mirrored."""

from __future__ import annotations

from hinge.activations.entries import negative
from hinge.activations.form import Side
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.activations.pieces import Pieces
from hinge.activations.record import Activation
from hinge.activations.spellings import Spelling

RECORDS = (
    Activation(
        name="identity",
        title="Identity",
        form=Pieces(breaks_at=(), slopes=(1,)),
        source="classical",
        names=Names(torch_module="Identity", jax="jax.nn.identity", keras="linear"),
        advantages=("Passes values and gradients through unchanged.",),
        drawbacks=("Layers with nothing but it between them are one linear layer.",),
        use="The output of a regression; the baseline that any other activation has to beat.",
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
        advantages=(
            "The gradient of an active unit is passed on undiminished, however deep the network.",
            "Exact zeros: sparse outputs, and nothing to compute but a comparison.",
            "Piecewise linear: its regions can be enumerated and its bounds proven.",
        ),
        drawbacks=(
            "A unit that is negative on every example gets no gradient: it is dead.",
            "Outputs are never negative, so that their mean shifts the next layer.",
        ),
        use="The default of convolutional and fully connected networks.",
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
        advantages=("Its known range suits fixed-point arithmetic of few bits.",),
        drawbacks=("Units can get stuck on either flat side.",),
        use="Networks for mobile devices that are quantised, as the MobileNets.",
    ),
    Activation(
        name="relu_n",
        title="ReLU-n (clipped ReLU)",
        form=Pieces(breaks_at=(0, "n"), slopes=(0, 1, 0), at_break=(Side.LEFT, Side.RIGHT)),
        source="Hannun et al., Deep Speech: Scaling up end-to-end speech recognition, 2014 "
        "(n = 20); ReLU6 is the case n = 6",
        names=Names(
            torch_module="Hardtanh",
            torch_function="torch.nn.functional.hardtanh",
            keras="relu",
            aten=(Spelling("hardtanh", fixed={"min_val": 0}, takes={"max_val": "n"}),),
            onnx=(Spelling("Clip", fixed={"min": 0}, takes={"max": "n"}, inputs=("min", "max")),),
            fixed={"torch": {"min_val": 0.0}},
            takes={"torch": {"max_val": "n"}, "keras": {"max_value": "n"}},
        ),
        # 1 keeps outputs in the unit interval, and is not yet another name of ReLU6
        parameters=(Parameter("n", default=1.0, low=0.0, low_included=False),),
        advantages=("Bounded, by a limit of one's choice: no activation can run away.",),
        drawbacks=("Units can get stuck on either flat side.", "The limit has to be chosen."),
        use="Recurrent networks and quantised networks, to bound what is passed on.",
    ),
    Activation(
        name="shifted_relu",
        title="Shifted ReLU (SReLU of Clevert et al.)",
        form=Pieces(
            breaks_at=(negative("shift"),),
            slopes=(0, 1),
            at_break=(Side.LEFT,),
            height=negative("shift"),
        ),
        source="Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear "
        "Units (ELUs), 2015, where it is compared as SReLU",
        names=Names(),
        parameters=(Parameter("shift", default=1.0),),
        advantages=("Negative outputs bring the mean of a layer closer to zero.",),
        drawbacks=(
            "Silent units send a constant instead of zero: outputs are not sparse.",
            "Below the kink it is as flat as ReLU: units can die.",
        ),
        use="A control in experiments that ask how much of a gain is due to centred outputs.",
    ),
    Activation(
        name="abs",
        title="Absolute value",
        form=Pieces(breaks_at=(0,), slopes=(-1, 1), at_break=(Side.MEAN,)),
        source="Jarrett et al., What is the Best Multi-Stage Architecture for Object "
        "Recognition?, 2009 (rectification by the absolute value)",
        # No operator is read as it: an `abs` in a model is arithmetic more often than a unit.
        names=Names(
            torch_function="torch.abs",
            jax="jax.numpy.abs",
            at_break={"jax": (Side.RIGHT,)},
        ),
        advantages=(
            "The slope is 1 or −1 everywhere: gradients keep their size and no unit dies.",
        ),
        drawbacks=("The sign of the pre-activation is lost.",),
        use="Where a feature matters whatever its polarity, as an edge from either side.",
    ),
)
