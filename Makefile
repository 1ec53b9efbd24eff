# Runsheet. `make demo` and `make test` need Python 3.11 or later and make, nothing else.

PYTHON ?= python3
VENV   ?= .venv
export PORT ?= 5055

PY     := $(VENV)/bin/python
RUN    := $(VENV)/.runsheet-run
DEV    := $(VENV)/.runsheet-dev
PIP    := $(PY) -m pip --disable-pip-version-check install --quiet
ARGS   ?=
# How many test files run at a time, mostly waiting for a browser or a server. A file's tests share a demo of their own, so
# each file stays in one place; in the order of their names the slow ones do not all come last.
AT_ONCE ?= 3

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-fast lint format bench bench-forecast bench-pages bench-watchers pictures assets migrate migration lock clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(RUN) assets ## Start everything with demo data and a Slack to practise with, on PORT (5055)
	@exec $(PY) -m webapp demo $(ARGS)

serve: $(RUN) assets ## Start everything without demo data; the first start asks for an administrator
	@exec $(PY) -m webapp serve $(ARGS)

test: $(DEV) assets-for-tests ## Run all tests, browser tests too where Chromium is found
	@$(PY) -m pytest -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: $(DEV) assets-for-tests ## Run the tests that start no processes and no browser
	@$(PY) -m pytest -n $(AT_ONCE) -m "not browser and not journey and not faults" $(ARGS)

lint: $(DEV) ## Check format, style and types
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy

format: $(DEV) ## Put the code into its format
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: $(DEV) assets ## Measure delivery: click to arrival, posts a second, ratios
	@$(PY) -m bench $(ARGS)

bench-watchers: $(DEV) assets ## Measure 500 watchers of one runbook while 20 people act
	@$(PY) -m bench.watchers $(ARGS)

bench-pages: $(DEV) assets ## Measure pages of 120, 1,000 and 3,000 tasks: server, size, Chromium
	@$(PY) -m bench.pages $(ARGS)

bench-forecast: $(DEV) ## Measure the forecast of 10,000 tasks after one change
	@$(PY) -m bench.forecast $(ARGS)

pictures: $(DEV) assets ## Take the README's pictures anew, where Chromium is found
	@$(PY) -m tools.take_pictures

assets: $(RUN) ## Build the front-end files, if they are not current
	@$(NODE) && $(PY) tools/build_assets.py --no-tests

.PHONY: assets-for-tests
assets-for-tests: $(DEV)
	@$(NODE) && $(PY) tools/build_assets.py

migrate: $(RUN) assets ## Bring the database of DATABASE_URL up to date
	@$(PY) -m webapp migrate

migration: $(DEV) ## Write a migration from the models: make migration NAME="add teams"
	@$(PY) -m webapp new-migration "$(NAME)"

lock: $(DEV) ## Lock the newest versions that pyproject.toml allows, with hashes
	@$(LOCK) --upgrade --extra build pyproject.toml -o requirements.lock
	@$(LOCK) --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@$(LOCK) requirements-node.in -o requirements-node.lock

clean: ## Remove what was built; the data under instance/ stays
	rm -rf $(VENV) static/vendor tests/browser/vendor build dist test-output .pytest_cache .mypy_cache .ruff_cache .hypothesis

# What is behind the targets ------------------------------------------------------------------------------------------

LOCK = $(PY) -m uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11

# Node builds the front-end files. Where the machine has none, a wheel brings it, once.
NODE = { command -v npm || test -x $(VENV)/bin/npm || $(PIP) --require-hashes -r requirements-node.lock; } >/dev/null

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Runsheet needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another one: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"; exit 2; }

# The front-end files come before the package is installed: its build hook then has nothing to do.
$(RUN): requirements.lock pyproject.toml | $(PY)
	@echo "Installing what Runsheet needs into $(VENV); this happens once."
	@$(PIP) --require-hashes -r requirements.lock
	@$(NODE) && $(PY) tools/build_assets.py --no-tests
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@echo "Installing what the tests need into $(VENV); this happens once."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
