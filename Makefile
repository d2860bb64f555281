# make demo          a MindSpore checkpoint becomes a bundle, and that bundle finds things in pictures
# make test          the test suite
# make full          the families at their published sizes, converted and compared with MindSpore; some minutes
# make bench         the kernels beside other programs that do the same, one table of ratios; some minutes
# make soak          ten minutes of camera and model, in which nothing may grow
# make instructions  counts the kernels' instructions with valgrind; fails when a count has grown by more than 5 %
# make check         style, types, and the C++ tests under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer
#
# Everything is installed into .venv and build/ beside this file. PYTHON=python3.12 chooses the interpreter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHECK := build/.venv
DEMO := build/demo

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.SILENT:
.PHONY: help demo test full bench instructions soak check

PYTHON_VERSION := $(shell $(PYTHON) -c 'import platform; print(platform.python_version())')
ifeq ($(PYTHON_VERSION),)
  $(error $(PYTHON): expected a Python interpreter, got none; do make PYTHON=/path/to/python3)
endif

# A hash of what the installed package is made from: unlike a time it also changes when a file is removed.
PACKAGE := $(shell { cat pyproject.toml CMakeLists.txt; \
  find csrc python converters -type f ! -path '*/__pycache__/*' ! -name '*.so' | LC_ALL=C sort | xargs sha256sum; \
  } | sha256sum | cut -c1-16)
FOR_DEMO := $(VENV)/.demo-$(PACKAGE)
FOR_TEST := $(VENV)/.test-$(PACKAGE)
FOR_BENCH := $(VENV)/.bench-$(PACKAGE)
FORGET = find $(VENV) -maxdepth 1 -name '.*-????????????????' ! -name '*-$(PACKAGE)' -delete
HAS_MINDSPORE := $(BIN)/python -c 'import importlib.util as u, sys; sys.exit(u.find_spec("mindspore") is None)'

help:
	sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

$(VENV)/.python-$(PYTHON_VERSION):
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

# MindSpore has wheels for some Pythons only; without it everything but the conversion still works.
$(FOR_DEMO): $(VENV)/.python-$(PYTHON_VERSION)
	echo "installing edgedet into $(VENV); MindSpore is large: the first time takes some minutes"
	$(BIN)/python -m pip install '.[convert,onnx]' || $(BIN)/python -m pip install '.[onnx]'
	$(FORGET)
	touch $@

$(FOR_TEST): $(VENV)/.python-$(PYTHON_VERSION)
	echo "installing edgedet and its test packages into $(VENV); the first time takes some minutes"
	$(BIN)/python -m pip install '.[convert,onnx,test]' || $(BIN)/python -m pip install '.[onnx,test]'
	$(FORGET)
	touch $(FOR_DEMO) $@

$(FOR_BENCH): $(VENV)/.python-$(PYTHON_VERSION)
	echo "installing edgedet and its peers into $(VENV); the first time takes some minutes"
	$(BIN)/python -m pip install '.[convert,onnx,bench]' || $(BIN)/python -m pip install '.[onnx,bench]'
	$(FORGET)
	touch $(FOR_DEMO) $@

$(CHECK)/.tools: .ci/tools.txt
	$(PYTHON) -m venv --clear $(CHECK)
	$(CHECK)/bin/python -m pip install --quiet -r .ci/tools.txt
	touch $@

define DRAW
import cv2
from edgedet.camera.scene import draw_scene
for seed in (0, 8, 10):  # training begins at seed 1 000 000
    assert cv2.imwrite(f"$(DEMO)/pictures/scene-{seed}.png", draw_scene(seed)[0])
endef
export DRAW

demo: $(FOR_DEMO)
	rm -rf $(DEMO)
	mkdir -p $(DEMO)/pictures
	$(BIN)/python -c "$$DRAW"
	if $(HAS_MINDSPORE); then
	  echo "1. the checkpoint examples/shapes/shapes.ckpt becomes the bundle $(DEMO)/shapes"
	  bundle=$(DEMO)/shapes
	  $(BIN)/edgedet convert ssd_mobilenet_v2 --checkpoint examples/shapes/shapes.ckpt \
	    --config examples/shapes/config.json --labels examples/shapes/labels.txt \
	    --golden $(DEMO)/pictures/*.png --out $$bundle
	else
	  echo "1. MindSpore has no wheel that installs here for Python $(PYTHON_VERSION) (it has one for 3.11), so nothing is"
	  echo "   converted: the packaged bundle, made from the same checkpoint, stands in"
	  bundle=demo
	  $(BIN)/edgedet info $$bundle
	fi
	echo; echo "2. the bundle finds things in three pictures that it was not trained on"
	$(BIN)/edgedet detect $$bundle $(DEMO)/pictures --out $(DEMO)/found
	echo; echo "3. the packaged bundle finds things in a video"
	$(BIN)/edgedet demo --out $(DEMO)/video
	echo; echo "look at:"
	ls -1 $(DEMO)/found/* $(DEMO)/video/*

test: $(FOR_TEST)
	if $(HAS_MINDSPORE); then
	  $(BIN)/python -m pytest -m "not full"
	else
	  echo "MindSpore has no wheel that installs here for Python $(PYTHON_VERSION): the tests of the conversion are left out"
	  $(BIN)/python -m pytest -m "not convert and not full"
	fi

full: $(FOR_TEST)
	$(BIN)/python -m pytest -m full

bench: $(FOR_BENCH)
	$(BIN)/python -m benchmarks

# 3 says that there was nothing to compare with, which the command has printed.
instructions: $(CHECK)/.tools
	export PATH="$(CURDIR)/$(CHECK)/bin:$$PATH"
	python -m benchmarks.instructions --check || test $$? -eq 3

soak: $(FOR_TEST)
	$(BIN)/edgedet soak demo --minutes 10 --sink jsonl:/dev/null

check: $(CHECK)/.tools
	export PATH="$(CURDIR)/$(CHECK)/bin:$$PATH"
	ruff check .
	ruff format --check .
	find csrc tests/cpp benchmarks/cpp -name '*.[ch]pp' | xargs clang-format --dry-run -Werror
	mypy
	cmake --preset asan || cmake --fresh --preset asan  # an old build may name a compiler or a ninja that is gone
	cmake --build --preset asan
	ctest --preset asan
	cmake --preset tsan || cmake --fresh --preset tsan
	cmake --build --preset tsan
	ctest --preset tsan
