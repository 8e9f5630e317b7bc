# Everything a checkout needs: `make demo`, `make test`. Nothing outside of .venv and .build is written,
# but for the system packages that tests/simulator/simulator.py deps installs.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

SCENARIO ?= mindie
# The first Python that the pinned ansible-core runs on.
# The distribution's before another: that of a version manager is often built without optimisation, and all takes a third longer.
PYTHON ?= $(shell for name in /usr/bin/python3 python3 python3.12 python3.13 python3.11; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && command -v $$name && break; done)
BIN := .venv/bin
COLLECTIONS := $(CURDIR)/.build/collections
COLLECTION := $(COLLECTIONS)/ansible_collections/npuops/ascend

export PATH := $(CURDIR)/$(BIN):$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export PYTHONDONTWRITEBYTECODE := 1

help: ## Show what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.venv/.installed: requirements-dev.txt
	tests/tools/venv.sh '$(PYTHON)'
	touch $@

# Ansible looks for a collection by its name: a link that bears it.
$(COLLECTION):
	mkdir -p '$(@D)'
	ln -sfn '$(CURDIR)' '$@'

.PHONY: help deps demo demo-down test test-all lint unit browser sanity molecule bench clean

deps: .venv/.installed $(COLLECTION) ## Install what the other targets need.

demo: deps ## From simulated bare hosts to a chat answer.
	tests/tools/demo.sh '$(SCENARIO)'

demo-down: deps ## Remove the simulated hosts of SCENARIO.
	tests/tools/demo.sh '$(SCENARIO)' down

test: deps ## Everything that has to pass.
	tests/tools/test.sh

test-all: export FAULTS := all
test-all: test ## The same, with the faults too that the unit tests plant.

lint: deps ## yamllint, ansible-lint, documentation and changelog.
	tests/tools/lint.sh

unit: deps ## Unit tests; no host needed.
	PYTHONPATH='$(COLLECTIONS)' python -m pytest -q -n auto tests/unit

browser: deps ## The report in a headless Chromium.
	tests/tools/browser.sh

sanity: deps ## ansible-test sanity in a copy of the checkout.
	tests/tools/sanity.sh

molecule: deps ## The scenarios on simulated hosts.
	tests/tools/molecule.sh

bench: deps ## Ratios, measured in one run on simulated hosts.
	tests/tools/bench.sh

clean: demo-down ## Remove hosts, environment and build results.
	rm -rf .venv .build .ansible .cache
