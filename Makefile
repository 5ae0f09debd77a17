# Footing's commands. Python 3.11+ and make are all they need; `make` alone lists them.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$python; break; fi; done)
BIN := .venv/bin
# Checks read settings without a database; nothing is started for them.
NO_DATABASE := DATABASE_URL=postgres:///not-needed
# Production's settings with values that are valid and nobody's.
PRODUCTION := CLINIC_MODE=production $(NO_DATABASE) SITE_URL=https://intake.clinic.example \
	SECRET_KEY=only-for-make-check-zq7Xw2mK9vTr4LpB8sNc3HdJ6fYgA1eU ALLOWED_HOSTS=intake.clinic.example \
	EMAIL_HOST=mail.clinic.example DEFAULT_FROM_EMAIL=visits@clinic.example ON_CALL_EMAIL=on-call@clinic.example

# The product and its tests start many processes: what they import is compiled once, not by each.
unexport PYTHONDONTWRITEBYTECODE

# Three processes for two cores, since browsers wait; a file of tests at a time; `make test WORKERS=` runs them in one.
# A process that died is not started again: it would take up the very test that it died of (faulthandler_timeout).
WORKERS := -n 3 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

.PHONY: help setup setup-dev run stop test deep check lint types imports migrations templates production supply sbom fix check-shared lock bench bench-scale bench-endurance

help:
	@echo "make run           the whole product at http://127.0.0.1:8000 (PORT=8001 make run: elsewhere)"
	@echo "make stop          end what runs here, Postgres too"
	@echo "make test          every test a fresh clone can run (ARGS='-k word' narrows it)"
	@echo "make bench         what pages cost beside the least they can cost (ARGS='--only lesson')"
	@echo "make bench-scale   the same of the desk with 1,000, 100,000 and 1,000,000 intakes (ARGS='--sizes 1000,100000')"
	@echo "make bench-endurance  what a web worker holds after 20,000 requests, and a cold start (ARGS='--requests 2000')"
	@echo "make deep          the long versions: many examples, all themes, every story without scripts"
	@echo "make check         lint, types, import rules, migrations, templates, production settings, pins and hashes"
	@echo "make sbom          what the product is made of, as CycloneDX (sbom.json)"
	@echo "make check-shared  checks against ../shared"
	@echo "make fix           let the formatters have their way"
	@echo "make setup         only .venv, so that $(BIN)/python manage.py works"
	@echo "make lock          write requirements*.txt anew from requirements*.in"

# `trap` here and in `run`: Ctrl-C while Python itself starts would print its stack. What comes so early stops make.
setup setup-dev:
	@test -n "$(PYTHON)" || { echo "Footing needs Python 3.11 or newer as python3.11 or python3 (or PYTHON=/path/to/it make ...)." >&2; exit 1; }
	@trap '' INT; exec $(PYTHON) clinic/bootstrap.py $(if $(filter setup-dev,$@),dev,demo)

run: setup
	@trap '' INT; exec $(BIN)/python manage.py run

stop: setup
	@$(BIN)/python -m clinic.processes stop

test: setup-dev
	@$(BIN)/python -m tests.browser.browser --install
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

deep: setup-dev
	@$(BIN)/python -m tests.browser.browser --install
	HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest $(WORKERS) -m "deep or not deep" -o faulthandler_timeout=1800 $(ARGS)

bench: setup-dev
	@$(BIN)/python -m tests.browser.browser --install >/dev/null
	@$(BIN)/python -m tests.bench $(ARGS)

bench-scale: setup-dev
	@$(BIN)/python -m tests.bench.scale $(ARGS)

bench-endurance: setup-dev
	@$(BIN)/python -m tests.bench.endurance $(ARGS)

# `make -k check` goes on after a failure, to show them all.
check: lint types imports migrations templates production supply

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(NO_DATABASE) $(BIN)/mypy

imports: setup-dev
	$(NO_DATABASE) $(BIN)/lint-imports

migrations: setup-dev
	$(NO_DATABASE) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

templates: setup-dev
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 --check {} +
	$(NO_DATABASE) $(BIN)/python manage.py check_templates

production: setup-dev
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

# Pins and hashes fail; a look through known holes that is overdue is told and does not (ADR 0045).
supply: setup-dev
	$(NO_DATABASE) $(BIN)/python manage.py sbom --check
	$(NO_DATABASE) $(BIN)/python manage.py write_asvs --check

sbom: setup-dev
	$(NO_DATABASE) $(BIN)/python manage.py sbom --out sbom.json

fix: setup-dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} + || true

check-shared: setup-dev
	$(BIN)/python -m pytest -o addopts="-ra --strict-markers --strict-config" tests/shared
	$(BIN)/python ../shared/tools/overlap.py ../shared/product/article.txt .

lock: setup-dev
	for name in requirements requirements-demo requirements-dev requirements-uv; do \
		$(BIN)/uv pip compile $$name.in --output-file $$name.txt --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --no-emit-find-links \
			--custom-compile-command "make lock" --quiet || exit 1; done
