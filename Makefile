# On a fresh machine with Python 3.11 or later, make and a C++ compiler:
#   make demo   a network whose units die, watched and revived: see hinge-demo/report.html
#   make test   every check and every test
#   make docs   the pages on activations from the records, and all pictures

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test docs clean

demo: $(INSTALLED)
	$(BIN)/hinge demo

test: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

docs: $(INSTALLED)
	$(BIN)/python docs/write.py

# Torch goes first, so that pip takes the build that this machine offers.
$(INSTALLED): pyproject.toml constraints.txt $(wildcard src/native/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Hinge needs Python 3.11 or later: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch $@

clean:
	rm -rf $(VENV) hinge-demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
