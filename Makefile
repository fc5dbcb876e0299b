# make demo    set up .venv and read a sample document
# make test    set up the rest and run every test            (PYTEST_ARGS="-k words" passes arguments on)
# make demo-queue  a Redis, a dispatcher and workers on this machine read the samples
# make chaos   a queue under fire: whatever is killed, each document ends once   (SECONDS=45 SEED=1)
# make check   formatting, lint, types, then the tests
# make bench   what reading costs, in CPU seconds

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTEST_ARGS ?=
SECONDS ?= 45
SEED ?= 1
export OMP_NUM_THREADS ?= 1

.PHONY: demo demo-queue test chaos check static bench clean

demo: $(VENV)/base.done
	$(BIN)/docpipe run samples/invoice.pdf --schema invoice

test: $(VENV)/dev.done
	$(BIN)/python -m pytest $(PYTEST_ARGS)

demo-queue: $(VENV)/dev.done
	$(BIN)/python -m workers local -- sh -c '$(BIN)/docpipe submit samples/*.pdf --schema invoice --wait; $(BIN)/docpipe status'

chaos: $(VENV)/dev.done
	$(BIN)/python tests/chaos.py --seconds $(SECONDS) --seed $(SEED)

check: static test

static: $(VENV)/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/dev.done
	$(BIN)/python benchmarks/speed.py

$(VENV)/base.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 12) else "docpipe needs Python 3.11 or 3.12: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/dev.done: $(VENV)/base.done
	$(PIP) --editable '.[dev,tesseract,queue,vlm,api]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist out
