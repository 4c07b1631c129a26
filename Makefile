# The two commands: `make run` opens the workstation on its simulated exchange, `make test` proves it. Both set
# everything up on a machine that has Python 3.11 and make; a second call starts in seconds.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
PEERS  := .venv-peers
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
KERNEL_SOURCES := $(wildcard engine/analysis/*.py engine/strategy/*.py engine/market/*kernel.py engine/positions/*.py engine/backtest/gates.py exchange/simulator/*.py)
JOBS   ?= 2
HOURS  ?= 8

.PHONY: run test test-long soak bench bench-peers lint screenshots clean help

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make run          open the workstation on the built-in simulated exchange (no keys, no questions)
run: $(VENV)/.kernels
	@exec $(BIN)/perpdesk $(ARGS)

## make test         the tests (under 25 minutes on two cores)
test: $(VENV)/.dev $(VENV)/.kernels
	$(BIN)/python -m pytest -m "not long" -n $(JOBS) --dist loadgroup -q

## make test-long    the slow suites as well: days of other markets, 50 kills, a soak (about an hour on two cores)
test-long: $(VENV)/.dev $(VENV)/.kernels
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -q

## make soak HOURS=8 a live desk of 200 symbols at a simulated exchange for hours: memory, lag, books
soak: $(VENV)/.dev $(VENV)/.kernels
	SOAK_HOURS=$(HOURS) $(BIN)/python -m pytest -n 0 -q -s tests/e2e/test_soak.py

## make bench        measure beside other programs; writes benchmarks/results.md and docs/performance.md
bench: $(VENV)/.dev $(VENV)/.kernels bench-peers
	$(BIN)/python tests/bench/run.py

## make bench-peers  install the other programs into an environment of their own
bench-peers: $(PEERS)/.done

# Without them `make bench` measures our own side and says so.
$(PEERS)/.done: tests/bench/peers/requirements.txt
	@echo "installing the programs perpdesk is measured against into $(PEERS)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -r $< && touch $@ \
		|| echo "some could not be installed: their rows will be missing" >&2

## make lint         ruff, mypy strict, import contracts
lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## make screenshots  redraw the pictures in docs/ from the running workstation
screenshots: $(VENV)/.dev $(VENV)/.kernels
	$(BIN)/python tests/e2e/screenshots.py

## make clean        remove the environment and caches
clean:
	rm -rf $(VENV) $(PEERS) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "perpdesk needs Python 3.11 or newer: install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "perpdesk needs Python 3.11 or newer, $(PYTHON) is older: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "creating the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "python's venv module is incomplete here (Debian: apt-get install python3-venv)" >&2; rm -rf $(VENV); exit 1; }

# The pinned versions carry hashes: pip refuses a file that differs. --no-deps, since the lock is complete.
$(VENV)/.run: constraints-run.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing perpdesk (about a minute the first time)"
	@$(PIP) install --only-binary :all: --require-hashes --no-deps -r constraints-run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: constraints.txt $(VENV)/.run
	@echo "installing the test tools"
	@$(PIP) install --only-binary :all: --require-hashes --no-deps -r constraints.txt
	@touch $@

$(VENV)/.kernels: $(KERNEL_SOURCES) $(VENV)/.run
	@$(BIN)/python -m engine.warm
	@touch $@
