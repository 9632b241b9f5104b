# make install | demo | test | check | lock     (what each does: CONTRIBUTING.md)

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install demo test check lock clean

BIN := .venv/bin
# Written last by tools/install: it stands for a whole environment, or is not there.
STAMP := .venv/installed
INSTALL_FROM := tools/install requirements/build.lock requirements/dev.lock \
	pyproject.toml hw-sim/pyproject.toml

help:
	@echo 'make install   what the two below need: Debian packages, .venv'
	@echo 'make demo      a station, its city and their residents on this machine: http://127.0.0.1:8080/'
	@echo '               DEMO_S DEMO_SPEED DEMO_SEED DEMO_PORT DEMO_KEEP DEMO_KILLS'
	@echo 'make test      all that CI runs'
	@echo 'make check     style, types and layers alone'
	@echo 'make lock      requirements/*.lock anew from requirements/*.in (needs uv)'

install: $(STAMP)

$(STAMP): $(INSTALL_FROM)
	tools/install

# PC/SC readers are tried with the real daemon where it can be had.
.venv/readers: $(STAMP) requirements/readers.lock
	tools/install readers

# The DEMO_* variables reach hw-sim through the environment, from before `make` and from after it.
demo: install
	$(BIN)/hw-sim demo

# The receiver is tried on a real PostgreSQL where it can be had.
.venv/postgres: $(STAMP)
	tools/install postgres

# Most tests wait for wires and people at life's pace: more of them than cores run side by side.
TEST_WORKERS := 7
# Field stories keep life's pace with real processes, and a neighbour's burst can cost one its reader or its
# scale. What failed beside others is told, and has to hold alone.
# Hundreds of short-lived commands are started: each would compile the tree anew where Python is told
# to keep no bytecode.
test: export PYTHONDONTWRITEBYTECODE :=
test: install .venv/readers .venv/postgres
	base=$$(tools/test-folder) && trap 'rm -rf "$$base"' EXIT && export TMPDIR="$$base" && \
	  if $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist worksteal --basetemp "$$base/t" $(PYTEST_ARGS); \
	  then :; elif [ $$? -eq 1 ]; \
	  then echo "Once more, with nothing beside them:"; \
	    $(BIN)/python -m pytest --last-failed --last-failed-no-failures none --basetemp "$$base/again" $(PYTEST_ARGS); \
	  else exit 2; fi

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -q tests/house/test_types.py tests/house/test_layers.py

lock:
	tools/lock

clean:
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
