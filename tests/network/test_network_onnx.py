"""ONNX graphs read as steps compute what onnxruntime computes."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from hinge.errors import ModelError, UnsupportedError
from hinge.network import read
from hinge.network.from_onnx.layers import Window

RANDOM = np.random.default_rng(0)


def constant(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def integers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


class Graph:
    """Nodes in a row: each reads the one before, and constants after it."""

    def __init__(self, *shape: int | str, opset: int = 17) -> None:
        self.shape, self.opset, self.last = shape, opset, "x"
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def __call__(
        self, kind: str, *others: np.ndarray | str | None, first: bool = True, **attributes: Any
    ) -> Graph:
        names = [self._name(other) for other in others]
        inputs = [self.last, *names] if first else [*names, self.last]
        output = f"v{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, inputs, [output], f"n{len(self.nodes)}", **attributes)
        )
        self.last = output
        return self

    def _name(self, other: np.ndarray | str | None) -> str:
        if other is None or isinstance(other, str):
            return other or ""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(other, name))
        return name

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)],
            self.weights,
        )
        opset = helper.make_opsetid("", self.opset)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        with contextlib.suppress(onnx.shape_inference.InferenceError):  # operators of others
            model = onnx.shape_inference.infer_shapes(model, data_prop=True)
        model.graph.output[0].type.tensor_type.shape.SetInParent()  # the checker asks for one
        return model


def conv(graph: Graph, *weight: int, **attributes: Any) -> Graph:
    outputs = (
        weight[0] if "transposed" not in attributes else weight[1] * attributes.get("group", 1)
    )
    kind = "ConvTranspose" if attributes.pop("transposed", False) else "Conv"
    return graph(kind, constant(*weight), constant(outputs), **attributes)


def norm(graph: Graph, channels: int) -> Graph:
    variance = np.abs(constant(channels)) + 0.5
    parts = (constant(channels), constant(channels), constant(channels), variance)
    return graph("BatchNormalization", *parts, epsilon=1e-3)


def mlp() -> Graph:
    graph = Graph("batch", 6)("Gemm", constant(9, 6), constant(9), transB=1, alpha=0.5, beta=2.0)
    graph("Relu")("MatMul", constant(9, 7))("Add", constant(7))("LeakyRelu", alpha=0.2)
    return graph("Gemm", constant(7, 3))("Sigmoid")


def left_matmul() -> Graph:
    graph = Graph("batch", 5, 4)("MatMul", constant(2, 5), first=False)("Tanh")
    return graph("MatMul", constant(4, 3))("MatMul", constant(3))("Elu", alpha=0.5)


def cnn() -> Graph:
    graph = conv(Graph("batch", 3, 13, 11), 6, 3, 3, 3, strides=[2, 1], pads=[1, 0, 2, 1])
    norm(graph, 6)("Relu")
    graph("MaxPool", kernel_shape=[3, 2], strides=[2, 3], pads=[1, 0, 1, 1], ceil_mode=1)
    conv(graph, 8, 3, 3, 3, group=2, strides=[2, 1], auto_pad="SAME_UPPER")
    graph("PRelu", np.abs(constant(8, 1, 1)))
    graph("AveragePool", kernel_shape=[2, 2], auto_pad="SAME_LOWER")
    graph("GlobalAveragePool")("Flatten")("Gemm", constant(8, 4))
    return graph("Clip", np.float32(0)[()] * np.ones((), np.float32), 6 * np.ones((), np.float32))


def pooling() -> Graph:
    graph = Graph("batch", 2, 7, 9)("AveragePool", kernel_shape=[3, 3], pads=[2, 0, 1, 1])
    graph("AveragePool", kernel_shape=[3, 2], pads=[1, 0, 0, 1], count_include_pad=1)
    graph("AveragePool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    graph("MaxPool", kernel_shape=[2, 2], pads=[1, 1, 0, 1], strides=[2, 1])
    graph("MaxPool", kernel_shape=[2, 2], dilations=[1, 2])
    graph("AveragePool", kernel_shape=[2, 3], pads=[0, 1, 1, 0], strides=[2, 2], ceil_mode=1)
    return graph("GlobalMaxPool")


def decoder() -> Graph:
    graph = Graph("batch", 12)("Relu")("Reshape", integers(0, 3, 2, -1))
    conv(graph, 3, 2, 3, 3, transposed=True, group=3, strides=[2, 2], pads=[1, 1, 1, 1])
    graph("Resize", None, np.array([1, 1, 2, 3], np.float32), mode="nearest")
    conv(graph, 6, 2, 2, 2, transposed=True, pads=[0, 1, 1, 0], output_padding=[0, 0])
    graph("Pad", integers(0, 0, 1, 0, 0, 0, 2, 1), mode="reflect")
    graph("Pad", integers(0, 0, 0, 1, 0, 0, 0, 0), 0.5 * np.ones((), np.float32))
    scales = np.array([1, 1, 1, 1.6], np.float32)
    return graph("Resize", None, scales, mode="nearest",
                 coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip


def moves() -> Graph:
    graph = Graph("batch", 4, 6)("Transpose", perm=[0, 2, 1])
    graph("Slice", integers(-1), integers(-100), integers(1), integers(-2))
    graph("Unsqueeze", integers(1))("Squeeze", integers(1))
    graph("Gather", integers(0, 2, 1), axis=1)("Tile", integers(1, 1, 2))
    graph("Expand", integers(1, 3, 8))("Neg")("Abs")("Identity")("Dropout")
    graph("Cast", to=TensorProto.FLOAT)("ReduceSum", integers(2))("ReduceMean", axes=[1])
    return graph("Flatten")


def arithmetic() -> Graph:
    graph = Graph("batch", 5)("Sub", constant(5))("Div", np.abs(constant(5)) + 1)
    graph("Mul", constant(1, 5))("Sub", constant(5), first=False)
    graph("Max", np.zeros((), np.float32))("Max", constant(5), first=False)
    graph("Min", constant(5))("Sum", constant(5), constant(5))("Add", "x")("Max", "x")
    return graph("Concat", "x", "v0", axis=1)("ReduceMax", axes=[1], keepdims=1)("Sub", "x")


def shapes_computed() -> Graph:
    """As torch.onnx writes x.view(x.size(0), -1)."""
    graph = Graph("batch", 2, 3)("Relu")
    relu = graph.last
    graph("Shape")("Gather", np.array(0, np.int64), axis=0)("Unsqueeze", integers(0))
    graph("Concat", integers(-1), axis=0)
    shape = graph.last
    graph.last = relu
    return graph("Reshape", shape)("Gemm", constant(6, 2))


GRAPHS = {
    "mlp": (mlp, {"n1": 9, "n4": 7, "n6": 3}),
    "left matmul": (left_matmul, {"n1": 2, "n4": 1}),
    "cnn": (cnn, {"n2": 6, "n5": 8, "n10": 4}),
    "pooling": (pooling, {}),
    "decoder": (decoder, {"n0": 12}),
    "moves": (moves, {}),
    "arithmetic": (arithmetic, {"n4": 5}),
    "computed shapes": (shapes_computed, {"n0": 3}),
}


def expected(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    result: np.ndarray = session.run(None, {"x": x})[0]
    return result


def written(model: onnx.ModelProto, folder: Any) -> Any:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("name", GRAPHS)
def test_computes_what_onnxruntime_computes(name, tmp_path):
    build, sites = GRAPHS[name]
    graph = build()
    model = graph.model()
    network = read(written(model, tmp_path))
    x = RANDOM.normal(size=(3, *graph.shape[1:])).astype(np.float32)
    wanted = expected(model, x)
    np.testing.assert_allclose(network(x), wanted, rtol=1e-5, atol=1e-5)
    assert network.output_shape == wanted.shape[1:]
    assert {site.name: site.n_units for site in network.sites} == sites
    np.testing.assert_allclose(
        network.to_torch()(torch.from_numpy(x)).detach(), wanted, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("size", range(5, 12))
@pytest.mark.parametrize(("kernel", "stride", "pad"), [(2, 2, 1), (3, 2, 1), (2, 3, 1), (3, 1, 0)])
@pytest.mark.parametrize("ceil", [False, True])
def test_pads_made_exact_give_torchs_own_windows(size, kernel, stride, pad, ceil):
    """Also where a last window would start in the padding after, which does not count."""
    slide = Window((kernel,), (stride,), (1,), (pad,), (pad,))
    x = torch.from_numpy(RANDOM.normal(size=(1, 1, size)))
    padded = torch.nn.functional.pad(x, slide.exact((size,), ceil=ceil).pads, value=-torch.inf)
    ours = torch.nn.functional.max_pool1d(padded, kernel, stride)
    wanted = torch.nn.functional.max_pool1d(x, kernel, stride, pad, ceil_mode=ceil)
    assert torch.equal(ours, wanted)


OLD: Sequence[tuple[str, dict[str, Any]]] = [
    ("Squeeze", {"axes": [1]}),
    ("Clip", {"min": 0.0, "max": 6.0}),
    ("Clip", {"min": -0.5, "max": 0.25}),
    ("Pad", {"pads": [0, 0, 1, 0, 0, 2], "value": 0.5}),
    ("Slice", {"starts": [1], "ends": [4], "axes": [2]}),
    ("ReduceSum", {"axes": [2]}),
    ("Upsample", {"scales": [1.0, 1.0, 2.0], "mode": "nearest"}),
    ("Softsign", {}),
    ("Sin", {}),
    ("Selu", {}),
    ("Transpose", {"perm": [0, 2, 1]}),
]


@pytest.mark.parametrize(("kind", "attributes"), OLD)
def test_attributes_of_old_opsets(kind, attributes, tmp_path):
    opset = 7 if kind == "Upsample" else 8
    model = Graph("batch", 1, 5, opset=opset)(kind, **attributes).model()
    x = RANDOM.normal(size=(2, 1, 5)).astype(np.float32)
    if kind == "Sin":
        with pytest.raises(UnsupportedError):
            read(written(model, tmp_path))
        return
    network = read(written(model, tmp_path))
    np.testing.assert_allclose(network(x), expected(model, x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space(mode, tmp_path):
    model = Graph("batch", 8, 2, 3)("DepthToSpace", blocksize=2, mode=mode).model()
    x = RANDOM.normal(size=(2, 8, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(read(written(model, tmp_path))(x), expected(model, x))


@pytest.mark.parametrize("transformation", ["half_pixel", "asymmetric", "align_corners"])
@pytest.mark.parametrize("rounding", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
def test_nearest_resizing(transformation, rounding, tmp_path):
    graph = Graph(2, 1, 7)("Resize", None, None, integers(2, 1, 12), mode="nearest",
        coordinate_transformation_mode=transformation, nearest_mode=rounding)  # fmt: skip
    model = graph.model()
    x = RANDOM.normal(size=(2, 1, 7)).astype(np.float32)
    np.testing.assert_array_equal(read(written(model, tmp_path))(x), expected(model, x))


def test_split_gives_several_outputs(tmp_path):
    graph = Graph("batch", 6)
    graph.nodes.append(helper.make_node("Split", ["x"], ["left", "right"], "split", axis=1))
    graph.last = "left"
    model = graph("Sub", "right").model()
    x = RANDOM.normal(size=(2, 6)).astype(np.float32)
    np.testing.assert_array_equal(read(written(model, tmp_path))(x), x[:, :3] - x[:, 3:])


def test_a_fixed_batch_of_one_may_be_written_out(tmp_path):
    model = Graph(1, 2, 3)("Reshape", integers(1, -1))("Relu").model()
    network = read(written(model, tmp_path))
    x = RANDOM.normal(size=(4, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(network(x), np.maximum(x.reshape(4, 6), 0))


@pytest.mark.parametrize(
    ("kind", "others", "attributes"),
    [
        ("Softmax", (), {"axis": 1}),
        ("Mul", ("x",), {}),
        ("Div", ("x",), {}),
        ("Transpose", (), {"perm": [1, 0]}),
        ("Flatten", (), {"axis": 0}),
        ("Reshape", (integers(-1),), {}),
        ("Reshape", (integers(-1, 3),), {}),
        ("ReduceMean", (), {"axes": [0]}),
        ("Concat", ("x",), {"axis": 0}),
        ("Gemm", (constant(2, 2),), {"transA": 1}),
        ("Add", (constant(2, 6),), {}),
        ("Slice", (integers(0), integers(1), integers(0)), {}),
        ("Cast", (), {"to": TensorProto.INT64}),
        ("Resize", (None, np.ones(2, np.float32)), {"mode": "linear"}),
        ("Resize", (None, None, integers(1, 12)), {"mode": "nearest"}),
    ],
)
def test_what_cannot_be_read_is_named(kind, others, attributes, tmp_path):
    model = Graph("batch", 6)(kind, *others, **attributes).model()
    if kind == "Cast":
        model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    with pytest.raises(UnsupportedError) as caught:
        read(written(model, tmp_path))
    assert f"{kind} in the node 'n0'" in caught.value.found
    assert "hinge.observe" in caught.value.do


def test_operators_of_others_are_named(tmp_path):
    graph = Graph("batch", 6)("Relu")
    graph.nodes.append(helper.make_node("Strange", ["v0"], ["y"], domain="com.example"))
    graph.last = "y"
    model = graph.model()
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(UnsupportedError, match="1 operation") as caught:
        read(written(model, tmp_path))
    assert "Strange" in caught.value.found


def test_local_functions_are_opened(tmp_path):
    body = [helper.make_node("Neg", ["a"], ["t"]), helper.make_node("Relu", ["t"], ["b"])]
    opset = [helper.make_opsetid("", 17)]
    function = helper.make_function("local", "Fold", ["a"], ["b"], body, opset)
    graph = Graph("batch", 6)
    graph.nodes.append(helper.make_node("Fold", ["x"], ["y"], domain="local"))
    graph.last = "y"
    model = graph.model()
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("local", 1))
    x = RANDOM.normal(size=(2, 6)).astype(np.float32)
    np.testing.assert_array_equal(read(written(model, tmp_path))(x), np.maximum(-x, 0))


def test_sizes_left_open_need_an_example(tmp_path):
    path = written(Graph("batch", "width")("Relu").model(), tmp_path)
    with pytest.raises(ModelError, match="how large") as caught:
        read(path)
    assert "example" in caught.value.do
    assert read(path, np.zeros((1, 4), np.float32)).input_shape == (4,)


def test_several_inputs_or_outputs_are_refused(tmp_path):
    model = Graph("batch", 6)("Add", "other").model()
    other = helper.make_tensor_value_info("other", TensorProto.FLOAT, ("batch", 6))
    model.graph.input.append(other)
    with pytest.raises(UnsupportedError, match="one floating-point input"):
        read(written(model, tmp_path))
    model = Graph("batch", 6)("Relu")("Neg").model()
    model.graph.output.append(helper.make_tensor_value_info("v0", TensorProto.FLOAT, ()))
    with pytest.raises(UnsupportedError, match="one output"):
        read(written(model, tmp_path))


def test_very_old_opsets_are_refused(tmp_path):
    with pytest.raises(ModelError, match="too old"):
        read(written(Graph("batch", 6, opset=6)("Relu").model(), tmp_path))


def test_constants_that_would_be_too_large_are_refused(tmp_path):
    graph = Graph("batch", 6)
    shape = graph._name(integers(2**20, 2**20))
    graph.nodes.append(helper.make_node("ConstantOfShape", [shape], ["huge"], "fill"))
    with pytest.raises(UnsupportedError) as caught:
        read(written(graph("MatMul", "huge").model(), tmp_path))
    assert "too large" in caught.value.found


def test_values_that_would_be_too_large_are_refused(tmp_path):
    model = Graph("batch", 6)("Pad", integers(0, 0, 0, 2**40)).model()
    with pytest.raises(UnsupportedError) as caught:
        read(written(model, tmp_path))
    assert "too large" in caught.value.found
