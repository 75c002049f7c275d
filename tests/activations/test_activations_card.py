"""Cards: nothing that a record says is left out, and conventions are the libraries' own."""

from __future__ import annotations

import json
from functools import partial
from importlib import import_module

import jax
import pytest
import torch

from hinge.activations import all_activations, all_kin, find
from hinge.activations.card import Card, allowed, conventions
from hinge.activations.families import families
from hinge.activations.joint_card import JointCard
from hinge.activations.parameter import Parameter
from hinge.activations.words import defaults
from hinge.report import to_html, to_text

KINKED = [record for record in all_activations() if record.kinks()]


@pytest.mark.parametrize("record", all_activations(), ids=lambda record: record.name)
def test_a_card_holds_all_that_the_record_says(record):
    said = " ".join(to_text(Card(record).page(), 4000).split())
    told = [record.title, record.formula, *record.source.split("; ")]
    told += [*record.advantages, *record.drawbacks, record.use]
    told += [record.names.torch_module, record.names.jax, record.names.keras]
    told += [parameter.name for parameter in record.parameters]
    for fact in told:
        assert fact in said
    values = json.loads(Card(record).to_json())
    assert values["formula"] == record.formula
    assert values["gain"] == record.gain
    assert [kink["at"] for kink in values["kinks"]] == list(record.kinks())


@pytest.mark.parametrize("record", all_kin(), ids=lambda record: record.name)
def test_a_card_of_several_numbers_holds_all_that_the_record_says(record):
    said = " ".join(to_text(JointCard(record).page(), 4000).split())
    told = [record.title, record.formula, record.partial_formula, record.convention, record.use]
    for fact in (*told, *record.advantages, *record.drawbacks):
        assert fact in said
    assert json.loads(JointCard(record).to_json())["degree"] == record.degree
    assert record.title in to_html(JointCard(record).page())


@pytest.mark.parametrize("record", KINKED, ids=lambda record: record.name)
def test_what_torch_is_said_to_choose_is_what_it_chooses(record):
    if not record.names.torch_function:
        pytest.skip("torch has no such function")
    home, _, name = record.names.torch_function.rpartition(".")
    arguments = record.arguments("torch", defaults(record))
    if "weight" in arguments:
        arguments["weight"] = torch.tensor([arguments["weight"]], dtype=torch.float64)
    for at in record.kinks():
        x = torch.tensor([[at]], dtype=torch.float64, requires_grad=True)
        getattr(import_module(home), name)(x, **arguments).sum().backward()
        assert x.grad.item() == pytest.approx(conventions(record, at)["torch"], rel=1e-12)


@pytest.mark.parametrize("record", KINKED, ids=lambda record: record.name)
def test_what_jax_is_said_to_choose_is_what_it_chooses(record):
    if not record.names.jax:
        pytest.skip("JAX has no such function")
    home, _, name = record.names.jax.rpartition(".")
    arguments = record.arguments("jax", defaults(record))
    slope = jax.grad(partial(getattr(import_module(home), name), **arguments))
    for at in record.kinks():
        assert float(slope(at)) == pytest.approx(conventions(record, at)["jax"], rel=1e-6)


def test_a_record_shows_its_card():
    assert "Kaiming gain" in str(find("relu").card())
    assert "<svg" in find("relu").card()._repr_html_()
    assert "silu′(a)·b" in str(find("swiglu").card())


def test_conventions_that_differ_between_libraries():
    assert conventions(find("hardtanh"), 1.0) == {"torch": 0, "jax": 1, "keras": 1}
    assert conventions(find("leaky_relu"), 0.0) == {"torch": 0.01, "jax": 1, "keras": 1}


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({}, "any number"),
        ({"low": 0.0}, "0 or more"),
        ({"low": 0.0, "low_included": False}, "above 0"),
        ({"low": 0.0, "high": 1.0}, "0 to 1"),
        ({"high": -1.0}, "−1 or less"),
    ],
)
def test_allowed_values_in_words(limits, text):
    assert allowed(Parameter("p", default=0.5, **limits)) == text


def test_the_families_hold_every_record_once():
    listed = [record for records in families().values() for record in records]
    assert listed == list(all_activations())
