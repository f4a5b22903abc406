# Two commands: `make demo` and `make test`. Both make what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEOPLE ?= 20000
PORT ?= 8000
ENTRIES ?= 20000
PRACTICES ?= 50
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
MESSAGES ?= 100000
LETTERS ?= 20000

.PHONY: help setup spark demo test bench-search bench-web bench-letters chaos lint lock clean
help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/ready static/ready ## Make the environment

$(VENV)/ready: requirements/dev.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

spark: $(VENV)/spark-ready ## Add Spark, and a Java, to the environment: some 600 MB

# Not in dev.txt: only the tests want it, and a demo is to be quick.
$(VENV)/spark-ready: requirements/spark.txt $(VENV)/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/spark.txt
	touch $@

node_modules/ready: package-lock.json $(VENV)/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent
	touch $@

static/ready: node_modules/ready shielding/frontend.py
	$(BIN)/python -m shielding.frontend
	touch $@

demo: setup ## A whole working country in miniature (HEADLESS=1: run the path, print the ledger, stop)
	$(BIN)/python -m shielding.demo --people $(PEOPLE) --port $(PORT) $(if $(HEADLESS),--headless)

test: setup spark ## Run every test, in a browser too
	$(BIN)/python -m shielding.frontend --browser
	$(BIN)/python -m pytest -n 3 --ignore tests/chaos
	$(BIN)/python -m pytest tests/chaos

bench-search: PEOPLE = 100000
bench-search: setup ## Measure the search against what bounds it (PEOPLE=100000,1000000)
	$(BIN)/python -m benchmarks.search $(PEOPLE)

bench-web: setup ## Measure a practice's pages, long list against short (ENTRIES=20000 PRACTICES=50)
	$(BIN)/python -m benchmarks.web $(ENTRIES) $(PRACTICES)

bench-letters: PEOPLE = 1000000
bench-letters: setup ## Measure letters made, people queued, messages settled (PEOPLE=1000000 MESSAGES=100000 LETTERS=20000)
	$(BIN)/python -m benchmarks.letters $(PEOPLE) $(MESSAGES) $(LETTERS)

chaos: setup ## Send messages while everything is killed (CHAOS_MESSAGES=20000 CHAOS_KILLS=50): docs/reliability.md
	$(BIN)/python -W ignore -m tests.chaos.run

lint: setup ## Run the linters and type checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run

lock: $(VENV)/ready ## Renew the hash-locked requirements, for every Python from 3.11
	$(BIN)/uv pip compile $(LOCK) requirements/app.in -o requirements/app.txt
	$(BIN)/uv pip compile $(LOCK) requirements/dev.in -c requirements/app.txt -o requirements/dev.txt
	$(BIN)/uv pip compile $(LOCK) requirements/spark.in -c requirements/dev.txt -o requirements/spark.txt

clean: ## Remove everything that was made, the demo's data too
	rm -rf $(VENV) node_modules static staticfiles .data
