# Every target makes its own environment in .venv: all it needs is Python 3.11 or newer with venv, and make.
PYTHON  ?= python3
WORKERS ?= 2

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
CLUSTER := $(VENV)/.installed-cluster
PIP     := $(BIN)/python -m pip --disable-pip-version-check
PYTEST  := $(BIN)/python -m pytest
PEERS   := .venv-peers
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --quiet \
           --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make constraints"
SLOW    := browser or crash or storm_long or cluster

.DEFAULT_GOAL := help
.PHONY: help up report test test-all test-browser lint format bench bench-peers docs constraints clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 24

up: $(STAMP) ## Run ZLP
	$(BIN)/zlp up

report: $(STAMP) ## Simulate a month of a pool; writes runs/first/report.html
	$(BIN)/zlp simulate first

test: $(STAMP) ## Run the suite everybody runs (under ten minutes on two cores)
	$(PYTEST) -n $(WORKERS) -m "not ($(SLOW))"

test-all: $(STAMP) $(CLUSTER) ## Run everything: also the browser, crash, long storm and cluster tests
	$(PYTEST) -n $(WORKERS)

# Live venues, keepers and a browser share the machine: what failed gets one more chance, by itself.
test-browser: $(STAMP) ## Run the tests that drive a browser (needs chromium)
	$(PYTEST) -m browser || $(PYTEST) -m browser --last-failed --last-failed-no-failures none

lint: $(STAMP) ## Check style, types and the arrows between packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Rewrite the code in the house's format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(STAMP) ## Measure speed, as ratios against a baseline run beside it
	$(BIN)/python -m bench

bench-peers: $(STAMP) $(PEERS)/.installed ## Measure backtests beside another simulator, in an environment of its own
	$(BIN)/python -m bench.peers

docs: $(STAMP) ## Write the API reference from the docstrings to build/reference
	$(BIN)/pdoc --docformat restructuredtext -o build/reference $$(cd src && find zlp -name '*.py' \
		! -path '*/cli/*' ! -path '*/server/*' ! -path '*/web/*' ! -path zlp/__init__.py | sort \
		| sed 's,/__init__\.py$$,,; s,\.py$$,,; s,/,.,g')
	@echo "Open build/reference/index.html"

constraints: $(STAMP) ## Pin every dependency again, with hashes
	$(COMPILE) pyproject.toml --extra all --group build --group test --group docs --group lint -o constraints/all.txt
	$(COMPILE) pyproject.toml --extra all --extra cluster --group build --group test --group docs --group lint \
		-c constraints/all.txt -o constraints/cluster.txt
	$(COMPILE) pyproject.toml --extra venue --extra oracle --extra fast --group build \
		-c constraints/all.txt -o constraints/venue.txt
	$(COMPILE) --group pyproject.toml:peers -o constraints/peers.txt

clean: ## Remove the environment and everything that tools leave behind
	rm -rf $(VENV) $(PEERS) dist build .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Hash checking needs every package pinned, so the project itself, which has no hash, is installed after them.
$(STAMP): constraints/all.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "ZLP needs Python 3.11 or newer. Name one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing into $(VENV), which takes about a minute the first time."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --require-hashes --requirement constraints/all.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(PEERS)/.installed: constraints/peers.txt
	@[ -x $(PEERS)/bin/python ] || $(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --requirement constraints/peers.txt
	@touch $@

$(CLUSTER): constraints/cluster.txt $(STAMP)
	@$(PIP) install --quiet --require-hashes --requirement constraints/cluster.txt
	@touch $@
