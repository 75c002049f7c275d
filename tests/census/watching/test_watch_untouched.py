"""Training gives the same numbers, bit for bit, with and without a watch."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import hinge

sys.path.insert(0, str(Path(__file__).parent))
from watch_models import MODELS, SHAPES, Cnn, Mlp, batches, built, numbers, same, seed, sgd, train

assert callable(hinge.watch)  # loaded here: what torch imports may draw random numbers

OPTIMIZERS = {
    "sgd": lambda model: sgd(model, 0.05, momentum=0.9, weight_decay=1e-3),
    "adamw": lambda model: torch.optim.AdamW(model.parameters(), lr=1e-2),
}


def trained(kind, every, optimizer="sgd", change=lambda model: model, data=None):
    """The numbers after a training that is watched, unless ``every`` is None."""
    model = change(built(kind))
    optimizer = OPTIMIZERS[optimizer](model)
    data = data or batches(SHAPES[kind], 12, last=7)
    seed(1)
    if every is None:
        train(model, optimizer, data)
    else:
        with hinge.watch(model, optimizer, every=every) as watch:
            train(model, optimizer, data)
        assert watch.step == len(data)
        assert watch.census.seen == sum(len(x) for x, _ in data)
        assert all(observed.seen.min() > 0 for observed in watch.census.values())
        assert not watch.notes
    return numbers(model, optimizer)


@pytest.mark.parametrize("every", [1, 5, 16])
@pytest.mark.parametrize("kind", MODELS)
def test_of_every_kind_of_model(kind, every):
    assert same(trained(kind, None), trained(kind, every))


@pytest.mark.parametrize("kind", MODELS)
def test_with_adamw(kind):
    assert same(trained(kind, None, "adamw"), trained(kind, 5, "adamw"))


def test_the_comparison_can_fail():
    one = trained(Mlp, None)
    assert not same(one, trained(Mlp, None, data=batches(SHAPES[Mlp], 12, last=8)))


@pytest.mark.parametrize("every", [1, 5])
def test_channels_last(every):
    data = [(x.to(memory_format=torch.channels_last), y) for x, y in batches(SHAPES[Cnn], 8)]

    def change(model):
        return model.to(memory_format=torch.channels_last)

    assert same(
        trained(Cnn, None, change=change, data=data), trained(Cnn, every, change=change, data=data)
    )


@pytest.mark.parametrize("every", [1, 5])
def test_a_model_in_bfloat16(every):
    data = [(x.bfloat16(), y) for x, y in batches(SHAPES[Mlp], 8)]

    def change(model):
        return model.bfloat16()

    assert same(
        trained(Mlp, None, change=change, data=data), trained(Mlp, every, change=change, data=data)
    )


@pytest.mark.parametrize("every", [1, 5])
def test_numbers_that_are_not_finite(every):
    data = batches(SHAPES[Mlp], 8)
    data[3][0][2, 1] = torch.inf
    assert same(trained(Mlp, None, data=data), trained(Mlp, every, data=data))


def test_without_an_optimizer():
    def run(*, watched):
        model = built(Mlp)
        optimizer = sgd(model)
        watch = hinge.watch(model, every=3)
        if watched:
            watch.start()
        train(model, optimizer, batches(SHAPES[Mlp]))
        watch.stop()
        assert watch.step == (10 if watched else 0)
        return numbers(model, optimizer)

    assert same(run(watched=False), run(watched=True))


def test_the_output_is_what_the_model_gave():
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU())
    x = torch.randn(3, 5)
    expected = model(x)
    with hinge.watch(model, every=2):
        for _ in range(5):
            assert torch.equal(model(x), expected)
