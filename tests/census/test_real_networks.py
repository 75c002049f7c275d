"""Networks from files: counts equal those that onnxruntime's pre-activations give."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import hinge

ACASXU = Path(__file__).parents[2] / "../shared/data/acasxu"
FILES = sorted(ACASXU.glob("*.onnx"))
EXAMPLES, NEAR = 3000, 1e-5


def pre_activations(file: Path, x: np.ndarray) -> list[np.ndarray]:
    """What each Relu is given, in order: the graph's own values, made outputs."""
    model = onnx.load(file)
    names = [node.input[0] for node in model.graph.node if node.op_type == "Relu"]
    for name in names:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    rows = [session.run(names, {"input": row[None]}) for row in x]
    return [np.concatenate(values).reshape(len(x), -1) for values in zip(*rows, strict=True)]


@pytest.mark.skipif(not FILES, reason="the ACAS Xu networks are not here")
@pytest.mark.parametrize("file", FILES[::11], ids=lambda file: file.stem[-3:])
def test_acas_xu(file):
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (EXAMPLES, 1, 1, 5)).astype(np.float32)
    true = pre_activations(file, x)
    # Two programs round differently: examples with a unit next to its kink decide nothing.
    clear = np.all([(np.abs(z) > NEAR).all(1) for z in true], axis=0)
    assert clear.mean() > 0.9
    census = hinge.observe(hinge.read(file), x[clear])
    assert [site.n_units for site in census.sites] == [50] * 6
    assert census.n_units == 300
    for observed, z in zip(census.values(), true, strict=True):
        z = z[clear]  # noqa: PLW2901 - the same, less what is unclear
        assert np.array_equal(observed.fired, (z > 0).sum(0))
        assert np.array_equal(observed.always, (z > 0).sum(0))
        assert np.array_equal(observed.zeros, (z <= 0).sum(0))
        assert (observed.seen == clear.sum()).all()
        np.testing.assert_allclose(observed.max, z.max(0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(observed.mean, z.mean(0), rtol=1e-3, atol=1e-5)
