# `make` or `make help` lists the targets. Everything runs in .venv, which `make setup` builds.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup demo train evaluate test lint notebook corpus-check corpus-report bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 16

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train,notebook,dev]'
	@touch $(STAMP)

setup: $(STAMP) ## build the environment

demo: $(STAMP) ## classify the example messages and explain the verdicts
	$(BIN)/classify data/examples/*.txt

train: $(STAMP) ## corpus -> models/default (about 7 minutes)
	$(BIN)/classify train

evaluate: $(STAMP) ## the shipped model on the challenge set
	$(BIN)/classify evaluate

test: lint corpus-check ## everything that must hold
	$(BIN)/python -m pytest -n 2

lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

corpus-check: $(STAMP) ## the rules of the corpus
	$(BIN)/python -m classifier.training.checks

ablation: $(STAMP) ## what each part of the model is worth (about 9 minutes)
	$(BIN)/python -m classifier.training.ablation | tee models/default/ABLATION.md

corpus-report: $(STAMP) ## counts, coverage and statistics of the corpus
	$(BIN)/python -m classifier.training.report

notebook: $(STAMP) ## run the notebooks from top to bottom
	$(BIN)/python -m pytest --nbmake notebooks

bench: $(STAMP) ## speed, memory and quality against peers
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.run

clean: ## remove what the targets made, the shipped model aside
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
