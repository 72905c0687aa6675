# make setup     the engine's environment in .venv
# make demo      reconstruct the demo capture: build/demo/{workspace,demo.glb,picture.png}, and demo.blend where there
#                is a Blender (on the path, or as the module bpy)
# make test      every test that needs no window        make lint    ruff and mypy, without torch
# make coverage  how much of the engine its fast tests reach
# make golden    write the golden files of the tests again, after a change that is meant
# make test-clients  our files in programs of others, each by a pinned package: a table of client, artefact, verdict
# make test-gui  what needs a real Blender: RECON3D_BLENDER=/path/to/blender RECON3D_BLENDER_GUI=... make test-gui
# make zip       the extension, in dist/
#
# Python 3.11 or later with venv is all that is needed. Without an NVIDIA card the small torch is taken. pip's own
# variables choose another place for packages: PIP_INDEX_URL=... make setup

PYTHON ?= $(shell command -v python3.11 || command -v python3)
DEMO := build/demo
# Files of tests side by side: much of a test's time is one thread's.
PARALLEL ?= --numprocesses 3 --dist loadfile

.PHONY: setup setup-bpy demo test test-engine test-blender test-clients test-gui lint golden coverage zip clean

setup: .venv/ready
.venv/ready: pyproject.toml tools/locks/engine.txt
	@$(PYTHON) tools/bootstrap.py engine

# Where this machine cannot have bpy, .venv-bpy/unavailable says why and what needs it is left out, unless
# RECON3D_REQUIRE_BPY is set.
setup-bpy:
	@[ -e .venv-bpy/ready ] && [ .venv-bpy/ready -nt pyproject.toml ] && \
	  [ .venv-bpy/ready -nt tools/locks/blender.txt ] || $(PYTHON) tools/bootstrap.py blender

.venv-lint/ready: pyproject.toml tools/locks/lint.txt
	@$(PYTHON) tools/bootstrap.py lint

demo: .venv/ready
	.venv/bin/recon3d run demo/photos -o $(DEMO)/workspace --export $(DEMO)/demo.glb --export $(DEMO)/picture.png
	.venv/bin/recon3d evaluate $(DEMO)/workspace --truth demo/truth
	@command -v blender >/dev/null || [ -n "$$RECON3D_BLENDER" ] || $(MAKE) --no-print-directory setup-bpy
	@$(PYTHON) demo/to_blender.py $(DEMO)/workspace $(DEMO)/demo.blend --preview $(DEMO)/preview.png
	@echo "Look at $(DEMO)/picture.png and $(DEMO)/workspace/report.html; open $(DEMO)/demo.glb anywhere."

test: test-engine test-blender
test-engine: .venv/ready
	.venv/bin/python -m pytest $(PARALLEL) tests/pipeline tests/training tests/benchmarks tests/engine_setup tests/faults \
		tests/demo tests/house tests/cases tests/scene/importing/test_readers.py
test-blender: setup-bpy
	@if [ -e .venv-bpy/unavailable ]; then \
	  echo "The tests in Blender are left out: $$(cat .venv-bpy/unavailable)"; \
	else \
	  .venv-bpy/bin/python -m pytest $(PARALLEL) tests/scene tests/addon tests/jobs tests/demo tests/house \
	    tests/cases/test_projects_of_others.py; \
	fi
test-clients: .venv/ready
	.venv/bin/python -m pytest -q -rs tests/clients
test-gui: .venv/ready
	.venv/bin/python -m pytest tests/gui

lint: .venv-lint/ready
	.venv-lint/bin/ruff check .
	.venv-lint/bin/ruff format --check .
	.venv-lint/bin/mypy
	.venv-lint/bin/mypy --config-file tools/mypy_blender.ini

# With branches, and with the processes that tests start. RECON3D_COVERAGE says which tests: by default all fast ones.
RECON3D_COVERAGE ?= -m "not slow" tests/pipeline tests/engine_setup tests/house
coverage: .venv/ready
	@mkdir -p build/coverage
	.venv/bin/python -m coverage erase
	.venv/bin/python -m coverage run -m pytest -q $(PARALLEL) $(RECON3D_COVERAGE)
	.venv/bin/python -m coverage combine -q
	.venv/bin/python -m coverage report

golden: .venv/ready
	.venv/bin/python -m tests.support.golden

zip:
	$(PYTHON) build_addon.py --output dist

clean:
	rm -rf build dist .venv .venv-bpy .venv-lint
