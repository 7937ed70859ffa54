# The commands of the project. Each sets up first what it needs; that costs a third of a second when nothing is missing.
PYTHON := .venv/bin/python
SETUP := @python3 deploy/setup/setup.py
# Rig, setup and tests are held to the rules of the package.
SOURCES := src deploy tests

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit real bed lint format bench docs coverage packages clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install Debian packages, Python environment, certificates and the tiny guest, as far as they are missing
	$(SETUP)

demo: setup ## boot a real virtual machine under the agent, in a private virtual host (ONCE=1 stops after the table)
	$(PYTHON) deploy/demo/demo.py

test: setup ## everything: lint, unit tier, real tier, bed tier
	@$(PYTHON) -m deploy.check.run

unit: setup ## only the unit tier: no root, no libvirt daemon
	@$(PYTHON) -m deploy.check.run unit

real: setup ## only the real tier: libvirt and QEMU in a virtual host (root)
	@$(PYTHON) -m deploy.check.run real

bed: setup ## only the bed tier: LVM, iSCSI, NFS, sanlock in a full kernel (root); builds the bed once
	@$(PYTHON) -m deploy.check.run bed

lint: setup ## only the checks of style, types and import directions
	@$(PYTHON) -m deploy.check.run lint

format: setup ## let ruff format and mend what it can
	.venv/bin/ruff format $(SOURCES)
	.venv/bin/ruff check --fix $(SOURCES)

bench: setup ## measure; prints a table, writes build/bench.json
	$(PYTHON) tests/bench/run.py

docs: setup ## the HTML reference of the node API in build/docs
	$(PYTHON) -m ovis.generate docs --out build/docs

coverage: setup ## how many verbs of the node API are implemented
	@$(PYTHON) -m ovis.generate coverage

packages: setup ## Debian packages in build/packages, for machines like this one; an RPM as well where rpmbuild is
	@$(PYTHON) -m deploy.packages

clean: ## remove what was built here (.venv and build; the guest stays in the cache folder)
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
