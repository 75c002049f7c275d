"""How the suite searches: the same examples in every run, new ones where HYPOTHESIS_PROFILE=new."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("new", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

collect_ignore = ["conftest.py"]  # no doctests here, and another folder has a file of this name
