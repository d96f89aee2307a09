# gonogo. `make` lists what there is; every target sets up what it needs.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install -c constraints.txt

# The first Python new enough. Another one: make PYTHON=/path/to/python run
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

# Test processes side by side, and more arguments for pytest, bench or faults: make test ARGS="-k windows"
WORKERS ?= 2
ARGS ?=

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: .venv/.installed  ## Start gonogo with its sandbox channel (CHECKLIST=path/to/checklist.md, GONOGO_PORT=…)
	@exec $(BIN)/gonogo run $(if $(CHECKLIST),--checklist '$(CHECKLIST)')

.PHONY: test
test: .venv/.installed-dev  ## Run every test that is not marked slow (ARGS="-k windows")
	@$(BIN)/python -m pytest --no-header -n $(WORKERS) -m "not slow and not long and not real" $(ARGS)

.PHONY: test-slow
test-slow: .venv/.installed-dev  ## Run the tests marked slow, which `make test` leaves out
	@$(BIN)/python -m pytest --no-header -n $(WORKERS) -m "slow and not long" $(ARGS)

.PHONY: test-long
test-long: .venv/.installed-dev  ## Run the tests that take minutes each: planted faults, a thousand deployments
	@$(BIN)/python -m pytest --no-header -n $(WORKERS) -m long $(ARGS)

.PHONY: test-real
test-real: .venv/.installed-dev  ## Ask a real Prometheus and Alertmanager (as root, Debian's packages are installed)
	@{ command -v prometheus && command -v prometheus-alertmanager; } >/dev/null || [ "$$(id -u)" != 0 ] || { \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
	prometheus prometheus-alertmanager >/dev/null; }
	@$(BIN)/python -m pytest --no-header -n $(WORKERS) --dist loadfile -m real -rs $(ARGS) tests/real

.PHONY: lint
lint: .venv/.installed-dev  ## Check style, layers and the five checklists
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/gonogo checklist lint checklists/*.md

.PHONY: format
format: .venv/.installed-dev  ## Rewrite the code in the house style
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

.PHONY: types
types: .venv/.installed-dev  ## Check the types, strictly
	@$(BIN)/mypy

.PHONY: bench
bench: .venv/.installed-dev  ## Measure how fast it is
	@$(BIN)/python bench/run.py $(ARGS)

.PHONY: faults
faults: .venv/.installed-dev  ## Break things on purpose (KILLS=, FAULTS=, MINUTES=, SEED=, CHAT=, DB=, REPLICAS=)
	@KILLS='$(KILLS)' FAULTS='$(FAULTS)' MINUTES='$(MINUTES)' SEED='$(SEED)' CHAT='$(CHAT)' DB='$(DB)' \
	REPLICAS='$(REPLICAS)' ROLES='$(ROLES)' PLANT='$(PLANT)' $(BIN)/python tests/faults/run.py $(ARGS)

.PHONY: fuzz
fuzz: .venv/.installed-dev  ## Throw anything at whatever reads text or payloads (ARGS="--inputs 1000000 --seed 1")
	@$(PIP) -e '.[fuzz]'
	@$(BIN)/python -m tests.fuzz.run $(ARGS)

.PHONY: audit
audit: .venv/.installed-dev  ## Ask whether a dependency has a known hole; say so where nobody can be asked
	@$(PIP) -e '.[audit]' 2>/dev/null || { echo 'skipped: pip-audit cannot be installed from this index'; exit 0; }; \
	$(BIN)/python tests/security/audit.py $(ARGS)

.PHONY: pins
pins: .venv/.installed-dev  ## Write requirements.txt anew: the versions that are tested, with their hashes
	@$(PIP) -e '.[audit]'
	@CUSTOM_COMPILE_COMMAND='make pins' $(BIN)/pip-compile -q --generate-hashes --allow-unsafe --all-build-deps \
	--strip-extras --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
	-c constraints.txt -o requirements.txt pyproject.toml

.PHONY: clean
clean:  ## Remove caches and build leftovers (the environment stays: `rm -rf .venv` removes that)
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/pip:
	@test -n '$(PYTHON)' || { echo "gonogo needs Python 3.11 or newer; here is \
	$$(python3 --version 2>/dev/null || echo no python3). Point at another one: make PYTHON=/path/to/python3.11 …" \
	| tr -s '\t ' ' ' >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments here. \
	On Debian and Ubuntu: apt-get install python3-venv" | tr -s '\t ' ' ' >&2; exit 1; }
	@echo "Setting up .venv; only the first time takes this long." >&2
	@'$(PYTHON)' -m venv .venv

# Nothing is installed again until one of these two files changes.
.venv/.installed: pyproject.toml constraints.txt | .venv/bin/pip
	@$(PIP) -e .
	@touch $@

.venv/.installed-dev: pyproject.toml constraints.txt | .venv/bin/pip
	@$(PIP) -e '.[dev]'
	@touch .venv/.installed $@
