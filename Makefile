# Watchbill. `make help` lists what there is.
PYTHON ?= python3
BIN := .venv/bin
RUN := requirements/run.txt
DEV := requirements/dev.txt
STAMP := .venv/.watchbill

# Every started server, worker and killed process would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve test test-sqlite test-postgresql check lint pure bench lock migrations clean
.DEFAULT_GOAL := help

help: ## List what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

$(STAMP)-run: $(RUN) pyproject.toml
	@$(PYTHON) requirements/install.py $(RUN)
	@touch $@

$(STAMP)-dev: $(DEV) pyproject.toml
	@$(PYTHON) requirements/install.py $(DEV)
	@touch $@ $(STAMP)-run

demo: $(STAMP)-run ## Build a quarter of a team's life and serve it on http://127.0.0.1:8000
	WATCHBILL_DATA=$${WATCHBILL_DATA:-demo-data} $(BIN)/watchbill demo

serve: $(STAMP)-run ## Serve an empty instance on http://127.0.0.1:8000
	$(BIN)/watchbill serve

# Types are read on one core, and leave the other to the tests.
check: $(STAMP)-dev ## Lint, types, contracts and pure tests: the inner loop
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint pure

lint: $(STAMP)-dev
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/lint-imports
	$(BIN)/mypy

pure: $(STAMP)-dev
	$(BIN)/python -m pytest -n 2 tests/core tests/plugins tests/monitors

# Both at once, so that while one waits (for a start, a browser, its last file) the other works.
test: check ## Everything, on both databases, side by side
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=line WORKERS=2 test-sqlite test-postgresql

WORKERS ?= 3
SUITE := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
	tests/walks tests/kill tests/doors tests/actions

test-sqlite: $(STAMP)-dev
	$(SUITE) tests/channels tests/connectors tests/egress

# All that touches a database; channels, connectors and egress know none. What no database decides is asked once, on
# SQLite: axe judges no page here, though every walk is walked (IS_JUDGED), two tests that only judge are left out
# (marked `looks`), and the API is asked fewer made up questions (EXAMPLES).
test-postgresql: $(STAMP)-dev
	WATCHBILL_TEST_DB=postgresql $(SUITE)

bench: $(STAMP)-dev ## Programs that print figures; they take some minutes
	$(BIN)/python -m bench

lock: ## Compile the locks again (with hashes, without an index address)
	uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 -q -o $(RUN)
	uv pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 -q -o $(DEV)

migrations: $(STAMP)-dev ## Write the migrations that the models ask for
	DJANGO_SETTINGS_MODULE=watchbill.entry.settings $(BIN)/django-admin makemigrations watchbill

clean: ## Remove the environment and the demo's data
	rm -rf .venv demo-data
