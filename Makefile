# Everything sets itself up on a machine that has only Python 3.11 (or newer) and make.
# `make` lists the targets.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= 2
FOCUS_PYTHON ?= $(shell python3.12 -c 'import sys; print(sys.executable)' 2>/dev/null || echo $(PYTHON))

export RUNTIME__DLTHUB_TELEMETRY = false
export DBT_SEND_ANONYMOUS_USAGE_STATS = false
unexport PYTHONDONTWRITEBYTECODE # without it each process would compile 1,500 modules anew, for seconds

.DEFAULT_GOAL := help
.PHONY: help setup demo docs site lint audit format test test-slow test-long test-matrix test-wire test-warehouses test-spark test-schedules test-browser test-focus test-readings test-kills test-soak bench points questions focus-docs pins clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/dev ## the environment for work on the project, in .venv

demo: $(VENV)/run ## the whole flow against a made-up account, into demo/
	@$(BIN)/mithril-elt demo --dir demo

docs: site ## a site of all documentation, every command and every column, in build/site, and that its links lead somewhere
	SITE=$(abspath build/site) $(VENV)-docs/bin/pytest -n 0 tests/docs
	@echo "open build/site/index.html"

site:
	@$(MAKE) --no-print-directory VENV=$(VENV)-docs $(VENV)-docs/docs
	@mkdir -p build && PYTHONPATH=docs $(VENV)-docs/bin/python -m handbook build/site

