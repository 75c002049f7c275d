"""`hinge activations`: the list, a card, a comparison, their files, and mistakes."""

from __future__ import annotations

import json
import re
import shlex
import xml.etree.ElementTree as ET

import pytest
from cli_cases import assert_mistake

from hinge.activations import all_activations, all_kin
from hinge.cli import activations
from hinge.measuring import Comparison

EVERY = (*all_activations(), *all_kin())


@pytest.mark.parametrize("width", [80, 100])
def test_the_list_has_a_row_for_every_record_and_fits(folder, run, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run("activations").stdout.splitlines()
    for record in EVERY:
        assert any(re.match(rf"{record.name}\s", line) for line in lines), record.name
    assert max(len(line.rstrip()) for line in lines) <= width


def test_the_list_as_json(folder, run):
    assert run("activations", "--quiet", "--json", "all.json").stdout == ""
    values = json.loads((folder / "all.json").read_text())
    assert values["schema"] == "hinge/activations"
    listed = [one["name"] for family in values["families"].values() for one in family]
    assert listed == [record.name for record in EVERY]


@pytest.mark.parametrize("spelling", ["ReLU6", "relu6", "RELU_6"])
def test_a_card_in_any_spelling(folder, run, spelling):
    said = run("activations", spelling).stdout
    for fact in ("[0, 6]", "0, 6", "f′(x)", "Kaiming gain", "torch", "JAX", "Keras", "nn.ReLU6"):
        assert fact in said


def test_every_card_can_be_shown_and_written(folder, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    for record in all_activations():
        files = ("--html", "card.html", "--svg", "card.svg", "--json", "card.json")
        result = run("activations", record.name, *files)
        assert result.exit_code == 0, result.stderr
        assert record.title in result.stdout
        assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= 60
        assert json.loads((folder / "card.json").read_text())["name"] == record.name
        ET.fromstring((folder / "card.svg").read_text())  # noqa: S314 - our own file
        assert "<svg" in (folder / "card.html").read_text()


@pytest.mark.parametrize("record", all_kin(), ids=lambda record: record.name)
def test_every_card_of_a_function_of_several_numbers(folder, run, monkeypatch, record):
    monkeypatch.setenv("COLUMNS", "60")
    result = run("activations", record.title, "--html", "card.html", "--json", "card.json")
    assert result.exit_code == 0, result.stderr
    assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= 60
    assert json.loads((folder / "card.json").read_text())["name"] == record.name


def test_a_comparison_with_its_files(folder, run):
    result = run("activations", "--compare", "relu", "gelu", "--size", "1e3", "--json", "out.json")
    assert result.exit_code == 0, result.stderr
    found = Comparison.from_json(folder / "out.json")
    assert [row.name for row in found.rows] == ["relu", "gelu"]
    assert (found.size, found.threads, found.complete) == (1000, 1, True)
    assert "both ways" in result.stdout
    assert "Measuring" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rellu"], ["no such activation", "relu"]),
        (["--compare", "relu", "nonsense"], ["no such activation", "nonsense"]),
        (["--compare", "relu", "ReLU"], ["twice", "relu"]),
        (["relu", "gelu"], ["one activation", "--compare"]),
        (["--compare", "relu", "--size", "many"], ["--size", "'many'"]),
        (["--compare", "relu", "--size", "0"], ["size", "0"]),
        (["--compare", "relu", "--size", "inf"], ["size", "inf"]),
        (["--compare", "relu", "--size", "1e30"], ["size"]),
        (["--compare", "relu", "--dtype", "int8"], ["dtype", "int8", "bfloat16"]),
        (["--compare", "relu", "--threads", "0"], ["threads", "0"]),
        (["--svg", "out.svg"], ["--svg", "no name"]),
        (["swiglu", "--svg", "out.svg"], ["no graph", "swiglu"]),
        (["--compare", "topk"], ["topk", "needs k"]),
        (["relu", "--svg", "."], ["--svg", "a folder"]),
        (["relu", "--svg", "missing/out.svg"], ["--svg", "does not exist"]),
        (["--compare", "relu", "--svg", "out.svg"], ["--svg", "--compare"]),
        (["relu", "--svg", "out", "--html", "out"], ["--svg", "the output of --html"]),
        (["relu", "--size", "10"], ["--size", "--compare"]),
    ],
    ids=" ".join,
)
def test_mistakes_are_one_paragraph(folder, run, arguments, words):
    assert_mistake(run("activations", *arguments), *words)
    assert not list(folder.iterdir())


def test_limits_belong_to_other_verbs(folder, run):
    assert run("activations", "--fail-on", "dead=5%").exit_code == 2


@pytest.mark.parametrize("example", activations.EXAMPLES)
def test_examples_work(folder, run, example):
    program, *arguments = shlex.split(example)
    assert program == "hinge"
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    assert result.stdout


def test_ctrl_c_keeps_what_is_measured(folder, run, monkeypatch):
    def interrupted(make, gain):
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(gain)
        return 1.0

    done: list[float] = []
    monkeypatch.setattr("hinge.measuring.compare.surviving_gradient", interrupted)
    result = run("activations", "--compare", "relu", "tanh", "--json", "out.json")
    assert result.exit_code == 130
    assert "Interrupted" in result.stderr
    found = Comparison.from_json(folder / "out.json")
    assert [row.name for row in found.rows] == ["relu"]
    assert not found.complete


def test_ctrl_c_before_all_else(folder, run, monkeypatch):
    def interrupted(make, gain):
        raise KeyboardInterrupt

    monkeypatch.setattr("hinge.measuring.compare.surviving_gradient", interrupted)
    result = run("activations", "--compare", "relu")
    assert result.exit_code == 130
    assert result.stdout == ""
    assert "before there was anything to report" in result.stderr
