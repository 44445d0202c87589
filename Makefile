# make demo   the main job for four districts, from their data to rostered classes, through the real Dagster daemon
# make test   every test that needs nothing but Python
# make exhaustive   the tests that try chance cases, with many more of them (a quarter of an hour)
# make ui     the same instance with the Dagster UI on http://127.0.0.1:3000
# make check  lint, types, definitions
# make docs   write the documents that are made from the code
# make pins   resolve the newest versions into constraints.txt

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXHAUSTIVE = $$(grep -rl 'effort import cases' roster_pipelines_tests)

# Pytest rewrites each assertion of the tests, 6 s of them; where Python may keep that, it is done once and not by each
# worker of each run.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test exhaustive ui check docs pins clean

demo: $(READY)
	@$(BIN)/roster demo

test: $(READY)
	@$(BIN)/python -m pytest -m "not sshd" -n 3 --dist loadfile --no-loadscope-reorder

exhaustive: $(READY)
	@ROSTER_TESTS=exhaustive $(BIN)/python -m pytest $(EXHAUSTIVE)

ui: $(READY)
	@$(BIN)/roster up

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@home=$$(mktemp -d) && DAGSTER_HOME=$$home $(BIN)/dagster definitions validate -w workspace.yaml; code=$$?; rm -rf $$home; exit $$code

docs: $(READY)
	@$(BIN)/python -m roster_pipelines_tests.documents

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 ...")'
	@echo "Installing into $(VENV) (about a minute, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

pins:
	$(PYTHON) -m venv $(VENV)/pins
	$(VENV)/pins/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	$(VENV)/pins/bin/python -m pip freeze --exclude roster-pipelines --exclude setuptools --exclude pip > constraints.txt
	rm -rf $(VENV)/pins

clean:
	rm -rf $(VENV)
