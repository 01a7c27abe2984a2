# `make demo` runs a hub to try out, `make test` proves it. Everything is installed into .venv, nothing outside it.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
# Which JupyterHub to test with; `make test JUPYTERHUB='jupyterhub~=5.5.4' VENV=.venv-5` tests with the oldest.
JUPYTERHUB ?= jupyterhub>=6
BIN := $(abspath $(VENV))/bin
PACKAGES := hub_extensions spawners authenticators services share
PYTEST_ARGS ?=
# Files of tests run side by side, as many as there are processors; tests/workers.py says in which order.
WORKERS ?= auto

.PHONY: demo test benchmarks docs check lint types imports format install wheel clean

# Ctrl-C is the demonstration's to follow; the shell waits for it and then ends well.
demo: $(VENV)/installed-demo
	@trap : INT; PORT='$(PORT)' $(BIN)/python examples/laptop/demo.py

test: $(VENV)/installed-test
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# Figures, as ratios from one run; what needs KUBEBUILDER_ASSETS or HUB_VALUES_CORPUS is left out without it.
benchmarks: $(VENV)/installed-benchmarks
	$(BIN)/python benchmarks/policy.py
	$(BIN)/python benchmarks/form.py
	$(BIN)/python benchmarks/start.py
	@if [ -n "$$KUBEBUILDER_ASSETS" ]; then $(BIN)/python benchmarks/spawns.py; fi

# The pages of docs/, with what the code says of itself; a warning is an error. Nothing is fetched.
docs: $(VENV)/installed-test
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build/html
	@echo 'Open docs/_build/html/index.html'

check: lint types imports

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Checked from a folder without packages, so that what is checked is the installed package, put together as people get it.
types: $(VENV)/installed-test
	cd tests && $(BIN)/mypy --config-file ../pyproject.toml --package hub_extensions

imports: $(VENV)/installed-test
	cd tests && $(BIN)/lint-imports --config ../pyproject.toml

format: $(VENV)/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/installed-test
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

install: $(VENV)/installed-test

clean:
	rm -rf build dist docs/_build *.egg-info $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or newer is needed; choose one with: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# Python finds the package through a tree of links, one a file, which is made anew when a file comes or goes: the name of
# this file is a checksum of the list of files.
LISTED := $(VENV)/files-$(shell find $(PACKAGES) -type f -not -name '*.pyc' | LC_ALL=C sort | cksum | cut -d' ' -f1)

$(LISTED): | $(VENV)/bin/python
	@rm -f $(VENV)/files-*
	@touch $@

define install
	@echo 'Installing into $(VENV); the first time takes a minute or two.'
	@rm -rf build
	@$(BIN)/pip install --quiet --disable-pip-version-check \
	  '$(JUPYTERHUB)' --editable '.[$(1)]' --config-settings editable_mode=strict
endef

$(VENV)/installed-demo: pyproject.toml $(LISTED)
	$(call install,demo)
	@touch $@

# What tests need includes what the demonstration needs.
$(VENV)/installed-test: pyproject.toml $(LISTED)
	$(call install,test)
	@touch $@ $(VENV)/installed-demo

# The hubs and servers to measure on are those of the tests.
$(VENV)/installed-benchmarks: pyproject.toml $(LISTED)
	$(call install,benchmarks)
	@touch $@ $(VENV)/installed-test $(VENV)/installed-demo
