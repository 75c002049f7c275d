"""The funnel rectifier: the greater of a pixel and a learned condition on its surroundings."""

from __future__ import annotations

from hinge.activations.joint import JointActivation
from hinge.activations.selecting import Greatest

RECORDS = (
    JointActivation(
        name="frelu",
        title="FReLU",
        form=Greatest(
            formula="max(x, T(x)), T a depthwise 3×3 convolution and a batch norm, both learned",
            partial_formula="∂y/∂x = 1 where x > T(x), else 0; ∂y/∂T = 1 where T(x) > x, else 0",
        ),
        source="Ma et al., Funnel Activation for Visual Recognition, 2020",
        inputs=2,
        arguments=("x", "condition"),
        advantages=("sees the surroundings of a pixel, not the pixel alone",),
        drawbacks=(
            "a convolution and a batch norm at every activation, with weights of their own",
            "for images (B, C, H, W) only",
        ),
        use="convolutional networks for images, where accuracy is worth the time",
    ),
)
