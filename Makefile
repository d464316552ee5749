# Everything is set up on a machine that has Python >= 3.11, make and a network.
# A second run finds what the first one made and starts at once. `demo` and `test` fetch the
# parts of the local stack themselves, and say what they do without where they cannot.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
RUNS := 200
SEED := 1

.PHONY: help setup demo test check bench torture lock schemas clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "trackrecord needs Python >= 3.11; name one with: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Half a minute, once for each state of the sources; without a C compiler all else works.
.venv/.compiled: .venv/.installed $(wildcard trackrecord/extraction/*.py)
	-@$(BIN)/python -m tools.compile
	@touch $@

setup: .venv/.compiled ## the virtual environment and the parts of the local stack
	@$(BIN)/python -m trackrecord.local.parts

demo: .venv/.installed ## real scripts and strategies on real prices, and the record of each
	@$(BIN)/trackrecord demo

check: .venv/.installed ## format, lint, types, import contracts, exported schemas; no services
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.schemas --check

test: check .venv/.compiled ## all checks and tests, on a real Kafka and Postgres
	$(BIN)/pytest

bench: setup ## every claim of benchmarks/, measured
	$(BIN)/python -m benchmarks

torture: setup ## random faults at random moments, and an exact check: make torture RUNS=200 SEED=1
	$(BIN)/python -m tests.torture --runs $(RUNS) --seed $(SEED)

schemas: .venv/.installed ## write schemas/ anew from the models
	$(BIN)/python -m tools.schemas

lock: .venv/.installed ## pin the dependencies of pyproject.toml anew
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra services --extra learning --extra dask --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --constraint requirements.lock \
		--output-file deploy/requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra compile --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --constraint requirements.lock \
		--output-file deploy/compile.lock

clean: ## remove the virtual environment and local state (not downloaded parts)
	rm -rf .venv .trackrecord trackrecord/extraction/__compiled__
