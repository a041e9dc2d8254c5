# Needs make and Python 3.11 or newer with venv; everything else is installed into .venv.
PYTHON ?= python3
SERVE  ?= 1
OPEN   ?= 1
PORT   ?= 5001
JOBS   ?= 2
PAIRS  ?= 5000

VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
BIN     := .venv/bin

.PHONY: help demo verify test test-all old check golden laws bench lock latest clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 10

# A .venv made for another Python is made anew.
.venv/.python-$(VERSION):
	@$(PYTHON) -m venv --clear .venv
	@touch $@

# What is installed stands in requirements/, with hashes: the same in a year. --quiet twice leaves errors only.
PIP    := python -m pip install --quiet --quiet --disable-pip-version-check
LOCKED := $(BIN)/$(PIP) --require-hashes
ITSELF := $(BIN)/$(PIP) --no-deps --no-build-isolation -e .

.venv/.demo: .venv/.python-$(VERSION) pyproject.toml requirements/demo.txt
	@echo "Installing what the demo needs into .venv (about a minute) ..."
	@$(LOCKED) -r requirements/demo.txt
	@$(ITSELF)
	@touch $@

.venv/.dev: .venv/.python-$(VERSION) pyproject.toml requirements/dev.txt
	@echo "Installing what the tests need into .venv (about a minute) ..."
	@$(LOCKED) -r requirements/dev.txt
	@$(ITSELF)
	@touch $@ .venv/.demo

demo: .venv/.demo ## port the demo notebook, walk it once, serve it (SERVE=0: do not; OPEN=0: no browser)
	$(BIN)/pipulate port fixtures/sales_report.ipynb fixtures/text_tools.ipynb fixtures/hello.ipynb -o demo
	$(BIN)/pipulate run demo/sales_report.py --set step_02.limit=800 --data demo/data
ifneq ($(SERVE),0)
	$(BIN)/pipulate serve demo --data demo/data --port $(PORT) $(if $(filter-out 0,$(OPEN)),--open)
endif

# A plugin stands after its notebook if generated/ has it; the others are ported for it, as those of the corpus. WAYS="--resume --restore --revert" walks it in all ways.
WITH_PLUGIN := $(foreach notebook,$(wildcard fixtures/*.ipynb fixtures/inputs/*.ipynb fixtures/flows/*.ipynb),$(notebook) $(wildcard generated/$(basename $(notdir $(notebook))).py))

# What only a person has
ANSWERS := $(addprefix --set ,hello:step_01.a=Ada all_types:step_03.token=secret asked_questions:step_01.who=Ada \
	asked_questions:step_01.lines=2 asked_questions:step_02.password=secret pipulate_calls:step_04.api_key=key \
	pipulate_calls:step_08.TOKEN=token \
	$(addprefix questions_while_running:,step_02.input=honey step_02.input=3 step_02.input= step_03.input=code \
	step_04.input=27))

verify: .venv/.dev ## compare each notebook of fixtures/ with its app, cell by cell: one table (WAYS="--resume --restore --revert": all ways)
	$(BIN)/pipulate verify $(WITH_PLUGIN) fixtures/faithful/*.ipynb $(ANSWERS) --jobs $(JOBS) $(WAYS)

TESTS := $(BIN)/pytest -q -n $(JOBS) --dist loadscope

test: .venv/.dev check ## style, types, architecture, then all tests but the slow ones
	$(TESTS) -m "not slow"

# make runs a target once: `make test test-all` runs each test once.
test-all: test ## all of that, then the slow tests: every way to walk, many kills, long searches
	$(TESTS) -m slow

.venv/old/.made: .venv/.dev requirements/old.txt
	@echo "Installing the FastHTML of upstream into .venv/old ..."
	@rm -rf .venv/old
	@$(LOCKED) --no-deps --target .venv/old -r requirements/old.txt
	@touch $@

old: .venv/old/.made ## the tests of plugins and of what they show, with the FastHTML and Starlette of upstream
	PIPULATE_OLD=1 PYTHONPATH=$(CURDIR)/.venv/old $(BIN)/python -m pytest -q -W ignore::DeprecationWarning \
		tests/contract/test_upstream.py tests/contract/test_plugins.py tests/cells/test_render.py tests/cells/test_api.py

check: .venv/.dev ## style, types and architecture only
	$(BIN)/ruff check .
	$(BIN)/black --quiet --check transpiler pipulate_runtime tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache > .venv/lint-imports.log || (cat .venv/lint-imports.log; exit 1)

golden: .venv/.dev ## make generated/ and the expected reports anew; look at the diff
	$(BIN)/pytest -q tests/test_golden.py --update
	git diff --stat generated tests

laws: .venv/.dev ## merge random edits and check the laws on each pair: one table (PAIRS=5000)
	$(BIN)/python -m tests.merge.laws $(PAIRS) --jobs $(JOBS)

bench: .venv/.dev ## compare speed and memory with other tools, in one run
	$(BIN)/python bench/run.py

.venv/uv/.made: .venv/.python-$(VERSION)
	@echo "Installing uv into .venv/uv ..."
	@$(PYTHON) -m venv --clear .venv/uv
	@.venv/uv/bin/$(PIP) uv
	@touch $@

UPGRADE ?= --upgrade
COMPILE := .venv/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--annotation-style line --custom-compile-command 'make lock'

lock: .venv/uv/.made ## renew requirements/ by the newest versions that pyproject.toml allows (UPGRADE=: move only what must)
	@$(COMPILE) $(UPGRADE) pyproject.toml --extra dev -o requirements/dev.txt
	@$(COMPILE) $(UPGRADE) pyproject.toml --extra demo --group build -c requirements/dev.txt -o requirements/demo.txt
	@$(COMPILE) $(UPGRADE) requirements/old.in --no-deps -o requirements/old.txt
	git diff --stat requirements

latest: .venv/.python-$(VERSION) ## what moved since make lock, and the tests with it, in .venv/latest
	@echo "Installing the newest versions that pyproject.toml allows into .venv/latest (about two minutes) ..."
	@$(PYTHON) -m venv --clear .venv/latest
	@.venv/latest/bin/$(PIP) -e '.[dev]'
	@.venv/latest/bin/python -m tests.locked
	.venv/latest/bin/python -m pytest -q -n $(JOBS) --dist loadscope

clean: ## remove what the other targets made
	rm -rf .venv demo artefacts build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
