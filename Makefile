# Everything here works on a fresh Debian machine with Python 3.11+ and make: the environment is
# made in .venv, and all that is needed comes from PyPI. Only test-real installs Debian packages.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= $(shell nproc)
PYTEST := $(BIN)/python -m pytest -q -n $(JOBS)

# A new accelerator when its source changed; a new environment when the packages changed.
$(VENV)/.ready: pyproject.toml setup.py emu/accel/_accel.c
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,guests]'
	touch $@

.PHONY: setup demo test test-real check bench nightly docs guests clean
setup: $(VENV)/.ready

demo: setup
	$(BIN)/cr demo

test: setup
	$(PYTEST) -m 'not real and not nightly'

# Programs that nobody here wrote; installs Debian packages (as root), builds what Debian lacks.
test-real: setup
	.ci/debian-packages
	$(PYTEST) -m 'real and not nightly' -rs

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) -m 'not real and not nightly' tests/house tests/unit

bench: setup
	$(BIN)/python -m bench

# The slow sweeps; and the programs that have to be built first (minutes, once).
nightly: setup
	.ci/debian-packages
	.ci/real-programs $(BIN)/python
	$(PYTEST) -m nightly

docs: setup
	$(BIN)/python -m cr.cli.documents

# All stories for all modes, into the user's cache.
guests: setup
	$(BIN)/python -m guests.every_program

clean:
	rm -rf build *.egg-info emu/accel/_accel.so $(VENV)
