# The two commands of the README are `make up` and `make test`; the rest is between them.
SHELL := /bin/bash
BIN := .venv/bin
export SKERRY_DATA_DIR ?= /var/lib/skerry
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: help setup setup-dev up images down clean test check bench lock
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: ## install what is needed: Debian packages, .venv with skerry, kubectl and helm
	@scripts/setup.sh

up: setup ## start Skerry, run examples/01-hello, print its URL and KUBECONFIG
	@$(BIN)/skerry up --detach
	@scripts/hello.sh

images: setup ## build the images of the catalogue's apps, where `make up` has been (docs/apps.md)
	@set -e; for recipe in images/*/recipe.toml; do $(BIN)/skerry image build "$${recipe%/recipe.toml}"; done

down: ## stop everything, keep the state
	@if [ -x $(BIN)/skerry ]; then $(BIN)/skerry down; fi

clean: ## stop everything and remove the state
	@if [ -x $(BIN)/skerry ]; then $(BIN)/skerry clean --yes; fi

setup-dev:
	@scripts/setup.sh --dev

check: setup-dev ## format, lint, types, import contracts, documentation
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports >/dev/null || $(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/unit/docs

test: check ## every test
	scripts/test_disk.sh scripts/test.sh

bench: setup-dev ## measure, beside the floor; prints a table and writes build/bench.json
	$(BIN)/python -m benchmarks

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links pyproject.toml --group build

lock: ## resolve the dependencies anew (needs uv)
	$(LOCK) -o requirements.lock
	$(LOCK) --group dev -c requirements.lock -o requirements-dev.lock
