# Bare `make` checks everything. `make serve` and `make test` first make their own environment in .venv; all they
# need is Python 3.11 or 3.12. `make env PYTHON=/path/to/python3.12` picks a Python.

.DEFAULT_GOAL := check
.PHONY: env serve test check fix validate train bench peers docs lock

PORT ?= 3000
REFERENCE ?= data/reference
OUT ?= out

BIN := .venv/bin
STAMP := .venv/made-from-lock
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))

env: $(STAMP)

# Made again only where the lock or the project's description has changed.
$(STAMP): requirements.lock pyproject.toml
	@if ! $(BIN)/python -c '$(FITS)' 2>/dev/null; then \
	  for found in $(PYTHON) python3.11 python3.12 python3 ''; do \
	    test -n "$$found" && $$found -c '$(FITS)' 2>/dev/null && break; \
	  done; \
	  test -n "$$found" || { echo 'No Python 3.11 or 3.12 here. Install one, or name it: make env PYTHON=/path/to/python3.11' >&2; exit 1; }; \
	  echo "Making .venv with $$($$found --version) ..."; \
	  $$found -m venv --clear .venv || { echo "$$found cannot make environments: on Debian and Ubuntu install python3-venv" >&2; exit 1; }; \
	fi
	@echo 'Installing what requirements.lock lists, each file checked against its hash (a minute or two) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)
	@echo 'Ready: .venv/bin/kpfootprint --help'

serve: env
	@$(BIN)/kpfootprint serve --port $(PORT)

# Python keeps its bytecode, whoever asks it not to: each process would rewrite every test again.
test: env
	@PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -m "not slow" -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: env
	@$(BIN)/ruff format --check --quiet || { echo 'Some files are not formatted: make fix' >&2; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory test

fix: env
	@$(BIN)/ruff check --fix --quiet; $(BIN)/ruff format --quiet; $(BIN)/ruff check

# Statistical validation, whatever else takes minutes, all cases of tests that have many, and the laws of the fast suite
# again on all their examples.
validate: env
	@PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -m "slow or hypothesis" --hypothesis-profile all -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Fits on REFERENCE and evaluates into OUT/model; shipping it is a decision of its own, and the last line names it.
train: env
	@$(BIN)/python -m training fit --reference $(REFERENCE) --out $(OUT)/model
	@$(BIN)/python -m training evaluate --model $(OUT)/model --reference $(REFERENCE)
	@echo 'To judge it and ship it: $(BIN)/python -m training release --model $(OUT)/model'

bench: env
	@$(BIN)/python -m benchmarks

# The usual methods in the same harness, with the shipped release's own row.
peers: env
	@$(BIN)/python -m training peers --reference $(REFERENCE) --out $(OUT)/peers \
	  $(addprefix --model ,models/$(shell cat models/shipped))

# Writes what README, docs/method.md and docs/glossary.md quote: outputs of commands, tables, terms.
docs: env
	@$(BIN)/python -m tests.quoted

# After a change of pyproject.toml's dependencies; one file serves Python 3.11 and 3.12 on every system.
lock:
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-config --quiet --custom-compile-command 'make lock' --output-file requirements.lock
