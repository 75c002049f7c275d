"""What a survey says of the layers around each site, held against what changing them does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hinge.tracing.batches import Preparation
from hinge.tracing.modules import RunningModules
from hinge.tracing.provenance import Provenance
from hinge.tracing.running import as_written
from hinge.tracing.survey import wire
from hinge.tracing.trace import Call, Trace
from hinge.tracing.wiring import Wiring


def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.ELU(), nn.Linear(4, 3))


def convolutions() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(2, 5, 3, bias=False), nn.BatchNorm2d(5), nn.ReLU(inplace=True)),
        *(nn.MaxPool2d(2), nn.ConvTranspose2d(5, 4, 2), nn.ReLU(), nn.Dropout()),
        *(nn.Flatten(), nn.Linear(4 * 16, 3)),
    )


class Matrices(nn.Module):
    """Weights that stand on the right of products, a bias that is added, tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(6, 5))
        self.bias = nn.Parameter(torch.randn(5))
        self.second = nn.Parameter(torch.randn(5, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (F.relu(x @ self.first + self.bias) @ self.second).mean(1)


class Residual(nn.Module):
    """The first site is read by a layer and by a sum; the second, inside the branch, by one."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.up = nn.Linear(6, 5), nn.Linear(5, 7)
        self.down, self.out = nn.Linear(7, 5), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.relu(self.stem(x))
        return self.out(h + self.down(F.relu(self.up(h))))


class Tied(nn.Module):
    """An autoencoder whose decoder is its encoder, transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(6, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.encoder(x)) @ self.encoder.weight


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "dense": (dense, (4, 6)),
    "convolutions": (convolutions, (4, 2, 8, 8)),
    "matrices": (Matrices, (4, 7, 6)),
    "residual": (Residual, (4, 6)),
    "encoder layer": (lambda: nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), (4, 7, 6)),
}


def surveyed(model: nn.Module, x: torch.Tensor) -> dict[str, Wiring]:
    return wire(model, Preparation(model, 0)(x))


def responses(model: nn.Module, x: torch.Tensor) -> tuple[dict[str, np.ndarray], torch.Tensor]:
    """Each site's pre-activations, ``(n_units, the rest)``, and the output."""
    found: dict[str, np.ndarray] = {}

    def keep(call: Call) -> str:
        laid = call.arrangement.arrange(call.z)
        axis = 1 if call.arrangement.positions_last else 2
        found[call.site] = laid.movedim(axis, 0).flatten(1).numpy().copy()
        return call.site

    modules, seen = RunningModules(model), Provenance(model)
    with torch.no_grad(), as_written(), modules:
        modules.start()
        seen.start([x], len(x), 0)
        with Trace(modules, seen, keep):
            out = model(x)
    return found, out


@pytest.fixture(params=MODELS, name="case")
def model_and_data(request: pytest.FixtureRequest) -> tuple[nn.Module, torch.Tensor]:
    make, shape = MODELS[request.param]
    torch.manual_seed(0)
    model = make().double().eval()
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
    return model, torch.randn(*shape, dtype=torch.float64)


def test_a_row_of_the_maker_makes_one_unit(case):
    model, x = case
    named = dict(model.named_parameters())
    before, _ = responses(model, x)
    makers = {name: w for name, w in surveyed(model, x).items() if w.maker is not None}
    assert makers
    for name, wiring in makers.items():
        weight = named[wiring.maker.weight]
        assert weight.shape[wiring.maker.unit_axis] == wiring.site.n_units
        saved = weight.detach().clone()
        with torch.no_grad():
            weight.select(wiring.maker.unit_axis, 2).add_(1.0)
        after, _ = responses(model, x)
        with torch.no_grad():
            weight.copy_(saved)
        changed = (before[name] != after[name]).any(1)
        assert changed.tolist() == [unit == 2 for unit in range(wiring.site.n_units)]


