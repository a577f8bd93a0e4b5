# The set-up lives in .venv and is done once, by requirements/setup.sh.
BIN := .venv/bin
# `make PYTHON=python3.12` names the Python, `make TORCH=cpu` or `TORCH=cuda` the build of torch; see requirements/setup.sh.
export PYTHON TORCH
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Another handbook on the path would be run in place of this one; a Python's home is of that Python alone.
unexport PYTHONPATH PYTHONHOME
# Compiled modules are kept, as a hundred processes load the same: many images of containers say otherwise.
unexport PYTHONDONTWRITEBYTECODE
# A home and a name where the user has none; no folder for temporary files that is not there.
USELESS := $(shell sh requirements/environment.sh)
ifneq ($(filter HOME,$(USELESS)),)
export HOME := $(CURDIR)/.cache/home
endif
ifneq ($(filter LOGNAME,$(USELESS)),)
export LOGNAME := handbook
endif
ifneq ($(filter TMPDIR,$(USELESS)),)
unexport TMPDIR
endif
# Text files are UTF-8, whatever the locale says.
export PYTHONUTF8 := 1
# No telemetry, no look-ups for newer versions; one home for Prefect's database.
export DO_NOT_TRACK := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PREFECT_HOME := $(CURDIR)/.prefect
export MLFLOW_DISABLE_TELEMETRY := true
export DVC_NO_ANALYTICS := true
# DVC's cache of what it knows holds pickles, and by itself lies where every user of the machine can write.
export DVC_SITE_CACHE_DIR ?= $(CURDIR)/.dvc/site
export RAY_USAGE_STATS_ENABLED := 0

.DEFAULT_GOAL := help
.PHONY: help setup lock audit data repro flow ui demo test proof check bench report docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## a virtual environment of the project's own, every version pinned with its hashes
	@sh requirements/setup.sh

lock:  ## pin everything again, by uv: uv.lock and the files in requirements/
	@$(BIN)/python requirements/lock.py

# With SAMPLE=1, samples are drawn and built even where the real data can be fetched.
SOURCE := $(if $(SAMPLE),--source sample,--or-sample)
IN_PLACE = here=$$($(if $(SAMPLE),cd .sample && ../)$(BIN)/python -m handbook where) && cd "$$here"

data: setup  ## fetch the data: already there, a mirror, upstream
	@$(BIN)/python -m handbook data

repro: setup  ## rebuild everything that is stale, a stage a core; samples, in .sample/, where data cannot be fetched
	@$(BIN)/python -m handbook data $(SOURCE)
	@$(IN_PLACE) && python -m flows

flow: repro  ## another name for repro: Prefect runs the stages of DVC

ui: setup  ## Prefect, MLflow, the report and Data Docs on loopback, until Ctrl-C
	@$(IN_PLACE) && python -m flows.ui

demo: setup  ## a page in the browser to try the champions by hand, on loopback, until Ctrl-C
	@$(IN_PLACE) && python -m handbook demo

test: setup  ## all tests but the slow proofs
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n logical --maxprocesses 8 --dist loadgroup --no-loadscope-reorder

proof: setup  ## the slow proofs: clones, kills, every promise on real data, Ray
	@$(BIN)/python -c "import ray" 2>/dev/null || sh requirements/setup.sh add ray
	@$(BIN)/python -m pytest -m slow

check: setup  ## format, lint, types, import directions, workflows, no sample results in git
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/zizmor --quiet --offline --no-progress .github/workflows
	@$(BIN)/python -m handbook check

audit: setup  ## ask for known vulnerabilities of everything that is pinned; needs the web
	@$(BIN)/python -c "import pip_audit" 2>/dev/null || sh requirements/setup.sh add audit
	@$(BIN)/python requirements/audit.py

bench: setup  ## measure side by side; ratios are written to benchmarks/
	@$(BIN)/python -c "import minisom, torchsom, fastersom, xpysom" 2>/dev/null || sh requirements/setup.sh add bench
	@$(BIN)/python -m benchmarks

report: setup  ## build reports/index.html and the README's table again
	@$(BIN)/dvc repro --single-item --force report

docs: setup  ## the documentation as a site that needs no network, site/index.html; refuses dead links
	@$(BIN)/python -c "import mkdocs, material, mkdocstrings" 2>/dev/null || sh requirements/setup.sh add docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "open site/index.html"

clean:  ## remove what can be made again; data, models and the DVC cache stay
	rm -rf .venv .cache .prefect .mypy_cache .ruff_cache .pytest_cache .import_linter_cache reports/data_docs site
	find src flows tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
