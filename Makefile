# make run | test | lint | bench | reset | lock        PORT=8001 make run        make test ARGS="leads -k merge"
# Works with GNU make 3.81. The first target that needs it makes .venv and installs the locked requirements.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
PY = .venv/bin/python
# For tools that load the settings and talk to nobody.
NO_SERVERS = DATABASE_URL=postgres://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 SECRET_KEY=only-for-lint-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
CODE = leadmgmt distribution nurturing scoring leads bench manage.py

.PHONY: run test lint bench reset lock

run: .venv/.installed
	@exec $(PY) -m leadmgmt.local.run

# Two workers: on more cores the servers and the database are the bottleneck first.
test: .venv/.installed-dev
	@$(PY) -m pytest -n 2 $(ARGS)

lint: .venv/.installed-dev
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m djlint --lint --quiet templates
	.venv/bin/lint-imports
	$(NO_SERVERS) $(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(NO_SERVERS) $(PY) -m mypy

bench: .venv/.installed-dev
	@$(PY) -m bench $(ARGS)

reset:
	@if [ -x $(PY) ]; then exec $(PY) -m leadmgmt.local.reset; else echo "Nothing to remove: nothing is installed yet."; fi

# Keeps the pinned versions that still fit; `make lock UPGRADE=--upgrade` takes the newest.
COMPILE = pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)
lock:
	@uv=$$(command -v uv || echo .venv/bin/uv); \
	[ -x "$$uv" ] || { echo "uv is missing: run make lint once, which installs it, or install uv."; exit 1; }; \
	"$$uv" $(COMPILE) requirements.in -o requirements.txt && "$$uv" $(COMPILE) requirements-dev.in -o requirements-dev.txt

.venv/.installed: requirements.txt leadmgmt/local/install.py
	@$(if $(PYTHON),,echo "Python 3.11 or newer is needed and none was found. Install one, or name it: make PYTHON=/path/to/python3.11 …"; exit 1;) \
	$(PYTHON) leadmgmt/local/install.py requirements.txt && touch $@

# The development lock holds the whole of the other one too.
.venv/.installed-dev: requirements-dev.txt leadmgmt/local/install.py
	@$(if $(PYTHON),,echo "Python 3.11 or newer is needed and none was found. Install one, or name it: make PYTHON=/path/to/python3.11 …"; exit 1;) \
	$(PYTHON) leadmgmt/local/install.py requirements-dev.txt && touch $@ .venv/.installed
