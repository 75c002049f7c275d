"""`revive`: what it takes, what it refuses, and what it leaves as it was."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mended_models import DEAD, outputs, patient
from torch import nn
from torch.nn import functional

import hinge
from hinge.errors import DataError, HingeError, ModelError, OptionError, UnsupportedError
from hinge.remedies import Lift, Redraw, Split, revive
from hinge.remedies.reviving.case import Case
from hinge.tracing.wiring import Reader

X = torch.randn(30, 6, generator=torch.Generator().manual_seed(5))


def dead_mlp(units=(2,), activation=nn.ReLU) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = nn.Sequential(nn.Linear(6, 8), activation(), nn.Linear(8, 3))
    with torch.no_grad():
        model[0].bias[list(units)] = -30.0
    return model


def values(model: nn.Module) -> list[torch.Tensor]:
    return [t.clone() for t in model.state_dict().values()]


def refused(model, error, match, **options):
    """The error of `revive`, after which nothing has changed."""
    before = values(model)
    options = {"units": {"1": [2]}, "data": X} | options
    with pytest.raises(error, match=match) as caught:
        revive(model, **options)
    assert all(map(torch.equal, values(model), before))
    assert isinstance(caught.value, HingeError)
    assert all((caught.value.what, caught.value.where, caught.value.found, caught.value.do))
    return caught.value


def test_the_dead_units_of_a_census_are_taken():
    model = dead_mlp((2, 5))
    receipt = revive(model, hinge.observe(model, X), X)
    assert dict(receipt.units) == {"1": (2, 5)}
    assert receipt.n_units == 2
    assert (hinge.observe(model, X)["1"].fired == 6)[[2, 5]].all()  # 0.2 of 30


def test_nothing_dead_is_nothing_done():
    model = dead_mlp(())
    before = values(model)
    receipt = revive(model, hinge.observe(model, X), X)
    assert (receipt.units, receipt.moved, receipt.preserves) == ({}, 0.0, "everywhere")
    assert "nothing was changed" in str(receipt)
    receipt.undo()
    assert all(map(torch.equal, values(model), before))


def test_mode_gradients_and_random_states_stay():
    model = nn.Sequential(*dead_mlp(), nn.Dropout(0.5), nn.BatchNorm1d(3)).train()
    model[4].eval()
    model(X).sum().backward()
    gradients = [p.grad for p in model.parameters()]
    kept = [(g, g.clone()) for g in gradients]
    buffers = [b.clone() for b in model.buffers()]
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    revive(model, {"1": [2]}, X, by=Redraw())
    assert [m.training for m in model] == [True, True, True, True, False]
    assert all(
        p.grad is g and torch.equal(g, old)
        for p, (g, old) in zip(model.parameters(), kept, strict=True)
    )
    assert all(map(torch.equal, model.buffers(), buffers))
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[2])


def test_the_seed_decides_the_draw():
    drawn = []
    for seed in (1, 1, 2):
        model = dead_mlp()
        revive(model, {"1": [2]}, X, by=Redraw(seed=seed))
        drawn.append(model[0].weight[2].detach())
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("data", [
    X.numpy(),
    list(X.split(7)),
    [(x, torch.zeros(len(x))) for x in X.split(7)],
    torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X), batch_size=7, shuffle=True),
])  # fmt: skip
def test_data_of_any_kind_give_the_same(data):
    first, second = dead_mlp(), dead_mlp()
    revive(first, {"1": [2]}, X)
    revive(second, {"1": [2]}, data)
    torch.testing.assert_close(first[0].bias, second[0].bias)


def test_data_that_come_once_are_enough():
    model = dead_mlp()
    receipt = revive(model, {"1": [2]}, (x for x in X.split(7)), by=Lift(keep_outgoing=True))
    assert receipt.moved > 0
    assert hinge.observe(model, X)["1"].fired[2] == 6


def test_several_sites_are_mended_at_once():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = nn.Sequential(
            *(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
        )
    with torch.no_grad():
        model[0].bias[:3] = -30
        model[2].bias[4:] = -30
    before = model(X)
    for by in (Lift(), Redraw(), Split(noise=0)):
        receipt = revive(model, hinge.observe(model, X), X, by=by)
        assert dict(receipt.units) == {"1": (0, 1, 2), "3": (4, 5, 6, 7)}
        torch.testing.assert_close(model(X), before, atol=1e-5, rtol=1e-5)
        assert (hinge.observe(model, X)["1"].fired > 0).all()
        assert (hinge.observe(model, X)["3"].fired > 0).all()
        receipt.undo()


@pytest.mark.parametrize(
    "wrap", [nn.DataParallel, lambda model: torch.compile(model, backend="eager")]
)
def test_wrapped_models_are_mended(wrap):
    model = dead_mlp()
    revive(wrap(model), {"1": [2]}, X)
    assert hinge.observe(model, X)["1"].fired[2] == 6


def test_a_batch_norm_behind_the_site_is_seen():
    """A dead unit then still gives a constant, which the next bias takes over."""
    model = nn.Sequential(*dead_mlp()[:2], nn.BatchNorm1d(8), nn.Linear(8, 3)).eval()
    with torch.no_grad():
        model[2].running_mean.uniform_(0.5, 1)
    before = model(X)
    receipt = revive(model, {"1": [2]}, X)
    assert receipt.preserves == "data"
    torch.testing.assert_close(model(X), before)
    assert not model[3].weight[:, 2].any()
    receipt.undo()
    assert revive(model, {"1": [2]}, X, by=Split()).preserves == "no"  # another norm's entries


def test_a_dead_unit_with_a_constant_output_hands_it_over():
    model = dead_mlp(activation=nn.Hardtanh)  # -1 below its kink
    before = model(X)
    receipt = revive(model, {"1": [2]}, X)
    assert receipt.preserves == "data"
    torch.testing.assert_close(model(X), before)


def test_dormant_units_leave_the_mean_where_it_was():
    model = dead_mlp(())
    before = model(X)
    receipt = revive(model, {"1": [0, 3]}, X, by=Redraw(dormant=True))
    after = model(X)
    assert receipt.preserves == "no"
    assert receipt.moved > 1e-3
    torch.testing.assert_close(after.mean(0), before.mean(0))


def test_columns_that_another_site_reads_are_not_its_own():
    """As behind a concatenation of an input of two and a site of three, repeated over positions."""
    reader = Reader("w", 1, np.array([-1, -1, 0, 0, 1, 1, 2, 2]))
    case = Case("relu", SimpleNamespace(), (2, 1), SimpleNamespace(), ())
    assert case.columns(reader) == [6, 7, 4, 5]
    assert case.columns(reader, (0,)) == [2, 3]


class TopK(nn.Module):
    """A sparse autoencoder whose latents compete."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(6, 8), nn.Linear(8, 6)

    def forward(self, x):
        z = self.encoder(x)
        top = z.topk(2, dim=-1)
        return self.decoder(torch.zeros_like(z).scatter(-1, top.indices, top.values.relu()))


