# Two commands for a fresh machine (Python 3.11+, make, a package index): `make demo` and `make test`.
# Each creates the environment that it needs under $(VENV) and installs only what is missing.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Threads of the numeric libraries in tests: two test processes share two cores.
TEST_THREADS ?= 1

.PHONY: demo test test-slow lint types imports check format clean

demo: $(VENV)/.installed
	$(BIN)/deixis demo --out out/demo --overwrite

test: $(VENV)/.installed-dev
	OMP_NUM_THREADS=$(TEST_THREADS) $(BIN)/python -m pytest -n 2 --dist loadfile -q

test-slow: $(VENV)/.installed-dev
	OMP_NUM_THREADS=$(TEST_THREADS) $(BIN)/python -m pytest -q -m slow

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/ty check

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-cache

check: lint types imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Deixis needs Python 3.11 or newer; name one with: make PYTHON=python3.12 demo" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable ".[train]" --group dev
	touch $@

clean:
	rm -rf $(VENV) out build dist
