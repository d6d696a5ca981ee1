# Every target installs what it needs: a machine with Python 3.11 or newer and make is enough.

PYTHON ?= python3
UV := $(PYTHON) scripts/uv.py
DEPLOY := .venv/bin/dsql-deploy
RUN := .venv/bin
ENV ?= local
# Tests that start nothing but programs that end; the others start clusters, and wait for them more than they compute.
STARTING_NOTHING := tests/docs tests/terraform tests/unit
PYTEST := $(RUN)/pytest --numprocesses logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: up
up: .venv/installed ## Start a Temporal cluster on this machine and prove that it works: ENV=local or cluster
	@$(DEPLOY) up $(ENV)

.PHONY: down
down: .venv/installed ## Stop it and keep its data
	@$(DEPLOY) down $(ENV)

.PHONY: test
test: .venv/installed-dev ## Run all tests that this machine can run, and list those that it cannot
	@$(PYTEST) $(STARTING_NOTHING); first=$$?; \
	echo; $(PYTEST) $(STARTING_NOTHING:%=--ignore=%) && exit $$first

.PHONY: check
check: .venv/installed-dev ## Format, lint, types, layers
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports --no-cache

.PHONY: format
format: .venv/installed-dev ## Format the code and mend what can be mended
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

.PHONY: docs
docs: .venv/installed-dev ## Write the generated pages of docs/reference again
	$(RUN)/python -m scripts.reference

.PHONY: diagrams
diagrams: .venv/installed-dev ## Draw the environments on AWS again, in docs/reference/diagrams (takes Terraform)
	@for name in dev bench prod; do \
		$(DEPLOY) diagram $$name --out docs/reference/diagrams/$$name.svg || exit; done

.PHONY: collector
collector: ## Build the OpenTelemetry collector that some tests run, which takes some minutes
	@$(PYTHON) scripts/collector.py

.PHONY: base-image
base-image: .venv/installed-dev ## Make a Debian image for tests, where no registry can be reached (takes root, debootstrap)
	@$(RUN)/python scripts/base_image.py

.PHONY: server
server: .venv/installed ## Build the stock Temporal server and the Web UI, which takes some minutes
	@$(RUN)/python scripts/temporal_server.py

.PHONY: opensearch
opensearch: .venv/installed ## Download OpenSearch (with Maven) and build the tool that makes its index
	@$(RUN)/python scripts/opensearch.py

.PHONY: campaign
campaign: .venv/installed-dev ## Long runs of faults, environments, bottlenecks and fuzz: SEED=..., resumable, writes docs/results
	$(RUN)/python -m tests.campaign $(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: .venv/installed-dev ## Measure how fast the commands are, against doing it by hand
	$(RUN)/python benchmarks/run.py

.venv/installed: pyproject.toml uv.lock scripts/uv.py
	@$(UV) sync --locked --no-dev --inexact --quiet
	@touch $@

.venv/installed-dev: pyproject.toml uv.lock scripts/uv.py
	@$(UV) sync --locked --quiet
	@touch $@ .venv/installed
