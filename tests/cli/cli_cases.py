"""A network whose truth is known, and what every mistake must look like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from typer.testing import Result

Run = Callable[..., Result]

N_EXAMPLES = 300

# Three inputs within -1..1, four units: 0 is dead, 1 is always on, 2 and 3 fire now and then.
WEIGHT = np.array([[1, 1, 1], [1, 1, 1], [1, 0, 0], [0, -1, 0]], np.float32)
BIAS = np.array([-100, 100, 0, 0], np.float32)
OUT = np.array([[1, 1, 1, 1], [1, -1, 1, -1]], np.float32)

MODEL_CODE = """
import torch
from torch import nn

def network():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=False))

ready = network()
"""


def onnx_net(operator: str = "Relu") -> onnx.ModelProto:
    """The known network, with another operator in place of its activation if asked for."""
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1),
        helper.make_node(operator, ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "v"], ["y"], transB=1),
    ]
    constants = {"w": WEIGHT, "b": BIAS, "v": OUT}
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tests"
    )


def assert_mistake(result: Result, *words: str) -> None:
    """Exit code 2, and one paragraph of four parts that says these words."""
    assert result.exit_code == 2, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    said = result.stderr
    assert "Traceback" not in said
    paragraph = said[said.index("Error: ") :]
    lines = paragraph.splitlines()[:4]
    starts = ["Error: ", "  where:   ", "  found:   ", "  do this: "]
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)
        assert line[len(start) :].strip(), paragraph
    for word in words:
        assert word in paragraph, paragraph
