"""The main job in one piece: read, count, find, show, save, read back."""

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import hinge
from hinge.errors import DataError, FileError, OptionError
from hinge.page import Check, Grid, Table
from hinge.report import to_html, to_junit, to_text


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 3))
    with torch.no_grad():
        model[0].bias[:4] = -100.0
        model[2].weight[:, 5] = 0.0
    return model


@pytest.fixture
def data():
    return torch.randn(300, 4, generator=torch.Generator().manual_seed(0))


def test_summary_and_verdicts(model, data):
    examination = hinge.examine(model, data)
    assert examination.verdicts["dead"] == 4
    assert examination.verdicts["blocked"] == 1
    assert sum(examination.verdicts.values()) == 10
    assert "4 dead, 1 blocked" in examination.summary
    assert "300 examples" in str(examination)


def test_one_row_per_unit(model, data):
    frame = hinge.examine(model, data).to_pandas()
    assert list(frame.columns[:3]) == ["site", "unit", "verdict"]
    assert {"seen", "fired", "min", "max", "mean", "var", "zeros"} <= set(frame.columns)
    assert frame.verdict.tolist()[:4] == ["dead"] * 4
    assert len(frame) == 10


def test_without_pandas_the_error_says_what_to_install(model, data, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(OptionError, match="pip install") as caught:
        hinge.examine(model, data).to_pandas()
    assert caught.value.where == "to_pandas()"


def test_json_reads_back(model, data, tmp_path):
    examination = hinge.examine(model, data, limits=["dead=5%"])
    text = examination.to_json()
    assert json.loads(text)["schema"] == "hinge/examination"
    again = hinge.Examination.from_json(text)
    assert again.to_json() == text
    assert again.findings == examination.findings
    assert again.page() == examination.page()
    file = tmp_path / "report.json"
    file.write_text(text)
    assert hinge.Examination.from_json(file).passed is False


@pytest.mark.parametrize("key", ["findings", "checks", "rare", "census"])
def test_json_that_is_not_whole(model, data, key):
    values = json.loads(hinge.examine(model, data).to_json())
    del values[key]
    with pytest.raises(FileError, match="not whole"):
        hinge.Examination.from_json(json.dumps(values))


def test_a_census_is_no_examination(model, data):
    with pytest.raises(FileError):
        hinge.Examination.from_json(hinge.observe(model, data).to_json())


def test_the_page_in_every_renderer(model, data):
    page = hinge.examine(model, data, limits=["dead=5%"]).page()
    kinds = {type(block) for block in page.blocks}
    assert {Check, Grid, Table} <= kinds
    assert "4 of 10 units are dead." in to_text(page)
    assert "4 of 10 units are dead." in to_html(page)
    assert 'failures="1"' in to_junit(page)


def test_the_partial_examination_goes_with_the_error(model, data):
    with pytest.raises(DataError) as caught:
        hinge.examine(model, [data, torch.zeros(3, 9)])
    assert caught.value.partial.verdicts["dead"] == 4


def test_networks_that_were_read_are_examined_alike(model, data):
    network = hinge.read(model, data[:2])
    ours, theirs = hinge.examine(network, data), hinge.examine(model, data)
    assert ours.census.sites == theirs.census.sites
    assert ours.verdicts == theirs.verdicts
    assert ours.verdicts["blocked"] == 1
    assert [(f.kind, f.units) for f in ours.findings] == [
        (f.kind, f.units) for f in theirs.findings
    ]


ACASXU = Path(__file__).parents[1] / "../shared/data/acasxu"


@pytest.mark.skipif(not ACASXU.exists(), reason="the ACAS Xu networks are not here")
def test_a_real_network_in_a_file():
    network = hinge.read(ACASXU / "ACASXU_experimental_v2a_1_1.onnx")
    generator = torch.Generator().manual_seed(0)
    examination = hinge.examine(network, torch.rand(500, 1, 1, 5, generator=generator) - 0.5)
    assert len(examination.census) == 6
    assert examination.census.n_units == 300
