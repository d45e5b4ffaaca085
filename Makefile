# Every target sets up its own .venv first; nothing needs activating.  `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= $(shell command -v python3.11 || command -v python3)
CORES ?= $(shell env -u OMP_NUM_THREADS nproc)
WORKERS ?= 2
GPUS ?= 0

BIN := .venv/bin
READY := .venv/.ready
TABLES := results/tables/table2.md results/tables/table3.md
# one thread a worker: two that share a core wait for one another
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

DEMO := work/slurm-demo
# of this checkout, but not in it: paths of SLURM's sockets must be short
CLUSTER ?= /tmp/xlqa-slurm-$(shell printf %s '$(CURDIR)' | cksum | cut -d' ' -f1)

.PHONY: help demo slurm-demo report plan status check lint test lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 12

demo: $(READY) ## the embedded experiment: two tables from a few minutes of training (CORES=…)
	@$(BIN)/python -m workflow_scripts.report.watch logs -- \
	  $(BIN)/snakemake --cores $(CORES) --quiet host reason -- $(TABLES)
	@for table in $(TABLES); do echo; cat $$table; done
	@printf '\n%s\n' \
	  "These tables, also as CSV: results/tables/.  Their scores, predictions and models: results/." \
	  "What ran, step by step: logs/.  What to change for an experiment of your own: config.yaml." \
	  "What the columns mean and how the pieces fit together: README.md and docs/architecture.md."

# Ctrl-C reaches snakemake, which takes its jobs away and ends; then the cluster is stopped, as after any other end.
slurm-demo: $(READY) ## a slice of the demo as jobs of a SLURM cluster that is started for it (root; slurm-wlm, munge)
	@mkdir -p $(DEMO)/run/logs
	@trap '$(BIN)/python -m workflow_scripts.cluster.throwaway stop $(CLUSTER)' EXIT; \
	  $(BIN)/python -m workflow_scripts.cluster.throwaway start $(CLUSTER); \
	  . $(CLUSTER)/env.sh; sinfo; \
	  $(BIN)/python -m workflow_scripts.report.watch $(DEMO)/run/logs -- \
	    $(BIN)/snakemake --profile profiles/slurm --slurm-init-seconds-before-status-checks 6 --latency-wait 5 \
	    --directory $(DEMO)/run --configfile config/slurm_demo.yaml --quiet host reason
	@for table in $(TABLES); do echo; cat $(DEMO)/run/$$table; done
	@printf '\n%s\n' \
	  "The jobs that SLURM ran: $(CLUSTER)/log/jobs.txt.  What they wrote: $(DEMO)/run/." \
	  "On a cluster of your own: fill in profiles/slurm/site.yaml, then snakemake --profile profiles/slurm."

report: $(READY) ## all tables, results/report.html that shows them, model cards, results/manifest.json (CORES=…)
	@$(BIN)/python -m workflow_scripts.report.watch logs -- \
	  $(BIN)/snakemake --cores $(CORES) --quiet host reason -- all cards results/manifest.json results/report.html
	@printf '\n%s\n' "Open results/report.html in a browser."

plan: $(READY) ## what a run takes, before it runs: jobs, hours, disk, memory, money (CONFIG=… CORES=… GPUS=… TARGETS=…)
	@$(BIN)/python -m workflow_scripts.cluster.plan $(if $(CONFIG),--config $(CONFIG)) --cores $(CORES) \
	  --gpus $(GPUS) $(TARGETS)

status: $(READY) ## where a run stands: done, running, failed and why, stale, waiting (CONFIG=… TARGETS=…)
	@$(BIN)/python -m workflow_scripts.cluster.status $(if $(CONFIG),--config $(CONFIG)) $(TARGETS)

check: lint ## lint, types and the fast tests: before every commit
	$(PYTEST) -m "not slow"

lint: $(READY) ## format, lint and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/mypy

test: lint ## everything: lint, types, all tests
	$(PYTEST)

lock: $(READY) ## rewrite constraints.txt and envs/xlqa.yaml from what is installed in .venv
	$(BIN)/python envs/lock.py

clean: ## remove all results; data/, cache/ and .venv/ stay
	rm -rf results logs work .snakemake

$(READY): pyproject.toml constraints.txt
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: xlqa needs Python 3.11 or newer, found $$($(PYTHON) --version 2>/dev/null || echo none);" \
	    "name one: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@echo "setting up .venv (once; minutes, most of it torch)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