lint: $(VENV)/dev ## format, lint and types of Python, SQL and yml
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy notebooks
	$(BIN)/yamllint --strict sql
	@mkdir -p build && cat sql/macros/*.sql > build/macros.sql
	$(BIN)/sqlfluff lint --processes $(JOBS) --disable-progress-bar sql/models sql/assertions
	$(BIN)/sqlfluff lint --processes $(JOBS) --disable-progress-bar --config .ci/sqlfluff-postgres.cfg sql/models sql/assertions
	$(BIN)/sqlfluff lint --processes $(JOBS) --disable-progress-bar --config .ci/sqlfluff-spark.cfg sql/models sql/assertions

audit: $(VENV)/dev ## pins, licences, and what is known against them
	$(BIN)/python .ci/audit.py

format: $(VENV)/dev ## put Python in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(VENV)/dev ## all tests but the slow ones below, in under 5 minutes on 2 cores
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "$(MARKED)" --ignore tests/slow --ignore tests/warehouses --ignore tests/spark \
		--ignore tests/schedules --ignore tests/browser --ignore tests/focus --ignore tests/docs

test-slow: $(VENV)/dev ## whole loads, kills, builds and secrets: 15 minutes on 2 cores
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations 25 -m "$(MARKED)" $(SLOW)

test-long: ## what these leave out: more kills, keys in more places, a short soak: 15 minutes, each night
	@$(MAKE) --no-print-directory MARKED=long test test-slow test-warehouses test-browser

test-matrix: $(VENV)/dev ## the same figures under every reading of the API: 10 minutes on 2 cores
	$(BIN)/pytest -n $(JOBS) --dist worksteal --durations 25 $(MATRIX)

test-wire: $(VENV)/dev ## forty faults on the wire in the middle of a load: 3 minutes on 2 cores
	$(BIN)/pytest -n $(JOBS) --dist worksteal --durations 25 $(WIRE)

test-warehouses: ## all of it on PostgreSQL and S3, which it installs and starts: 12 minutes on 2 cores
	@$(MAKE) --no-print-directory VENV=$(VENV)-warehouses $(VENV)-warehouses/warehouses
	$(VENV)-warehouses/bin/pytest -n $(JOBS) --dist loadfile --durations 10 -m "$(MARKED)" tests/warehouses

test-spark: ## the models on a Spark cluster, which it installs and starts, then on Iceberg; needs Java 17: half an hour
	@$(MAKE) --no-print-directory VENV=$(VENV)-spark $(VENV)-spark/spark
	$(VENV)-spark/bin/pytest -n 0 --durations 10 tests/spark --ignore tests/spark/test_iceberg.py
	@$(MAKE) --no-print-directory VENV=$(VENV)-iceberg $(VENV)-iceberg/iceberg
	$(VENV)-iceberg/bin/pytest -n 0 --durations 10 tests/spark/test_iceberg.py

test-schedules: ## cron, systemd, GitHub Actions, Airflow and Dagster, which it installs, on the sandbox: minutes
	@$(MAKE) --no-print-directory VENV=$(VENV)-schedules $(VENV)-schedules/schedules
	@$(MAKE) --no-print-directory VENV=$(VENV)-airflow $(VENV)-airflow/airflow
	@busybox crond --help 2>&1 | grep -q Usage || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null \
		|| (apt-get update -q && apt-get install -qy busybox-static) >/dev/null || echo "no busybox: crond is not tested" >&2
	AIRFLOW=$(abspath $(VENV)-airflow)/bin/airflow $(VENV)-schedules/bin/pytest -n $(JOBS) --dist loadfile --durations 10 \
		tests/schedules

test-browser: site ## dashboard, notebooks and documentation in a real browser, Debian's chromium, which it installs if it may: 3 minutes
	@test -x "$(CHROMIUM)" || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qqy --no-install-recommends chromium; } \
		|| { echo "there is no $(CHROMIUM): install Debian's package chromium, or say CHROMIUM=…" >&2; exit 1; }
	@$(MAKE) --no-print-directory VENV=$(VENV)-browser $(VENV)-browser/browser
	SITE=$(abspath build/site) CHROMIUM=$(CHROMIUM) PICTURES=$(PICTURES) $(VENV)-browser/bin/pytest -n 0 --durations 5 -m "$(MARKED)" tests/browser

test-focus: $(VENV)/dev ## what is published on FOCUS, run on exported files; the official validator only with Python 3.12: a minute
	@$(MAKE) --no-print-directory VENV=$(VENV)-focus PYTHON=$(FOCUS_PYTHON) $(VENV)-focus/focus
	FOCUS_TOOLS=$(abspath $(VENV)-focus) $(BIN)/pytest -n 0 -rs --durations 10 tests/focus
	@$(VENV)-focus/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' \
		|| echo "NOT RUN: the official validator, which needs Python 3.12: make test-focus FOCUS_PYTHON=python3.12" >&2

test-readings: $(VENV)/dev ## faults seeded on purpose, and hundreds of random worlds: hours
	$(BIN)/pytest -n $(JOBS) $(FAULTS)
	READINGS_EXAMPLES=$(or $(EXAMPLES),300) $(BIN)/pytest -n $(JOBS) --dist worksteal tests/slow/test_random_worlds.py

test-kills: $(VENV)/dev ## a thousand runs killed at any moment, and those at every stage: hours
	KILLS=$(or $(EXAMPLES),1000) $(BIN)/pytest -s tests/slow/test_kills.py tests/slow/test_kills_in_models.py

test-soak: $(VENV)/dev ## an hour of runs in one process: nothing grows but the data
	SOAK_MINUTES=$(or $(MINUTES),60) $(BIN)/pytest -s tests/slow/test_soak.py

bench: $(VENV)/dev ## what a load costs, beside its peers: SIZE=tiny|small|medium|full PARTS=… COMPARE=<commit> TIMES=n
	@PYTHONPATH=tests $(BIN)/python -m bench $(if $(SIZE),--size $(SIZE)) $(if $(PARTS),--parts $(PARTS)) \
		$(if $(COMPARE),--compare $(COMPARE)) $(if $(TIMES),--times $(TIMES))

CHROMIUM ?= /usr/bin/chromium
PICTURES ?=# a folder for the pictures of the documents: make test-browser PICTURES=docs/pictures

MATRIX := tests/slow/test_matrix.py tests/slow/test_random_worlds.py
FAULTS := tests/slow/test_faults.py
WIRE := tests/slow/test_faults_on_the_wire.py
MARKED ?= not long
SLOW := $(filter-out $(MATRIX) $(FAULTS) $(WIRE),$(wildcard tests/slow/test_*.py))

clean: ## remove what the targets above made
	rm -rf $(VENV) $(VENV)-warehouses $(VENV)-spark $(VENV)-iceberg $(VENV)-schedules $(VENV)-airflow $(VENV)-browser $(VENV)-focus $(VENV)-docs demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Exact versions with hashes. The hashes hold the closure, so nothing is resolved at installation.
# uv installs them ten times faster; pip is there where uv cannot be had or knows another index.
define pinned
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mithril-elt needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	@echo "installing $(1) …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r .ci/installer.txt \
		&& $(BIN)/uv pip install -q --no-config --no-deps --require-hashes -p $(BIN)/python -r $(1) \
		|| $(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes -r $(1)
endef

define install
$(call pinned,$(1))
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(2)
endef

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: install it, or say make PYTHON=…" >&2; exit 1; }

$(VENV)/run: .ci/requirements.txt .ci/installer.txt pyproject.toml | $(VENV)/bin/python
	$(call install,.ci/requirements.txt,$@)

$(VENV)/dev: .ci/requirements-dev.txt .ci/installer.txt pyproject.toml | $(VENV)/bin/python
	$(call install,.ci/requirements-dev.txt,$@)
	@touch $(VENV)/run

$(VENV)/warehouses: .ci/requirements-warehouses.txt .ci/installer.txt pyproject.toml | $(VENV)/bin/python
	$(call install,.ci/requirements-warehouses.txt,$@)

$(VENV)/spark: .ci/requirements-spark.txt .ci/installer.txt pyproject.toml | $(VENV)/bin/python
	$(call install,.ci/requirements-spark.txt,$@)

$(VENV)/iceberg: .ci/requirements-iceberg.txt .ci/installer.txt pyproject.toml | $(VENV)/bin/python
	$(call install,.ci/requirements-iceberg.txt,$@)

$(VENV)/schedules: .ci/requirements-schedules.txt .ci/installer.txt pyproject.toml | $(VENV)/bin/python
	$(call install,.ci/requirements-schedules.txt,$@)

$(VENV)/airflow: .ci/requirements-airflow.txt .ci/installer.txt | $(VENV)/bin/python
	$(call pinned,.ci/requirements-airflow.txt)
	@touch $@

$(VENV)/browser: .ci/requirements-browser.txt .ci/installer.txt pyproject.toml | $(VENV)/bin/python
	$(call install,.ci/requirements-browser.txt,$@)

$(VENV)/docs: .ci/requirements-docs.txt .ci/installer.txt pyproject.toml | $(VENV)/bin/python
	$(call install,.ci/requirements-docs.txt,$@)

# The official validator comes as source: what builds it is installed before it.
$(VENV)/focus: .ci/requirements-focus.txt .ci/installer.txt | $(VENV)/bin/python
	@echo "installing .ci/requirements-focus.txt …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r .ci/installer.txt
	@mkdir -p build && awk '/^[a-z]/ { is_source = /^focus-validator/ } !is_source' .ci/requirements-focus.txt > build/focus-wheels.txt
	@$(BIN)/uv pip install -q --no-config --no-deps --require-hashes -p $(BIN)/python -r build/focus-wheels.txt
	@$(BIN)/uv pip install -q --no-config --no-deps --require-hashes --no-build-isolation -p $(BIN)/python -r .ci/requirements-focus.txt
	@touch $@

COMPILE = $(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -q

points: $(VENV)/dev ## renew tests/POINTS.md: which tests show which of the forty points
	$(BIN)/python tests/points.py > tests/POINTS.md

questions: $(VENV)/dev demo ## renew the answers in docs/questions.md
	$(BIN)/python tests/questions.py demo/mithril.duckdb

focus-docs: $(VENV)/dev ## renew the tables of kinds and columns in docs/focus.md
	$(BIN)/python tests/focus_docs.py

pins: $(VENV)/dev ## renew the pins from pyproject.toml
	echo 'duckdb<2' | $(COMPILE) pyproject.toml --group build -c - -o .ci/requirements.txt
	$(COMPILE) pyproject.toml --extra notebooks --extra otel --group dev -c .ci/requirements.txt -o .ci/requirements-dev.txt
	$(COMPILE) pyproject.toml --extra postgres --extra filesystem --group test --group warehouses --group build \
		-c .ci/requirements-dev.txt -o .ci/requirements-warehouses.txt
	$(COMPILE) pyproject.toml --extra spark --group test --group build \
		-c .ci/requirements-warehouses.txt -o .ci/requirements-spark.txt
	$(COMPILE) pyproject.toml --extra spark --group test --group iceberg --group build \
		-c .ci/requirements-dev.txt -o .ci/requirements-iceberg.txt
	$(COMPILE) pyproject.toml --extra filesystem --group test --group schedules --group build \
		-c .ci/requirements-dev.txt -o .ci/requirements-schedules.txt
	printf '%s\n' 'apache-airflow-core>=3.1,<4' apache-airflow-providers-standard \
		| $(COMPILE) - -o .ci/requirements-airflow.txt
	$(COMPILE) pyproject.toml --extra notebooks --group browser --group test --group build \
		-c .ci/requirements-dev.txt -o .ci/requirements-browser.txt
	$(COMPILE) pyproject.toml --group docs --group test --group build \
		-c .ci/requirements-dev.txt -o .ci/requirements-docs.txt
	$(COMPILE) --group focus -o .ci/requirements-focus.txt
	echo uv | $(COMPILE) - -o .ci/installer.txt
