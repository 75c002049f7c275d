"""The ACAS Xu networks: read from ONNX files of 2017, against onnxruntime and printed outputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from hinge.network import Network, read

FOLDER = (Path(__file__).parents[2] / "../shared/data/acasxu").resolve()
FILES = sorted(FOLDER.glob("*.onnx"))

pytestmark = pytest.mark.skipif(not FILES, reason="the ACAS Xu networks are not here")

OUTPUTS = {
    "full": (-0.0213173, -0.0188792, -0.0189445, -0.0189480, -0.0189143),
    "prop1": (-0.0206805, -0.0175903, -0.0179843, -0.0175341, -0.0177569),
    "prop2": (-0.0206805, -0.0175903, -0.0179843, -0.0175341, -0.0177569),
    "prop3": (0.1326072, 0.1358921, 0.1401633, 0.0955282, 0.1105866),
    "prop4": (0.2353117, 0.2429027, 0.2496561, 0.1913355, 0.2095778),
}
"""Outputs of network 1_1 at the centres of the boxes, from the data's SOURCE.md."""


@pytest.fixture(scope="module")
def first() -> Network:
    return read(FOLDER / "ACASXU_experimental_v2a_1_1.onnx")


@pytest.mark.parametrize("box", OUTPUTS)
def test_the_printed_outputs(first, box):
    bounds = json.loads((FOLDER / "boxes.json").read_text())[box]
    centre = (np.array(bounds["lower"]) + np.array(bounds["upper"])) / 2
    result = first(centre.reshape(1, 1, 1, 5))
    # Printed from a float32 run, which differs from float64 by up to 3.1e-7.
    np.testing.assert_allclose(result[0], OUTPUTS[box], atol=4e-7)


def test_every_network_has_six_sites_of_fifty_units_and_the_same_outputs():
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (64, 1, 1, 5)).astype(np.float32)
    for path in FILES:
        network = read(path)
        assert [site.n_units for site in network.sites] == [50] * 6
        assert network.n_units == 300
        assert network.input_shape == (1, 1, 5)
        session = onnxruntime.InferenceSession(path)
        wanted = np.concatenate([session.run(None, {"input": row[None]})[0] for row in x[:4]])
        np.testing.assert_allclose(network(x[:4]), wanted, rtol=1e-5, atol=2e-6)


def test_pre_activations_are_those_of_onnxruntime(first):
    model = onnx.load(FOLDER / "ACASXU_experimental_v2a_1_1.onnx")
    inputs = [node.input[0] for node in model.graph.node if node.op_type == "Relu"]
    del model.graph.output[:]
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in inputs
    )
    x = np.random.default_rng(1).uniform(-0.5, 0.5, (1, 1, 1, 5)).astype(np.float32)
    wanted = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"input": x})
    found = first.pre_activations(x)
    assert list(found) == [f"relu_{i}" for i in range(1, 7)]
    for ours, theirs in zip(found.values(), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-6)


def test_the_layers_behind_the_sites(first):
    """z = W h + b with h from the sites that the feed names."""
    x = np.random.default_rng(2).uniform(-0.5, 0.5, (8, 1, 1, 5))
    pre = {name: z.numpy() for name, z in first.pre_activations(x).items()}
    before = x.reshape(8, 5)
    for name, feed in first.feeds().items():
        np.testing.assert_allclose(before @ feed.weight.T + feed.bias, pre[name], atol=1e-12)
        assert feed.nonnegative == bool(feed.inputs)
        before = np.maximum(pre[name], 0)
