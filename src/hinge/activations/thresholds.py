"""The functions that jump at a threshold: a step, and rectifiers that pass what exceeds it."""

from __future__ import annotations

from hinge.activations.form import Side
from hinge.activations.names import Names
from hinge.activations.parameter import Parameter
from hinge.activations.pieces import Pieces
from hinge.activations.record import Activation
from hinge.activations.spellings import Spelling

RECORDS = (
    Activation(
        name="binary_step",
        title="Binary step (Heaviside)",
        # 0 at 0, so that it is 1 exactly where the unit fires: above the threshold
        form=Pieces(breaks_at=(0,), slopes=(0, 0), at_break=(Side.LEFT,), steps=(1,)),
        source="McCulloch & Pitts, A logical calculus of the ideas immanent in nervous activity, "
        "1943",
        names=Names(),
        advantages=("One bit for each unit.",),
        drawbacks=("Its derivative is 0 everywhere: gradient descent cannot train through it.",),
        use="Spiking and binarised networks, with another function's slope in the backward pass.",
    ),
    Activation(
        name="thresholded_relu",
        title="Thresholded ReLU",
        form=Pieces(
            breaks_at=("threshold",), slopes=(0, 1), at_break=(Side.LEFT,), steps=("threshold",)
        ),
        source="Konda et al., Zero-bias autoencoders and the benefits of co-adapting features, "
        "2014",
        names=Names(
            torch_module="Threshold",
            torch_function="torch.nn.functional.threshold",
            keras="threshold",
            aten=(Spelling("threshold", fixed={"value": 0}, takes={"threshold": "threshold"}),),
            onnx=(
                Spelling("ThresholdedRelu", takes={"alpha": "threshold"}, defaults={"alpha": 1.0}),
            ),
            fixed={"torch": {"value": 0.0}, "keras": {"default_value": 0.0}},
        ),
        parameters=(Parameter("threshold", default=1.0),),
        advantages=("Small responses become exact zeros, large ones pass unchanged.",),
        drawbacks=(
            "It jumps: a small change of the input can change the output by the threshold.",
            "Units below the threshold get no gradient: they can die.",
        ),
        use="Sparse autoencoders without biases.",
    ),
    Activation(
        name="jump_relu",
        title="JumpReLU",
        form=Pieces(
            breaks_at=("threshold",), slopes=(0, 1), at_break=(Side.LEFT,), steps=("threshold",)
        ),
        source="Erichson et al., JumpReLU: A Retrofit Defense Strategy for Adversarial Attacks, "
        "2019; Rajamanoharan et al., Jumping Ahead: Improving Reconstruction Fidelity with "
        "JumpReLU Sparse Autoencoders, 2024",
        names=Names(),
        parameters=(
            Parameter("threshold", default=0.001, low=0.0, learned=True, per_channel=True),
        ),
        training="the derivative in threshold, which is 0 almost everywhere, is replaced by "
        "−(threshold / ε)·K((x − threshold) / ε), K a box of width and height 1, ε the bandwidth",
        advantages=(
            "Decides whether a feature is on apart from how strong it is: no shrinkage.",
            "Each feature learns its own threshold.",
        ),
        drawbacks=(
            "It jumps: a small change of the input can switch a feature on or off.",
            "The derivative in the threshold is an estimate, whose bandwidth has to be chosen.",
        ),
        use="Sparse autoencoders that take the activations of language models apart.",
    ),
)
