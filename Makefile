# `make run` and `make test` work on a fresh clone: they set up .venv first, which takes no time once it is done.
# ARGS goes to the command: make run ARGS="digits_lenet5 --set train.epochs=3", make test ARGS="tests/configs -x"
ARGS ?=
BIN := .venv/bin

.PHONY: help setup run test lint format lock

help:
	@echo "make run     train, judge and publish the shipped digits model (hubel run)"
	@echo "make test    run the tests"
	@echo "make lint    check style; make format mends it"
	@echo "make setup   make .venv from requirements.lock"
	@echo "make lock    resolve requirements.in into requirements.lock (ARGS=--upgrade for newer versions)"

setup:
	@sh setup.sh

run: setup
	@$(BIN)/hubel run $(ARGS)

# bytecode is kept, whatever the environment says: a hundred processes would compile hubel anew, three of them the tests too
test: setup
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: setup
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

# uv, because pip cannot override what a package asks for; from the index into a folder of its own where it is not installed.
lock: setup
	@set -e; uv=$$(command -v uv || :); \
	if [ -z "$$uv" ]; then \
	  tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	  $(BIN)/python -m venv "$$tools"; "$$tools/bin/pip" install --quiet uv; uv=$$tools/bin/uv; \
	fi; \
	"$$uv" pip compile --quiet --python $(BIN)/python --override overrides.txt --custom-compile-command "make lock" \
	  $(ARGS) requirements.in --output-file requirements.lock
