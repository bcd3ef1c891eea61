# Everything a newcomer needs: Python 3.11 to 3.14, make and the package registries.
# `make run` runs the main job end to end, `make test` checks everything.

SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/bin/uv
BIN := .venv/bin
# All state of runs; secrets included.
MOBILITY_HOME ?= $(CURDIR)/.mobility
PYTEST_WORKERS ?= 2

export MOBILITY_HOME
export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
export UV_LINK_MODE ?= copy
# Bytecode is compiled once at installation: importing Airflow without it takes several times as long.
unexport PYTHONDONTWRITEBYTECODE

export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export SCARF_ANALYTICS := false
export DO_NOT_TRACK := 1

.PHONY: help install install-dev run demo up down status test lint format types sql dbt-parse judges pytest benchmark docs lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

install: .venv/.installed ## Install what a run needs into .venv, from the lock file

.venv/.installed: pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --inexact --no-dev --python $(PYTHON)
	@touch $@

install-dev: .venv/.installed-dev ## Install what the checks need besides

.venv/.installed-dev: .venv/.installed
	$(UV) sync --frozen --inexact --python $(PYTHON)
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || \
		{ echo "Python 3.11 to 3.14 is needed, $(PYTHON) is another: try 'make PYTHON=python3.12'" >&2; exit 1; }
	@$(PYTHON) -m venv .tools || { rm -rf .tools; \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

run: install ## Run the main job end to end through Airflow: pull, land, audit, transform, publish
	$(BIN)/mobility run

demo: install ## Publish two vintages in a database of their own and show what changed
	$(BIN)/mobility demo

up: install ## Start Airflow, the database and the replay server in the background
	$(BIN)/mobility up

down: install ## Stop what `make up` or `make run` left running
	$(BIN)/mobility down

status: install ## Show what runs, and where
	$(BIN)/mobility status

test: install-dev ## Check everything: lint, types, SQL, dbt, its laws, tests
	$(MAKE) --jobs=2 lint types sql judges
	$(MAKE) pytest

lint: install-dev ## Check style and format of the Python code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install-dev ## Put the Python and SQL code in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix dbt_project docs/analysis

types: install-dev ## Check the types of the Python code
	$(BIN)/mypy

sql: install-dev ## Lint the SQL of the dbt project and of the questions
	$(BIN)/sqlfluff lint --processes 2 dbt_project docs/analysis

dbt-parse: install ## Parse the dbt project
	$(BIN)/dbt parse --quiet --no-partial-parse --project-dir dbt_project --profiles-dir dbt_project \
		--target-path $(MOBILITY_HOME)/dbt/parse/target --log-path $(MOBILITY_HOME)/dbt/logs

# dbt-bouncer looks for the manifest in the folder target of DBT_PROJECT_DIR.
judges: install-dev dbt-parse ## Judge the parsed dbt project by its laws, dbt-bouncer.yml
	DBT_PROJECT_DIR=$(MOBILITY_HOME)/dbt/parse $(BIN)/dbt-bouncer run --config-file dbt_project/dbt-bouncer.yml \
		--show-all-failures

pytest: install-dev ## Run the tests
	$(BIN)/pytest -n $(PYTEST_WORKERS)

benchmark: install ## Measure what docs/benchmarks.md and docs/source_costs.md state
	$(UV) sync --frozen --inexact --group benchmark --python $(PYTHON)
	$(BIN)/python -m benchmarks.landing --large --write
	$(BIN)/python -m benchmarks.sources --write

docs: install ## Generate the dbt docs
	$(BIN)/mobility docs

lock: $(UV) ## Bring uv.lock up to date with pyproject.toml
	$(UV) lock

clean: ## Stop everything and remove what was installed and built, state included
	@test ! -x $(BIN)/mobility || { $(BIN)/mobility down; rm -rf "$$($(BIN)/python -m mobility_warehouse.database.embedded)"; }
	rm -rf .venv .tools $(MOBILITY_HOME)
