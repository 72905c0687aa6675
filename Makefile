# make setup     the engine's environment in .venv
# make demo      reconstruct the demo capture: build/demo/{workspace,demo.blend,demo.glb,preview.png}
# make test      every test that needs no window        make lint    ruff and mypy
# make test-gui  what needs a real Blender: RECON3D_BLENDER=/path/to/blender RECON3D_BLENDER_GUI=... make test-gui
# make zip       the extension, in dist/
#
# pip's own variables choose where packages come from, for instance a small torch without CUDA:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo

PYTHON ?= $(shell command -v python3.11 || command -v python3)
DEMO := build/demo
PIP := -m pip install --quiet --disable-pip-version-check

.PHONY: setup setup-bpy demo test test-engine test-blender test-gui lint zip clean

setup: .venv/ready
.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP) --editable '.[engine,setup,test,reference,lint]'
	touch $@

setup-bpy: .venv-bpy/ready
.venv-bpy/ready: pyproject.toml
	$(PYTHON) -m venv .venv-bpy
	.venv-bpy/bin/python $(PIP) --editable '.[bpy,test]'
	@.venv-bpy/bin/python -c 'import bpy' || { echo "Blender's module does not load here: install its system" \
	"libraries (Debian: apt-get install libxkbcommon0 libxrender1 libxi6 libxxf86vm1 libxfixes3 libsm6 libgl1 libegl1)."; exit 1; }
	touch $@

demo: .venv/ready .venv-bpy/ready
	.venv/bin/recon3d run demo/photos -o $(DEMO)/workspace --export $(DEMO)/demo.glb
	.venv-bpy/bin/python examples/import_workspace.py -- $(DEMO)/workspace $(DEMO)/demo.blend --preview $(DEMO)/preview.png
	.venv/bin/recon3d evaluate $(DEMO)/workspace --truth demo/truth
	@echo "Look at $(DEMO)/preview.png and $(DEMO)/workspace/report.html; open $(DEMO)/demo.blend in Blender, $(DEMO)/demo.glb anywhere."

test: test-engine test-blender
test-engine: .venv/ready
	.venv/bin/python -m pytest tests/pipeline
	.venv/bin/python -m pytest tests/setup
	.venv/bin/python -m pytest tests/faults
	.venv/bin/python -m pytest tests/scene/test_readers.py tests/scene/test_demo_capture.py
test-blender: .venv-bpy/ready
	.venv-bpy/bin/python -m pytest tests/scene tests/addon
test-gui: .venv/ready
	.venv/bin/python -m pytest tests/gui

lint: .venv/ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

zip:
	$(PYTHON) build_addon.py --output dist

clean:
	rm -rf build dist .venv .venv-bpy
