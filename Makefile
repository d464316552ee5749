# Everything is set up on a machine that has Python >= 3.11, make and a network.
# A second run finds what the first one made and starts at once. `demo` and `test` fetch the
# parts of the local stack themselves, and say what they do without where they cannot.

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
INSTALL := $(UV) pip install --quiet --python $(BIN)/python --require-hashes
EDITABLE := $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .

.DEFAULT_GOAL := help
RUNS := 200
SEED := 1
SECONDS := 600
TREE := 250000
TEXT := 1000000
# Broken versions of the stages that the tests leave to the torture, as many runs show them.
SLOWLY_FOUND := no_row_lock no_second_look outbox_before_acknowledgement empty_handed
# Checking and compiling, which `test` begins with, take a core each.
MAKEFLAGS += --jobs=2

.PHONY: help setup demo test explore check bench api-fuzz sandbox-campaign torture lock generate schemas clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

# pip only brings uv, at the version and with the digests of the lock; uv installs all else.
.venv/.uv: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "trackrecord needs Python >= 3.11; name one with: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "set-up: the virtual environment .venv, and uv with pip (25 MB, about 10 s)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\]$$/p' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement .venv/uv.lock
	@touch $@

# What the demo needs, and no tools; all of requirements.lock holds it too.
.venv/.demo: .venv/.uv deploy/local/requirements.lock pyproject.toml
	@if [ .venv/.installed -nt requirements.lock ] && [ .venv/.installed -nt pyproject.toml ]; then exit 0; fi; \
	echo "set-up: what the stages and the local stack need (about 88 packages, 250 MB to fetch, 10 s to a minute by the network)" >&2; \
	$(INSTALL) --requirement deploy/local/requirements.lock && $(EDITABLE)
	@touch $@

.venv/.installed: .venv/.uv requirements.lock pyproject.toml
	@echo "set-up: all packages, tools and test oracles included (about 155 packages, 330 MB to fetch, 20 s to two minutes by the network)" >&2
	@$(INSTALL) --requirement requirements.lock && $(EDITABLE)
	@touch $@

# Once for each state of the sources; without a C compiler all else works.
.venv/.compiled: .venv/.installed $(wildcard trackrecord/extraction/*.py)
	@echo "set-up: compiling the rules that read outputs (nothing to fetch, one to three minutes)" >&2
	-@$(BIN)/python -m tools.compile
	@touch $@

setup: .venv/.compiled ## the virtual environment and the parts of the local stack
	@$(BIN)/python -m trackrecord.local.parts

demo: .venv/.demo ## real scripts and strategies on real prices, and the record of each
	@$(BIN)/trackrecord demo

check: .venv/.installed ## format, lint, types, import contracts, generated files; no services
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate --check

test: check .venv/.compiled ## all checks and tests, on a real Kafka and Postgres
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 tests/unit tests/contract
	$(BIN)/pytest --numprocesses 2 tests/integration tests/e2e tests/faults tests/fuzz tests/torture

explore: setup ## the tests by properties and of faults with examples and seeds drawn anew
	TRACKRECORD_EXPLORE=1 $(BIN)/pytest --numprocesses 2 tests

bench: setup ## every claim of benchmarks/, measured
	$(BIN)/python -m benchmarks

api-fuzz: setup ## requests that nobody thought of to every path of the API: make api-fuzz SECONDS=600
	API_FUZZ_SECONDS=$(SECONDS) API_FUZZ_CASES=200 API_FUZZ_PHASES=examples,coverage,fuzzing,stateful \
		$(BIN)/pytest tests/integration/api/test_fuzz.py

sandbox-campaign: .venv/.installed ## mutated programs in the sandbox, going on where the result ends: make sandbox-campaign TREE=250000 TEXT=1000000
	$(BIN)/python -m benchmarks.sandbox_programs --tree $(TREE) --text $(TEXT) --seed $(SEED)

torture: setup ## random faults at random moments, and an exact check: make torture RUNS=200 SEED=1
	$(BIN)/python -m tests.torture --runs $(RUNS) --seed $(SEED)
	@for mutant in $(SLOWLY_FOUND); do \
		$(BIN)/python -m tests.torture --runs 50 --mutant $$mutant || exit 1; \
	done

generate: .venv/.installed ## write all that follows from the code: schemas, contracts, deploy, tables of documents
	$(BIN)/python -m tools.generate

schemas: .venv/.installed ## write schemas/ and the SQL for readers anew from the code
	$(BIN)/python -m tools.schemas
	$(BIN)/python -m tools.sql

COMPILE := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --quiet
lock: .venv/.installed ## pin the dependencies of pyproject.toml anew
	$(COMPILE) --all-extras --group install --output-file requirements.lock
	$(COMPILE) --extra services --extra api --extra learning --extra sandbox --extra local --group install \
		--constraint requirements.lock --output-file deploy/local/requirements.lock
	$(COMPILE) --extra services --extra api --extra learning --extra sandbox --extra dask \
		--constraint requirements.lock --output-file deploy/requirements.lock
	$(COMPILE) --extra compile \
		--constraint requirements.lock --output-file deploy/compile.lock

clean: ## remove the virtual environment and local state (not downloaded parts)
	rm -rf .venv .trackrecord trackrecord/extraction/__compiled__