def test_the_offset_moves_one_unit_by_as_much(case):
    model, x = case
    named = dict(model.named_parameters())
    before, _ = responses(model, x)
    for name, wiring in surveyed(model, x).items():
        if not wiring.offset:
            continue
        with torch.no_grad():
            named[wiring.offset][1] += 0.25
        after, _ = responses(model, x)
        with torch.no_grad():
            named[wiring.offset][1] -= 0.25
        expected = before[name].copy()
        expected[1] += 0.25
        np.testing.assert_allclose(after[name], expected, atol=1e-12)


def test_without_its_columns_a_unit_has_no_effect(case):
    """All that reads a unit is named: with those columns at zero, its offset can do anything."""
    model, x = case
    named = dict(model.named_parameters())
    tried = 0
    for wiring in surveyed(model, x).values():
        if wiring.elsewhere or not wiring.offset:
            continue
        tried += 1
        saved = {name: tensor.detach().clone() for name, tensor in named.items()}
        with torch.no_grad():
            for reader in wiring.readers:
                columns = torch.from_numpy(np.flatnonzero(reader.unit_of == 1))
                assert columns.numel() > 0
                named[reader.weight].index_fill_(reader.input_axis, columns, 0.0)
            _, before = responses(model, x)
            named[wiring.offset][1] += 100.0
            _, after = responses(model, x)
            for name, tensor in named.items():
                tensor.copy_(saved[name])
        torch.testing.assert_close(after, before, rtol=0, atol=0)
    assert tried


def test_a_residual_stream_is_read_elsewhere():
    wirings = surveyed(Residual(), torch.randn(4, 6))
    assert wirings["relu()"].elsewhere == ("add",)
    assert wirings["relu()#2"].elsewhere == ()
    assert [reader.weight for reader in wirings["relu()#2"].readers] == ["down.weight"]
    assert wirings["relu()#2"].inputs == ("relu()",)


def test_tied_weights_are_shared():
    (wiring,) = surveyed(Tied(), torch.randn(4, 6)).values()
    assert wiring.shared == ("encoder.weight",)
    assert (wiring.maker.weight, wiring.maker.unit_axis) == ("encoder.weight", 0)
    assert [(r.weight, r.input_axis) for r in wiring.readers] == [("encoder.weight", 0)]


def test_an_output_that_is_a_site_is_read_from_outside():
    (wiring,) = surveyed(nn.Sequential(nn.Linear(6, 5), nn.ReLU()), torch.randn(4, 6)).values()
    assert wiring.elsewhere == ("the output",)


@pytest.mark.parametrize(
    ("between", "named"),
    [
        (nn.LayerNorm(5), "native_layer_norm"),
        (nn.Softmax(1), "_softmax"),
        (nn.GroupNorm(1, 5), "native_group_norm"),
    ],
)
def test_what_mixes_units_is_named(between, named):
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), between, nn.Linear(5, 3))
    (wiring,) = surveyed(model, torch.randn(4, 6)).values()
    assert wiring.elsewhere == (named,)
    assert wiring.readers == ()


def test_units_that_are_taken_apart_are_not_guessed():
    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(6, 4), nn.Linear(2, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            left, right = F.relu(self.first(x)).chunk(2, 1)
            return self.second(left) + self.second(right)

    (wiring,) = surveyed(Halves(), torch.randn(4, 6)).values()
    assert wiring.readers == ()
    assert wiring.elsewhere
    assert wiring.shared == ()


def test_a_computed_weight_is_no_parameter():
    model = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(6, 5)), nn.ReLU(), nn.Linear(5, 3)
    )
    (wiring,) = surveyed(model, torch.randn(4, 6)).values()
    assert wiring.maker is None


def test_a_layer_that_runs_twice_is_shared():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 6)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.relu(self.layer(F.relu(self.layer(x))))

    wirings = surveyed(Twice(), torch.randn(4, 6))
    assert all(w.shared == ("layer.bias", "layer.weight") for w in wirings.values())


def test_a_model_is_left_as_it_was():
    model = convolutions().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    surveyed(model, torch.randn(4, 2, 8, 8))
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
