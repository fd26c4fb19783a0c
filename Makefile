# Two commands matter: `make run` and `make test`. Everything is installed from the lock file into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LANDING ?=
HOME_DIR ?= $(if $(LANDING),$(LANDING)-home,demo/home)
# Dagster's own storage: what `make run` did, `make dev` shows.
INSTANCE := $(CURDIR)/deploy/local
UV_VERSION := 0.13.9
# One process for each core, four at most: each needs a warehouse's memory. Neighbours stay together, since companies are built once a process.
PARALLEL := -n logical --maxprocesses 4 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help install run test test-spark test-deploy test-connectors test-all lint types fast dev docs bench clean

help:  ## list all targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml uv.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv sync --frozen --inexact --quiet --compile-bytecode --system-certs
	@touch $@

install: $(VENV)/.installed  ## build .venv from the lock file

run: install  ## demo company (or LANDING=DIR) through to a published copy and a finance extract
ifeq ($(LANDING),)
	@test -d demo/landing || $(BIN)/service-roi demo --landing demo/landing
	@DAGSTER_HOME="$(INSTANCE)" $(BIN)/service-roi run --landing demo/landing --home "$(HOME_DIR)"
else
	@DAGSTER_HOME="$(INSTANCE)" $(BIN)/service-roi run --landing "$(LANDING)" --home "$(HOME_DIR)"
endif

test: install lint types  ## style, types and every test that needs no optional service
	$(BIN)/python -m pytest $(PARALLEL) -m "not nightly"

test-spark: install  ## both engines side by side; needs Java 17 (the cluster is in test-all)
	$(BIN)/uv sync --frozen --inexact --quiet --compile-bytecode --system-certs --extra spark
	$(BIN)/python -m pytest -m "spark and not slow"

test-deploy: install  ## storage, launcher and image of a cluster; needs Debian's postgresql
	$(BIN)/uv sync --frozen --inexact --quiet --system-certs --extra k8s --group deploy
	$(BIN)/python -m pytest tests/deploy

test-connectors: install  ## what fetches from databases, object storage, Zendesk and Shopify; needs Debian's postgresql (a minute)
	$(BIN)/uv sync --frozen --inexact --quiet --system-certs --extra connectors --group connectors-test
	$(BIN)/python -m pytest tests/connectors

test-all: install  ## everything there is, also the slow tests on Spark (about an hour)
	$(BIN)/uv sync --frozen --inexact --quiet --compile-bytecode --system-certs --extra spark --extra k8s --extra connectors --group connectors-test --group deploy --group bench
	$(BIN)/python -m pytest -o faulthandler_timeout=7200

fast: install  ## the quick tests only
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar -q dbt/models dbt/tests dagster_project/ingest/systems
	$(BIN)/lint-imports --no-cache

types: install
	$(BIN)/mypy

dev: install  ## Dagster's UI with the same definitions; it shows the runs of `make run` too
	DAGSTER_HOME="$(INSTANCE)" $(BIN)/dagster dev -w workspace.yaml

docs: install  ## data dictionary (docs/data-dictionary.md) and dbt's documentation as one file; no network
	@$(BIN)/python -m dagster_project.commands.documentation

bench: install  ## benchmark table: ratios measured side by side (half an hour; ARGS="--cases full --sizes 1" for less or more)
	$(BIN)/uv sync --frozen --inexact --quiet --compile-bytecode --system-certs --group bench
	$(BIN)/python -m benchmarks.bench $(ARGS)

clean:  ## remove the demo company and built files, keep .venv
	rm -rf demo dbt/target dbt/logs
