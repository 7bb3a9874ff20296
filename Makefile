# From a fresh machine to a trained driver: Python 3.10 to 3.13 and make are all that is needed.
# What runs where, and the way without make: docs/install.md.
#
#   make run     make best     make test     make help

# The Python that makes the environment, where that lies, and where everything generated goes.
PYTHON ?= python3
VENV   ?= .venv
DATA   ?= data
# GPU=1 installs TensorFlow with CUDA (Linux with an NVIDIA driver).
GPU    ?= 0
# Writes the lock file; nobody else needs it.
UV     ?= uv

PY     := "$(VENV)/bin/python"
PIP    := $(PY) -m pip --disable-pip-version-check
SCRIPT  = $(PY) $(1) --data-dir "$(DATA)"

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

.PHONY: help run best first second third fourth test install dependencies lock clean

help:
	@echo "make run      environment, install, the five steps at small scale, the score and a GIF"
	@echo "make best     goes on from there to a driver of over 900"
	@echo "make test     environment, install, ruff, mypy, the whole test suite"
	@echo "make install  environment and install only"
	@echo "make lock     requirements.lock anew after a change in setup.py (needs uv)"
	@echo "make clean    remove the environment and caches; $(DATA) stays"
	@echo
	@echo "Settings, e.g. make run PYTHON=python3.12:"
	@echo "PYTHON=$(PYTHON)  VENV=$(VENV)  DATA=$(DATA)  GPU=$(GPU)"

run: install
	@$(call once,first)
	$(PY) evaluate.py "$(MODEL)" --tracks 16

best: install
	@$(call once,first)
	@$(call once,second)
	@$(call once,third)
	@$(call once,fourth)
	$(PY) evaluate.py "$(MODEL)" --tracks 100

# A stage goes on from what the one before left behind, so one that is over is not begun again.
# The stamps lie with the models, and go with them.
MODEL := $(DATA)/models/vae
once = test -e "$(MODEL)/.$(1)" || { $(MAKE) --no-print-directory $(1) && touch "$(MODEL)/.$(1)"; }

# V and M from random driving, and a C that has evolved on them.
first:
	$(call SCRIPT,01_generate_data.py) --episodes 120 --steps 500
	$(call SCRIPT,02_train_vae.py) --epochs 3
	$(call SCRIPT,03_generate_rnn_data.py)
	$(call SCRIPT,04_train_rnn.py) --steps 500 --batch-size 50
	$(call SCRIPT,05_train_controller.py) --rollouts 1 --generations 16
	$(call SCRIPT,05_train_controller.py) --rollouts 4 --generations 6 --sigma 0.05 --scout 32 --refine

# V and M learn on from what that C drives, and another C evolves on them.
second:
	$(call SCRIPT,01_generate_data.py) $(LASTING) --seed 2
	$(call SCRIPT,01_generate_data.py) $(TAKEN) --seed 3
	$(call SCRIPT,02_train_vae.py) --refine --epochs 1 --learning-rate 0.0005
	$(call SCRIPT,03_generate_rnn_data.py)
	$(call SCRIPT,04_train_rnn.py) --refine --steps 700 --batch-size 50
	$(call SCRIPT,05_train_controller.py) --anew --rollouts 1 --generations 16

# It evolves further, and practises.
third:
	$(call SCRIPT,05_train_controller.py) --rollouts 4 --generations 8 --evaluate-every 4 --sigma 0.05 --scout 32 --refine
	$(call SCRIPT,practice.py) --worlds 64 --release-brake --validation-tracks 64 --generations 30

# M learns on from what has practised, which goes on practising on it.
fourth:
	$(call SCRIPT,01_generate_data.py) $(LASTING) --seed 4
	$(call SCRIPT,01_generate_data.py) $(TAKEN) --seed 5
	test -e "$(MODEL)/before" || { rm -rf "$(DATA)/copied" && \
		cp -R "$(MODEL)" "$(DATA)/copied" && mv "$(DATA)/copied" "$(MODEL)/before"; }
	$(call SCRIPT,03_generate_rnn_data.py)
	$(call SCRIPT,04_train_rnn.py) --refine --steps 1000 --batch-size 50
	$(call SCRIPT,practice.py) --worlds 64 --carry "$(MODEL)/before" --validation-tracks 64 --generations 100

# With mistakes that last, so that what comes of them is seen.
AGENT   := --policy agent --weight-noise 0.01 --patience 150
LASTING := $(AGENT) --episodes 60 --action-noise 0.2 --noise-steps 8
TAKEN   := $(AGENT) --episodes 40 --action-noise 0.05 --takeovers 80

test: install
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pytest --numprocesses 2 --dist loadfile

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