def test_units_that_compete_are_not_lifted():
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = TopK()
    with torch.no_grad():
        model.encoder.bias[2] = -30
    census = hinge.observe(model, X)
    (site,) = census
    if not census[site].traits.selects:
        pytest.skip("seen as the ReLU that it calls")
    error = refused(model, UnsupportedError, "cannot be lifted", units={site: [2]})
    assert "compete" in error.found


def test_parameters_that_are_packed_are_refused():
    class Packed(torch.Tensor):
        pass

    model = dead_mlp()
    model[0].bias = nn.Parameter(model[0].bias.detach().as_subclass(Packed))
    if type(model[0].bias) is nn.Parameter:
        model[0].bias.__class__ = Packed
    with pytest.raises(UnsupportedError, match="cannot be"):
        revive(model, {"1": [2]}, X)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x):
        return self.b(functional.relu(self.a(x)) + x)


def test_units_that_are_added_elsewhere_cannot_be_silenced():
    model = Residual()
    with torch.no_grad():
        model.a.bias[2] = -30
    error = refused(model, UnsupportedError, "cannot be silenced", units={"relu()": [2]})
    assert "add" in error.found
    assert revive(model, {"relu()": [2]}, X, by=Lift(keep_outgoing=True)).preserves == "no"


def test_columns_that_units_share_are_refused():
    model = nn.Sequential(nn.Conv2d(2, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 1, groups=3))
    with torch.no_grad():
        model[0].bias[2] = -30
    x = torch.randn(5, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    error = refused(model, UnsupportedError, "cannot be silenced", data=x)
    assert "grouped" in error.found


def test_a_layer_that_is_called_twice_is_refused():
    layer = nn.Linear(6, 6)
    model = nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(6, 2))
    with torch.no_grad():
        layer.bias[2] = -30
    for by in (Lift(), Redraw(), Split()):
        refused(model, UnsupportedError, "cannot be", by=by)


