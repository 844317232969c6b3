# Everyday commands. `make` alone lists them; what is built how is left to CMakeLists.txt.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help stubs demo test test-full test-sanitize test-gpu bench format lint dev wheel clean

PYTHON ?= python3
CXX ?= c++
JOBS ?= 2
VENV := $(CURDIR)/.venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check -q
export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: .venv/demo  ## build kagari and train a network on handwritten digits
	$(VENV)/bin/python examples/digits.py

test: .venv/test  ## run the tests (against PyTorch and mpmath)
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n $(JOBS) -q tests $(ARGS)

test-full: .venv/test  ## run the tests with all samples and the slow ones
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n $(JOBS) -q --full tests $(ARGS)

test-gpu: .venv/test  ## assemble the GPU kernels with ptxas; run the GPU tests where there is a GPU
	@command -v ptxas >/dev/null || echo "ptxas is not on this machine: PTX is generated, not assembled"
	@command -v nvidia-smi >/dev/null || echo "no NVIDIA GPU on this machine: nothing is run on one"
	$(VENV)/bin/python -m pytest -q -k "ptx or gpu" tests $(ARGS)

SANITIZED := build/sanitize/package
# the core's own tests: what llvmlite makes of the kernels is not instrumented anyway
SANITIZED_TESTS := $(addprefix tests/,autograd ops wrong_input nn optim test_storage.py test_numpy.py \
  test_dlpack.py test_from_data.py test_serialization.py)
PRELOAD = $(shell $(CXX) -print-file-name=libasan.so):$(shell $(CXX) -print-file-name=libstdc++.so)
test-sanitize: .venv/test  ## test the core, built with address and undefined-behaviour checks
	$(VENV)/bin/cmake -S . -B build/sanitize -G Ninja -DKAGARI_SANITIZE=ON -DKAGARI_PCH=OFF \
	  -DKAGARI_LEVELS=$(LEVEL) -DCMAKE_MAKE_PROGRAM=$(VENV)/bin/ninja \
	  -DPython_EXECUTABLE=$(VENV)/bin/python --log-level=WARNING
	$(VENV)/bin/cmake --build build/sanitize
	rm -rf $(SANITIZED) && mkdir -p $(SANITIZED) && cp -r src/kagari $(SANITIZED)
	rm -f $(SANITIZED)/kagari/_C.*.so && $(VENV)/bin/cmake --install build/sanitize --prefix $(SANITIZED)
	LD_PRELOAD=$(PRELOAD) ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
	  UBSAN_OPTIONS=print_stacktrace=1 PYTHONPATH=$(SANITIZED) OMP_NUM_THREADS=2 \
	  $(VENV)/bin/python -m pytest -q -p no:cacheprovider $(SANITIZED_TESTS) $(ARGS)

bench: .venv/test  ## time kagari beside PyTorch
	$(VENV)/bin/python -m benchmarks $(ARGS)

format: .venv/lint  ## format the Python and C++ sources
	$(VENV)/bin/ruff check -q --fix .
	$(VENV)/bin/ruff format -q .
	git ls-files '*.cpp' '*.h' | xargs -r $(VENV)/bin/clang-format -i

stubs: dev  ## write the type stubs of the ops anew, from what was built
	PYTHONPATH=src $(ENV)/bin/python cmake/write_stubs.py

lint: .venv/lint  ## check style and types: ruff, clang-format, mypy
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check -q .
	git ls-files '*.cpp' '*.h' | xargs -r $(VENV)/bin/clang-format --dry-run -Werror
	$(VENV)/bin/mypy

# The environment that is active, or else our own
ENV = $(if $(VIRTUAL_ENV),$(VIRTUAL_ENV),$(VENV))
TOOL = $(if $(wildcard $(ENV)/bin/$(1)),$(ENV)/bin/$(1),$(1))
# A developer's build has kernels for this processor only: a third of the work
LEVEL = $(if $(shell grep -m1 avx512vl /proc/cpuinfo),v4,$(if $(shell grep -m1 avx2 /proc/cpuinfo),v3,v2))
dev:  ## build the extension into src/kagari (then: PYTHONPATH=src python)
	$(call TOOL,cmake) -S . -B build/dev -G Ninja -DCMAKE_MAKE_PROGRAM=$(call TOOL,ninja) \
	  -DPython_EXECUTABLE=$(ENV)/bin/python -DKAGARI_INPLACE=ON -DKAGARI_LEVELS=$(LEVEL) --log-level=WARNING
	$(call TOOL,cmake) --build build/dev -j $(JOBS)

wheel: .venv/build  ## make the wheel in dist/
	$(PIP) wheel --no-deps --no-build-isolation -w dist .
	@ls -l dist

clean:  ## remove everything that was built, the environment too
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis src/kagari/_C.*.so

# --- the environment ---------------------------------------------------------------------------
# Stamps inside .venv say what is installed; kagari is built anew when one of its sources changed.
SOURCES := $(shell find csrc src cmake CMakeLists.txt pyproject.toml -type f \
             ! -name '*.so' ! -path '*/__pycache__/*')
REQUIRES = import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "kagari needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."; exit 1; }
	@echo 'int main() {}' | $(CXX) -std=c++20 -x c++ -fsyntax-only - || \
	  { echo "kagari needs a C++20 compiler; say which with: make CXX=g++-12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

.venv/build: pyproject.toml | .venv/made
	$(PIP) install $$($(VENV)/bin/python -c '$(REQUIRES)')
	@touch $@

.venv/demo .venv/test: .venv/%: .venv/build $(SOURCES)
	@echo "Building kagari (a few minutes the first time)"
	$(PIP) install --no-build-isolation '.[$*]'
	@touch $@

.venv/lint: pyproject.toml | .venv/made
	$(PIP) install $$($(VENV)/bin/python -c \
	  'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["lint"])')
	@touch $@
