# From a fresh machine to a trained driver: Python 3.10 to 3.13 and make are all that is needed.
# What runs where, and the way without make: docs/install.md.
#
#   make run     make best     make test     make help

# The Python that makes the environment, where that lies, and where everything generated goes.
PYTHON ?= python3
VENV   ?= .venv
DATA   ?= data
BEST   ?= $(DATA)/best
# GPU=1 installs TensorFlow with CUDA (Linux with an NVIDIA driver).
GPU    ?= 0
# Writes the lock file; nobody else needs it.
UV     ?= uv

PY     := "$(VENV)/bin/python"
PIP    := $(PY) -m pip --disable-pip-version-check

# What the page in web/ shows.
AGENTS     ?= res/published/vae res/published/vaegan
WEB_MODELS := web/public/models/index.json
WEB_AGENTS := web/public/models/.agents

MACHINE := $(shell uname -sm)
# There is no wheel of Box2D for Linux on ARM. Its source needs what is installed first, and swig
# on the path.
ifeq ($(MACHINE),Linux aarch64)
compile_box2d = $(PIP) install --quiet --constraint requirements.lock setuptools wheel swig && \
	PATH="$$(cd "$(VENV)/bin" && pwd):$$PATH" $(PIP) install --quiet --no-build-isolation \
		--constraint requirements.lock box2d-py
endif

# Stamps are written last, so that an interrupted install is not taken for a finished one.
DEPENDENCIES := $(VENV)/.dependencies-gpu$(GPU)
INSTALLED    := $(VENV)/.installed-gpu$(GPU)

# One sentence instead of a traceback when the machine lacks something.
stop = { echo "make: $(strip $(1))" >&2; exit 2; }

.PHONY: help run best test test-fast web node install dependencies lock clean FORCE

help:
	@echo "make run      environment, install, recipes/quick.toml in $(DATA): a driver and its score"
	@echo "make best     the same with recipes/best.toml in $(BEST): a driver of over 900"
	@echo "make test-fast   the quick tests of the packages, in a minute or two"
	@echo "make test     environment, install, ruff, mypy, the whole test suite"
	@echo "make web      the dream as a page on http://127.0.0.1:4173, and in web/dist (needs Node)"
	@echo "make install  environment and install only"
	@echo "make lock     requirements.lock anew after a change in setup.py (needs uv)"
	@echo "make clean    remove the environment and caches; $(DATA) stays"
	@echo
	@echo "Settings, e.g. make run PYTHON=python3.12:"
	@echo "PYTHON=$(PYTHON)  VENV=$(VENV)  DATA=$(DATA)  GPU=$(GPU)"

run: install
	WORLD_MODELS_LEADER=$$PPID exec $(PY) run_recipe.py recipes/quick.toml --data-dir "$(DATA)"

best: install
	WORLD_MODELS_LEADER=$$PPID exec $(PY) run_recipe.py recipes/best.toml --data-dir "$(BEST)" --res "$(BEST)/res"

test: install
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pytest --numprocesses 2 --dist worksteal

test-fast: install
	$(PY) -m pytest --numprocesses 2 --dist worksteal -m "not slow"

is_new_node = const [a, b] = process.versions.node.split("."); \
	process.exit(a > 20 || a == 20 && b >= 19 ? 0 : 1)

web: node install $(WEB_MODELS)
	cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run build && npm run serve

node:
	@command -v node >/dev/null && command -v npm >/dev/null || $(call stop, \
		there is no Node: install Node.js 20.19 or newer with npm (https://nodejs.org))
	@node -e '$(is_new_node)' || $(call stop, \
		Node is $$(node --version): install 20.19 or newer (https://nodejs.org))

# Which agents were asked for; written only when they are others than before.
$(WEB_AGENTS): FORCE
	@test "$$(cat "$@" 2>/dev/null)" = "$(AGENTS)" || \
		{ mkdir -p "$(@D)" && echo "$(AGENTS)" > "$@"; }

FORCE:

# What the page runs is exported anew when other agents are asked for, or one or the export changes.
$(WEB_MODELS): $(AGENTS:=/model.json) export_web.py $(wildcard controller/web/*.py) $(WEB_AGENTS) \
		| node install
	@$(PIP) install --quiet --constraint requirements.lock --no-build-isolation --editable ".[web]"
	$(PY) export_web.py $(AGENTS)

install: $(INSTALLED)
dependencies: $(DEPENDENCIES)

# The check at the end fails when setup.py asks for what the lock does not hold.
$(INSTALLED): $(DEPENDENCIES) setup.py
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PIP) check || $(call stop, requirements.lock does not fit setup.py: run 'make lock')
	@touch "$@"

# A changed lock makes the environment anew: what it no longer names must not linger.
$(DEPENDENCIES): requirements.lock
	@command -v "$(PYTHON)" >/dev/null || $(call stop, \
		there is no $(PYTHON): install Python 3.10 to 3.13 or name one with PYTHON=python3.12)
	@"$(PYTHON)" runs/platform_check.py
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || $(call stop, \
		$(PYTHON) cannot make environments: install its venv module (apt install python3-venv))
	@test ! -e "$(VENV)" || test -e "$(VENV)/pyvenv.cfg" || $(call stop, \
		$(VENV) exists and is not an environment: remove it or choose another place with VENV)
	@echo "Installing into $(VENV): 2.5 GB on disk."
	@"$(PYTHON)" -m venv --clear "$(VENV)"
	@$(compile_box2d)
	@$(PIP) install --quiet --requirement requirements.lock
	@test "$(GPU)" = 0 || \
		$(PIP) install --quiet --constraint requirements.lock "tensorflow[and-cuda]"
	@touch "$@"

# Keeps the versions that still fit; remove the file first to take the newest of everything.
lock:
	$(UV) pip compile setup.py --extra test --universal --python-version 3.10 \
		--no-annotate --custom-compile-command "make lock" --quiet --output-file requirements.lock

clean:
	@test ! -e "$(VENV)" || test -e "$(VENV)/pyvenv.cfg" || \
		$(call stop, $(VENV) is not an environment and stays: remove it yourself)
	rm -rf "$(VENV)" .pytest_cache .ruff_cache .mypy_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
