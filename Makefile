# Python 3.11 or newer is all that has to be there; `make PYTHON=python3.12 up` takes another one than python3.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help up demo test lint format audit lock runtime development

help:
	@echo "make up      run the hub until Ctrl-C; what it writes is in var/"
	@echo "make demo    the same with a made-up team and its appeals, in var/demo/"
	@echo "make test    every test"
	@echo "make lint    style, types, layers, migrations, translations, templates"
	@echo "make format  bring the code into the style that lint asks for"
	@echo "make audit   known holes in the libraries (asks the network)"
	@echo "make lock    the lock files after a change of pyproject.toml; UPGRADE=1 takes the newest versions"

up: runtime
	@$(BIN)/python manage.py up --stop-with-parent

# On a database and a broker of its own, whatever the environment says: made-up appeals must not meet real ones.
demo: export HUB_DATA_DIR := $(or $(HUB_DATA_DIR),var)/demo
demo: export DATABASE_URL :=
demo: export REDIS_URL :=
demo: runtime
	@$(BIN)/python manage.py up --demo --stop-with-parent

# In parallel; `.venv/bin/pytest tests/...` runs some of them, one after the other.
test: development
	@$(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist worksteal

lint: export DJANGO_SETTINGS_MODULE := tests.settings
lint: development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python .ci/translations.py
	$(BIN)/djlint --lint templates

format: development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

audit: development
	@$(BIN)/python .ci/audit.py $(AUDIT)

compile := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv." >&2; exit 1; }
	$(compile) $(if $(UPGRADE),--upgrade) -o requirements.lock
	$(compile) $(if $(UPGRADE),--upgrade) --extra dev -c requirements.lock -o requirements-dev.lock

# The environment in .venv. A copy of each lock file tells what is installed there.
install = cmp -s $(1) .venv/$(1) || { echo "Installing $(1), which takes a minute or two ..." \
	&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1) \
	&& cp $(1) .venv/$(1); }

runtime: .venv/made
	@$(call install,requirements.lock)

development: runtime
	@$(call install,requirements-dev.lock)

.venv/made:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed; $(PYTHON) was not found." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making the Python environment in .venv ..."
	@$(PYTHON) -m venv --clear .venv
	@touch .venv/made