def test_tied_weights_are_not_split_or_silenced():
    case = patient("tied")
    for by in (Lift(), Split()):
        error = refused(
            case.model, UnsupportedError, "cannot be", units={case.site: DEAD}, data=case.x, by=by
        )
        assert "tied" in error.found


@pytest.mark.parametrize(("options", "error", "match"), [
    ({"units": {"nowhere": [0]}}, OptionError, "no such site"),
    ({"units": {"1": [8]}}, OptionError, "no such unit"),
    ({"units": {"1": [-1]}}, OptionError, "no such unit"),
    ({"units": {"1": [1.5]}}, OptionError, "names no units"),
    ({"units": {"1": [True]}}, OptionError, "names no units"),
    ({"units": {"1": "all"}}, OptionError, "names no units"),
    ({"units": [2]}, OptionError, "names no units"),
    ({"units": {"1": [2, 3]}}, OptionError, "fire need no revival"),
    ({"data": X[:0]}, DataError, "no example"),
    ({"data": X * math.nan}, DataError, "no example"),
    ({"data": X[:, :4]}, DataError, "cannot run on a batch"),
    ({"data": 3}, DataError, "nothing that can be read"),
    ({"optimizer": 3}, OptionError, "no optimizer"),
    ({"data": torch.ones(9, 6)}, OptionError, "constant"),
])  # fmt: skip
def test_bad_input_changes_nothing(options, error, match):
    refused(dead_mlp(), error, match, **options)


def test_an_optimizer_of_another_model_is_refused_before_anything_is_changed():
    other = torch.optim.Adam(dead_mlp().parameters())
    refused(dead_mlp(), OptionError, "does not hold", optimizer=other)


def test_smooth_activations_have_no_kink_to_lift_to():
    refused(dead_mlp(activation=nn.GELU), OptionError, "without a kink")


def test_a_layer_without_bias_is_redrawn_instead():
    model = nn.Sequential(nn.Linear(6, 4, bias=False), nn.ReLU(), nn.Linear(4, 2))
    x = X.abs()
    with torch.no_grad():
        model[0].weight[2] = -1
    error = refused(model, UnsupportedError, "cannot be lifted", data=x)
    assert "Redraw" in error.do
    before = model(x)
    revive(model, {"1": [2]}, x, by=Redraw())
    assert hinge.observe(model, x)["1"].fired[2] > 0
    assert torch.equal(model(x), before)


def test_only_torch_modules_are_mended():
    with pytest.raises(ModelError, match="only a torch module"):
        revive(hinge.read(dead_mlp(), example=X), {"1": [2]}, X)
    with pytest.raises(ModelError, match="only a torch module"):
        revive(lambda x: x, {"1": [2]}, X)


def test_a_conv_with_few_positions_keeps_its_function():
    case = patient("flattened")
    before = outputs(case)
    revive(case.model, hinge.observe(case.model, case.x), case.x)
    assert torch.equal(outputs(case), before)
    columns = case.model[4].weight.detach().unflatten(1, (6, 4))[:, list(DEAD)]
    assert not columns.any()
