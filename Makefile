# Everything runs in .venv; it is made again when pyproject.toml or constraints.txt change.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.PHONY: run install test check lint docs examples screenshots format bench vendor clean
.DEFAULT_GOAL := run
# What is started again and again is compiled once, whatever is set outside.
unexport PYTHONDONTWRITEBYTECODE

run: install  ## the worked examples, served on http://127.0.0.1:8000
	$(BIN)/provstore demo --data .run-data

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "provstore needs Python 3.11 or newer; name it with make PYTHON=…" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv (a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

test: install  ## every test: first those that measure time, while nothing else runs, then all others side by side
	@code=0; \
	$(BIN)/python -m pytest -q -m alone || code=$$?; \
	$(BIN)/python -m pytest -q -m 'not alone' -n auto --dist loadfile --no-loadscope-reorder || code=$$?; \
	exit $$code

check: lint  ## format, lint, types, floors, the tests of the project itself
	$(BIN)/python -m pytest -q tests/test_project.py tests/test_docs.py

lint: install  ## format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: install  ## the pages that are made from the code, and ontology/examples.ttl
	$(BIN)/python -m tools.terms
	$(BIN)/python -m tools.ontology
	$(BIN)/python -m tools.reference
	$(BIN)/python -m tools.facets
	$(BIN)/python -m tools.policies

example: install  ## the credit-risk pipeline for real, in .example: DVC, dbt, MLflow, scikit-learn
	$(BIN)/python -m tools.pipeline

screenshots: install  ## a picture of every page in .screenshots/, those of the README in docs/
	$(BIN)/python -m tools.screenshots

examples: install  ## the repetitive part of examples/, from tools/examples
	$(BIN)/python -m tools.examples

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

vendor:  ## provstore/ui/static/vendor, from what tools/codemirror fixes; needs Node and npm
	cd tools/codemirror && npm ci --ignore-scripts --no-audit --no-fund && node build.mjs

bench: install
	$(BIN)/python -m bench

clean:
	rm -rf .venv .emitters .example .run-data .screenshots dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
