"""Where units lie in ordinary layouts: in each, chosen units are dead by construction."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hinge

DEAD = {1, 4}
WIDTH, INPUTS, EXAMPLES = 6, 5, 40


def killed(layer: nn.Module) -> nn.Module:
    """The layer with the units of `DEAD` unable to fire."""
    with torch.no_grad():
        layer.bias[sorted(DEAD)] = -1000.0
    return layer


class Model(nn.Module):
    """One layer with dead units, and a way to go from it to the output."""

    def __init__(self, layer, way):
        super().__init__()
        self.layer = killed(layer)
        self.way = way

    def forward(self, x):
        return self.way(self.layer, x)


def dead(observed) -> set[int]:
    return set(np.flatnonzero(observed.verdicts() == "dead").tolist())


def only(census):
    """The one site of a census."""
    assert len(census) == 1
    return next(iter(census.values()))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def linear(way):
    return Model(nn.Linear(INPUTS, WIDTH), way)


def dense_pre_activations(model, x):
    with torch.no_grad():
        return model.layer(x)


SPELLINGS = {
    "F.relu": F.relu,
    "torch.relu": torch.relu,
    "Tensor.relu": lambda z: z.relu(),
    "Tensor.relu_": lambda z: z.relu_(),
    "F.relu inplace": lambda z: F.relu(z, inplace=True),
    "clamp(min=0)": lambda z: z.clamp(min=0),
    "clamp_(min=0)": lambda z: z.clamp_(min=0),
    "clamp_min": lambda z: torch.clamp_min(z, 0),
    "threshold": lambda z: F.threshold(z, 0, 0),
    "maximum with zeros": lambda z: torch.maximum(z, torch.zeros_like(z)),
    "maximum with a zero": lambda z: torch.maximum(z, torch.zeros(())),
    "maximum of zero and it": lambda z: torch.maximum(torch.zeros(()), z),
    "max with zeros": lambda z: torch.max(z, torch.zeros_like(z)),
    "product with a mask": lambda z: z * (z > 0),
    "mask first": lambda z: (z > 0) * z,
    "product with a float mask": lambda z: z * (z > 0).to(z.dtype),
    "where": lambda z: torch.where(z > 0, z, torch.zeros_like(z)),
    "where with a number": lambda z: torch.where(z > 0, z, 0.0),
}


@pytest.mark.parametrize("relu", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_every_spelling_of_relu_is_seen(relu):
    model, x = linear(lambda layer, x: relu(layer(x)).sum(1)), torch.randn(EXAMPLES, INPUTS)
    observed = only(hinge.observe(model, x))
    assert observed.site.activation == "relu"
    assert dead(observed) == DEAD
    assert np.array_equal(observed.fired, (dense_pre_activations(model, x) > 0).sum(0).numpy())


@pytest.mark.parametrize(
    "z", [lambda z: z.clamp(0, 1), lambda z: z.clamp(min=0.1), lambda z: z * (z > -1)]
)
def test_what_is_no_known_activation_is_no_site(z):
    model = linear(lambda layer, x: F.relu(z(layer(x))))
    assert only(hinge.observe(model, torch.randn(EXAMPLES, INPUTS))).site.name == "relu()"


@pytest.mark.parametrize(
    ("gate", "activation"),
    [(F.relu, "relu"), (F.silu, "silu"), (F.gelu, "gelu"), (torch.sigmoid, "sigmoid")],
)
def test_gated_products(gate, activation):
    """The gate is the site, half as wide as the layer."""

    def way(layer, x):
        a, b = layer(x).chunk(2, dim=-1)
        return gate(a) * b

    model, x = linear(way), torch.randn(EXAMPLES, 7, INPUTS)
    observed = only(hinge.observe(model, x))
    z = dense_pre_activations(model, x)[..., : WIDTH // 2]
    assert (observed.site.activation, observed.site.n_units) == (activation, WIDTH // 2)
    np.testing.assert_allclose(observed.max, z.amax((0, 1)).numpy(), rtol=1e-6)
    if activation == "relu":
        assert dead(observed) == {1}
        assert np.array_equal(observed.fired, (z > 0).any(1).sum(0).numpy())


def test_glu_takes_its_second_half_as_gate():
    model, x = linear(lambda layer, x: F.glu(layer(x))), torch.randn(EXAMPLES, INPUTS)
    observed = only(hinge.observe(model, x))
    z = dense_pre_activations(model, x)[:, WIDTH // 2 :]
    assert observed.site.n_units == WIDTH // 2
    np.testing.assert_allclose(observed.max, z.amax(0).numpy(), rtol=1e-6)
    assert observed.verdicts()[1] == "saturated"  # unit 4 of the layer: always at -1000


def images(way, layer=nn.Conv2d):
    return Model(layer(3, WIDTH, 3, padding=1), way)


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("channels_last", [False, True])
def test_images_in_both_memory_formats(inplace, channels_last):
    model = images(lambda layer, x: F.relu(layer(x), inplace=inplace).mean((2, 3)))
    x = torch.randn(EXAMPLES, 3, 8, 7)
    if channels_last:
        model, x = (
            model.to(memory_format=torch.channels_last),
            x.to(memory_format=torch.channels_last),
        )
    observed = only(hinge.observe(model, x))
    z = dense_pre_activations(model, x)
    assert dead(observed) == DEAD
    assert np.array_equal(observed.fired, (z > 0).any(3).any(2).sum(0).numpy())
    assert np.array_equal(observed.always, (z > 0).all(3).all(2).sum(0).numpy())
    assert np.array_equal(observed.zeros, (z <= 0).sum((0, 2, 3)).numpy())
    assert (observed.values == EXAMPLES * 8 * 7).all()


@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.Conv1d, (9,)), (nn.Conv3d, (4, 3, 5)), (nn.ConvTranspose2d, (4, 4))]
)
def test_other_convolutions(layer, shape):
    model = images(lambda layer, x: F.relu(layer(x)), layer)
    observed = only(hinge.observe(model, torch.randn(EXAMPLES, 3, *shape)))
    assert dead(observed) == DEAD
    assert (observed.seen == EXAMPLES).all()


def test_channels_are_followed_through_flatten():
    """After flattening, a channel is spread over many columns; it stays one unit."""
    model = images(lambda layer, x: F.relu(layer(x).flatten(1)))
    x = torch.randn(EXAMPLES, 3, 5, 4)
    observed = only(hinge.observe(model, x))
    z = dense_pre_activations(model, x)
    assert observed.site.n_units == WIDTH
    assert dead(observed) == DEAD
    assert np.array_equal(observed.fired, (z > 0).any(3).any(2).sum(0).numpy())


def test_features_last_in_images():
    """(B, H, W, C), as in ConvNeXt: a linear layer tells that features are last."""

    def way(layer, x):
        return F.relu(layer(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)

    observed = only(hinge.observe(linear(way), torch.randn(EXAMPLES, INPUTS, 4, WIDTH)))
    assert (observed.site.n_units, dead(observed)) == (WIDTH, DEAD)
    assert (observed.seen == EXAMPLES).all()


def test_time_first_inside_the_model():
    """(B, T, C) outside, (T, B, C) inside: examples and units are followed."""

    def way(layer, x):
        return F.relu(layer(x.transpose(0, 1))).mean(0)

    model, x = linear(way), torch.randn(EXAMPLES, 9, INPUTS)
    observed = only(hinge.observe(model, x))
    z = dense_pre_activations(model, x)
    assert dead(observed) == DEAD
    assert np.array_equal(observed.fired, (z > 0).any(1).sum(0).numpy())


def test_time_first_outside_the_model():
    model, x = linear(lambda layer, x: F.relu(layer(x))), torch.randn(9, EXAMPLES, INPUTS)
    observed = only(hinge.observe(model, x, batch_axis=1, batch_size=16))
    z = dense_pre_activations(model, x)
    assert dead(observed) == DEAD
    assert (observed.seen == EXAMPLES).all()
    assert np.array_equal(observed.fired, (z > 0).any(0).sum(0).numpy())


def test_tokens_folded_into_the_batch():
    """(B, T, C) flattened to (B * T, C): what counts are still the B examples."""
    model = linear(lambda layer, x: F.relu(layer(x.reshape(-1, INPUTS))))
    x = torch.randn(EXAMPLES, 9, INPUTS)
    observed = only(hinge.observe(model, x))
    z = dense_pre_activations(model, x)
    assert (observed.seen == EXAMPLES).all()
    assert np.array_equal(observed.fired, (z > 0).any(1).sum(0).numpy())


def test_weight_on_the_left():
    """``W @ x`` with an example per column: the units are the rows."""

    class Columns(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(WIDTH, INPUTS))
            self.bias = nn.Parameter(torch.zeros(WIDTH, 1))

        def forward(self, x):
            return torch.relu(self.weight @ x.T + self.bias).T

    model, x = Columns(), torch.randn(EXAMPLES, INPUTS)
    with torch.no_grad():
        model.bias[sorted(DEAD)] = -1000.0
        z = (model.weight @ x.T + model.bias).T
    observed = only(hinge.observe(model, x))
    assert dead(observed) == DEAD
    assert np.array_equal(observed.fired, (z > 0).sum(0).numpy())


def test_a_function_whose_weights_belong_to_no_module():
    weight, bias = torch.randn(WIDTH, INPUTS), torch.zeros(WIDTH, 1)
    bias[sorted(DEAD)] = -1000.0
    x = torch.randn(EXAMPLES, INPUTS)
    observed = only(hinge.observe(lambda x: torch.relu(weight @ x.T + bias).T, x))
    assert (observed.site.n_units, dead(observed)) == (WIDTH, DEAD)
    assert (observed.seen == EXAMPLES).all()


def test_a_vector_of_weights_makes_one_unit():
    class Score(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(INPUTS))

        def forward(self, x):
            return torch.relu(x @ self.weight)

    model, x = Score(), torch.randn(EXAMPLES, INPUTS)
    observed = only(hinge.observe(model, x))
    assert observed.site.n_units == 1
    assert observed.seen.tolist() == [EXAMPLES]
    assert observed.fired.tolist() == [int((x @ model.weight > 0).sum())]


def test_weights_in_an_einsum():
    def way(layer, x):
        return torch.relu(torch.einsum("btc,dc->btd", x, layer.weight) + layer.bias)

    observed = only(hinge.observe(linear(way), torch.randn(EXAMPLES, 4, INPUTS)))
    assert (dead(observed), observed.site.n_units) == (DEAD, WIDTH)


def test_a_part_of_a_tensor_in_place():
    def way(layer, x):
        z = layer(x)
        z[:, :3].relu_()
        return z

    observed = only(hinge.observe(linear(way), torch.randn(EXAMPLES, INPUTS)))
    assert (observed.site.n_units, dead(observed)) == (3, {1})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_precisions_count_exactly(dtype):
    """Counts beyond 2048 would be lost if they were added in half precision."""
    model = linear(lambda layer, x: F.relu(layer(x))).to(dtype)
    x = torch.randn(9, 1000, INPUTS).to(dtype)
    observed = only(hinge.observe(model, x))
    z = dense_pre_activations(model, x)
    assert dead(observed) == DEAD
    assert np.array_equal(observed.zeros, (z <= 0).sum((0, 1)).numpy())
    assert np.array_equal(observed.max, z.double().amax((0, 1)).numpy())


def test_tuples_and_dicts():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = killed(nn.Linear(INPUTS, WIDTH))

        def forward(self, first, second, scale=1.0):
            h = F.relu(self.layer(first + second))
            return {"features": h, "more": (h.sum(1), [h * scale])}

    model = Two()
    first, second = torch.randn(EXAMPLES, INPUTS), torch.randn(EXAMPLES, INPUTS)
    labels = torch.zeros(EXAMPLES)
    by_name = hinge.observe(model, {"second": second, "first": first})
    in_order = hinge.observe(model, [(first, second, labels)])
    by_hand = hinge.observe(
        model, [{"a": first, "b": second}], forward=lambda model, x: model(x["a"], x["b"])
    )
    for census in (by_name, in_order, by_hand):
        assert dead(only(census)) == DEAD
        assert np.array_equal(only(census).fired, only(by_name).fired)
    assert by_name.seen == EXAMPLES


def test_labels_beside_the_inputs_are_left_out():
    model = linear(lambda layer, x: F.relu(layer(x)))
    pairs = [(torch.randn(8, INPUTS), torch.full((8,), float("nan"))) for _ in range(5)]
    census = hinge.observe(model, pairs)
    assert (census.seen, census.skipped) == (40, 0)


def test_already_compiled_models():
    model = linear(lambda layer, x: F.relu(layer(x)).sum(1))
    x = torch.randn(EXAMPLES, INPUTS)
    expected = only(hinge.observe(model, x))
    compiled = torch.compile(model, backend="eager")
    compiled(x)
    observed = only(hinge.observe(compiled, x))
    assert observed.site == expected.site
    assert np.array_equal(observed.fired, expected.fired)
    inside = nn.Sequential(compiled, nn.Flatten(0))
    assert dead(only(hinge.observe(inside, x))) == DEAD
    model.compile(backend="eager")
    model(x)
    assert dead(only(hinge.observe(model, x))) == DEAD


def test_exported_programs():
    model = nn.Sequential(killed(nn.Linear(INPUTS, WIDTH)), nn.ReLU())
    x = torch.randn(EXAMPLES, INPUTS)
    program = torch.export.export(model, (x,)).module()
    assert dead(only(hinge.observe(program, x))) == DEAD


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_traced_models():
    model = nn.Sequential(killed(nn.Linear(INPUTS, WIDTH)), nn.ReLU())
    x = torch.randn(EXAMPLES, INPUTS)
    assert dead(only(hinge.observe(torch.jit.trace(model, x), x))) == DEAD


def test_transformer_encoder_layer():
    """Its fused path would hide the activation of its feed-forward block."""
    layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=WIDTH, batch_first=True).eval()
    killed(layer.linear1)
    observed = only(hinge.observe(layer, torch.randn(EXAMPLES, 7, 8)))
    assert (observed.site.n_units, dead(observed)) == (WIDTH, DEAD)
    assert (observed.seen == EXAMPLES).all()


def test_time_steps_of_a_recurrent_layer_are_one_site():
    rnn = nn.RNN(INPUTS, WIDTH, num_layers=2, nonlinearity="relu", batch_first=True)
    with torch.no_grad():
        rnn.bias_ih_l0[sorted(DEAD)] = -1000.0
    census = hinge.observe(rnn, torch.randn(EXAMPLES, 11, INPUTS))
    assert [site.name for site in census.sites] == ["relu()", "relu()#2"]
    assert dead(census["relu()"]) == DEAD


def test_one_value_per_example():
    """A single unit, and a 0-dimensional pre-activation."""
    model = nn.Sequential(nn.Linear(INPUTS, 1), nn.ReLU())
    observed = only(hinge.observe(model, torch.randn(EXAMPLES, INPUTS)))
    assert observed.site.n_units == 1
    scalar = only(hinge.observe(lambda x: torch.relu(x.sum()), [torch.ones(3)]))
    assert scalar.site.n_units == 1
    assert scalar.fired.tolist() == [1]


def test_activations_of_parameters_are_no_units():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(INPUTS, WIDTH)
            self.raw = nn.Parameter(torch.zeros(WIDTH))

        def forward(self, x):
            return F.relu(self.layer(x)) * torch.sigmoid(self.raw * 2)

    census = hinge.observe(Scaled(), torch.randn(EXAMPLES, INPUTS))
    assert [site.name for site in census.sites] == ["relu()"]
