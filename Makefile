# One verb for each habit. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
WORKERS ?= 2
FAKERS ?= ==37.0.0 ==40.1.0 >=37.0
# Twice quiet: errors only.
INSTALL = $(BIN)/python -m pip install -qq --disable-pip-version-check

help: ## List the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(INSTALL) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[dev,docs]'
	@touch $@ $(VENV)/.dev $(VENV)/.installed

$(VENV)/.browser: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[dev,docs,browser]'
	@touch $@ $(VENV)/.docs $(VENV)/.dev $(VENV)/.installed

$(VENV)/.ray: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[dev,ray]'
	@touch $@ $(VENV)/.dev $(VENV)/.installed

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[dev,bench]'
	@touch $@ $(VENV)/.dev $(VENV)/.installed

demo: $(VENV)/.installed ## Set up, generate a shop's events to Parquet, show the funnel
	$(BIN)/python -m synode_df demo

test: $(VENV)/.dev ## Set up and run the tests
	$(BIN)/python -m pytest -q -n $(WORKERS)

lint: $(VENV)/.dev ## Check style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types
	$(BIN)/mypy

docs: $(VENV)/.docs ## Run every Python block of the docs, and build the site into docs/_build/html
	$(BIN)/python -m pytest -q tests/docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html docs docs/_build/html

notebooks: $(VENV)/.dev ## Execute the notebooks
	$(BIN)/python -m pytest -q tests/notebooks

fuzz: $(VENV)/.dev ## The long tests: 1,000 random journeys through both engines, and the like
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -q -n $(WORKERS) -m long --timeout=3000 tests

browser: $(VENV)/.browser ## In Chromium: the notebooks in JupyterLab and Notebook, the site without a network
	$(BIN)/python -m pytest -q -m browser tests/browser

lab: $(VENV)/.browser ## Open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=notebooks

images: $(VENV)/.browser ## Make the pictures of the README again
	$(BIN)/python docs/images/make.py

ray: $(VENV)/.ray ## Run, kill and interrupt runs on a real Ray cluster
	$(BIN)/python -m tests.clusters.ray_script

bench: $(VENV)/.bench ## Measure, and rewrite the tables in docs/performance.md and the README
	$(BIN)/python -m tests.benchmarks
	$(BIN)/python -m tests.benchmarks.bench_monitoring
	$(BIN)/python -m tests.benchmarks.bench_landing --big
	$(BIN)/python -m tests.benchmarks.bench_faker
	$(BIN)/python docs/figures.py

faker-bounds: ## The Faker tests with the oldest Faker allowed, one between, and the newest
	for version in $(FAKERS); do \
	  $(PYTHON) -m venv build/faker-$$version && \
	  build/faker-$$version/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' "faker$$version" && \
	  build/faker-$$version/bin/python -m pytest -q tests/fields/fake || exit 1; \
	done

clean: ## Remove what was built
	rm -rf $(VENV) build dist docs/_build docs/notebooks tests/browser/screenshots .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help demo test lint types docs notebooks browser lab images fuzz ray bench faker-bounds clean
