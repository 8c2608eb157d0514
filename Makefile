# One verb for each habit. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
WORKERS ?= 2

help: ## List the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,bench]'
	@touch $@ $(VENV)/.dev $(VENV)/.installed

demo: $(VENV)/.installed ## Set up, generate a shop's events to Parquet, show the funnel
	$(BIN)/python -m synode_df demo

test: $(VENV)/.dev ## Set up and run the tests
	$(BIN)/python -m pytest -q -n $(WORKERS)

lint: $(VENV)/.dev ## Check style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types
	$(BIN)/mypy

docs: $(VENV)/.dev ## Run every Python block of the README and the docs
	$(BIN)/python -m pytest -q tests/docs

notebooks: $(VENV)/.dev ## Execute the notebooks
	$(BIN)/python -m pytest -q tests/notebooks

fuzz: $(VENV)/.dev ## The long tests: 1,000 random journeys through both engines, and the like
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -q -n $(WORKERS) -m long --timeout=3000 tests

bench: $(VENV)/.bench ## Measure, and rewrite the table in docs/performance.md
	$(BIN)/python -m tests.benchmarks

clean: ## Remove what was built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help demo test lint types docs notebooks fuzz bench clean
