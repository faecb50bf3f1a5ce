.DEFAULT_GOAL := help
.PHONY: help install fmt lint types imports unit test thorough lock lock-check migration run docs docs-check check bench-gateway bench-peers profile-gateway

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Install everything into .venv
	uv sync

fmt: ## Format the code and mend what can be mended
	uv run ruff format
	uv run ruff check --fix

lint: ## Check style and formatting
	uv run ruff check
	uv run ruff format --check

types: ## Check types, strictly
	uv run mypy

imports: ## Check the laws of the hexagon
	uv run lint-imports

unit: ## Run the fast tests only
	uv run pytest tests/unit tests/architecture

test: ## Run every test, as the README says
	uv run pytest

thorough: ## Run every test with many more examples, other ones each time
	STOA_TEST_THOROUGH=1 uv run pytest --timeout 3600

lock: ## Resolve anew and pin every package in pyproject.toml
	uv run python scripts/lock.py

lock-check: ## Check that a fresh resolution gives exactly the pinned packages
	uv run python scripts/lock.py --check

migration: ## Draft one from the tables, with STOA_DATABASE_URL set: make migration m="add prompts"
	@test -n "$(m)" || { echo 'Say what it does: make migration m="add prompts"'; exit 2; }
	uv run alembic revision --autogenerate -m "$(m)"

run: ## Start the server
	uv run stoa serve

docs: ## Write the generated references
	uv run python scripts/generate_docs.py

docs-check: ## Check that the generated references are current
	uv run python scripts/generate_docs.py --check

check: ## Everything that CI does
	bash .ci/run

bench-gateway: ## Measure the data plane and write bench/RESULTS.md
	uv run python -m bench.gateway

bench-peers: ## The same, with LiteLLM and Portkey installed beside it and measured too
	uv run python -m bench.peers build/peers
	uv run python -m bench.gateway --peers build/peers

profile-gateway: ## Print where the processor time of a request goes
	uv run --with py-spy python -m bench.profile --everything
