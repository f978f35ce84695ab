# Every target that needs packages sets .venv up first, so each works on a fresh clone.
PYTHON ?= python3
BIN := .venv/bin
THREE_AT_ONCE := -n 3 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types fmt slow soak audit bench lock schemas client reference readme dashboards vendor clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## Make .venv from the lock (done by every other target when needed)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "setup: needs Python 3.11 or newer as $(PYTHON), and found: $$($(PYTHON) --version 2>&1)"; \
		echo "Debian, Ubuntu: apt install python3 python3-venv; to name another: make PYTHON=python3.12"; \
		exit 1; } >&2
	@$(PYTHON) tools/setup_venv.py

demo: setup ## Watch a real season of launches, ending with the leaderboard and the web page
	@$(BIN)/breakout demo

test: lint types ## Check style and types, and run all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow and not soak" $(THREE_AT_ONCE)

lint: setup ## Check style, formatting and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: setup ## Check types
	$(BIN)/mypy

fmt: setup ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

slow: setup ## Run the slow tests: long proofs with killed processes
	$(BIN)/python -m pytest -m slow $(THREE_AT_ONCE)

soak: setup ## An hour under twice the expected load: flat memory, few parts
	$(BIN)/python -m pytest -m soak

audit: setup ## Look up known vulnerabilities of everything in the lock
	$(BIN)/python -m tools.audit

bench: setup ## Measure on this machine, beside other tools, in about 15 minutes
	$(BIN)/python -m bench

schemas: setup ## Write the JSON Schemas of the events from the contract
	$(BIN)/python -m breakout.contract.schemas

client: setup ## Write the Python client's operations from the OpenAPI document
	$(BIN)/python -m tools.client

reference: setup ## Write the reference pages of docs/ from the code
	$(BIN)/python -m tools.reference

readme: setup ## Replay the season, and renew README's picture and example
	$(BIN)/python -m tools.readme

dashboards: setup ## Write Grafana's dashboards from their code
	$(BIN)/python -m grafana.builder

vendor: setup ## Fetch the page's libraries with npm
	$(BIN)/python -m tools.vendor

lock: setup ## Resolve the dependencies anew (what is locked stays, unless it must change)
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --extra server pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --extra local --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(BIN)/uv pip compile $(LOCK_OPTIONS) - -o requirements-build.lock
	$(BIN)/python -m tools.audit --locked

# No address of an index: the locks hold names, versions and hashes alone.
LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-annotate

clean: ## Remove what was built, .venv too
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts .kafka .foreign-clients .venv-peers
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
