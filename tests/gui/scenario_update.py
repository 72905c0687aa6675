"""An engine of another version of the add-on is updated by the tab's button, and works again.

WORDS: an index of packages on this machine, its lock, and a folder with a Python that the engine can use.
"""

import importlib
import json
import os

import bpy

name = next(n for n in bpy.context.preferences.addons.keys() if n.endswith("recon3d"))
setup_session, preferences, target, requirements = (
    importlib.import_module(f"{name}.{part}")
    for part in ("jobs.setup_session", "preferences", "engine_setup.target", "engine_setup.requirements")
)


def scenario(ui, index, lock, programs):
    os.environ["PATH"] += os.pathsep + programs
    kept = bpy.context.preferences.addons[name].preferences
    kept.index, kept.lock = index, lock
    yield from ui.open_tab("Recon3D")
    yield from set_up(ui)
    folder = preferences.engine_folder()
    site = target.site_packages(folder)
    new = (site / "torch" / "__init__.py").read_text()
    make_old(folder, site)
    yield 1
    assert setup_session.state() == setup_session.unfit() == "outdated"
    ui.redraw()
    yield 0.5
    ui.shot("1-outdated.png")
    yield from set_up(ui, "2-asked.png")
    assert setup_session.unfit() == ""
    assert (site / "torch" / "__init__.py").read_text() == new
    assert target.installed(folder)["torch"] == requirements.versions(requirements.pins())["torch"]
    yield from ui.until(lambda: setup_session.session.findings, 120, "the doctor answers")
    assert setup_session.session.findings["able"], setup_session.session.findings
    assert bpy.ops.recon3d.reconstruct.poll()
    ui.redraw()
    yield 0.5
    ui.shot("3-updated.png")


def set_up(ui, picture=""):
    """Press the tab's button, agree, and wait."""
    yield from ui.press("bpy.ops.recon3d.set_up_engine")
    yield 1
    if picture:
        ui.shot(picture)
    yield from ui.key("RET")
    yield from ui.until(lambda: setup_session.session.view.running, 20, "setting up starts")
    yield from ui.until(lambda: not setup_session.session.view.running, 400, "setting up ends")
    assert setup_session.state() == "ready", setup_session.session.view
    yield 1


def make_old(folder, site):
    """What an earlier version of the add-on has left: another torch, and a record of it."""
    info = next(site.glob("torch-*.dist-info"))
    version = info.name.removeprefix("torch-").removesuffix(".dist-info")
    metadata = info / "METADATA"
    metadata.write_text(metadata.read_text().replace(f"Version: {version}", "Version: 2.0.0"))
    info.rename(site / "torch-2.0.0.dist-info")
    (site / "torch" / "__init__.py").write_text("raise SystemExit('the old torch')\n")
    record = json.loads((folder / "ready.json").read_text())
    record["requirements"] = [
        "torch==2.0.0" if "torch==" in each else each for each in record["requirements"]
    ]
    (folder / "ready.json").write_text(json.dumps(record))
