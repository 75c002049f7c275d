"""The rectifiers whose other side has a slope too: given, learned, drawn at random."""

from __future__ import annotations

from fractions import Fraction

from hinge.activations.entries import Sum
from hinge.activations.form import Side
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.activations.pieces import Pieces
from hinge.activations.record import Activation
from hinge.activations.spellings import Spelling

HALF = Fraction(1, 2)

RECORDS = (
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
            at_break={"jax": (Side.RIGHT,), "keras": (Side.RIGHT,)},
        ),
        parameters=(Parameter("negative_slope", default=0.01),),
        advantages=("A unit below the kink still gets gradient: it cannot die.",),
        drawbacks=(
            "With the usual slope of 0.01 the way back is a hundred times longer.",
            "No exact zeros: outputs are not sparse.",
        ),
        use="Generative adversarial networks (slope 0.2) and detectors (slope 0.1).",
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
        advantages=("Each channel finds the slope that suits it, for one number more.",),
        drawbacks=(
            "Weight decay pulls its slopes towards ReLU; they are usually left out of it.",
            "A learned slope can become negative or exceed 1: it is then not monotone or convex.",
        ),
        use="Convolutional networks for images, super-resolution and faces.",
    ),
    Activation(
        name="rrelu",
        title="Randomized Leaky ReLU (RReLU)",
        form=Pieces(
            breaks_at=(0,),
            slopes=(Sum((("lower", HALF), ("upper", HALF))), 1),
            at_break=(Side.LEFT,),
        ),
        source="Xu et al., Empirical Evaluation of Rectified Activations in Convolutional "
        "Network, 2015, which divides by a number between 3 and 8; torch multiplies",
        names=Names(
            torch_module="RReLU",
            torch_function="torch.nn.functional.rrelu",
            aten=(
                Spelling(
                    "rrelu_with_noise",
                    fixed={"training": False},
                    takes={"lower": "lower", "upper": "upper"},
                ),
                Spelling(
                    "rrelu",
                    fixed={"training": False},
                    takes={"lower": "lower", "upper": "upper"},
                ),
            ),
        ),
        parameters=(
            Parameter("lower", default=1 / 8),
            Parameter("upper", default=1 / 3),
        ),
        ascending=("lower", "upper"),
        training="each element's slope is drawn anew, uniformly between lower and upper",
        advantages=("The noise of the slopes regularises, which helps most on little data.",),
        drawbacks=(
            "Training and evaluation compute different functions.",
            "Random numbers have to be drawn, and kept or drawn again for the gradient.",
        ),
        use="Small image datasets on which a Leaky ReLU overfits.",
    ),
    Activation(
        name="srelu",
        title="S-shaped ReLU (SReLU)",
        form=Pieces(
            breaks_at=("left_threshold", "right_threshold"),
            slopes=("left_slope", 1, "right_slope"),
            at_break=(Side.LEFT, Side.RIGHT),
            height="left_threshold",
        ),
        source="Jin et al., Deep Learning with S-shaped Rectified Linear Activation Units, 2015",
        names=Names(),
        # a Leaky ReLU, as which the paper starts it
        parameters=(
            Parameter("left_threshold", default=0.0, learned=True, per_channel=True),
            Parameter("left_slope", default=0.2, learned=True, per_channel=True),
            Parameter("right_threshold", default=1.0, learned=True, per_channel=True),
            Parameter("right_slope", default=1.0, learned=True, per_channel=True),
        ),
        advantages=("Learns convex and non-convex shapes, ReLU and its leaky kin among them.",),
        drawbacks=(
            "Four numbers for each channel, which need an initialisation of their own.",
            "The left threshold has to stay left of the right one.",
        ),
        use="Research on learned shapes; wide layers with few parameters elsewhere.",
    ),
)
