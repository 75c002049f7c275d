"""A network and a census of the same model speak of the same sites and units."""

from __future__ import annotations

import pytest
from network_zoo import ZOO

from hinge.census import observe
from hinge.network import read


@pytest.mark.parametrize("name", [name for name, example in ZOO.items() if example.sites])
def test_a_census_has_the_same_sites(name):
    model, x = ZOO[name].make()
    assert observe(model, [x]).sites == read(model, x).sites
