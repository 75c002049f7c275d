"""Dead latents by tokens: the field's rule, its honest limit, and the same over several ranks."""

import numpy as np
import pytest
import torch
from torch import nn

import hinge
import hinge.nn as hnn
from hinge.census.latents import AFTER, Latents, dead_latents, gather
from hinge.errors import DataError, OptionError

TOKENS = 5  # to each example
WIDTH = 4


@pytest.fixture(params=["relu", "jump_relu", "topk"])
def model(request):
    """Unit 0 never fires, unit 1 on the first example alone, units 2 and 3 always."""
    act = {"relu": nn.ReLU(), "jump_relu": hnn.JumpReLU(), "topk": hnn.TopK(3)}[request.param]
    layer = nn.Linear(1, WIDTH)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0], [1.0], [0.0], [0.0]]))
        layer.bias.copy_(torch.tensor([-9.0, -1.0, 1.0, 2.0]))
    return nn.Sequential(layer, act)


def data(n):
    x = torch.zeros(n, TOKENS, 1)
    x[0, 2] = 7.0
    return x


def only(found):
    (one,) = found.values()
    return one


def test_a_latent_silent_on_enough_tokens_is_dead(model):
    census = hinge.observe(model, data(20))
    found = only(dead_latents(census, after=100))
    assert found.tokens.tolist() == [100] * WIDTH
    assert found.dead.tolist() == [True, False, False, False]
    assert not found.undecided.any()


def test_on_fewer_tokens_it_is_undecided(model):
    found = only(dead_latents(hinge.observe(model, data(20)), after=101))
    assert not found.dead.any()
    assert found.undecided.tolist() == [True, False, False, False]
    assert (1 - found.bound[0]) ** 100 == pytest.approx(0.05)
    assert found.bound[0] == pytest.approx(3 / 100, rel=0.03)
    assert np.isnan(found.bound[1:]).all()
    assert "1 undecided" in str(found)
    assert "all 100 tokens" in str(found)


def test_the_rule_of_the_field_is_the_default(model):
    assert AFTER == 10**7
    assert only(dead_latents(hinge.observe(model, data(3)))).after == 10**7


def test_two_ranks_together_decide_as_one_process_would(model):
    """Neither rank has seen enough; both have, and the threshold does not grow with them."""
    x = data(20)
    ranks = [hinge.observe(model, part) for part in x.split(10)]
    for rank in ranks:
        assert not only(dead_latents(rank, after=100)).dead.any()
    merged = only(dead_latents(ranks[0].merge(ranks[1]), after=100))
    whole = only(dead_latents(hinge.observe(model, x), after=100))
    for one in (merged, whole):
        assert one.dead.tolist() == [True, False, False, False]
    np.testing.assert_array_equal(merged.silent, whole.silent)
    np.testing.assert_array_equal(merged.tokens, whole.tokens)


def test_a_window_forgets_what_fired_before_it():
    census = hinge.observe(nn.Sequential(nn.Linear(1, 2), nn.ReLU()), data(20))
    observed = only(census)
    name = observed.site.name
    found = dead_latents(census, after=50, silent={name: np.array([10, 9])})[name]
    assert found.silent.tolist() == [50, 45]
    assert found.dead.tolist() == [True, False]
    assert not found.undecided.any()  # both are known to have fired
    one = dead_latents(observed, after=50, silent=np.array([20, 9]))
    assert one.dead.tolist() == [True, False]


def simulated(ranks, steps, seed):
    """Which of 40 units fire on which of 3 tokens per rank and step: rare ones, and a dead one."""
    rates = np.append(np.geomspace(1e-4, 0.1, 39), 0.0)
    return np.random.default_rng(seed).random((steps, ranks, 3, 40)) < rates


def since(fired):
    """Tokens of whole steps after the last one that fired, of shape (steps, tokens, units)."""
    steps, tokens, _ = fired.shape
    any_token = fired.any(1)
    last = np.where(any_token.any(0), steps - 1 - any_token[::-1].argmax(0), -1)
    return (steps - 1 - last) * tokens


@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_gathered_counts_are_those_of_one_process(ranks):
    steps = 200
    fired = simulated(ranks, steps, seed=ranks)
    own = np.stack([since(fired[:, rank]) for rank in range(ranks)])
    silent, tokens = gather(own, np.full(own.shape, 3 * steps))
    np.testing.assert_array_equal(silent, since(fired.reshape(steps, -1, 40)))
    assert (tokens == 3 * steps * ranks).all()
    found = Latents("sae", tokens, silent, after=int(silent.max()))
    assert found.dead[-1]


def test_unequal_shares_count_in_proportion():
    silent, tokens = gather([[90, 300], [40, 100]], [[300, 300], [100, 100]])
    assert tokens.tolist() == [400, 400]
    assert silent.tolist() == [120, 400]  # since the last 30 % of the way; never fired


@pytest.mark.parametrize("after", [0, -1, 1.5, True, None])
def test_a_threshold_must_be_a_positive_count(after):
    with pytest.raises(OptionError, match="tokens"):
        dead_latents({}, after=after)


@pytest.mark.parametrize("silent", [[1], [21, 0], [-1, 0], [0.5, 0.5]])
def test_a_silence_must_fit(silent):
    observed = only(hinge.observe(nn.Sequential(nn.Linear(1, 2), nn.ReLU()), data(20)))
    with pytest.raises(DataError):
        dead_latents(observed, silent=silent)


def test_a_silence_must_say_its_site():
    census = hinge.observe(nn.Sequential(nn.Linear(1, 2), nn.ReLU()), data(2))
    with pytest.raises(DataError, match="site"):
        dead_latents(census, silent=[1, 1])


@pytest.mark.parametrize(
    ("silent", "tokens"), [([1, 2], [1, 2]), ([[2]], [[1]]), ([[1, 2]], [[3]]), ([[-1]], [[1]])]
)
def test_counts_of_ranks_must_fit(silent, tokens):
    with pytest.raises(DataError):
        gather(silent, tokens)


def test_a_smooth_activation_has_no_dead_latents():
    census = hinge.observe(nn.Sequential(nn.Linear(1, 2), nn.GELU()), data(2))
    assert dead_latents(census) == {}
    with pytest.raises(OptionError, match="kink"):
        dead_latents(only(census))
