# `make help` explains the targets.
PYTHON ?= python3
PROCESSES ?= 2
BIN := .venv/bin
INSTALLED := .venv/.installed
ENVIRONMENT := dist/environment.tar.gz
BENCH_INSTALLED := .venv-bench/.installed
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint types faults bench package clean

help: ## explain each target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(INSTALLED) ## install everything into .venv, from the lock file

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) segspark/core/machine.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	$(BIN)/segspark doctor
	@touch $@

demo: $(INSTALLED) ## make a demo shop, run everything on it, show the segments
	@test -d demo/shop/truth || $(BIN)/segspark shop --users 5000 --to demo/shop
	$(BIN)/segspark run --config conf/demo.yaml

test: $(INSTALLED) ## run the tests that take minutes at most
	$(BIN)/pytest -n $(PROCESSES) --dist loadfile -m "not slow and not cluster"

test-all: $(INSTALLED) package ## run all tests: also the slow ones and those on a real cluster
	$(BIN)/pytest

faults: $(INSTALLED) package ## kill, fill and race; write the table of docs/reliability.md
	$(BIN)/pytest tests/faults --faults-account docs/reliability.md

lint: $(INSTALLED) ## check style, format and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(INSTALLED) ## check types
	$(BIN)/mypy

$(BENCH_INSTALLED): requirements-bench.lock requirements-data.lock pyproject.toml
	@$(PYTHON) segspark/core/machine.py
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --require-hashes -r requirements-bench.lock
	.venv-bench/bin/pip install --quiet --require-hashes --no-deps -r requirements-data.lock
	.venv-bench/bin/pip install --quiet --no-deps --editable .
	@touch $@

bench: $(BENCH_INSTALLED) ## time each stage beside what a user would pick instead
	.venv-bench/bin/python -m benchmarks

package: $(INSTALLED) $(ENVIRONMENT) ## make dist/segspark.zip and dist/environment.tar.gz for spark-submit
	@mkdir -p dist && rm -f dist/segspark.zip
	@find segspark jobs -name __pycache__ -prune -exec rm -rf {} +
	@$(BIN)/python -m zipfile -c dist/segspark.zip segspark jobs
	@echo dist/segspark.zip $(ENVIRONMENT)

$(ENVIRONMENT): $(INSTALLED)
	@mkdir -p dist
	@tar --create --use-compress-program 'gzip -1' --file $@ --directory .venv --exclude site-packages/pyspark --exclude site-packages/playwright .

clean: ## remove what the targets made, but not the environments
	rm -rf build dist demo lake .pytest_cache .mypy_cache .ruff_cache
