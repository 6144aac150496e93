# The few commands a person needs. Everything here is python3, its venv module and make; `make` alone explains.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
# The tests wait for brokers, databases and pages nearly as long as they compute.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )))

BIN      := $(VENV)/bin
RUNTIME  := $(VENV)/.made-runtime
COMPILED := $(VENV)/.made-compiled
DEV      := $(VENV)/.made-dev
PINS     := pyproject.toml constraints.txt

# Compiled modules are kept: each of the many processes of a test run would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-secure secrets test chaos lint audit sbom bench determinism plots constraints clean python-is-new-enough

help: ## this list
	@echo 'Liftwatch, an open monitor for lifts.'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'ARGS goes to the command underneath:'
	@echo "  make demo ARGS='--lifts 200'      a larger fleet; what else there is: make demo ARGS=--help"
	@echo "  make test ARGS='-k door -x'       the tests about doors, stopping at the first that fails"
	@echo "  make test ARGS=\"-m 'not chaos'\"           with the long worlds and floods, as .ci/run does"
	@echo "  make test ARGS='-n 0'             in one process"
	@echo
	@echo 'The first run makes $(VENV) (some minutes of download); later runs start at once.'

demo: $(COMPILED) ## broker, monitor, dashboards and a simulated fleet on this machine; Ctrl-C ends it
	@exec $(BIN)/liftwatch demo $(ARGS)

demo-secure: $(COMPILED) ## the same with sign-in, TLS, passwords and certificates: a broker that admits nobody else
	@exec $(BIN)/liftwatch demo --secure $(ARGS)

SECRETS := liftwatch-monitor liftwatch-dashboards liftwatch-simulator records_key influx_admin influx_token grafana_admin

# Docker mounts each file with its owner and mode, and each server runs as a user of its own: the folder is what keeps
# others out. A file that exists stays as it is.
secrets: ## the secrets of docker-compose.yml, in the folder secrets/
	@mkdir -p secrets && chmod 700 secrets
	@for name in $(SECRETS); do \
	  [ -s secrets/$$name ] || { od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' > secrets/$$name && chmod 644 secrets/$$name; }; \
	done
	@echo 'secrets/ has a file for each secret; existing ones were kept.'

# worksteal: a worker that dies loses one test, and the others take over what it had left.
test: $(DEV) $(COMPILED) ## the tests but the long ones; what this machine lacks is skipped and named
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'not long and not chaos' $(ARGS)

chaos: $(DEV) $(COMPILED) ## kills, stops, full disks and cuts while a fleet publishes: a ledger for each, in about half an hour
	$(BIN)/python -m pytest -n 2 --dist worksteal -m chaos -rP tests/chaos $(ARGS)

lint: $(DEV) ## ruff, mypy and bandit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit -q -ll -c pyproject.toml -r .

# Neither tool is a dependency. An advisory service that cannot be reached, or that does not have a library, is a failure:
# it has proved nothing.
$(VENV)-audit/.made: constraints.txt | python-is-new-enough
	@rm -rf $(VENV)-audit && $(PYTHON) -m venv $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1 cyclonedx-bom==7.5.0
	@touch $@

audit: $(VENV)-audit/.made ## the pinned libraries against published advisories; needs the advisory service over the network
	@$(VENV)-audit/bin/pip-audit -r constraints.txt --no-deps --disable-pip --strict $(ARGS) || { \
	  echo 'pip-audit has not shown that every library is free of known vulnerabilities: see above.' >&2; exit 1; }

sbom: $(VENV)-audit/.made ## the pinned libraries as a bill of materials in CycloneDX: sbom.json
	@$(VENV)-audit/bin/cyclonedx-py requirements constraints.txt -o sbom.json
	@echo 'sbom.json is written'

bench: $(DEV) $(COMPILED) ## what each step costs, in one table
	POLARS_MAX_THREADS=1 $(BIN)/python -m benchmarks $(ARGS)

determinism: $(DEV) $(COMPILED) ## the same seed, again and cut in several ways: a table of hashes
	$(BIN)/python -m benchmarks.determinism $(ARGS)

plots: $(DEV) $(COMPILED) ## the plots of docs/world.md and docs/rules, drawn anew
	$(BIN)/python -m benchmarks.plots $(ARGS)
	$(BIN)/python -m benchmarks.plots.rules

constraints: python-is-new-enough ## renew constraints.txt from what pyproject.toml allows today
	rm -rf $(VENV)-pins
	$(PYTHON) -m venv $(VENV)-pins
	$(VENV)-pins/bin/python -m pip install --quiet -e '.[dev]'
	{ head -n 1 constraints.txt; $(VENV)-pins/bin/python -m pip freeze --exclude-editable; } > constraints.new
	mv constraints.new constraints.txt
	rm -rf $(VENV)-pins

clean: ## remove what make made: the environment and every cache
	rm -rf $(VENV) $(VENV)-pins $(VENV)-audit build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python-is-new-enough:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Liftwatch needs Python 3.11 or newer, and $(PYTHON) here is" \
	    "$$($(PYTHON) --version 2>/dev/null || echo missing). Name another: make PYTHON=python3.12 …" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module; on Debian: apt-get install python3-venv" >&2; exit 2; }

# Newer pins make the environment anew, so that nothing of an older set stays behind.
$(RUNTIME): $(PINS) | python-is-new-enough
	@echo 'Making $(VENV) …'
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(COMPILED): $(RUNTIME)
	@$(BIN)/liftwatch compile
	@touch $@

$(DEV): $(RUNTIME)
	@echo 'Adding what the tests need to $(VENV) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
