# `make demo` runs a hub to try out, `make test` proves it. Everything is installed into .venv.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
JUPYTERHUB ?= jupyterhub>=6
BIN = $(abspath $(VENV))/bin
# The link tree that an editable install makes: what imports see is exactly what a wheel would hold.
SOURCES = $(shell find hub_extensions spawners authenticators services share -type f -not -name '*.pyc' | sort)

.PHONY: demo test lint types check clean install

install: $(VENV)/installed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; choose one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt install python3-venv"; exit 1; }

# The name of this file changes with the list of files, so that an added or removed file is seen.
FILES = $(VENV)/files-$(shell printf '%s' '$(SOURCES)' | cksum | cut -d' ' -f1)
$(FILES): | $(VENV)/bin/python
	@rm -f $(VENV)/files-*
	@touch $@

$(VENV)/installed: pyproject.toml $(FILES)
	$(BIN)/pip install --quiet --disable-pip-version-check '$(JUPYTERHUB)' -e '.[test]' --config-settings editable_mode=strict
	@touch $@
