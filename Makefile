# Everyday commands. `make` alone lists them; what is built how is left to CMakeLists.txt.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help dev

JOBS ?= 2
SOURCE := $(CURDIR)
# The environment that is active, or our own
ENV ?= $(if $(VIRTUAL_ENV),$(VIRTUAL_ENV),$(SOURCE)/.venv)
PY := $(ENV)/bin/python
CMAKE := $(if $(wildcard $(ENV)/bin/cmake),$(ENV)/bin/cmake,cmake)
NINJA := $(if $(wildcard $(ENV)/bin/ninja),$(ENV)/bin/ninja,ninja)

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

dev:  ## build the extension into src/kagari (then: PYTHONPATH=src python)
	$(CMAKE) -S . -B build/dev -G Ninja -DCMAKE_MAKE_PROGRAM=$(NINJA) -DPython_EXECUTABLE=$(PY) \
	  -DKAGARI_INPLACE=ON --log-level=WARNING
	$(CMAKE) --build build/dev -j $(JOBS)
