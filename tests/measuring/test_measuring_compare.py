"""The comparison: its figures against closed forms, its manners, its mistakes."""

from __future__ import annotations

import json
from math import pi

import mpmath
import pytest
import torch

from hinge.activations import all_activations, find
from hinge.errors import FileError, OptionError
from hinge.measuring import DEFAULT, Comparison, compare_activations
from hinge.measuring.compare import ROUNDS
from hinge.measuring.subject import module_of, share_of_zeros
from hinge.report import to_text


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare_activations("relu", "Leaky ReLU", find("tanh"), "sigmoid", size=5000)


def test_one_row_per_activation_in_the_order_asked_for(found):
    assert [row.name for row in found.rows] == ["relu", "leaky_relu", "tanh", "sigmoid"]
    assert found.complete
    assert found["relu"].measured.endswith("ReLU")
    assert 5 <= found.rounds <= ROUNDS


def test_the_moments_are_the_closed_forms(found):
    relu, leaky = found["relu"], found["leaky_relu"]
    assert relu.zeros == pytest.approx(0.5, abs=1e-15)
    assert relu.mean == pytest.approx((2 * pi) ** -0.5, rel=1e-11)
    assert relu.variance == pytest.approx(0.5 - 1 / (2 * pi), rel=1e-11)
    assert leaky.mean == pytest.approx(0.99 * (2 * pi) ** -0.5, rel=1e-11)
    assert leaky.zeros == 0
    assert found["tanh"].mean == 0
    assert found["sigmoid"].mean == pytest.approx(0.5, rel=1e-12)


def test_a_smooth_function_s_variance_is_right_to_ten_digits(found):
    with mpmath.workdps(20):
        square = mpmath.quad(
            lambda z: mpmath.tanh(z) ** 2 * mpmath.npdf(z), mpmath.linspace(-12, 12, 13)
        )
    assert found["tanh"].variance == pytest.approx(float(square), rel=1e-10)


@pytest.mark.parametrize(
    ("name", "share"),
    [("identity", 0), ("relu6", 0.5), ("softshrink", 0.3829249225480262), ("gelu", 0)],
)
def test_zeros_are_normal_probabilities(name, share):
    """P(|z| < 1/2) = erf(1/√8) for the shrinker."""
    assert share_of_zeros(find(name)) == pytest.approx(share, abs=1e-15)


def test_what_does_not_depend_on_the_machine_s_mood(found):
    assert [row.lipschitz for row in found.rows] == [1, 1, 1, 0.25]
    assert all(row.kept == 4 for row in found.rows)
    assert found["sigmoid"].survives < 1e-6 < found["relu"].survives
    assert all(row.forward > 0 and row.both > 0 for row in found.rows)
    assert found.copy > 0


def test_torch_is_as_it_was():
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    compare_activations("rrelu", size=100, threads=threads + 1)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


def test_it_reads_back_and_shows_itself(found, capsys):
    assert Comparison.from_json(found.to_json()) == found
    assert list(found.to_pandas()["name"]) == [row.name for row in found.rows]
    found.print()
    assert "leaky_relu" in capsys.readouterr().out
    assert "leaky_relu" in str(found)
    assert "<table" in found._repr_html_()


def test_the_table_fits_80_columns():
    page = compare_activations(*map(find, DEFAULT[:4]), size=10).page()
    lines = to_text(page, 80).splitlines()
    assert any(line.startswith("relu ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_json_that_is_something_else(found):
    for key in ("rows", "size"):
        values = json.loads(found.to_json())
        del values[key]
        with pytest.raises(FileError, match="not whole"):
            Comparison.from_json(json.dumps(values))


@pytest.mark.parametrize(("stop", "timed"), [(1, False), (4, True)])
def test_an_interrupt_keeps_what_is_measured(stop, timed):
    def progress(done: int, total: int | None) -> None:
        assert total == 2 + ROUNDS
        if done == stop:
            raise KeyboardInterrupt

    found = compare_activations("relu", "tanh", size=10, progress=progress)
    assert not found.complete
    assert [row.name for row in found.rows] == (["relu", "tanh"] if timed else ["relu"])
    assert (found.rows[0].forward is not None) == timed
    assert found.rows[0].survives is not None
    assert "interrupted" in found.page().summary


def test_an_interrupt_before_all_else_is_one():
    def progress(_done: int, _total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_activations("relu", progress=progress)


def test_a_dtype_that_torch_cannot_do_is_a_remark():
    found = compare_activations("relu", "rrelu", size=10, dtype="float16", library="torch")
    assert found["relu"].both is not None
    assert found["rrelu"].both is None
    assert "rrelu is not timed in float16" in found.notes[0]


@pytest.mark.parametrize(
    ("names", "options", "word"),
    [
        (("rellu",), {}, "relu"),
        (("relu", "ReLU"), {}, "twice"),
        (("relu",), {"size": 0}, "size"),
        (("relu",), {"size": 1.5}, "size"),
        (("relu",), {"size": 10**12}, "size"),
        (("relu",), {"dtype": "int8"}, "dtype"),
        (("relu",), {"threads": 0}, "threads"),
        (("relu",), {"library": "keras"}, "library"),
        (("topk",), {}, "by its name alone"),
        (("frelu",), {}, "by its name alone"),
    ],
)
def test_mistakes(names, options, word):
    with pytest.raises(OptionError, match=word):
        compare_activations(*names, **options)


@pytest.mark.parametrize("record", all_activations(), ids=lambda record: record.name)
def test_the_module_measured_is_the_record(record):
    x = torch.linspace(-5, 5, 101)
    module = module_of(record, "hinge").eval()
    assert type(module).__module__.startswith(("hinge.nn", "torch.nn", "hinge.measuring"))
    torch.testing.assert_close(module(x), record(x))
    torch.testing.assert_close(module_of(record, "torch").eval()(x), record(x))


def test_torch_s_own_modules_can_be_measured():
    found = compare_activations("relu", "squared_relu", "glu", size=100, library="torch")
    assert [row.measured for row in found.rows] == [
        "torch.nn.ReLU",
        "hinge.nn.SquaredReLU",
        "torch.nn.GLU",
    ]


def test_functions_of_several_numbers_are_measured_too():
    found = compare_activations("swiglu", "crelu", size=1000)
    assert all(row.both > 0 for row in found.rows)
    assert found["swiglu"].mean is None
    assert found["swiglu"].survives is None
    assert "leave the range of float32" in found.notes[0]
    assert found["crelu"].survives == pytest.approx(1, rel=0.5)


def test_the_default_set_is_declared():
    names = {record.name for record in all_activations()}
    assert set(DEFAULT) <= names
